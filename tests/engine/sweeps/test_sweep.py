"""The ladder: each rung fires once, whoever sweeps, how often, how late, and whatever breaks on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event
from sqlmodel import select

from engine.people.accounts import add_user
from engine.runtime.office import Office
from engine.sweeps.sweep import Swept, due_waits, sweep
from models import Notice, User, Wait
from rules import Rule, RuleBook, book
from tests.engine.conftest import Begin
from tests.engine.together import Killed, at_once
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]

# A dossier check is asked on Monday 12 January 2026, for three working days; Friday the 16th is a holiday (Isra Mikraj).
RUNGS = [
    ("2026-01-14", "dossier_check#1/holder", "reminded", ["budi", "tuti"]),
    ("2026-01-15", "dossier_check#1/holder", "reminded", ["budi", "tuti"]),
    ("2026-01-19", "dossier_check#1/supervisor", "escalated", ["sari"]),
    ("2026-01-21", "dossier_check#1/division_head", "escalated", ["rini"]),
    ("2026-01-23", "dossier_check#1/office_head", "escalated", ["kadis"]),
    ("2026-01-30", "dossier_check#1/reassign", "stays", ["budi", "tuti"]),
    ("2026-02-03", "dossier_check#1/holder", "reminded", ["budi", "tuti"]),
    ("2026-02-06", "dossier_check#1/supervisor", "escalated", ["sari"]),
    ("2026-02-13", "dossier_check#1/office_head", "escalated", ["kadis"]),
]


@pytest.fixture
def ladder(nib: Nib, office: Office) -> NibStory:
    """A dossier that nobody checks, in an office with a supervisor and a head."""
    story = nib()
    for name, role in (("sari", "supervisor"), ("kadis", "office_head")):
        add_user(office, name, [role])
    return story


def swept(office: Office) -> Swept:
    with office.run("flow", by="escalation") as run:
        return sweep(office, run)


def remarks(story: NibStory) -> list[tuple[str, str | None]]:
    return [(entry.key, entry.outcome) for entry in story.entries if entry.key.startswith("dossier_check#1/")]


def told(office: Office) -> list[tuple[str, str]]:
    """Who has been told what, by notice, the oldest first."""
    with office.db.reading() as session:
        notices = select(User.name, Notice.what).join(User).order_by(Notice.id)  # type: ignore[arg-type]
        return [(name, what) for name, what in session.exec(notices)]


def test_a_stalled_case_climbs_the_ladder_to_its_end(ladder: NibStory, office: Office) -> None:
    """Each rung on its day, none on the days between; a second sweep at the same moment finds nothing."""
    ladder.on("2026-01-13")
    assert swept(office).as_json() == {"due": 0, "reminded": 0, "escalated": 0, "silent": 0, "failed": []}
    for place, (day, key, outcome, people) in enumerate(RUNGS, start=1):
        ladder.on(day, 6)
        assert swept(office).due == 0, f"too early on {day}"
        ladder.on(day, 8)
        assert swept(office).due == 1
        assert swept(office).due == 0
        assert (len(remarks(ladder)), remarks(ladder)[-1]) == (place, (key, outcome))
        new = [name for name, what in told(office) if what.startswith(f"{ladder.number}/dossier_check#1/")]
        assert new[-len(people) :] == people
    ladder.on("2026-06-30")
    assert swept(office).due == 0
    assert ladder.waits_for == ["dossier_check#1"], "an office's silence never ends an applicant's case"
    assert ladder.dossier().waits_for == ["classification#1"]
    assert ladder.is_whole()


def test_a_schedule_that_did_not_run_fires_every_rung_once_and_says_the_last_reminder_only(
    ladder: NibStory, office: Office
) -> None:
    """Nothing ran from the 12th to the 21st: four rungs in one go; the officers hear one reminder and not two."""
    ladder.on("2026-01-21", 9)
    found = swept(office)
    assert (found.due, found.reminded, found.escalated) == (1, 2, 2)
    assert remarks(ladder) == [(key, outcome) for _, key, outcome, _ in RUNGS[:4]]
    assert told(office)[:2] == [(name, f"{ladder.number}/dossier_check#1/holder-0") for name in ("budi", "tuti")]
    assert [name for name, _ in told(office)[2:]] == ["sari", "rini"]
    assert swept(office).due == 0


@pytest.mark.both_databases
def test_two_workers_at_once_fire_a_rung_once(ladder: NibStory, office: Office) -> None:
    """Four sweeps at the same moment: one entry, one notice to each."""
    ladder.on("2026-01-14", 9)
    ends = at_once(*[partial(swept, office)] * 4)
    assert [end for end in ends if not isinstance(end, Swept)] == []
    assert sum(end.due for end in ends) == 1
    assert remarks(ladder) == [("dossier_check#1/holder", "reminded")]
    assert len(told(office)) == 2


def test_a_worker_killed_in_mid_sweep_leaves_nothing_half_done(
    ladder: NibStory, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies after the update and before the commit: the next sweep does all of it, once."""
    ladder.on("2026-01-14", 9)

    def dies(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("engine.sweeps.sweep.notify", dies)
        with pytest.raises(Killed):
            swept(office)
    assert (remarks(ladder), told(office)) == ([], [])
    assert swept(office).reminded == 1
    assert remarks(ladder) == [("dossier_check#1/holder", "reminded")]


@pytest.mark.both_databases
def test_what_is_due_is_found_by_one_query_of_its_own_index(office: Office) -> None:
    """Both databases read the partial index of what is due, and never all that waits."""
    asked: list[tuple[str, Any]] = []

    def listen(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(office.db.engine, "before_cursor_execute", listen)
    assert due_waits(office, office.clock.now(), 100) == []
    event.remove(office.db.engine, "before_cursor_execute", listen)
    [(query, parameters)] = [one for one in asked if one[0].startswith("SELECT")]
    with office.db.engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        if not sqlite:
            connection.exec_driver_sql("SET enable_seqscan = off")
        plan = connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' * sqlite}{query}", parameters).all()
    assert "ix_wait_due" in str(plan)


def test_an_applicant_gets_letters_and_then_the_end(nib: Nib, office: Office) -> None:
    """Half the time, the day itself, then the supervisor's turn; the silence ends it, and no reminder comes after that."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"])  # five working days, until 20 January
    story.on("2026-01-15").nothing_happens()
    assert story.letters[-1] == "reminder"
    text = story.letter("reminder")
    assert text["subject"] == f"Pengingat: Lengkapi berkas Anda ({story.number})"
    assert "Kami menunggunya sampai 20 Januari 2026." in text["text"]
    assert "perkara kami tutup" in text["text"]
    story.on("2026-01-20").nothing_happens()
    assert story.letters.count("reminder") == 2
    story.on("2026-03-31").nothing_happens()
    assert story.outcome == "not_corrected"
    assert story.letters.count("reminder") == 2
    assert swept(office).due == 0


def test_an_applicant_hears_of_what_was_due_while_no_schedule_ran(nib: Nib, office: Office) -> None:
    """Half the time, the day and the supervisor's turn lie behind: one letter, which says since when, and the supervisor."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"])  # until 20 January; the silence ends it later
    add_user(office, "sari", ["supervisor"])
    story.on("2026-01-28").nothing_happens()
    assert story.letters.count("reminder") == 1
    assert "20 Januari 2026" in story.letter("reminder")["text"]
    assert [name for name, what in told(office) if "correction#1" in what] == ["sari"]


def test_an_answer_in_the_same_second_as_the_end_is_in_time_and_the_sweep_finds_nothing(
    nib: Nib, office: Office
) -> None:
    """23:59:59 of the last day belongs to the owner; a second later the time is up."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"])
    with office.db.reading() as session:
        end = session.exec(select(Wait.silent_at).where(Wait.key == "correction#1")).one()
    assert end is not None
    story.clock.moment = end
    story.nothing_happens()
    assert story.waits_for == ["correction#1"]
    story.corrects(note="foto baru")
    assert story.waits_for == ["dossier_check#2"]
    other = nib(national_id="3508166904956221").dossier("return", deficiencies=["foto KTP buram"])
    with office.db.reading() as session:
        ends = session.exec(select(Wait.silent_at).where(Wait.case_id == other.case.id)).all()
    other.clock.moment = max(one for one in ends if one)
    other.clock.turn(seconds=1)
    assert other.nothing_happens().outcome == "not_corrected"


def test_silence_under_an_effect_that_is_not_confirmed_stays_silence(
    begin: Begin, office: Office, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that ends by silence and whose passed deadline is policy only: it ends as silent, and claims no law."""
    value = {"deadline": "answer_time", "authority": "Dinas", "effect": "dianggap dikabulkan"}
    row = Rule("visit_passed", value, "effect", date(2021, 1, 1), None, "Usulan", "policy")
    known = book
    monkeypatch.setattr("engine.definition.registry.book", lambda slug: RuleBook([*known(slug).rows(), row]))
    silent = 'title="Kunjungi lahan", due="answer_time", silent_after="answer_limit", passes="visit_passed"'
    workshop.write(FARM_VISIT, "made_up", ('title="Kunjungi lahan"', silent))
    story = begin()
    story.on("2026-01-26")
    swept(office)
    story.on("2026-02-12")
    assert swept(office).silent == [story.number]
    assert [(entry.outcome, entry.result) for entry in story.entries if entry.key == "visit#1"] == [("silent", None)]
