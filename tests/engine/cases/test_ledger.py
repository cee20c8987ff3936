"""The ledger is written once: the database refuses to change it, and the chain tells where somebody did all the same."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from engine.cases import ledger
from engine.deadlines.clock import JAKARTA
from engine.reports.audit.whole_audit import audit_records
from engine.runtime.hash_chain import canonical
from engine.runtime.office import Office
from models import CaseFile, EntryKind, LedgerEntry
from tests.engine.conftest import Begin
from tests.pipelines_for_tests.workshop import Workshop
from tests.stories.story import Story

# SHA-256 of one fixed entry, computed once: the canonical form may never change, or every chain would break.
GOLDEN = "bfc60ea582f00dd175f531245741c8ffb1082afe95e7452618c315beeb3d8385"


@pytest.fixture
def story(begin: Begin, workshop: Workshop) -> Story:
    """A finished case of seven entries, beside another that nobody touches."""
    workshop.write()
    begin()
    told = (
        begin()
        .answers("budi", "visit#1", decision="fine", reason="lahan baik")
        .answers("ani", "sample#1", decision="fine")
    )
    assert [entry.key for entry in told.entries] == [
        "opened#1", "greet#1", "visit#1", "weigh#1", "sample#1", "thank#1", "closed#1",
    ]  # fmt: skip
    return told


CHANGES = [
    "UPDATE ledger_entry SET reason = 'lahan buruk' WHERE seq = 3",
    "UPDATE ledger_entry SET outcome = outcome",
    "DELETE FROM ledger_entry WHERE seq = 7",
    "DELETE FROM ledger_entry",
]
REPLACES = [  # SQLite alone: the old row would go without a word from the trigger that guards deletions
    "INSERT OR REPLACE INTO ledger_entry SELECT * FROM ledger_entry",
    "REPLACE INTO clock_segment SELECT case_id, seq, since, 'applicant', 0, ground, key FROM clock_segment",
    "INSERT OR REPLACE INTO clock_segment (rowid, case_id, seq, since, holder, running, ground, key) "
    "SELECT rowid, case_id, seq + 99, since, holder, running, ground, key FROM clock_segment",
    "UPDATE OR REPLACE clock_segment SET seq = 1",
    "DELETE FROM clock_segment",
]
TRUNCATES = [
    "TRUNCATE ledger_entry",
    "TRUNCATE case_file CASCADE",
]  # SQLite has none; its DELETE without WHERE is tried


def test_the_database_itself_refuses_to_change_the_ledger(story: Story) -> None:
    """Whoever has the password of the database meets the trigger."""
    for statement in CHANGES + (REPLACES if story.office.db.is_sqlite else TRUNCATES):
        with pytest.raises(DBAPIError, match="the ledger is append-only"), story.office.db.writing() as session:
            session.execute(text(statement))
    assert len(story.entries) == 7
    assert story.is_whole()


def without_triggers(session: Session, *, is_sqlite: bool) -> None:
    """Do what only somebody with the rights of the database's owner can do."""
    if is_sqlite:
        for name in session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            session.execute(text(f"DROP TRIGGER {name}"))
    else:
        session.execute(text("ALTER TABLE ledger_entry DISABLE TRIGGER USER"))


THIS = "case_id = :case"
TAMPERED: dict[str, tuple[list[str], int, str]] = {
    "a reason was changed": (
        [f"UPDATE ledger_entry SET reason = 'lahan buruk' WHERE {THIS} AND seq = 3"],
        3,
        "its content is not what was hashed",
    ),
    "an actor was changed": (
        [f"UPDATE ledger_entry SET actor = 'tuti' WHERE {THIS} AND seq = 5"],
        5,
        "its content is not what was hashed",
    ),
    "an entry in the middle was removed": (
        [f"DELETE FROM ledger_entry WHERE {THIS} AND seq = 4"],
        4,
        "entry 4 is missing",
    ),
    "one was removed and the gap closed": (
        [
            f"DELETE FROM ledger_entry WHERE {THIS} AND seq = 4",
            *(f"UPDATE ledger_entry SET seq = {seq - 1} WHERE {THIS} AND seq = {seq}" for seq in (5, 6, 7)),
        ],
        4,
        "does not follow the one before it",
    ),
    "the tail was cut off": (
        [f"DELETE FROM ledger_entry WHERE {THIS} AND seq > 5"],
        6,
        "the chain counts 7 entries, and ends after 5",
    ),
    "everything was removed": (
        [f"DELETE FROM ledger_entry WHERE {THIS}"],
        1,
        "the chain counts 7 entries, and ends after 0",
    ),
    "two were swapped": (
        [
            f"UPDATE ledger_entry SET seq = 99 WHERE {THIS} AND seq = 3",
            f"UPDATE ledger_entry SET seq = 3 WHERE {THIS} AND seq = 5",
            f"UPDATE ledger_entry SET seq = 5 WHERE {THIS} AND seq = 99",
        ],
        3,
        "does not follow the one before it",
    ),
    "a hash was made to fit a changed entry": (
        [f"UPDATE ledger_entry SET hash = previous_hash WHERE {THIS} AND seq = 7"],
        7,
        "its content is not what was hashed",
    ),
}


def test_the_chain_names_the_first_bad_entry(story: Story) -> None:
    """The case, the entry and what is wrong with it; the case beside it stays whole. Each is undone for the next."""
    case_id = story.case.id
    for what, (statements, seq, found) in TAMPERED.items():
        with story.office.db.writing() as session, session.begin_nested() as undone:
            without_triggers(session, is_sqlite=story.office.db.is_sqlite)
            for statement in statements:
                session.execute(text(statement), {"case": case_id})
            bad = audit_records(story.office, session).first_bad
            beside = audit_records(story.office, session, ["FRM-2026-000001"]).first_bad
            undone.rollback()
        assert bad is not None, what
        assert (what, bad[0], bad[1].seq, beside) == (what, story.number, seq, None)
        assert found in bad[1].what, what
    assert story.is_whole()


def test_an_entry_has_the_same_hash_in_every_database(story: Story) -> None:
    """What comes back from the database is what was hashed: time to the microsecond, Indonesian letters, numbers, nesting."""
    case = CaseFile(id=1, number="NIB-2026-000123", version=1, last_seq=0, head="")  # type: ignore[call-arg]
    with story.office.db.reading() as session:
        run_id = session.exec(select(LedgerEntry.run_id)).first() or ""
    row = ledger.append(
        case,
        at=datetime(2026, 1, 12, 2, 0, 0, 123456, tzinfo=UTC),
        run_id="fixed",
        kind=EntryKind.STEP,
        key="weigh#1",
        actor="jalur",
        reason="omzet naik “dua kali” – kopi Arabika ñ 🎉",
        result={"grams": 100, "share": 0.1, "of": [None, True, {"z": 1, "a": "é"}], "rupiah": 18_400_000_000_000},
        rule_versions={"visit_time": "2021-01-01"},
    )
    assert row["hash"] == GOLDEN
    with story.office.db.writing() as session:
        session.execute(insert(LedgerEntry).values(**{**row, "seq": 99, "run_id": run_id}))
    with story.office.db.reading() as session:
        kept = session.get_one(LedgerEntry, (1, 99)).model_dump()
    assert ledger.entry_hash("NIB-2026-000123", "", {**kept, "seq": 1, "run_id": "fixed"}) == GOLDEN


def test_the_canonical_form_does_not_depend_on_order_or_zone() -> None:
    """The same value is the same bytes; what has no canonical form is refused."""
    moment = datetime(2026, 1, 12, 2, 0, tzinfo=UTC)
    jakarta = moment.astimezone(JAKARTA)
    assert canonical({"b": 1, "a": moment}) == canonical({"a": jakarta, "b": 1})
    assert canonical({"a": "ñ"}) == '{"a":"ñ"}'.encode()
    with pytest.raises(TypeError, match="not JSON serializable: object"):
        canonical(object())


def test_a_salted_hash_gives_nothing_away_across_cases() -> None:
    """Two cases with the same answer have different hashes, so nobody learns one from the other."""
    assert ledger.salted_hash("one", {"decision": "fine"}) != ledger.salted_hash("two", {"decision": "fine"})
    assert ledger.salted_hash("one", {"a": 1, "b": 2}) == ledger.salted_hash("one", {"b": 2, "a": 1})


def test_a_personal_number_that_is_typed_into_a_reason_never_reaches_the_ledger(
    begin: Begin, workshop: Workshop, office: Office
) -> None:
    """The words of the answer are encrypted; what the ledger shows of them is masked."""
    workshop.write()
    for number in ("3508166904956220", "01.312.166.0-091.000", "0811-6231-9252", "sri@contoh.example"):
        story = begin().answers("budi", "visit#1", decision="fine", reason=f"pemilik {number} tidak di tempat")
        said = next(entry.reason for entry in story.entries if entry.key == "visit#1") or ""
        assert said.startswith("pemilik ")
        assert said.endswith(" tidak di tempat")
        with office.db.reading() as session:
            everything = [str(entry.model_dump()) for entry in session.exec(select(LedgerEntry))]
        assert not any(number in entry for entry in everything)
