"""Whoever owns the database changes it by hand; the audit names it, and needs no seal for that."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select
from typer.testing import CliRunner

from cli import app
from engine.actions.delegate import delegate
from engine.actions.end_account import end_account
from engine.people.accounts import add_user, give_own_code, give_token
from engine.people.mandates import add_mandate
from engine.people.persons import declare_conflict, record_certificate
from engine.reports.audit.office_audit import audit_office
from engine.reports.audit.whole_audit import audit_records
from engine.runtime.bound_rows import OF_A_CASE, OF_THE_OFFICE, bound_columns
from engine.runtime.office import Office
from engine.sweeps.calendar_decisions import add_day_off
from models import (
    Answer,
    CaseFile,
    Document,
    LedgerEntry,
    OfficeEntry,
    PersonKey,
    Run,
    Standing,
)
from models.base import Base
from tests.attacks.by_hand import audited, by_hand, changed, everything, keys_of, other
from tests.people import EVIDENCE
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.nib_legalization.conftest import nib as nib

pytestmark = [pytest.mark.usefixtures("blank_papers"), pytest.mark.both_databases]
Nib = Callable[..., NibStory]
ALL_OF_A_CASE: tuple[type[Base], ...] = (LedgerEntry, *OF_A_CASE)
BESIDE: tuple[type[Base], ...] = tuple(table for table in OF_A_CASE if table is not CaseFile)
ALL_OF_THE_OFFICE: tuple[type[Base], ...] = (OfficeEntry, *OF_THE_OFFICE)


@pytest.fixture
def story(nib: Nib) -> NibStory:
    """A case with every kind of row, closed with a certificate; beside it an open one, which nobody touches."""
    told = nib().to_statement().signs_on_paper().filed().recorded()
    assert told.outcome == "legalized"
    nib(national_id="3578016904500101", name="Warung Wati")
    assert everything(told.office) == []
    return told


# -- a case --------------------------------------------------------------------------------------------------------------

DERIVED = ("status", "outcome", "reason", "closed_at", "corrected_seq", "last_seq", "head", "pending_rows")


def test_every_column_of_a_case_that_is_changed_by_hand_is_named(story: NibStory) -> None:
    """One after the other: each bound column of a row of each table, and each column of an entry; then it is undone."""
    office, case_id = story.office, story.case.id
    tried = 0
    for table in ALL_OF_A_CASE:
        columns = bound_columns(table) if table in OF_A_CASE else tuple(LedgerEntry.model_fields)
        if table is CaseFile:
            columns += DERIVED
        for name in columns:
            if name == "case_id":
                continue
            with by_hand(office) as session:
                key = keys_of(session, table, **({"id": case_id} if table is CaseFile else {"case_id": case_id}))[-1]
                changed(session, table, key, name)
                found = audit_records(office, session, [story.number]).findings if name != "number" else []
                found = found or everything(office, session)
            assert found, f"{table.__tablename__}.{name}"
            assert all(one.detail for one in found)
            tried += 1
    assert tried > 80


def test_every_row_of_a_case_that_is_removed_or_added_is_named(story: NibStory) -> None:
    """A wait, a segment, an answer, a document, a letter, a standing, an entry: gone, and then one too many."""
    office, case_id = story.office, story.case.id
    for table in ALL_OF_A_CASE[:1] + BESIDE:
        core: Any = table.__table__  # type: ignore[attr-defined]
        with by_hand(office) as session:
            key = keys_of(session, table, case_id=case_id)[-1]
            here = [core.c[column] == value for column, value in key.items()]
            row = session.execute(core.select().where(*here)).mappings().one()
            session.execute(core.delete().where(*here))
            gone = audit_records(office, session, [story.number]).findings
            last = list(key)[-1]
            twice = {**row, last: other(row[last], last)} | ({"number": None} if table is Document else {})
            session.execute(core.insert().values(**row))
            session.execute(core.insert().values(**twice))
            added = audit_records(office, session, [story.number]).findings
        assert [one.case for one in gone] and {one.case for one in gone} == {story.number}, core.name
        assert added and {one.case for one in added} == {story.number}, core.name
        what = "entry" if table is LedgerEntry else core.name
        assert what in {one.what for one in gone} & {one.what for one in added}


SAID: dict[str, tuple[str, str, str]] = {
    "an answer of another question": (
        "UPDATE answer SET sealed = (SELECT sealed FROM answer AS a WHERE a.case_id = :case AND a.key = 'nib_record#1') "
        "WHERE case_id = :case AND key = 'dossier_check#1'",
        "answer",
        "the answer to dossier_check#1 is not the one that was given",
    ),
    "an answer that nobody can read": (
        "UPDATE answer SET sealed = facts FROM document WHERE answer.case_id = :case AND answer.key = 'dossier_check#1' "
        "AND document.case_id <> :case",
        "answer",
        "the answer to dossier_check#1 can't be read: it was changed",
    ),
    "the outcome": (
        "UPDATE case_file SET outcome = 'refused' WHERE id = :case",
        "case",
        "outcome is refused, and was legalized by its entries",
    ),
    "the version": (
        "UPDATE case_file SET version = 2 WHERE id = :case",
        "case",
        "version is 2, and was 1 by its entries",
    ),
    "the rule date": (
        "UPDATE case_file SET rule_date = '2025-01-02' WHERE id = :case",
        "case",
        "rule_date is 2025-01-02, and was 2026-01-12 by its entries",
    ),
    "the status": (
        "UPDATE case_file SET status = 'parked' WHERE id = :case",
        "case",
        "status is parked, and was closed by its entries",
    ),
    "the subject": (
        "UPDATE case_file SET subject_id = 2 WHERE id = :case",
        "case",
        "its subject is another one than it was opened for",
    ),
    "a document's number": (
        "UPDATE document SET number = 'LEG-2026-000009' WHERE case_id = :case AND number IS NOT NULL",
        "document",
        "bears the number LEG-2026-000009, and was issued as LEG-2026-000001",
    ),
    "a document's file": (
        "UPDATE document SET sha256 = substr(sha256, 2) || substr(sha256, 1, 1) WHERE case_id = :case AND number IS NOT NULL",
        "document",
        "(LEG-2026-000001) is not the one that was issued",
    ),
    "a document's status": (
        "UPDATE document SET status = 'voided' WHERE case_id = :case AND number IS NOT NULL",
        "document",
        "is voided, and was ready by its entries",
    ),
    "a paper's file": (
        "UPDATE document SET sha256 = substr(sha256, 2) || substr(sha256, 1, 1) WHERE case_id = :case AND number IS NULL",
        "document",
        "is not what entry",
    ),
    "whom a question was asked of": (
        "UPDATE wait SET holder = 'tuti' WHERE case_id = :case AND key = 'dossier_check#1'",
        "wait",
        "wait/dossier_check#1 is not what entry",
    ),
    "the legal clock": (
        "UPDATE clock_segment SET running = NOT running WHERE case_id = :case AND seq = 1",
        "clock_segment",
        "clock_segment/1 is not what entry",
    ),
    "until when a right is given": (
        "UPDATE standing SET until = '2031-01-01' WHERE case_id = :case",
        "standing",
        "standing/legalized is not what entry",
    ),
}


def test_what_is_wrong_is_said_in_words(story: NibStory) -> None:
    """The kind of row, its case, and what is wrong with it."""
    for what, (statement, kind, words) in SAID.items():
        with by_hand(story.office) as session:
            session.execute(text(statement), {"case": story.case.id})
            found = everything(story.office, session)
        said = [one.detail for one in found if (one.what, one.case) == (kind, story.number)]
        assert any(words in one for one in said), (what, [one.detail for one in found])


def test_an_answer_that_the_owner_of_the_keys_seals_anew_is_found_out(story: NibStory) -> None:
    """Even with the master key nobody makes another answer fit the hash in the ledger."""
    with by_hand(story.office) as session:
        answer = session.get_one(Answer, (story.case.id, "dossier_check#1"))
        key = session.exec(select(PersonKey)).first()
        answer.sealed = story.office.vault.encrypt(key, {"decision": "reject"})  # type: ignore[arg-type]
        session.add(answer)
        session.flush()
        found = everything(story.office, session)
    assert "the answer to dossier_check#1 is not the one that was given" in [one.detail for one in found]


def test_what_waits_to_be_bound_is_looked_at_too(nib: Nib) -> None:
    """Since the last entry a question was asked: no entry has it yet, and it is named all the same."""
    story = nib()
    with by_hand(story.office) as session:
        session.execute(text("UPDATE wait SET holder = 'tuti', due_at = NULL WHERE settled_at IS NULL"))
        found = everything(story.office, session)
    assert ["wait/dossier_check#1 is not what was written" in one.detail for one in found] == [True]


@pytest.mark.by_hand
def test_a_change_made_before_the_next_entry_is_named_after_it(nib: Nib) -> None:
    """The next entry binds what was written, and not what somebody made of it meanwhile."""
    story = nib()
    with story.office.db.writing() as session:
        session.execute(text("UPDATE document SET sha256 = substr(sha256, 2) || substr(sha256, 1, 1)"))
    [before] = everything(story.office)
    story.dossier()
    [after] = everything(story.office)
    assert before.detail.startswith("document/confirm_receipt#1/receipt is not what was written")
    assert after.detail == f"document/confirm_receipt#1/receipt is not what entry {before.facts['seq']} has"


def test_all_that_is_wrong_is_named_and_not_the_first_thing(story: NibStory) -> None:
    """Three entries, an answer and a document: five findings at least, and the first bad entry for who wants only that."""
    with by_hand(story.office) as session:
        for statement in (
            "UPDATE ledger_entry SET actor = 'tuti' WHERE case_id = :case AND seq IN (3, 5, 7)",
            "DELETE FROM answer WHERE case_id = :case AND key = 'dossier_check#1'",
            "UPDATE document SET status = 'voided' WHERE case_id = :case AND number IS NOT NULL",
        ):
            session.execute(text(statement), {"case": story.case.id})
        audit = audited(story.office, session)
    said = [one.detail for one in audit.findings]
    assert [f"entry {seq}: its content is not what was hashed" in said for seq in (3, 5, 7)] == [True] * 3
    assert {"entry", "answer", "document"} <= {one.what for one in audit.findings}
    told = audit.as_json()
    assert list(told) == ["entries", "seals", "intact", "first_bad", "findings"]
    assert (told["seals"], told["intact"]) == (0, False)
    assert told["first_bad"] == {
        "case": story.number,
        "seq": 3,
        "what": "entry 3: its content is not what was hashed",
    }
    assert all(list(one) == ["what", "case", "detail"] for one in told["findings"])


# -- numbers -------------------------------------------------------------------------------------------------------------


def test_a_case_that_is_gone_without_a_trace_leaves_its_number(story: NibStory) -> None:
    """Every row of it was deleted: the series knows that there was one, and what the certificate's was."""
    with by_hand(story.office) as session:
        for table in ALL_OF_A_CASE:
            column = "id" if table is CaseFile else "case_id"
            session.execute(text(f"DELETE FROM {table.__tablename__} WHERE {column} = :case"), {"case": story.case.id})
        said = [one.detail for one in everything(story.office, session)]
    assert f"{story.number} was drawn, and nothing bears it" in said
    assert "LEG-2026-000001 was drawn, and nothing bears it" in said


def test_rows_without_a_case_are_named(story: NibStory) -> None:
    """The case's own row is gone, and its ledger, waits and answers are still there."""
    with by_hand(story.office) as session:
        session.execute(text("DELETE FROM case_file WHERE id = :case"), {"case": story.case.id})
        said = [one.detail for one in everything(story.office, session)]
    assert f"rows of ledger_entry belong to a case that is gone (id {story.case.id})" in said


def test_a_number_that_is_borne_twice_or_was_never_drawn_is_named(story: NibStory) -> None:
    """A certificate's number is given to another paper; another gets one beyond the series; a series is set back."""
    with by_hand(story.office) as session:
        session.execute(text("DROP INDEX ix_document_number"))
        papers = keys_of(session, Document, number=None)
        for paper, number in zip(papers, ("LEG-2026-000001", "LEG-2026-000077", "LEGALISASI 7"), strict=False):
            session.execute(
                text("UPDATE document SET number = :number WHERE case_id = :case_id AND key = :key"),
                {"number": number, **paper},
            )
        session.execute(text("UPDATE series SET last = 1 WHERE name = 'NIB-2026'"))
        said = [one.detail for one in everything(story.office, session) if one.what == "number"]
    assert said[0] == "LEGALISASI 7 is no number of a series"
    assert said[1:] == [
        "LEG-2026-000001 is borne 2 times",
        "LEG-2026-000077 was never drawn",
        "NIB-2026-000002 was never drawn",
    ]


# -- triggers ------------------------------------------------------------------------------------------------------------


def test_a_trigger_that_is_gone_asleep_or_toothless_is_named(story: NibStory) -> None:
    """Each of them alone, although the others are in force."""
    on_sqlite = story.office.db.is_sqlite
    name = "append_only_ledger_entry_update" if on_sqlite else "append_only_ledger_entry_row"
    on_table = "" if on_sqlite else " ON ledger_entry"
    ways = [[f"DROP TRIGGER {name}{on_table}"]]
    if on_sqlite:
        ways.append(
            [f"DROP TRIGGER {name}", f"CREATE TRIGGER {name} BEFORE UPDATE ON ledger_entry BEGIN SELECT 1; END"]
        )
    else:
        body = "CREATE FUNCTION looks_away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
        instead = (
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE ON ledger_entry FOR EACH ROW EXECUTE FUNCTION looks_away()"
        )
        ways += [
            [f"ALTER TABLE ledger_entry DISABLE TRIGGER {name}"],
            [f"ALTER TABLE ledger_entry ENABLE REPLICA TRIGGER {name}"],
            [f"DROP TRIGGER {name} ON ledger_entry", body, instead],
            [body.replace("CREATE", "CREATE OR REPLACE").replace("looks_away", "refuse_change")],
        ]
    for statements in ways:
        with story.office.db.writing() as session:
            for statement in statements:
                session.execute(text(statement))
            found = audit_records(story.office, session).findings
            session.rollback()
        assert f"the trigger {name} is not in force" in [one.detail for one in found], statements
        assert {one.what for one in found} == {"trigger"}


# -- the office ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def settled(story: NibStory) -> Office:
    """An office with a row in every table that its ledger binds."""
    office = story.office
    with office.run("cli", by="admin") as run:
        add_user(
            office, "sari", ["officer"], region="35", institution="DKUM", unit="sarpras", reports_to="rini", run=run
        )
        give_own_code(office, "sari", run=run)
        give_token(office, "sari", run=run)
        add_mandate(office, "owner-1", "ani", paper=EVIDENCE, by="admin", since=office.clock.today(), run=run)
        declare_conflict(office, "sari", "family", by="admin", business=1, run=run)
        record_certificate(
            office,
            1,
            "curator",
            "BNSP 12",
            since=office.clock.today(),
            until=None,
            source="LSP Contoh",
            evidence=EVIDENCE,
            by="admin",
            run=run,
        )
        until = office.clock.today() + timedelta(days=30)
        delegate(office, run, "tuti", "budi", until=until, reason="cuti tahunan", by="admin")
        add_day_off(office, run, date(2026, 3, 4), "Hari jadi", by="admin")
        add_user(office, "dewi", ["officer"], run=run)
        end_account(office, run, "dewi", reason="pindah tugas")
    assert everything(office) == []
    with office.db.reading() as session:
        assert all(keys_of(session, table) for table in OF_THE_OFFICE)
    return office


def test_every_column_of_the_office_that_is_changed_by_hand_is_named(settled: Office) -> None:
    """Accounts, roles, mandates, conflicts, delegations, certificates, institutions, days off, runs, and the ledger itself."""
    tried = 0
    for table in ALL_OF_THE_OFFICE:
        for name in table.model_fields:
            with by_hand(settled) as session:
                changed(session, table, keys_of(session, table)[0], name)
                found = list(audit_office(session))
            assert found, f"{table.__tablename__}.{name}"
            assert {one.case for one in found} == {None}
            assert str(table.__tablename__) in {one.what for one in found}
            tried += 1
    assert tried > 80


def test_every_row_of_the_office_that_is_removed_or_added_is_named(settled: Office) -> None:
    """Somebody is made an officer by hand; a mandate, a conflict, a day off and a run are made to have never been."""
    for table in ALL_OF_THE_OFFICE:
        core: Any = table.__table__  # type: ignore[attr-defined]
        with by_hand(settled) as session:
            key = keys_of(session, table)[0]
            here = [core.c[column] == value for column, value in key.items()]
            row = dict(session.execute(core.select().where(*here)).mappings().one())
            session.execute(core.delete().where(*here))
            gone = list(audit_office(session))
            last = list(key)[-1]
            unique = {
                name: f"x{row[name]}" for name in ("name", "code", "number") if name in row and core.name != "run"
            }
            session.execute(core.insert().values(**row))
            session.execute(core.insert().values(**{**row, **unique, last: other(row[last], last)}))
            added = list(audit_office(session))
        assert core.name in {one.what for one in gone} & {one.what for one in added}


def test_an_account_that_was_made_an_administrator_by_hand_is_named(settled: Office) -> None:
    """The commonest attack of who owns the database, in words."""
    with by_hand(settled) as session:
        session.execute(
            text("INSERT INTO account_role (user_id, role) SELECT id, 'administrator' FROM account WHERE name = 'budi'")
        )
        session.execute(text("UPDATE account SET api_token_hash = 'x' WHERE name = 'admin'"))
        said = sorted(one.detail for one in everything(settled, session))
    assert len(said) == 2
    assert said[0].startswith("account/") and "is not what entry" in said[0]
    assert said[1].endswith("/administrator stands in no entry of the office's ledger")


def test_a_tail_of_the_office_ledger_that_was_cut_is_named(settled: Office) -> None:
    """The end of the chain is kept apart, so that the last entries can't go unnoticed."""
    with by_hand(settled) as session:
        session.execute(text("DELETE FROM office_entry WHERE seq > 5"))
        said = [one.detail for one in everything(settled, session)]
    assert "the office's ledger ends after 5 entries, and not where its chain's end says" in said


def test_a_run_that_entries_name_and_that_is_gone_is_named(settled: Office) -> None:
    """Whoever wants to hide who acted deletes the run."""
    with by_hand(settled) as session:
        run_id = session.exec(select(LedgerEntry.run_id)).first()
        session.execute(text("DELETE FROM run WHERE id = :run"), {"run": run_id})
        said = [one.detail for one in everything(settled, session)]
    assert f"run/{run_id} is gone, and entries of cases name it" in said


# -- files ---------------------------------------------------------------------------------------------------------------


def test_files_are_looked_at_when_that_is_asked_for(story: NibStory, tmp_path: Path) -> None:
    """Changed bytes, a file that is gone, and a row that links to another's file; without --files none of it is read."""
    office = story.office
    assert everything(office, files=True) == []
    with office.db.reading() as session:
        papers = session.exec(select(Document).where(Document.case_id == story.case.id)).all()
    gone, touched, *_ = (Path(office.store.location(paper.path or "")) for paper in papers)
    evidence = Path(office.store.location(office.store.find(EVIDENCE.removeprefix("sha256:")) or ""))
    kept = gone.read_bytes(), touched.read_bytes(), evidence.read_bytes()
    try:
        gone.unlink()
        touched.write_bytes(kept[1] + b" ")
        evidence.unlink()
        assert everything(office) == []
        found = [(one.case, one.detail.split(" ")[-1], one.detail) for one in everything(office, files=True)]
    finally:
        gone.write_bytes(kept[0])
        touched.write_bytes(kept[1])
        evidence.write_bytes(kept[2])
    assert {case for case, _, _ in found} == {story.number}
    assert sorted(last for _, last, _ in found) == ["gone", "gone", "stored"]
    with by_hand(office) as session:
        session.execute(
            text("UPDATE document SET path = :path WHERE case_id = :case AND key = :key"),
            {"path": papers[0].path, "case": story.case.id, "key": papers[1].key},
        )
        said = [one.detail for one in everything(office, session, files=True) if one.what == "file"]
    assert said == [f"{papers[1].key} is linked to another file: {papers[0].path}"]


# -- the command ---------------------------------------------------------------------------------------------------------


def test_the_command_names_it_for_programs_and_for_people(story: NibStory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1; one JSON value of the contract's shape; a table in the reader's language."""
    office = story.office
    monkeypatch.setenv("JALUR_HOME", str(office.settings.home))
    monkeypatch.setenv("JALUR_ENV", "test")
    monkeypatch.setenv("JALUR_DATABASE_URL", office.settings.database_url)
    monkeypatch.setenv("JALUR_MASTER_KEY", office.settings.master_key.get_secret_value())  # type: ignore[union-attr]
    whole = CliRunner().invoke(app, ["audit", "verify", "--files", "--json"])
    assert (whole.exit_code, json.loads(whole.stdout)["findings"]) == (0, [])
    with office.db.writing() as session:
        was = session.exec(select(Standing.reference).where(Standing.what == "legalized")).one()
        session.execute(text("UPDATE standing SET reference = 'x' WHERE what = 'legalized'"))
    told = CliRunner().invoke(app, ["audit", "verify", "--json"])
    finding = json.loads(told.stdout)["findings"]
    assert (told.exit_code, len(finding)) == (1, 1)
    assert (finding[0]["what"], finding[0]["case"]) == ("standing", story.number)
    monkeypatch.setenv("JALUR_LANGUAGE", "id")
    people = CliRunner().invoke(app, ["audit", "verify"])
    assert people.exit_code == 1
    assert "hak yang diberikan" in people.stdout and "standing/legalized tidak sama" in people.stdout
    with office.db.writing() as session:  # undone, since every story is audited at its end
        session.execute(text("UPDATE standing SET reference = :was WHERE what = 'legalized'"), {"was": was})


def test_runs_are_bound_once_each(story: NibStory) -> None:
    """Workers do not queue on one chain: a run writes one entry, when it ends."""
    with story.office.db.reading() as session:
        runs = set(session.exec(select(Run.id)))
        entries = session.exec(select(OfficeEntry).where(OfficeEntry.what == "run ended")).all()
    assert sorted(one.subject for one in entries) == sorted(runs)
