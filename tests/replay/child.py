"""A process that plays acts and is killed: ``python -m tests.replay.child``, orders by line on its standard input.

It loads everything once, and forks for each order, so that a hundred processes can be killed in a minute. What is
killed is a process of its own, by SIGKILL, with an open transaction where it has one; nothing is cleaned up.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from tests.compiled import compiled_once
from tests.replay.desk import desk, leases_run_out, perform
from tests.replay.disks import Place
from tests.replay.moments import Watch
from tests.replay.script import Script
from tests.replay.scripts import script_named


@dataclass(frozen=True)
class Order:
    """Which acts of which script to play where.

    ``dies_at`` is the moment, counted from 0 in the first act. ``unforked`` has the acts played by the one that forks, so
    that fonts, templates and SQL that are read by then need not be read again by each fork.
    """

    database_url: str
    home: str
    signer: str
    oss_url: str
    script: tuple[str, str]
    first: int
    last: int | None = None
    dies_at: int | None = None
    after_a_death: bool = False
    unforked: bool = False

    @classmethod
    def at(cls, place: Place, script: Script, oss_url: str, first: int, **more: Any) -> Order:
        """Return an order for that place and script."""
        where = (place.database_url, str(place.home), str(place.signer), oss_url)
        return cls(*where, (script.pipeline, script.name), first, **more)

    def as_line(self) -> str:
        """Return the order as one line."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def of_line(cls, line: str) -> Order:
        """Return the order that a line gives."""
        return cls(**json.loads(line))


def carry_out(order: Order) -> list[str]:
    """Play the acts that are ordered; return the moments of them all. Does not return from the one at which to die."""
    script = script_named(*order.script)
    place = Place(order.database_url, Path(order.home), Path(order.signer))
    moments: list[str] = []
    with desk(place, script, order.oss_url) as office:
        compiled_once(office)
        if order.after_a_death:
            leases_run_out(office)

        def at(moment: str) -> None:
            if len(moments) == order.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            moments.append(moment)

        if not order.unforked:
            Watch(office).at = at
        for act in script.played[order.first : order.last]:
            perform(office, script, act)
    return moments


def _carry_out_and_end(order: Order, writing: int) -> NoReturn:
    status = 1
    try:
        os.write(writing, json.dumps(carry_out(order)).encode())
        status = 0
    except BaseException:
        os.write(writing, json.dumps([traceback.format_exc()[-8000:]]).encode())
    finally:
        os._exit(status)


def main() -> None:
    """Fork for each order and tell how the fork ended: its signal or status, and the moments that it came through."""
    for line in sys.stdin:
        order = Order.of_line(line)
        if order.unforked:
            print(json.dumps({"ended": 0, "moments": carry_out(order)}), flush=True)
            gc.collect()
            gc.freeze()
            continue
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            _carry_out_and_end(order, writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            words = pipe.read()
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps({"ended": ended, "moments": json.loads(words or "[]")}), flush=True)


if __name__ == "__main__":
    main()
