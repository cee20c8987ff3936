"""A body made to cost much costs little: it is judged before the write lock, up to a limit, and told in twenty faults."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from engine.actions.answer import answer_many
from engine.cases.opening import open_cases
from engine.errors import BadAnswer, BadText
from engine.runtime.office import Office
from tests.cli.test_contract import Jalur
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import opened as opened
from tests.cli.test_contract import run as run
from tests.scheduling.small_office import SmallOffice
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.nib_legalization.conftest import nib as nib
from tests.web.conftest import case as case
from tests.web.conftest import client as client
from tests.web.conftest import small as small

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., NibStory]


def nested(levels: int) -> Any:
    """Return lists in lists, so many levels deep."""
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


ENDLESS: dict[str, tuple[Any, str]] = {
    "unknown keys": ({f"k{n}": n for n in range(100_000)}, "paling banyak 1000 isian"),
    "a long list": ({"decision": "return", "deficiencies": ["x"] * 100_000}, "paling banyak 1000 isian"),
    "many small lists": ({f"k{n}": [n] * 50 for n in range(500)}, "paling banyak 1000 isian"),
    "levels": ({"decision": nested(90_000)}, "paling dalam 10 tingkat"),
    "letters": ({"decision": "complete", "reason": "a" * 5_000_000}, "paling banyak 200000 huruf"),
    "letters of keys": ({"a" * 5_000_000: 1}, "paling banyak 200000 huruf"),
    "digits": ({"decision": 10**4000}, "paling banyak 18 angka"),
    "no number": ({"decision": float("nan")}, "paling banyak 18 angka"),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_data_without_end_are_given_up_at_a_limit(nib: Nib, what: str) -> None:
    """One fault, in a moment, and nothing changed: 100,000 faults took 20 s under the write lock."""
    data, why = ENDLESS[what]
    story = nib()
    before, began = len(story.entries), time.process_time()
    with pytest.raises(BadAnswer) as refused:
        story.answers("budi", "dossier_check#1", **data)
    assert time.process_time() - began < 1
    assert [fault["reason"] for fault in refused.value.parts["fields"]] == [why]  # type: ignore[attr-defined]
    assert len(str(refused.value)) < 1000
    assert (story.waits_for, len(story.entries)) == (["dossier_check#1"], before)


def test_twenty_faults_are_told_and_the_others_counted(nib: Nib) -> None:
    """Of pydantic's faults as of letters that can't be kept; a field's name is shortened."""
    story = nib()
    for data, all_of_them in (
        ({"decision": "complete", **{f"{'k' * 500}{n}": n for n in range(300)}}, 300),
        ({"decision": "return", "deficiencies": ["a\0b"] * 300}, 300),
    ):
        with pytest.raises(BadAnswer) as refused:
            story.answers("budi", "dossier_check#1", **data)
        fields: Any = refused.value.parts["fields"]
        assert (len(fields), refused.value.parts["more"]) == (20, all_of_them - 20)
        assert f"; dan {all_of_them - 20} lagi" in refused.value.for_people
        assert f"; and {all_of_them - 20} more" in str(refused.value)
        assert max(len(fault["field"]) for fault in fields) <= 80
    with pytest.raises(BadAnswer) as refused:
        story.answers("budi", "dossier_check#1")
    assert "more" not in refused.value.parts


def test_a_row_of_digits_becomes_no_number_that_can_not_be_kept(nib: Nib) -> None:
    """A text of 4,000 digits is a number to a form; 64 bits hold 18 of them."""
    from pydantic import BaseModel

    from engine.actions.form_filling import filled_in
    from engine.definition.forms import Form, Question
    from models import Role

    class Line(BaseModel):
        rupiah: int

    class Paid(Form):
        amount: int
        rate: float = 1.0
        lines: list[Line] = []

    question = Question(Paid, of=Role.OFFICER, title="Bayar")
    for data in ({"amount": "9" * 4000}, {"amount": 10**18}, {"amount": 1, "rate": "inf"}):
        with pytest.raises(BadAnswer, match="paling banyak 18 angka"):
            filled_in("NIB-2026-000001", "paid#1", question, data)
    with pytest.raises(BadAnswer, match=r"lines\.1\.rupiah: paling banyak 18 angka"):
        filled_in("N", "paid#1", question, {"amount": 1, "lines": [{"rupiah": 1}, {"rupiah": -(10**18)}]})
    assert filled_in("N", "paid#1", question, {"amount": "9" * 18})


@contextmanager
def held(office: Office, story: NibStory) -> Iterator[None]:
    """Hold what an answer to that case would wait for: its row, and on SQLite the write lock of the database."""
    with office.db.writing() as session:
        session.execute(text("SELECT id FROM case_file WHERE number = :n" + _for_update(office)), {"n": story.number})
        yield


def _for_update(office: Office) -> str:
    return "" if office.db.is_sqlite else " FOR UPDATE"


@pytest.mark.both_databases
def test_a_bad_answer_is_refused_while_somebody_else_writes(nib: Nib, office: Office) -> None:
    """It waits for no lock, and so holds none; a good one beside it waits for its turn, and is taken."""
    story, other = nib(), nib(national_id="3508166904956221")
    bad: dict[str, Any] = {"decision": "perhaps", **{f"k{n}": n for n in range(900)}}
    with office.run("web", by="budi") as run:
        with held(office, story):
            [refused] = answer_many(office, run, [(story.number, "dossier_check#1", bad)], by="budi")
        assert isinstance(refused, BadAnswer)
        good = (other.number, "dossier_check#1", {"decision": "complete"})
        ends: list[Any] = []

        def both() -> None:
            ends.extend(answer_many(office, run, [(story.number, "dossier_check#1", bad), good], by="budi"))

        together = threading.Thread(target=both)
        with held(office, other):
            together.start()
            together.join(0.3)
            assert together.is_alive()
        together.join(30)
    assert [type(end).__name__ for end in ends] == ["BadAnswer", "Answered"]


def test_facts_without_end_open_no_case(nib: Nib, office: Office) -> None:
    """`jalur open --facts` is a door as well."""
    story = nib()
    for data, _ in ENDLESS.values():
        with pytest.raises(BadText), office.run("cli", by="budi") as run:
            open_cases(office, run, story.pipeline, [1], by="budi", facts=data)


def test_the_command_line_says_what_has_no_end(jalur: Jalur, opened: list[str], run: Callable[..., Any]) -> None:
    """Wrong usage, told in words and without a traceback: deep lists, endless numbers, many keys."""
    number = opened[0]
    for data in (
        "[" * 100_000,
        json.dumps({"a": nested(200)}),
        '{"a": ' + "9" * 5000 + "}",
        json.dumps({"k": [1] * 2000}),
    ):
        for words in (
            ("answer", number, "dossier_check#1", "--by", "budi", "--data", data),
            ("case", "correct", number, "--by", "budi", "--reason", "salah ketik", "--data", data),
            ("open", "nib-legalization", "--business", 1, "--facts", data),
        ):
            result = run(*words)
            assert (result.exit_code, type(result.exception)) == (2, SystemExit), result.output
            assert "has too many values, levels or letters" in " ".join(result.output.replace("│", " ").split())


def test_the_api_answers_a_body_of_many_keys_in_a_moment(client: TestClient, small: SmallOffice, case: str) -> None:
    """422 with one fault; the office goes on answering."""
    budi = small.token("budi")
    body = {f"k{n}": n for n in range(20_000)}
    began = time.process_time()
    answer = client.post(f"/api/v1/cases/{case}/answers/dossier_check%231", json=body, headers=budi)
    assert time.process_time() - began < 1.5
    assert (answer.status_code, len(answer.json()["fields"]), len(answer.content) < 2000) == (422, 1, True)
    good = client.post(f"/api/v1/cases/{case}/answers/dossier_check%231", json={"decision": "complete"}, headers=budi)
    assert good.status_code == 201
