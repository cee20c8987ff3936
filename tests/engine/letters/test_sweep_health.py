"""Somebody watches the watcher: a sweep that no longer comes is seen, and what broke reaches the administrators once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from engine.deadlines.clock import TurnedClock
from engine.execution.parking import park, retry
from engine.letters.alerts import report_troubles
from engine.letters.sweep_health import last_sweep, stale_since
from engine.people.accounts import add_user
from engine.runtime.office import Office
from engine.sweeps.sweep import sweep
from models import Notice, User
from tests.engine.conftest import Begin
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop

pytestmark = pytest.mark.usefixtures("blank_papers")
DATED = ('title="Kunjungi lahan"', 'title="Kunjungi lahan", due="answer_time"')


def sweeps(office: Office) -> None:
    """The schedule comes by."""
    with office.run("flow", by="escalation") as run:
        sweep(office, run)


def notices(session: Session, name: str) -> list[tuple[str, str | None, str]]:
    """What an account is to be told: the thing, the case, the words."""
    wanted = (
        select(Notice).join(User).where(User.name == name, col(Notice.kind).in_(("parked", "failed"))).order_by("id")
    )
    return [(one.what, one.case_number, one.words) for one in session.exec(wanted)]


def test_a_sweep_that_no_longer_comes_is_seen_after_three_missed_runs(
    begin: Begin, office: Office, clock: TurnedClock, workshop: Workshop
) -> None:
    """Nothing due needs no sweep; a first date does; then 45 minutes are allowed, and not a second more."""
    workshop.write(FARM_VISIT, "made_up", DATED)
    story = begin()
    with office.db.reading() as session:
        assert (last_sweep(session), stale_since(office, session)) == (None, None)
    story.on("2026-01-21")
    with office.db.reading() as session:
        since = stale_since(office, session)
        assert since is not None and since.date().isoformat() == "2026-01-15"  # half of the budget: the first reminder
    sweeps(office)
    swept = clock.now()
    for minutes, stale in ((0, None), (45, None), (0.02, swept)):
        clock.turn(minutes=minutes)
        with office.db.reading() as session:
            assert (last_sweep(session), stale_since(office, session)) == (swept, stale)
    sweeps(office)
    with office.db.reading() as session:
        assert stale_since(office, session) is None


def test_a_sweep_that_broke_off_is_none(office: Office, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that began and did not end leaves the last whole one as the last."""
    sweeps(office)
    whole = clock.now()
    clock.turn(hours=1)
    with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
        broken.setattr("engine.sweeps.sweep.due_waits", lambda *_: 1 / 0)
        sweeps(office)
    with office.db.reading() as session:
        assert last_sweep(session) == stale_since(office, session) == whole


def test_a_parked_case_reaches_every_administrator_once_until_it_is_parked_again(
    begin: Begin, office: Office, workshop: Workshop
) -> None:
    """Two administrators, two looks, a retry that fails again; officers are not troubled, numbers are masked."""
    workshop.write()
    story = begin()
    add_user(office, "tini", ["administrator"])
    with office.run("flow", by="test") as run:
        park(office, run, story.case.id or 0, "ValueError: NIK 3508166904956220 tidak dikenal")
    assert (report_troubles(office), report_troubles(office)) == (1, 0)
    with office.run("cli", by="admin") as run:
        retry(office, run, story.number, by="admin")
    assert report_troubles(office) == 0
    with office.run("flow", by="test") as run:
        park(office, run, story.case.id or 0, "ValueError: masih salah")
    assert (report_troubles(office), report_troubles(office)) == (1, 0)
    seqs = [entry.seq for entry in story.entries if entry.key == "parked"]
    with office.db.reading() as session:
        told = notices(session, "admin")
        assert told == notices(session, "tini")
        assert notices(session, "budi") == []
    assert [(what, case) for what, case, _ in told] == [(f"parked/{story.number}/{seq}", story.number) for seq in seqs]
    assert "350816********20" in told[0][2] and "masih salah" in told[1][2]


def test_a_failed_run_reaches_them_once_even_after_three_days_without_a_schedule(
    office: Office, clock: TurnedClock
) -> None:
    """What failed while nobody swept is told when somebody does; a command's failure was seen by whoever typed it."""
    add_user(office, "admin", ["administrator"])
    sweeps(office)
    for kind in ("flow", "cli"):
        with pytest.raises(OSError, match="disk"), office.run(kind, by="jadwal", pipeline="nib-legalization"):
            raise OSError("disk full")
    clock.moment += timedelta(days=3)
    sweeps(office)
    assert (report_troubles(office), report_troubles(office)) == (1, 0)
    with office.db.reading() as session:
        [(what, case, words)] = notices(session, "admin")
    assert what.startswith("run/") and case is None
    assert words == "Proses otomatis (nib-legalization) gagal: OSError: disk full"
    clock.moment += timedelta(days=31)
    sweeps(office)
    add_user(office, "tini", ["administrator"])
    assert report_troubles(office) == 0, "who is made one later is not told of last month"


def test_without_an_administrator_nothing_is_lost(begin: Begin, office: Office, workshop: Workshop) -> None:
    """Who is made one later is told of what still lies there."""
    workshop.write()
    story = begin()
    with office.run("flow", by="test") as run:
        park(office, run, story.case.id or 0, "ValueError: salah")
    report_troubles(office)
    add_user(office, "tini", ["administrator"])
    assert report_troubles(office) == 1
    with office.db.reading() as session:
        assert len(notices(session, "tini")) == len(notices(session, "admin")) == 1


def test_a_standstill_is_a_trouble_once_and_the_next_one_another(
    begin: Begin, office: Office, clock: TurnedClock, workshop: Workshop
) -> None:
    """Three looks at one standstill say it once; when a sweep came and stayed away again, it is said again."""
    workshop.write(FARM_VISIT, "made_up", DATED)
    story = begin()
    add_user(office, "tini", ["administrator"])
    assert report_troubles(office) == 0
    story.on("2026-01-21")
    assert (report_troubles(office), report_troubles(office)) == (1, 0)
    for _ in range(2):
        sweeps(office)
        clock.turn(minutes=45)
        assert report_troubles(office) == 0
        clock.turn(minutes=1)
        assert (report_troubles(office), report_troubles(office)) == (1, 0)
    with office.db.reading() as session:
        told = session.exec(select(Notice.words).join(User).where(User.name == "tini", Notice.kind == "stale"))
        assert sorted(told) == [
            "Pengawasan tenggat belum pernah berjalan.",
            "Pengawasan tenggat terakhir selesai pada 21 Januari 2026 pukul 09.00 WIB.",
            "Pengawasan tenggat terakhir selesai pada 21 Januari 2026 pukul 09.46 WIB.",
        ]
