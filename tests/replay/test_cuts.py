"""Every commit of every ending is cut, and a fresh engine finishes the case as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from engine.deadlines.clock import TurnedClock
from tests.compiled import compiled_once
from tests.replay.cutting import OF_LONG, Cuts, World, cut_everywhere, uninterrupted
from tests.replay.desk import advance, desk, perform
from tests.replay.disks import Place, sqlite_place
from tests.replay.record import Record, letters_sent, record_of
from tests.replay.script import Script
from tests.replay.scripts import all_scripts

pytestmark = pytest.mark.usefixtures("remembered")

SCRIPTS = all_scripts()
# Every day one short ending of the first pipeline is cut; the others' share its engine, and wait for CI.
EVERYDAY = "nib-legalization"


def each(scripts: Iterable[Script]) -> pytest.MarkDecorator:
    """Run a test with each of these scripts."""
    quick = {script.id: script.short and script.pipeline == EVERYDAY for script in SCRIPTS}
    return pytest.mark.parametrize(
        "script",
        [pytest.param(one, id=one.id, marks=() if quick[one.id] else pytest.mark.slow) for one in scripts],
    )


@each(SCRIPTS)
def test_an_ending_that_is_cut_anywhere_comes_out_the_same(
    script: Script, staffed: Place, folder: Path, outside: World, tell: Callable[[Cuts, str], None]
) -> None:
    """Ledger, numbers, letters, documents and what OSS took are those of the run that nothing interrupted."""
    cuts = cut_everywhere(script, staffed, folder, outside)
    assert cuts.commits > 0
    assert cuts.played >= min(cuts.commits, OF_LONG)
    tell(cuts, "in process")


@each(script for script in SCRIPTS if script.short)
def test_two_runs_have_the_same_on_record(script: Script, staffed: Place, folder: Path, outside: World) -> None:
    """The comparison knows what chance makes: two undisturbed runs are the same, and neither record is empty."""
    (folder / "one").mkdir()
    (folder / "two").mkdir()
    _, one = uninterrupted(script, staffed, folder / "one", outside)
    _, two = uninterrupted(script, staffed, folder / "two", outside)
    assert one == two
    assert one["letters that left"]
    assert one["series"]


@pytest.mark.slow
@each(script for script in SCRIPTS if script.short)
def test_the_lease_of_a_dead_office_ends_by_the_clock(
    script: Script, staffed: Place, folder: Path, outside: World
) -> None:
    """What a dead office had taken up is left alone for two minutes; then it is finished, by nothing but the time."""
    cuts, expected = uninterrupted(script, staffed, folder, outside)
    waited = 0
    for cut in cuts[::4]:
        with desk(sqlite_place(cut.home, staffed.signer), script, outside.server.url) as office:
            compiled_once(office)
            assert isinstance(office.clock, TurnedClock)
            perform(office, script, script.played[cut.act])
            early = steps(record_of(office, cut.home, []))
            office.clock.turn(minutes=3)
            advance(office, script)
            waited += steps(record_of(office, cut.home, [])) != early
            for act in script.played[cut.act + 1 :]:
                perform(office, script, act)
            assert steps(record_of(office, cut.home, [])) == steps(expected), cut
            assert letters_sent(cut.home).keys() == expected["letters that left"].keys()
    assert waited > 1


def steps(record: Record) -> dict[str, list[tuple[object, ...]]]:
    """Return what happened in a record whose times differ: entries, and documents and letters with where they stand."""
    told = ("kind", "key", "actor", "outcome", "number", "status")
    return {
        name: [tuple(row.get(column) for column in told) for row in rows]
        for name, rows in record.items()
        if name.endswith((" LedgerEntry", " Document", " Letter", " Standing"))
    }
