"""What people type: taken as it can be kept and printed, or refused with the field and the next move."""

from __future__ import annotations

import re
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from engine.actions.form_filling import filled_in
from engine.definition.forms import Evidence, Form, Question, evidence_in
from engine.errors import BadAnswer
from models import Role
from models.privacy import significant_digits, without_numbers


class Proof(BaseModel):
    """A line of a list."""

    file: Evidence


class Handed(Form):
    """Words, a number of five digits, and proofs."""

    words: str = ""
    code: Annotated[str, Field(pattern=r"^\d{5}$")] = "10794"
    proofs: list[Proof] = []


def handed(**data: Any) -> Handed:
    question = Question(Handed, of=Role.OFFICER, title="Serahkan")
    form = filled_in("NIB-2026-000001", "handed#1", question, data)
    assert isinstance(form, Handed)
    return form


@pytest.mark.parametrize(
    ("field", "typed"),
    [("words", "enak 😀"), ("words", "สวัสดี"), ("words", "Sari\u200bSri"), ("words", "\u202egnp"), ("code", "۱۲۳۴۵")],
)
def test_what_no_paper_can_show_is_refused_where_it_is_typed(field: str, typed: str) -> None:
    """Else the paper could never be made, and its letter would wait for it for ever."""
    with pytest.raises(BadAnswer) as refused:
        handed(**{field: typed})
    assert f": {field}: " in refused.value.for_people
    assert re.search("tidak dapat dicetak|ketik ulang", refused.value.for_people)


def test_tabs_and_line_ends_are_taken_in_one_way() -> None:
    """A browser sends CRLF, a spreadsheet tabs; an accent may come apart from its letter."""
    assert handed(words="satu\r\ndua\rtiga\tempat cafe\u0301").words == "satu\ndua\ntiga empat café"


def test_only_fields_for_evidence_name_files() -> None:
    """At any depth of the form; a text that looks like a file's name is a text."""
    name = f"sha256:{'a' * 64}"
    form = handed(words=name, proofs=[{"file": name}])
    assert list(evidence_in(form)) == [("proofs.0.file", name)]
    assert form.model_dump(mode="json")["proofs"] == [{"file": name}]


def test_the_numbers_of_one_person_and_any_nik_are_masked() -> None:
    """However they are written; a certificate's number that looks as long stays, and so does another's telephone."""
    own = frozenset({significant_digits("+6281162319252"), significant_digits("3508166904956220")})
    given = ["telepon 0811-6231-9252", "NIK 3508166904956220", "ID35110001325901022", "ibunya 3578 0141 0167 0003"]
    shown = ["telepon 081162****52", "NIK 350816********20", "ID35110001325901022", "ibunya 357801********03"]
    other = "kantor 0812-0000-1111"
    assert without_numbers({"words": [*given, other], "n": 3}, own) == {"words": [*shown, other], "n": 3}
