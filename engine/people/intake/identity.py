"""Cleaners of a person's numbers: national id, tax id, telephone, e-mail.

Numbers that a spreadsheet has damaged are refused.
"""

from __future__ import annotations

import calendar
import re

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from engine.people.intake.cleaned import Cleaned, Fault
from engine.people.intake.spelling import (
    digits_of,
    is_digits,
    is_nothing,
    is_scientific,
    plain_number,
    plain_text,
    shown_email,
    shown_personal,
    without_float_tail,
)
from rules.regions import provinces, regions

_COPY_ID = "Salin 16 angka NIK dari KTP."
_COPY_ID_EN = "Copy the 16 digits from the identity card."
_PHONE_LABEL = re.compile(
    r"\b(?:whatsapp|telepon|telephone|telpon|mobile|nomor|phone|telp|tlp|tel|hp|wa|no|fax)\b[\s.:]*", re.IGNORECASE
)
_PHONE_SIGNS = re.compile(r"[\d+\s().,:/_-]+")
_MOBILE = re.compile(r"8\d{8,11}")
_FIXED = re.compile(r"[2-79]\d{7,9}")


def lost_digits(title: str, title_en: str, text: str) -> Fault:
    """Return the fault of a long number whose last digits a spreadsheet has dropped."""
    return Fault(
        f"{title} '{shown_personal(text)}' telah dirusak lembar sebar: angka terakhirnya hilang dan tidak dapat "
        f"dipulihkan. Jadikan kolom itu teks, lalu ketik ulang angkanya dari dokumen aslinya.",
        f"{title_en} '{shown_personal(text)}' was destroyed by a spreadsheet: its last digits are lost for good. "
        f"Make the column text and type the number again from the original paper.",
    )


def national_id(raw: str) -> Cleaned | Fault:
    """Return a NIK: 16 digits of district, date of birth (DDMMYY; women DD+40) and serial."""
    text = plain_number(raw)
    if is_nothing(text):
        return Fault(f"NIK belum diisi. {_COPY_ID}", f"The national id is empty. {_COPY_ID_EN}")
    if is_scientific(text):
        return lost_digits("NIK", "The national id", text)
    unfloated = without_float_tail(text, (16,))
    if unfloated != text and unfloated.endswith("0"):
        return lost_digits("NIK", "The national id", text)
    digits = digits_of(unfloated, "NIK")
    if not is_digits(digits):
        return _bad_id("memuat tanda selain angka", "has signs other than digits", digits)
    if len(digits) != 16:
        return _bad_id(f"terdiri dari {len(digits)} angka, bukan 16", f"has {len(digits)} digits instead of 16", digits)
    if digits[:2] not in provinces():
        return _bad_id(
            "tidak berawalan kode provinsi yang ada", "does not begin with the code of a province that exists", digits
        )
    if not _is_birth_date(digits[6:12]):
        return _bad_id(
            "tidak memuat tanggal lahir yang ada (angka ke-7 sampai ke-12)",
            "does not hold a date of birth that exists (digits 7 to 12)",
            digits,
        )
    if digits.endswith("0000"):
        return _bad_id("berakhiran 0000, yang bukan nomor urut", "ends in 0000, which is no serial number", digits)
    if digits[:4] not in regions():
        return Cleaned(
            digits,
            f"NIK {shown_personal(digits)} pertama kali diterbitkan di luar Jawa Timur. "
            f"Itu boleh; periksa alamat usahanya.",
            f"The national id {shown_personal(digits)} was first issued outside East Java. "
            f"That is allowed; check where the business is.",
        )
    return Cleaned(digits)


def tax_id(raw: str) -> Cleaned | Fault:
    """Return an NPWP (15 or 16 digits, PMK 112/PMK.03/2022) or NITKU (22); None for empty."""
    text = plain_number(raw)
    digits = digits_of(without_float_tail(text, (15, 16)), "NPWP")
    if is_nothing(text) or is_nothing(digits):
        return Cleaned(None)
    if is_scientific(text) or (digits != digits_of(text, "NPWP") and len(digits) == 16 and digits.endswith("0")):
        return lost_digits("NPWP", "The tax id", text)
    if is_digits(digits) and len(digits) in (15, 16, 22):
        if digits.strip("0"):
            return Cleaned(digits)
        return Cleaned(None, "NPWP berisi nol semua; dianggap belum ada.", "The tax id is all zeros; taken as none.")
    what = f"terdiri dari {len(digits)} angka" if is_digits(digits) else "memuat tanda selain angka"
    what_en = f"has {len(digits)} digits" if is_digits(digits) else "has signs other than digits"
    return Fault(
        f"NPWP '{shown_personal(digits)}' {what}; yang benar 15 atau 16 angka. "
        f"Salin dari kartu NPWP, atau kosongkan bila belum ada.",
        f"The tax id '{shown_personal(digits)}' {what_en}; it should have 15 or 16. "
        f"Copy it from the tax card, or leave the cell empty if there is none.",
    )


def phone(raw: str) -> Cleaned | Fault:
    """Return a telephone number in E.164 (``+62…``); None with a caution for an empty cell."""
    text = plain_number(raw)
    if is_nothing(text):
        return Cleaned(
            None,
            "Nomor telepon belum diisi; kabar hanya dapat disampaikan lewat surel atau surat.",
            "There is no telephone number; news can go by e-mail or letter only.",
        )
    if is_scientific(text):
        return lost_digits("Nomor telepon", "The telephone number", text)
    whole = _phone(text)
    if whole:
        return whole
    parts = [part for part in re.split(r"[/;,|&]|\b(?:atau|dan|or|and)\b", text) if part.strip()]
    found = [number for number in map(_phone, parts) if number]
    if found:
        return Cleaned(
            found[0].value,
            "Ada lebih dari satu nomor telepon dalam sel ini; yang pertama dipakai.",
            "There is more than one telephone number in the cell; the first is used.",
        )
    return Fault(
        f"Nomor telepon '{shown_personal(text)}' tidak lengkap atau salah tulis. "
        f"Tulis nomor seluler lengkap, misalnya 081234567890 atau +6281234567890.",
        f"The telephone number '{shown_personal(text)}' is incomplete or mistyped. "
        f"Write the full mobile number, such as 081234567890 or +6281234567890.",
    )


def email(raw: str) -> Cleaned | Fault:
    """Return a well-formed e-mail address (RFC 5321, no look-up); None for an empty cell."""
    text = plain_text(raw).strip("'\u2019 <>,;").removeprefix("mailto:")
    if is_nothing(text):
        return Cleaned(None)
    whole = _email(text)
    if whole:
        return Cleaned(whole)
    named = re.fullmatch(r"[^@<>]*<([^<>]+)", text)
    found = [_email(part) for part in ([named[1]] if named else re.split(r"[\s,;/|]+", text))]
    # Every part must be an address: half of "sri,780@contoh.example" is somebody else's.
    if all(found):
        return Cleaned(
            found[0],
            "Ada tulisan lain di samping alamat surel; alamat yang pertama dipakai.",
            "There is more than one e-mail address in the cell; the first is used.",
        )
    return Fault(
        f"Alamat surel '{shown_email(text)}' salah tulis. Tulis seperti nama@contoh.id, atau kosongkan bila tidak ada.",
        f"The e-mail address '{shown_email(text)}' is mistyped. "
        f"Write it like name@example.id, or leave the cell empty if there is none.",
    )


def _email(text: str) -> str | None:
    try:
        # test_environment lets the reserved name .test pass: deliverability is found out when a letter is sent.
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except (EmailNotValidError, ValueError):
        return None


def _phone(text: str) -> Cleaned | None:
    text = _PHONE_LABEL.sub("", re.sub(r"^(\+?\d{9,14})[.,]0{1,2}$", r"\1", text.strip())).strip()
    if not _PHONE_SIGNS.fullmatch(text) or text.rfind("+") > 1:
        return None
    digits = re.sub(r"\D", "", text)
    abroad = "+" in text or digits.startswith("00")
    digits = digits.removeprefix("00") if digits.startswith("00") else digits
    if digits.startswith("62"):
        national = digits[2:].removeprefix("0")
    elif abroad:
        return _foreign(digits)
    elif digits.startswith(("0", "8")):
        national = digits.removeprefix("0")
    else:
        return None
    if _MOBILE.fullmatch(national):
        return Cleaned(f"+62{national}")
    if _FIXED.fullmatch(national):
        return Cleaned(
            f"+62{national}",
            "Nomor ini bukan nomor seluler; pesan singkat tidak dapat dikirim ke sana.",
            "This is not a mobile number; text messages can't be sent to it.",
        )
    return None


def _foreign(digits: str) -> Cleaned | None:
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return Cleaned(
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        "Nomor telepon ini nomor luar negeri. Periksa kembali bila bukan demikian maksudnya.",
        "This is a foreign telephone number. Check it if it was not meant so.",
    )


def _is_birth_date(written: str) -> bool:
    day, month, year = int(written[:2]), int(written[2:4]), int(written[4:])
    day = day - 40 if day > 40 else day
    if not 1 <= month <= 12:
        return False
    # The century is not written. 2000 stands for '00: a leap year there, so 29 February '00 passes.
    return 1 <= day <= calendar.monthrange(2000 + year, month)[1]


def _bad_id(what: str, what_en: str, digits: str) -> Fault:
    return Fault(
        f"NIK '{shown_personal(digits)}' {what}. {_COPY_ID}",
        f"The national id '{shown_personal(digits)}' {what_en}. {_COPY_ID_EN}",
    )
