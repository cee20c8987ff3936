"""Cleaners of columns: a raw cell becomes a value, a value with a caution, or a fault.

A cleaner never raises. It removes formatting (apostrophes, points, spaces, ``Rp``) and guesses nothing: an uncertain
cell is a fault that shows the value, with personal numbers masked, and names the next move.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from engine.definition.incoming import has_control_letters
from engine.people.intake import identity
from engine.people.intake.cleaned import Cleaned, Fault
from engine.people.intake.money import rupiah_cleaner
from engine.people.intake.spelling import (
    digits_of,
    is_digits,
    is_nothing,
    is_scientific,
    plain_number,
    plain_text,
    shown,
    without_float_tail,
)
from rules.regions import regions

Cleaner = Callable[[str], Cleaned | Fault]
NAME_LENGTH = 255
ADDRESS_LENGTH = 1000
OTHER_VERSIONS = ("2005", "2009", "2015", "2017")
# Divisions of KBLI 2020 and 2025 (as ISIC): two digits that can begin a code.
DIVISIONS = frozenset(
    f"{number:02d}"
    for first, last in (
        (1, 3), (5, 9), (10, 33), (35, 39), (41, 43), (45, 47), (49, 53), (55, 56), (58, 66), (68, 75), (77, 82),
        (84, 88), (90, 99),
    )
    for number in range(first, last + 1)
)  # fmt: skip


@dataclass(frozen=True)
class TextCleaner:
    """The cleaner of a free text: its title for people, and whether it must be filled in."""

    title: str
    title_en: str
    required: bool = False
    longest: int = NAME_LENGTH
    why_wanted: tuple[str, str] | None = None

    def __call__(self, raw: str) -> Cleaned | Fault:
        """Return the text without invisible characters and double spaces, or its fault."""
        text = plain_text(raw)
        if self.required and (text.casefold() in ("n/a", "#n/a") or not any(sign.isalnum() for sign in text)):
            return Fault(
                f"{self.title} belum diisi. Tulis {self.title.lower()}, lalu unggah lagi baris ini.",
                f"{self.title_en} is empty. Fill it in and upload this row again.",
            )
        if len(text) > self.longest:
            return Fault(
                f"{self.title} terlalu panjang ({len(text)} huruf, paling banyak {self.longest}). Singkatkan isinya.",
                f"{self.title_en} is too long ({len(text)} characters, {self.longest} at most). Shorten it.",
            )
        if is_nothing(text):
            return Cleaned("", *(self.why_wanted or ()))
        return Cleaned(text)


def owner_name(raw: str) -> Cleaned | Fault:
    """Return the owner's name; it has at least one letter."""
    cleaned = TextCleaner("Nama pemilik", "The owner's name", required=True)(raw)
    if isinstance(cleaned, Fault) or any(character.isalpha() for character in cleaned.value):
        return cleaned
    return Fault(
        "Nama pemilik tidak memuat huruf. Tulis nama seperti pada KTP.",
        "The owner's name has no letters. Write it as on the identity card.",
    )


def cluster(raw: str) -> Cleaned | Fault:
    """Return the cluster in lower case: makanan, minuman, fesyen."""
    cleaned = TextCleaner(
        "Klaster", "The cluster", why_wanted=("Klaster belum diisi; dapat dilengkapi nanti.", "The cluster is empty.")
    )(raw)
    return (
        cleaned if isinstance(cleaned, Fault) else Cleaned(cleaned.value.lower(), cleaned.caution, cleaned.caution_en)
    )


def region_code(raw: str) -> Cleaned | Fault:
    """Return one of the 38 four-digit codes of East Java; shorten finer codes, with a caution."""
    text = plain_number(raw)
    named = re.fullmatch(r"(\d[\d.]*)(?:\s*[-:(]\s*|\s)([^\W\d].*?)\)?", text)
    code = named[1] if named else text
    digits = digits_of(without_float_tail(code, (4,)).replace(",", "."))
    if not digits:
        return _region_fault("Kode wilayah belum diisi", "The region code is empty")
    if not is_digits(digits):
        known = [found for found, name in regions().items() if _same_place(name, text)]
        if len(known) == 1:
            return _region_fault(
                f"'{shown(text)}' adalah nama, bukan kode wilayah; kodenya {known[0]}",
                f"'{shown(text)}' is a name, not a region code; its code is {known[0]}",
            )
        return _region_fault(f"'{shown(text)}' bukan kode wilayah", f"'{shown(text)}' is not a region code")
    region = digits[:4]
    if len(digits) in (4, 6, 7, 10) and region in regions():
        if named and not _same_place(regions()[region], named[2]):
            return _region_fault(
                f"Kode {region} adalah {regions()[region]}, tetapi sel ini menyebut nama lain",
                f"{region} is {regions()[region]}, but the cell names another place",
            )
        if len(digits) == 4:
            return Cleaned(region)
        return Cleaned(
            region,
            f"Kode wilayah '{shown(text)}' lebih rinci dari kabupaten/kota; dicatat sebagai {region}.",
            f"The region code '{shown(text)}' is finer than a regency or city; taken as {region}.",
        )
    if len(digits) >= 4 and not digits.startswith("35"):
        return _region_fault(
            f"Kode wilayah '{shown(text)}' berada di luar Jawa Timur",
            f"The region code '{shown(text)}' is outside East Java",
        )
    return _region_fault(
        f"Kode wilayah '{shown(text)}' tidak ada dalam daftar kabupaten/kota Jawa Timur",
        f"The region code '{shown(text)}' is not that of a regency or city of East Java",
    )


def industry_code(raw: str) -> Cleaned | Fault:
    """Return a KBLI code: exactly five digits (Peraturan BPS 2/2020 and 7/2025)."""
    text = plain_number(raw)
    digits = digits_of(without_float_tail(text, (5,)).replace(",", "."), "KBLI")
    titled = re.fullmatch(r"(\d{5})(?:\s*[-:(]\s*|\s)[^\W\d].*", re.sub(r"(?i)^kbli\b[\s.:#]*", "", text))
    digits = titled[1] if titled else digits
    if not digits:
        return Fault(
            "Kode KBLI belum diisi. Tulis kode KBLI lima angka dari usaha ini.",
            "The industry code is empty. Write the business's five-digit KBLI code.",
        )
    if is_digits(digits) and len(digits) == 5:
        if digits[:2] in DIVISIONS:
            return Cleaned(digits)
        return Cleaned(
            digits,
            f"Kode KBLI {digits} tidak berawalan golongan yang dikenal. Periksa kembali pada daftar KBLI.",
            f"The industry code {digits} does not begin with a known division. Check it against the KBLI list.",
        )
    lost = is_digits(digits) and len(digits) == 4
    return Fault(
        f"Kode KBLI '{shown(text)}' tidak terdiri dari tepat lima angka. Lihat kode yang benar di oss.go.id"
        + (", dan periksa apakah angka 0 di depan hilang karena lembar sebar." if lost else "."),
        f"The industry code '{shown(text)}' is not exactly five digits. Look the right code up at oss.go.id"
        + ("; a spreadsheet may have dropped a leading 0." if lost else "."),
    )


def industry_code_version(raw: str) -> Cleaned | Fault:
    """Return 2020 (Peraturan BPS 2/2020) or 2025 (Peraturan BPS 7/2025)."""
    text = digits_of(without_float_tail(plain_number(raw), (4,)), "KBLI")
    if text in ("2020", "2025"):
        return Cleaned(text)
    if text in OTHER_VERSIONS:
        return Fault(
            f"KBLI {text} tidak berlaku lagi. Cari padanannya pada KBLI 2020 atau 2025; perbaiki kode dan versinya.",
            f"KBLI {text} is no longer in force. Find its successor in KBLI 2020 or 2025; correct code and version.",
        )
    if not text:
        return Fault(
            "Versi KBLI belum diisi. Tulis 2020 atau 2025, sebab kode yang sama dapat berarti lain.",
            "The KBLI version is empty. Write 2020 or 2025: the same code may mean something else.",
        )
    return Fault(
        f"Versi KBLI '{shown(text)}' tidak dikenal. Tulis 2020 atau 2025.",
        f"The KBLI version '{shown(text)}' is not known. Write 2020 or 2025.",
    )


def existing_nib(raw: str) -> Cleaned | Fault:
    """Return a NIB of 13 digits, or None when there is none yet."""
    text = plain_number(raw)
    digits = digits_of(without_float_tail(text, (13,)), "NIB")
    if is_nothing(text) or is_nothing(digits) or digits.strip("0") == "":
        return Cleaned(None)
    if is_scientific(text):
        return identity.lost_digits("NIB", "The NIB", text)
    if is_digits(digits) and len(digits) == 13:
        return Cleaned(digits)
    lost = is_digits(digits) and len(digits) == 12
    return Fault(
        f"NIB '{shown(text)}' tidak terdiri dari 13 angka. Salin NIB dari dokumen OSS, atau kosongkan bila belum ada."
        + (" Mungkin angka 0 di depan hilang karena lembar sebar." if lost else ""),
        f"The NIB '{shown(text)}' is not 13 digits. Copy it from the OSS document, or leave it empty if there is none."
        + (" A spreadsheet may have dropped a leading 0." if lost else ""),
    )


# Columns whose values repeat over thousands of rows, so their results are cached; none holds personal data.
REPEATED = frozenset({"region_code", "industry_code", "industry_code_version", "main_product", "cluster"})

CLEANERS: dict[str, Cleaner] = {
    "owner_name": owner_name,
    "national_id": identity.national_id,
    "tax_id": identity.tax_id,
    "phone": identity.phone,
    "email": identity.email,
    "business_name": TextCleaner("Nama usaha", "The business's name", required=True),
    "region_code": region_code,
    "address": TextCleaner(
        "Alamat",
        "The address",
        longest=ADDRESS_LENGTH,
        why_wanted=("Alamat belum diisi; diperlukan sebelum kunjungan.", "The address is empty; a visit will need it."),
    ),
    "industry_code": industry_code,
    "industry_code_version": industry_code_version,
    "main_product": TextCleaner(
        "Produk utama",
        "The main product",
        why_wanted=("Produk utama belum diisi; dapat dilengkapi nanti.", "The main product is empty."),
    ),
    "cluster": cluster,
    "capital_rupiah": rupiah_cleaner("Modal usaha", "The capital"),
    "annual_sales_rupiah": rupiah_cleaner("Hasil penjualan tahunan", "The yearly sales"),
    "existing_nib": existing_nib,
}


def clean_cell(column: str, raw: str) -> Cleaned | Fault:
    """Clean the raw cell of a column; one with NUL, an escape or half a letter is refused."""
    if has_control_letters(raw):
        return Fault(
            "Sel ini berisi tanda yang tidak dapat disimpan (NUL atau huruf rusak). Ketik ulang isinya.",
            "The cell holds letters that can't be kept (NUL, an escape, half a letter). Type it anew.",
        )
    return _clean_known(column, raw) if column in REPEATED else CLEANERS[column](raw)


@lru_cache(maxsize=4096)
def _clean_known(column: str, raw: str) -> Cleaned | Fault:
    return CLEANERS[column](raw)


def _same_place(name: str, written: str) -> bool:
    """Return whether ``written`` may mean the region; some names are a regency's and a city's."""
    kind, place = _place(name)
    written_kind, written_place = _place(written)
    return place == written_place and written_kind in ("", kind)


def _place(name: str) -> tuple[str, str]:
    found = re.fullmatch(r"(kabupaten|kab|kota)?[\W_]*(.*)", name.casefold().strip())
    assert found  # the last group takes anything
    return {"kab": "kabupaten"}.get(found[1], found[1] or ""), re.sub(r"[\W_]", "", found[2])


def _region_fault(what: str, what_en: str) -> Fault:
    return Fault(
        f"{what}. Tulis kode empat angka kabupaten/kota di Jawa Timur, misalnya 3578 atau 35.78.",
        f"{what_en}. Write the four-digit code of a regency or city of East Java, such as 3578 or 35.78.",
    )
