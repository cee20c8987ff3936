"""Cuts by SIGKILL: one process plays an act and is killed at a moment of it, another one finishes the script.

Each act is played once to its end first, so that a copy of database and folder from before it is at hand, and its
moments are known. A kill begins from that copy; the acts before it need not be played again for each.

A kill with a transaction open, before its commit, is also the kill after the commit before: a moment after a commit is
only killed at where a call outside, or nothing, comes next. (In process both are cut, and their disks compared.)

A process that finishes the act which a dead one began, and leaves a state (state.py) from which others came to the same
record, is not followed by others: the undisturbed run, each act a process of its own, shows what comes of its states.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tests.compiled import compiled_once
from tests.outside.misbehaving_oss import Mood, Taken
from tests.replay.child import Order
from tests.replay.cutting import TOLD, Cuts, State, World, outcomes, spread
from tests.replay.desk import desk
from tests.replay.disks import Disk, Place
from tests.replay.record import (
    Record,
    ahead_of_the_record,
    differences,
    letters_left,
    letters_sent,
    letters_under_way,
    record_of,
    sent_too_often,
)
from tests.replay.script import Script
from tests.replay.state import state_of


@dataclass(frozen=True)
class Ended:
    """How a process ended (negative: by that signal), and the moments that it came through."""

    status: int
    moments: list[str]


class Zygote:
    """A warm process that forks one for each order."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.replay.child"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def play(self, order: Order) -> Ended:
        """Have the order carried out by a process of its own, and wait for its end."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(order.as_line())
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        return Ended(said["ended"], said["moments"])

    def end(self) -> None:
        """Let it go."""
        with suppress(OSError):
            self._process.communicate(timeout=10)


@contextmanager
def zygote() -> Iterator[Zygote]:
    """Start one."""
    it = Zygote()
    try:
        yield it
    finally:
        it.end()


@dataclass(frozen=True)
class Before:
    """What stood before an act, and the moments that the act came through."""

    act: int
    place: Place
    taken: tuple[Taken, ...]
    moments: list[str]


MANY, OF_MANY = 60, 40


def kill_everywhere(script: Script, start: Place, disk: Disk, outside: World, warm: Zygote) -> Cuts:
    """Kill at every moment of ``script``; of many moments at a spread of them, where `JALUR_CUTS=all` does not ask for all.

    Raises:
        AssertionError: a case comes out otherwise; the first kill is named.
    """
    assert all(act.mood is Mood.HONEST for act in script.played), "this script needs an OSS that changes between acts"
    rehearsal = disk.copy(start)
    warm.play(Order.at(rehearsal, script, outside.server.url, 0, unforked=True))
    disk.remove(rehearsal)
    acts, known, expected = uninterrupted(script, start, disk, outside, warm)
    count = Cuts()
    moments = [(before, number) for before in acts for number in of_their_own(before.moments)]
    for before, number in moments:
        count.note(before.moments[number])
    for before, number in spread(moments, MANY, OF_MANY):
        known.add(killed(script, before, number, disk, outside, warm, known, expected))
        count.played += 1
    for before in acts:
        disk.remove(before.place)
    return count


def of_their_own(moments: list[str]) -> list[int]:
    """Return the places of the moments that are not followed at once by the one before the next commit."""
    following = [*moments[1:], ""]
    return [
        place
        for place, (moment, after) in enumerate(zip(moments, following, strict=True))
        if not (moment.startswith("after commit") and after.startswith("before commit"))
    ]


def uninterrupted(
    script: Script, start: Place, disk: Disk, outside: World, warm: Zygote
) -> tuple[list[Before], set[State], Record]:
    """Play each act in a process of its own; return what stood before each, the states after, and the last record."""
    place = disk.copy(start)
    outside.server.taken.clear()
    acts: list[Before] = []
    states: set[State] = set()
    for number in range(len(script.played)):
        copy, taken = disk.copy(place), tuple(outside.server.taken)
        ended = warm.play(Order.at(place, script, outside.server.url, number, last=number + 1))
        assert ended.status == 0, ended.moments
        acts.append(Before(number, copy, taken, ended.moments))
        states.add((number, _state(script, place, outside, {}, set())))
    record = _record(script, place, outside)
    assert outcomes(record, script) == {script.outcome}
    disk.remove(place)
    return acts, states, record


def killed(
    script: Script,
    before: Before,
    number: int,
    disk: Disk,
    outside: World,
    warm: Zygote,
    known: Set[State],
    expected: Record,
) -> State:
    """Kill one process at one moment, let others finish, up to a known state; return the state after the act.

    Raises:
        AssertionError: they came to another record than the uninterrupted run.
    """
    place, act = disk.copy(before.place), before.act
    outside.server.taken[:] = before.taken
    where = f"{script.id}, killed {before.moments[number]} of act {act} ({script.played[act]})"
    url = outside.server.url
    dead = warm.play(Order.at(place, script, url, act, last=act + 1, dies_at=number))
    assert dead.status == -signal.SIGKILL, f"{where}: it ended with {dead.status}: {dead.moments}"
    with desk(place, script, url) as office:
        compiled_once(office)
        faults = ahead_of_the_record(office, place.home, outside.filed)
        sent, under_way = letters_sent(place.home), letters_under_way(office)
    ended = warm.play(Order.at(place, script, url, act, last=act + 1, after_a_death=True))
    assert ended.status == 0, f"{where}: {ended.moments}"
    state = act, _state(script, place, outside, sent, under_way)
    if state not in known:
        ended = warm.play(Order.at(place, script, url, act + 1))
        assert ended.status == 0, f"{where}: {ended.moments}"
        faults += differences(_record(script, place, outside), expected)
    faults += sent_too_often(place.home, sent, under_way)
    assert not faults, "\n".join([where, *faults[:TOLD]])
    disk.remove(place)
    return state


def _record(script: Script, place: Place, outside: World) -> Record:
    with desk(place, script, outside.server.url) as office:
        compiled_once(office)
        return record_of(office, place.home, outside.filed)


def _state(script: Script, place: Place, outside: World, sent: dict[str, list[str]], under_way: set[str]) -> str:
    with desk(place, script, outside.server.url) as office:
        compiled_once(office)
        return state_of(office, place.home, outside.server.taken, letters_left(place.home, sent, under_way))
