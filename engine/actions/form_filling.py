"""Fill in a form from raw data, or refuse it with each faulty field named in Indonesian."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from pydantic import ValidationError

from engine.definition.forms import Form, Question
from engine.definition.incoming import flaws_of, normalised, shown
from engine.errors import BadAnswer

# A refusal names so many faults, and counts the others.
MOST_FAULTS = 20
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
    "int_parsing_size": "bilangan ini terlalu panjang",
    "list_type": "harus berupa daftar",
    "date_type": "harus berupa tanggal, misalnya 2026-01-31",
    "date_parsing": "harus berupa tanggal, misalnya 2026-01-31",
    "date_from_datetime_parsing": "harus berupa tanggal, misalnya 2026-01-31",
    "model_type": "isian formulir harus berupa pasangan nama dan isi",
}


def filled_in(number: str, key: str, question: Question[Any], data: dict[str, Any]) -> Form:
    """Return the form filled in with ``data``.

    It asks neither the database nor the store, so that it may run outside of any transaction.

    Raises:
        BadAnswer: Names the first 20 faulty fields, and counts the others.
    """
    _must_be_fit(number, key, data)
    try:
        form: Form = question.form.model_validate(normalised(data))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        faults = [_fault(one) for one in islice(found, MOST_FAULTS)]
        raise BadAnswer(number, key, faults, more=len(found) - len(faults)) from None
    _must_be_fit(number, key, form.model_dump())  # a long row of digits becomes a number only here
    return form


def _must_be_fit(number: str, key: str, data: Any) -> None:
    if flaws := flaws_of(data):
        faults = [{"field": one.field or "form", "reason": one.reason} for one in flaws[:MOST_FAULTS]]
        raise BadAnswer(number, key, faults, more=len(flaws) - len(faults))


def _fault(fault: Mapping[str, Any]) -> dict[str, str]:
    field = ".".join(shown(part) for part in fault["loc"])
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
