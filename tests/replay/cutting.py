"""Cuts in process: an ending runs once, undisturbed; at each moment its disk is copied, as a power cut would leave it.

From each copy a fresh office finishes the script, and must come to the same record. This is closer to a power cut than
an exception would be: not one line of the office that died runs on, no ``finally``, no rollback. What was not committed
is in the copied write-ahead log at most, where SQLite finds no commit and drops it.

A moment whose disk is byte for byte that of a moment before is counted, and not played again. A fresh office stops after an
act that leaves a state (state.py) from which another fresh office came to the end, and to the same record.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from documents import render as rendering
from documents.signing import LocalSigner
from engine.definition.registry import pipeline_named
from engine.runtime.office import Office
from tests.compiled import compiled_once
from tests.outside.misbehaving_oss import MisbehavingOss, Mood, Taken
from tests.replay.desk import desk, leases_run_out, perform
from tests.replay.disks import Place, contents, copy_folder, sqlite_place
from tests.replay.moments import Watch
from tests.replay.record import (
    OF_CASE,
    Record,
    ahead_of_the_record,
    differences,
    letters_left,
    letters_sent,
    letters_under_way,
    record_of,
    sent_too_often,
)
from tests.replay.script import Act, Script
from tests.replay.state import state_of

OFTEN = 50
TOLD = 30


@dataclass(frozen=True)
class Cut:
    """A moment in an act, what the disk held then, and what OSS had taken."""

    act: int
    moment: str
    home: Path
    taken: tuple[Taken, ...]


@dataclass
class Cuts:
    """How many cuts were made, at how many commits and calls, and how many different disks were played on."""

    made: int = 0
    commits: int = 0
    calls: int = 0
    played: int = 0

    def note(self, moment: str) -> None:
        """Count a moment that was cut; the one after a commit counts for the commit that was counted before it."""
        self.made += 1
        self.commits += "before commit" in moment
        self.calls += "commit" not in moment


class World:
    """OSS as the script has it: an HTTP server that takes everything it is sent, so that a double filing shows."""

    def __init__(self) -> None:
        self.server = MisbehavingOss(forgetful=True)

    def begins(self, act: Act) -> None:
        """Be of the act's mood: for filings, and for look-ups too where OSS is in trouble."""
        for moods in (self.server._moods, self.server._look_up_moods):
            moods.clear()
        self.server.next(*[act.mood] * OFTEN)
        troubled = act.mood not in (Mood.HONEST, Mood.REFUSE)
        self.server.next_look_up(*[Mood.CLOSED if troubled else Mood.HONEST] * OFTEN)

    @property
    def filed(self) -> list[str]:
        """Return what OSS took: our reference and the NIB it gave."""
        return [f"{one.reference} {one.nib}" for one in self.server.taken]


@contextmanager
def world() -> Iterator[World]:
    """Let there be an OSS."""
    it = World()
    with it.server:
        yield it


T = TypeVar("T")
State = tuple[int, str]
"""The number of an act, and the state after it."""
LONG, OF_LONG = 40, 20


def cut_everywhere(
    script: Script, start: Place, folder: Path, outside: World, *, act: int | None = None, once: bool = True
) -> Cuts:
    """Cut ``script`` at every moment, or at those of one act, beginning from what ``start`` holds.

    Each cut that differs on disk is finished by a fresh office; of a long ending (`LONG`) a spread of them, with one at
    least in each act: ``JALUR_CUTS=all`` finishes them all. ``once`` lets an office stop at a state that was played to the end.

    Raises:
        AssertionError: a cut shows; the first one is named.
    """
    cuts, expected = uninterrupted(script, start, folder, outside)
    count = Cuts()
    distinct: dict[tuple[str, tuple[Taken, ...], int], Cut] = {}
    for cut in cuts:
        if act in (None, cut.act):
            count.note(cut.moment)
            distinct.setdefault((contents(cut.home), cut.taken, cut.act), cut)
    known: set[State] = set()
    for cut in chosen(list(distinct.values())):
        count.played += 1
        through = finished(script, cut, start.signer, expected, outside, known)
        known |= through if once else set()
    return count


def chosen(cuts: Sequence[Cut]) -> list[Cut]:
    """Return a spread of the cuts, and the first of each act that it left out: a fresh office begins every act."""
    wanted = spread(cuts, LONG, OF_LONG)
    first = {cut.act: cut for cut in reversed(cuts)}
    left_out = first.keys() - {cut.act for cut in wanted}
    return sorted([*wanted, *(first[act] for act in left_out)], key=lambda cut: cut.act)


def spread(items: Sequence[T], most: int, of_more: int) -> Sequence[T]:
    """Return all items if there are no more than ``most``; of more, ``of_more`` evenly from the first to the last."""
    if len(items) <= most or os.environ.get("JALUR_CUTS") == "all":
        return items
    return [items[place * (len(items) - 1) // (of_more - 1)] for place in range(of_more)]


def uninterrupted(script: Script, start: Place, folder: Path, outside: World) -> tuple[list[Cut], Record]:
    """Play a script to its end; return a cut for each moment on the way, and what is on record afterwards."""
    home = copy_folder(start.home, folder / "uninterrupted")
    cuts: list[Cut] = []
    outside.server.taken.clear()
    with desk(sqlite_place(home, start.signer), script, outside.server.url) as office:
        compiled_once(office)
        with Watch(office) as watch:
            for number, act in enumerate(script.played):

                def keep(moment: str, act: int = number) -> None:
                    copy = copy_folder(home, folder / f"cut-{len(cuts)}")
                    cuts.append(Cut(act, moment, copy, tuple(outside.server.taken)))

                watch.at = keep
                outside.begins(act)
                perform(office, script, act)
                office.db.close()  # the write-ahead log is emptied, so that the copies stay small
        record = record_of(office, home, outside.filed)
        assert not (twice := sent_too_often(home, {}, set())), twice
    assert (ends := outcomes(record, script)) == {script.outcome}, f"{script.id} ended otherwise: {ends}"
    assert record["what an audit finds"] == []
    return cuts, record


def finished(script: Script, cut: Cut, signer: Path, expected: Record, outside: World, known: Set[State]) -> set[State]:
    """Let a fresh office finish what was cut, up to a known state or the end; return the states that it came through.

    Raises:
        AssertionError: it came to another record than the uninterrupted run.
    """
    outside.server.taken[:] = cut.taken
    where = f"{script.id}, cut {cut.moment} of act {cut.act} ({script.played[cut.act]})"
    with desk(sqlite_place(cut.home, signer), script, outside.server.url) as office:
        compiled_once(office)
        through: set[State] = set()
        try:
            faults = finish(office, script, cut, outside, known, through)
        except Exception as error:
            through.clear()
            faults = [f"a fresh office could not go on: {type(error).__name__}: {error}"]
        if not known & through:
            faults += differences(record_of(office, cut.home, outside.filed), expected)
    assert not faults, "\n".join([where, *faults[:TOLD]])
    return through


def finish(
    office: Office, script: Script, cut: Cut, outside: World, known: Set[State], through: set[State]
) -> list[str]:
    """Repeat the act that was cut and play the others, up to a known state; return in words what should not have left.

    Mutates:
        through: gains the state after each act, the known one included.
    """
    home = cut.home
    faults = ahead_of_the_record(office, home, outside.filed)
    before, under_way = letters_sent(home), letters_under_way(office)
    leases_run_out(office)
    for number, following in enumerate(script.played[cut.act :], cut.act):
        outside.begins(following)
        perform(office, script, following)
        left = letters_left(home, before, under_way)
        through.add((number, state_of(office, home, outside.server.taken, left)))
        if known & through:
            break
    return faults + sent_too_often(home, before, under_way)


def outcomes(record: Record, script: Script) -> set[str]:
    """Return the outcomes of the cases in a record that are of the script's pipeline; what they opened is not its story."""
    mine = f"{OF_CASE}{pipeline_named(script.pipeline).prefix}-"
    return {
        str(facts["outcome"]) for name, facts in record.items() if name.startswith(mine) and name.endswith(" itself")
    }


@contextmanager
def rendered_once() -> Iterator[None]:
    """Remember rendered and signed documents by all their arguments and who signs, for this process.

    Both functions are deterministic (tests/documents shows it) and take most of the time of a run; where a process
    is killed for good, they are called each time. What is in memory by now is kept out of the collector's way, too.
    """
    gc.collect()
    gc.freeze()
    known: dict[str, bytes] = {}

    def remembered(work: Callable[..., bytes]) -> Callable[..., bytes]:
        def call(*args: Any, **named: Any) -> bytes:
            told = [one.certificate.serial_number if isinstance(one, LocalSigner) else one for one in args]
            key = repr((work.__name__, told, sorted(named.items())))
            if key not in known:
                known[key] = work(*args, **named)
            return known[key]

        return call

    sign = remembered(LocalSigner.sign)
    with (
        mock.patch.object(rendering, "render", remembered(rendering.render)),
        mock.patch.object(LocalSigner, "sign", lambda *args, **named: sign(*args, **named)),
    ):
        yield
    gc.unfreeze()
