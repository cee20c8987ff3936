"""NUL, escapes, halves of letters and letters that no paper shows are refused at every door, in words, and leave nothing."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from datetime import date
from types import ModuleType
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import func, select

import engine.actions
from engine.actions.answer import answer
from engine.actions.correction.correct import correct
from engine.actions.delegate import delegate, revoke
from engine.actions.extend import extend
from engine.actions.lodge_appeal import lodge_appeal
from engine.actions.reassign import reassign
from engine.actions.reassign_many import reassign_many
from engine.actions.recall import recall
from engine.actions.withdraw import withdraw
from engine.cases.dossier import fetch_by_number, fetch_row
from engine.cases.opening import open_cases
from engine.definition.registry import pipeline_named
from engine.errors import BadText, Refused, UnknownCase
from engine.execution import parking
from engine.execution.versions import case_migration
from engine.people import accounts, mandates, persons
from engine.people.intake import importing
from engine.people.intake.columns import COLUMNS
from engine.people.intake.fields import clean_cell
from engine.runtime.office import Office, RunHandle
from engine.sweeps import calendar_decisions
from models import LedgerEntry, metadata
from tests.cli.test_contract import Jalur
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import opened as opened
from tests.cli.test_contract import run as run
from tests.people import EVIDENCE
from tests.scheduling.small_office import SmallOffice
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.nib_legalization.conftest import nib as nib
from tests.web.conftest import case as case
from tests.web.conftest import client as client
from tests.web.conftest import small as small

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., NibStory]
BAD = {
    "NUL": "pindah\0kota",
    "escape": "pindah \x1b[2Jkota",
    "bell": "pindah kota\x07",
    "delete": "pindah\x7fkota",
    "half a letter": "pindah \ud83dkota",
    "turned around": "pindah \u202eatok",
    "invisible": "pin\u200bdah kota",
    "a picture": "pindah kota \U0001f600",
}
DAY = date(2026, 2, 2)
CERTIFICATE: dict[str, Any] = {"since": DAY, "until": None, "evidence": EVIDENCE, "by": "budi"}

# Every act by which a text comes in, with the text in question as `text`; `n` is a case that waits for its first check.
Door = Callable[[Office, RunHandle, str, str], object]
DOORS: dict[str, Door] = {
    "answer data": lambda o, r, n, text: answer(
        o, r, n, "dossier_check#1", by="budi", data={"decision": "return", "deficiencies": ["alamat"], "reason": text}
    ),
    "answer data, as a key": lambda o, r, n, text: answer(o, r, n, "dossier_check#1", by="budi", data={text: "x"}),
    "answer number": lambda o, r, n, text: answer(o, r, text, "dossier_check#1", by="budi", data={}),
    "answer key": lambda o, r, n, text: answer(o, r, n, text, by="budi", data={}),
    "answer by": lambda o, r, n, text: answer(o, r, n, "dossier_check#1", by=text, data={"decision": "complete"}),
    "withdraw reason": lambda o, r, n, text: withdraw(o, r, n, by="owner-1", reason=text),
    "withdraw reason, for the owner": lambda o, r, n, text: withdraw(o, r, n, by="budi", reason=text),
    "withdraw number": lambda o, r, n, text: withdraw(o, r, text, by="owner-1", reason="pindah"),
    "recall reason": lambda o, r, n, text: recall(o, r, n, by="rini", reason=text),
    "extend reason": lambda o, r, n, text: extend(
        o, r, n, None, until=DAY, reason=text, by="rini", agreed_with="owner-1"
    ),
    "reassign reason": lambda o, r, n, text: reassign(o, r, n, None, to="tuti", by="rini", reason=text),
    "reassign_many reason": lambda o, r, n, text: reassign_many(
        o, r, holder="budi", to=["tuti"], by="rini", reason=text
    ),
    "delegate reason": lambda o, r, n, text: delegate(o, r, "budi", "tuti", until=DAY, reason=text, by="budi"),
    "revoke reason": lambda o, r, n, text: revoke(o, r, "budi", "tuti", by="budi", reason=text),
    "lodge_appeal reason": lambda o, r, n, text: lodge_appeal(o, r, n, by="owner-1", reason=text),
    "correct reason": lambda o, r, n, text: correct(o, r, n, by="tuti", reason=text, data={"name": "Sari"}),
    "correct data": lambda o, r, n, text: correct(o, r, n, by="tuti", reason="salah", data={"owner.name": text}),
    "migrate_case reason": lambda o, r, n, text: case_migration.migrate_case(
        o, r, case_migration.plan_case(o, n), by="admin", reason=text
    ),
    "migrate_cases reason": lambda o, r, n, text: case_migration.migrate_cases(
        o, r, case_migration.plan_case(o, n), by="admin", reason=text
    ),
    "add_day_off name": lambda o, r, n, text: calendar_decisions.add_day_off(o, r, DAY, text, by="rini"),
    "cancel_day_off reason": lambda o, r, n, text: calendar_decisions.cancel_day_off(
        o, r, date(2026, 8, 17), text, by="rini"
    ),
    "open_cases facts": lambda o, r, n, text: open_cases(
        o, r, pipeline_named("nib-legalization"), [1], by="budi", facts={"note": {"words": [text]}}
    ),
    "open_cases by": lambda o, r, n, text: open_cases(o, r, pipeline_named("nib-legalization"), [1], by=text),
    "retry by": lambda o, r, n, text: parking.retry(o, r, n, by=text),
    "add_user name": lambda o, r, n, text: accounts.add_user(o, text, ["officer"]),
    "add_user unit": lambda o, r, n, text: accounts.add_user(o, "joko", ["officer"], unit=text),
    "add_user institution": lambda o, r, n, text: accounts.add_user(o, "joko", ["officer"], institution=text),
    "add_user region": lambda o, r, n, text: accounts.add_user(o, "joko", ["officer"], region=text),
    "add_user reports_to": lambda o, r, n, text: accounts.add_user(o, "joko", ["officer"], reports_to=text),
    "give_own_code name": lambda o, r, n, text: accounts.give_own_code(o, text),
    "give_token name": lambda o, r, n, text: accounts.give_token(o, text),
    "add_mandate name": lambda o, r, n, text: mandates.add_mandate(
        o, "owner-1", text, paper=EVIDENCE, by="budi", since=DAY
    ),
    "revoke_mandates name": lambda o, r, n, text: mandates.revoke_mandates(o, "owner-1", text),
    "add_person name": lambda o, r, n, text: persons.add_person(o, text, national_id="3508166904956223"),
    "add_person address": lambda o, r, n, text: persons.add_person(
        o, "Joko", national_id="3508166904956223", address=text
    ),
    "add_product name": lambda o, r, n, text: persons.add_product(o, 1, text, "makanan"),
    "record_certificate number": lambda o, r, n, text: persons.record_certificate(
        o, 1, "assessor", text, source="BNSP", **CERTIFICATE
    ),
    "record_certificate source": lambda o, r, n, text: persons.record_certificate(
        o, 1, "assessor", "1", source=text, **CERTIFICATE
    ),
    "declare_conflict institution": lambda o, r, n, text: persons.declare_conflict(
        o, "budi", "family", by="budi", institution=text
    ),
    "declare_conflict name": lambda o, r, n, text: persons.declare_conflict(o, text, "family", by="budi", person=1),
    "choose_channel by": lambda o, r, n, text: persons.choose_channel(o, 1, None, by=text),
    "institution_coded code": lambda o, r, n, text: accounts.add_user(o, "joko", ["officer"], institution=text),
}
# A file's name may hold any letter that can be kept: no paper shows it.
KEEPS_PICTURES: dict[str, Door] = {
    "import_file name": lambda o, r, n, text: importing.import_file(o, r, name=text, content=b"nama\nSri\n"),
    "upload name": lambda o, r, n, text: importing.upload(o, r, name=text, content=b"nama\nSri\n"),
}
TEXTS = ("reason", "name", "data", "facts", "source", "unit", "institution", "code", "content_name")


def rows(office: Office) -> dict[str, int]:
    """Return how many rows each table has; runs, which say who tried, are left out."""
    with office.db.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
            if table.name != "run"
        }


@pytest.fixture
def number(nib: Nib, office: Office) -> str:
    """A case that waits for its first check."""
    return nib().number


@pytest.mark.parametrize("door", [*DOORS, *KEEPS_PICTURES])
def test_every_door_refuses_letters_that_can_not_be_kept(office: Office, number: str, door: str) -> None:
    """In words, with nothing written; PostgreSQL stopped at NUL in the middle of an act, SQLite took it."""
    act = (DOORS | KEEPS_PICTURES)[door]
    before = rows(office)
    for what, text in BAD.items():
        if door in KEEPS_PICTURES and what in ("turned around", "invisible", "a picture"):
            continue
        with pytest.raises(Refused) as refused, office.run("cli", by="budi") as run:
            act(office, run, number, text)
        said = f"{refused.value} {refused.value.for_people}"
        assert not set("\0\x1b\x07\x7f\ud83d") & set(said), what
    assert rows(office) == before


def test_no_act_with_a_text_is_left_out() -> None:
    """Whatever public act of these modules takes a reason, a name or data, has its door above."""
    modules = [accounts, persons, calendar_decisions, importing, parking, case_migration, *_below(engine.actions)]
    acts = {
        f"{name} {parameter}"
        for module in modules
        for name, act in inspect.getmembers(module, inspect.isfunction)
        if act.__module__ == module.__name__ and not name.startswith("_") and name not in INNER
        for parameter in inspect.signature(act).parameters
        if parameter in TEXTS
    }
    tried = {door.partition(",")[0] for door in DOORS | KEEPS_PICTURES}
    assert acts - tried - SEVERAL == set()
    assert {"withdraw reason", "add_user name", "correct data"} <= acts


# Parts of an act above, with texts that came in by it.
INNER = {
    "give",
    "write_to_register",
    "changes_of",
    "corrected_facts",
    "filled_in",
    "migrate_fitting",
    "rewrite_encrypted",
}
# Tried through `answer`.
SEVERAL = {"answer_many data"}


def _below(package: ModuleType) -> list[ModuleType]:
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [importlib.import_module(one.name) for one in found]


@pytest.mark.reads_papers
def test_the_reason_of_a_withdrawal_stalls_no_confirmation(nib: Nib, office: Office) -> None:
    """What is taken can be printed: the confirmation is made and leaves; tabs and CRLF are spaces and lines."""
    story = nib()
    for text in BAD.values():
        with pytest.raises(BadText, match="reason"):
            story.withdraws("owner-1", text)
    story.withdraws("owner-1", "pindah\tkota,\r\nke “Łódź”")
    assert story.outcome == "withdrawn"
    [confirmation] = [one for one in story.documents if one.kind == "withdrawal_confirmation"]
    assert (confirmation.status, confirmation.error) == ("ready", None)
    entry = next(entry for entry in story.entries if entry.outcome == "withdrawn")
    assert entry.reason == "pindah kota,\nke “Łódź”"


def test_a_number_with_such_letters_is_no_case(office: Office, number: str) -> None:
    """To every question about a case, the answer is that there is none."""
    with office.db.reading() as session:
        for text in (f"{number}\0", f"\x1b{number}"):
            with pytest.raises(UnknownCase, match=r"NIB-2026-000001"):
                fetch_row(session, text)
            with pytest.raises(UnknownCase):
                fetch_by_number(office, session, text)


def test_a_cell_with_such_letters_refuses_its_line() -> None:
    """The line is refused by name, the others are taken; what was invisible is dropped as ever."""
    for column in COLUMNS:
        for text in ("Sri\x00", "Sri\x1b[2J", "\x7f", "Sri\ud83d"):
            fault = clean_cell(column, text)
            assert "tidak dapat disimpan" in fault.reason_id  # type: ignore[union-attr]
    taken = clean_cell("owner_name", "Bu\u00a0Sri\u200b\x0bPurnomo\t")
    assert taken.value == "Bu Sri Purnomo"  # type: ignore[union-attr]


def test_the_command_line_takes_no_such_word(jalur: Jalur, opened: list[str], run: Callable[..., Any]) -> None:
    """Wrong usage, by the place of the word; what stands escaped in JSON is refused by the act."""
    number = opened[0]
    jalur("user", "add", "budi", "--role", "officer")
    for words in (
        ("case", "withdraw", number, "--by", "owner-1", "--reason", "pindah\x1b[2J"),
        ("user", "add", "jo\x07ko", "--role", "officer"),
        ("calendar", "add", "2026-02-02", "libur\x7f"),
        ("inbox", "--case", "NIB\x01"),
        ("case", "show", "\udce9"),
    ):
        result = run(*words)
        assert result.exit_code == 2, result.output
        assert "holds a control letter" in " ".join(result.output.replace("│", " ").split())
        assert "\x1b[2J" not in result.output
    data = json.dumps({"decision": "complete", "reason": "a\0b"})
    refused = jalur("open", "nib-legalization", "--business", 1, "--facts", json.dumps({"note": "a\0b"}), code=1)
    assert "can't be kept" in refused["error"]
    assert (
        "is not waiting" in jalur("answer", number, "dossier_check#1", "--by", "budi", "--data", data, code=1)["error"]
    )


def test_the_api_takes_no_such_parameter_and_no_such_text(client: TestClient, small: SmallOffice, case: str) -> None:
    """422 as a problem, wherever the letter stands; 500 was the answer of PostgreSQL."""
    budi, owner = small.token("budi"), small.token("owner-1")
    for path in (f"/cases/{case}%00", "/cases/%1B%5B2J/history", "/inbox?case=NIB%00", f"/inbox?case={case}&role=%07"):
        answer = client.get(f"/api/v1{path}", headers=budi)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), path
    url = f"/api/v1/cases/{case}"
    bad = {"decision": "complete", "reason": "a\0b"}
    assert client.post(f"{url}/answers/dossier_check%00", json=bad, headers=budi).status_code == 422
    answer = client.post(f"{url}/answers/dossier_check%231", json=bad, headers=budi)
    assert (answer.status_code, [one["field"] for one in answer.json()["fields"]]) == (422, ["reason"])
    for text in BAD.values():
        body = json.dumps({"reason": text})
        answer = client.post(f"{url}/withdrawal", content=body, headers={**owner, "Content-Type": "application/json"})
        assert answer.status_code == 422
        assert "\0" not in answer.text
    with small.office.db.reading() as session:
        assert session.exec(select(LedgerEntry.key).where(LedgerEntry.kind == "answer")).all() == []
