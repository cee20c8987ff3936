"""Fill in a form from raw data, or refuse it with each faulty field named in Indonesian."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unicodedata import category, normalize

from pydantic import ValidationError

from engine.definition.forms import Form, Question
from engine.errors import BadAnswer

# By pydantic's own names of faults. The input is never repeated: it may be a personal number.
IN_WORDS = {
    "missing": "wajib diisi",
    "extra_forbidden": "isian ini tidak dikenal; periksa ejaannya",
    "enum": "pilih salah satu dari {expected}",
    "literal_error": "pilih salah satu dari {expected}",
    "string_type": "harus berupa teks",
    "string_too_short": "paling sedikit {min_length} huruf",
    "string_too_long": "paling banyak {max_length} huruf",
    "string_pattern_mismatch": "bentuknya tidak sesuai ({pattern})",
    "bool_type": "jawab ya atau tidak",
    "bool_parsing": "jawab ya atau tidak",
    "int_type": "harus berupa bilangan bulat",
    "int_parsing": "harus berupa bilangan bulat",
    "list_type": "harus berupa daftar",
    "date_type": "harus berupa tanggal, misalnya 2026-01-31",
    "date_parsing": "harus berupa tanggal, misalnya 2026-01-31",
    "date_from_datetime_parsing": "harus berupa tanggal, misalnya 2026-01-31",
    "model_type": "isian formulir harus berupa pasangan nama dan isi",
}


def filled_in(
    number: str, key: str, question: Question[Any], data: dict[str, Any], is_kept: Callable[[str], bool]
) -> Form:
    """Return the form filled in with ``data``.

    ``is_kept`` tells whether a file is in the store: evidence that nobody can open is none.

    Raises:
        BadAnswer: Names every faulty field.
    """
    data = _plain(data)
    if faults := [{"field": field, "reason": reason} for field, reason in _unwritable(data)]:
        raise BadAnswer(number, key, faults)
    try:
        form: Form = question.form.model_validate(data)
    except ValidationError as error:
        raise BadAnswer(number, key, [_fault(one) for one in error.errors(include_url=False)]) from None
    lost = [field for field, sha256 in _evidence(data) if not is_kept(sha256)]
    if lost:
        raise BadAnswer(
            number, key, [{"field": field, "reason": "berkas ini belum tersimpan; lampirkan"} for field in lost]
        )
    return form


def _plain(value: Any) -> Any:
    """Return ``value`` with its texts normalised: NFC, tabs as spaces, lines ending in LF."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if not isinstance(value, str) or (value.isascii() and value.isprintable()):
        return value
    return normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))


def _unwritable(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Yield each field with a letter that neither database nor paper can keep, and the reason."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _unwritable(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _unwritable(inner, f"{field}.{place}")
    elif not isinstance(value, str) or (value.isascii() and value.replace("\n", "").isprintable()):
        return
    elif any(category(letter) in ("Cc", "Cf", "Cs") and letter != "\n" for letter in value):
        yield field, "berisi tanda yang tidak dapat disimpan (NUL atau huruf rusak); ketik ulang"
    else:
        from documents.alphabet import (
            printable_letters,
        )  # imported late: it reads fonts, which only unusual letters need

        if strange := "".join(sorted(set(value) - printable_letters())):
            yield field, f"huruf atau gambar ini tidak dapat dicetak: {strange[:20]}; tulis dengan huruf Latin"


def _evidence(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Yield each file that the data names, at any depth, with its field."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _evidence(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _evidence(inner, f"{field}.{place}")
    elif isinstance(value, str) and value.startswith("sha256:"):
        yield field, value.removeprefix("sha256:")


def _fault(fault: Mapping[str, Any]) -> dict[str, str]:
    field = ".".join(str(part) for part in fault["loc"])
    reason = IN_WORDS.get(fault["type"], "").format_map(_Words(fault.get("ctx", {})))
    own = re.fullmatch(r"(?s)Value error, (?:(\w+): )?(.*)", fault["msg"])
    if own:  # our forms say which field they mean: "deficiencies: sebutkan …"
        field, reason = field or own[1] or "", own[2] if not field else f"{own[1]}: {own[2]}" if own[1] else own[2]
    return {"field": field or "form", "reason": reason or fault["msg"]}


class _Words(dict[str, Any]):
    """The details of a fault, in Indonesian."""

    def __missing__(self, name: str) -> str:
        return "…"

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        return value.replace(" or ", " atau ") if isinstance(value, str) and name == "expected" else value
