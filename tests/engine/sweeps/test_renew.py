"""Certificates are renewed ahead of their end: on their days, once each, whoever runs it, how late, and whatever breaks."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlmodel import delete

from engine.deadlines.clock import TurnedClock
from engine.runtime.office import Office
from engine.sweeps.renew import Renewed, _running, renew
from models import Standing
from tests.engine.together import Killed, at_once
from tests.pipelines_for_tests.permits import (
    NOTHING,
    OPENED,
    REMINDED,
    SKIPPED,
    Permit,
    ahead,
    letters,
    numbers,
    recorded,
    renewed,
    taken_up,
)
from tests.pipelines_for_tests.permits import permit as permit
from tests.stories.story import Story


def test_it_is_opened_180_days_ahead_and_reminded_of_at_90_and_30(
    permit: Permit, office: Office, clock: TurnedClock
) -> None:
    """Not a day too early, on no day twice, on none in between, and never once it has ended."""
    old = permit()
    new = "IZN-2026-000002"
    for days, comes in {181: NOTHING, 180: OPENED, 179: NOTHING, 91: NOTHING, 90: REMINDED, 31: NOTHING}.items():
        old.on(ahead(days))
        assert (days, renewed(office), renewed(office)) == (days, comes, NOTHING)
        old.advance()
    for days, comes in {30: REMINDED, 29: NOTHING, 0: NOTHING, -1: NOTHING}.items():
        old.on(ahead(days))
        assert (days, renewed(office)) == (days, comes)
    assert letters(office) == [(new, "renewal_opened"), (new, "renewal_reminder"), (new, "renewal_reminder")]
    opened = taken_up(office, clock, new)
    told = opened.letters
    assert told == ["renewal_opened", "renewal_reminder", "renewal_reminder"]
    words = opened.letter("renewal_opened")
    assert words["subject"] == "Sertifikat Anda akan berakhir"
    assert "12 Januari 2027" in words["text"] and "P/IZN-2026-000001" in words["text"]
    assert [entry.key for entry in old.entries][-1] == "renewal_opened"
    assert old.entries[-1].reason == f"dilanjutkan sebagai {new}"
    assert opened.entries[0].reason == "dilanjutkan dari IZN-2026-000001"
    assert opened.entries[1].reason == "sertifikat P/IZN-2026-000001 berlaku sampai 2027-01-12"
    assert old.is_whole() and opened.is_whole()


def test_what_is_known_is_filled_in_and_a_renewal_given_in_time_is_the_end_of_it(
    permit: Permit, office: Office, clock: TurnedClock
) -> None:
    """Nobody types what the old case knew; the new permit outlasts the old one, which nobody is reminded of any more."""
    permit().on(ahead(180))
    assert renewed(office) == OPENED
    new = taken_up(office, clock, "IZN-2026-000002")
    [asked] = new.shown()["waiting_for"]
    known = asked["form"]["properties"]
    assert (known["area"]["default"], known["previous"]["default"]) == ("pasar", "P/IZN-2026-000001")
    new.answers(f"owner-{new.case.person_id}", "wish#1").answers("budi", "look#1")
    assert new.outcome == "given"
    for days in (90, 30, 0):
        new.on(ahead(days))
        assert renewed(office) == NOTHING
    assert [letter for letter in letters(office) if letter[0] == new.number] == [(new.number, "renewal_opened")]


def test_a_schedule_that_did_not_run_says_the_latest_thing_only(
    permit: Permit, office: Office, clock: TurnedClock
) -> None:
    """Off for 100 days the case is opened 80 days ahead, with one letter; off until the last weeks, one reminder."""
    story = permit().on(ahead(80))
    assert (renewed(office), renewed(office)) == (OPENED, NOTHING)
    story.on(ahead(2))
    assert (renewed(office), renewed(office)) == (REMINDED, NOTHING)
    assert [name for _, name in letters(office)] == ["renewal_opened", "renewal_reminder"]


@pytest.mark.both_databases
@pytest.mark.parametrize("whose", ["ours", "another body's"])
def test_many_workers_at_once_open_one_case(permit: Permit, office: Office, clock: TurnedClock, whose: str) -> None:
    """Four at the same moment, at each stage: one case, one letter a stage."""
    story = permit()
    if whose != "ours":
        with office.db.writing() as session:
            session.execute(delete(Standing))
        recorded(office)
    for days, what in ((180, "opened"), (90, "reminded"), (30, "reminded")):
        story.on(ahead(days))
        ends = at_once(*[partial(_run, office)] * 4)
        assert [end for end in ends if not isinstance(end, Renewed) or end.failed] == []
        assert [sum(getattr(end, name) for end in ends) for name in ("due", what)] == [1, 1]
    assert numbers(office) == ["IZN-2026-000001", "IZN-2026-000002"]
    assert len(letters(office)) == 3


def _run(office: Office) -> Renewed:
    with office.run("flow", by="renewal") as run:
        return renew(office, run)


@pytest.mark.parametrize("where", ["_win", "_tell", "write_remark"])
def test_a_worker_killed_in_between_leaves_nothing_half_done(
    permit: Permit, office: Office, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """It dies before its commit: no case, no letter, no number lost; the next run does all of it."""
    permit().on(ahead(180))

    def dies(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(f"engine.sweeps.renew.{where}", dies)
        with pytest.raises(Killed):
            renewed(office)
    assert (numbers(office), letters(office)) == (["IZN-2026-000001"], [])
    assert renewed(office) == OPENED
    assert numbers(office) == ["IZN-2026-000001", "IZN-2026-000002"]


def test_a_case_that_is_open_already_is_named_and_none_opened(
    permit: Permit, office: Office, clock: TurnedClock
) -> None:
    """Its holder hears once that the permit ends; where that case came to nothing, a case is opened at the next stage."""
    old = permit().on(ahead(180))
    own = Story(office, clock, "permit", old.case.subject_id)
    assert (renewed(office), renewed(office)) == (REMINDED, NOTHING)
    told = own.letter("renewal_reminder")["text"]
    assert "menunggu satu langkah dari Anda: Isi permohonan izin" in told
    assert "bukan untuk memperpanjang sertifikat ini, beri tahu kami" in told
    own.withdraws(f"owner-{old.case.person_id}").on(ahead(90))
    assert renewed(office) == OPENED
    assert letters(office) == [(own.number, "renewal_reminder"), ("IZN-2026-000003", "renewal_opened")]


def test_a_case_opened_between_the_look_and_the_lock_is_named_as_well(
    permit: Permit, office: Office, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody opens it in that moment: nothing is opened twice, and nothing fails."""
    old = permit().on(ahead(180))
    own = Story(office, clock, "permit", old.case.subject_id)
    looked = [None]
    monkeypatch.setattr("engine.sweeps.renew._running", lambda *about: looked.pop() if looked else _running(*about))
    assert renewed(office) == REMINDED
    assert numbers(office) == [old.number, own.number]


def test_who_took_the_renewal_back_is_not_asked_again(permit: Permit, office: Office, clock: TurnedClock) -> None:
    """Withdrawn is withdrawn."""
    permit().on(ahead(180))
    renewed(office)
    new = taken_up(office, clock, "IZN-2026-000002")
    new.withdraws(f"owner-{new.case.person_id}").on(ahead(90))
    assert (renewed(office), renewed(office)) == (SKIPPED, NOTHING)
    assert [name for _, name in letters(office)] == ["renewal_opened"]


def test_one_that_is_broken_is_reported_and_the_others_go_on(permit: Permit, office: Office) -> None:
    """By its number and without anybody's own; it stays due."""
    story = permit()
    recorded(office, "RUSAK")
    story.on(ahead(180))
    failed = [{"case": "sertifikat RUSAK", "reason": "ValueError: the seal of 350816********20 is broken"}]
    assert renewed(office) == {**OPENED, "due": 2, "failed": failed}
    assert renewed(office) == {**NOTHING, "due": 1, "failed": failed}
    assert len(letters(office)) == 1
