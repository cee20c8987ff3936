"""The ladder while somebody is away: who stands in is told beside them, and nothing is given to a desk where nobody is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from engine.actions.delegate import delegate, revoke
from engine.actions.reassign import reassign
from engine.people.accounts import add_user
from engine.people.persons import declare_conflict
from engine.reports.inbox import inbox
from engine.runtime.office import Office
from engine.sweeps.sweep import sweep

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]


@pytest.fixture
def held(nib: Nib, office: Office) -> NibStory:
    """A dossier that budi has and lets lie, from Monday 12 January 2026; Friday the 16th is a holiday (Isra Mikraj)."""
    story = nib()
    for name, role in (("sari", "supervisor"), ("wati", "officer"), ("dedi", "companion")):
        add_user(office, name, [role])
    gives(office, story)
    return story


def gives(office: Office, story: NibStory) -> None:
    with office.run("cli", by="admin") as run:
        reassign(office, run, story.number, "dossier_check#1", to="budi", by="admin", reason="berkasnya")


def lets(
    office: Office, away: str, to: str, since: str, until: str, role: str | None = None, number: str | None = None
) -> None:
    """Delegate for those days, in a run of its own."""
    days = {"since": date.fromisoformat(since), "until": date.fromisoformat(until)}
    with office.run("cli", by=away) as run:
        delegate(office, run, away, to, reason="cuti tahunan", by=away, role=role, number=number, **days)


def told(story: NibStory, day: str) -> list[str]:
    """Sweep on that day; return whom the ledger names in the last rung."""
    story.on(day, 9)
    with story.office.run("flow", by="escalation") as run:
        assert sweep(story.office, run).failed == []
    entry = [one for one in story.entries if one.key.startswith("dossier_check#1/")][-1]
    assert entry.at == story.clock.now(), "no rung fired"
    return (entry.reason or "").split("; ")[1].split(", ")


def test_who_stands_in_is_told_beside_who_is_away_on_the_days_that_it_covers(held: NibStory, office: Office) -> None:
    """Half the time on the 14th, the day itself on the 15th, then the superiors; of a superior too."""
    lets(office, "budi", "ani", "2026-01-14", "2026-01-14")
    lets(office, "sari", "dedi", "2026-01-15", "2026-01-19")
    lets(office, "rini", "dedi", "2026-01-20", "2026-01-20")
    assert told(held, "2026-01-14") == ["budi", "ani"]
    assert told(held, "2026-01-15") == ["budi"]
    assert told(held, "2026-01-19") == ["sari", "dedi"]
    assert told(held, "2026-01-21") == ["rini"]


def test_another_role_another_case_or_what_was_revoked_tells_nobody(held: NibStory, nib: Nib, office: Office) -> None:
    """A delegation for one role or one case says nothing of the rest; one for this role, or this case, does."""
    other = nib(national_id="3508166904956221")
    gives(office, other)
    add_user(office, "budi", ["officer", "companion"])
    lets(office, "budi", "dedi", "2026-01-12", "2026-01-31", role="companion")
    lets(office, "budi", "ani", "2026-01-12", "2026-01-31", role="officer", number=other.number)
    lets(office, "budi", "tuti", "2026-01-12", "2026-01-31", role="officer")
    with office.run("cli", by="budi") as run:
        assert revoke(office, run, "budi", "tuti", by="budi") == 1
    assert told(held, "2026-01-14") == ["budi"]
    assert [one.reason for one in other.entries][-1] == "tenggat 2026-01-15; budi, ani"


def test_who_is_barred_there_is_not_told(held: NibStory, office: Office) -> None:
    """A declared conflict with this applicant's business: neither for the holder nor for a superior, until it has ended."""
    for name, until in (("ani", date(2026, 1, 14)), ("dedi", None)):
        declare_conflict(office, name, "family", by="admin", business=held.case.subject_id, until=until)
    lets(office, "budi", "ani", "2026-01-12", "2026-01-31")
    lets(office, "sari", "dedi", "2026-01-12", "2026-01-31")
    assert told(held, "2026-01-14") == ["budi"]
    assert told(held, "2026-01-15") == ["budi", "ani"]
    assert told(held, "2026-01-19") == ["sari"]


def test_of_a_whole_role_the_stand_in_of_each_is_told_once(nib: Nib, office: Office) -> None:
    """Both officers are away and one companion stands in for both."""
    story = nib()
    lets(office, "budi", "ani", "2026-01-12", "2026-01-14")
    lets(office, "tuti", "ani", "2026-01-12", "2026-01-14")
    assert told(story, "2026-01-14") == ["budi", "tuti", "ani"]
    assert told(story, "2026-01-15") == ["budi", "tuti"]


def test_what_somebody_let_lie_passes_to_one_who_is_there(held: NibStory, office: Office) -> None:
    """tuti is next, but away, and who stands in is barred: it goes to wati."""
    declare_conflict(office, "dedi", "family", by="admin", business=held.case.subject_id)
    lets(office, "tuti", "dedi", "2026-01-29", "2026-01-30")
    assert told(held, "2026-01-30") == ["wati", "budi"]
    assert held.waits_for == ["dossier_check#1"]
    held.answers("wati", "dossier_check#1", decision="complete")
    assert held.is_whole()


def test_one_who_is_away_gets_it_where_somebody_answers_for_them(held: NibStory, office: Office) -> None:
    """The stand-in is told with both, and finds it in the inbox."""
    lets(office, "tuti", "dedi", "2026-01-29", "2026-01-30")
    assert told(held, "2026-01-30") == ["tuti", "budi", "dedi"]
    with office.db.reading() as session:
        waiting = inbox(office, session, whom="dedi")
    assert [(one["case"], one["on_behalf_of"]) for one in waiting] == [(held.number, "tuti")]


def test_who_let_it_lie_does_not_get_it_back_as_a_stand_in(held: NibStory, office: Office) -> None:
    """budi stands in for tuti: that is nobody else, and wati is there. Where wati is away as well, the first of both has it."""
    lets(office, "tuti", "budi", "2026-01-29", "2026-01-30")
    lets(office, "wati", "budi", "2026-01-29", "2026-01-29")
    assert told(held, "2026-01-30") == ["wati", "budi"]


def test_where_all_others_are_away_it_passes_all_the_same(held: NibStory, office: Office) -> None:
    """It is nobody's work to leave it with who let it lie."""
    for away in ("tuti", "wati"):
        lets(office, away, "budi", "2026-01-29", "2026-01-30")
    assert told(held, "2026-01-30") == ["tuti", "budi"]


def test_a_sweep_asks_once_who_is_away(nib: Nib, office: Office) -> None:
    """Not once a wait: three cases due at once, one question to the database."""
    stories = [nib(national_id=f"350816690495622{digit}") for digit in range(3)]
    said: list[str] = []
    event.listen(office.db.engine, "before_cursor_execute", lambda *about: said.append(about[2]))
    told(stories[0], "2026-01-14")
    assert [one.entries[-1].key for one in stories] == ["dossier_check#1/holder"] * 3
    assert sum("FROM delegation" in statement for statement in said) == 1
