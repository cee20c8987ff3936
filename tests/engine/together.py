"""Several people at the same moment, and everything that they leave behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import select

from engine.runtime.office import Office
from models import metadata


class Killed(BaseException):
    """The process ends here, as with kill -9: nothing catches it."""


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Do all ``works`` at the same moment, each in a thread; return what each returned or raised, in their order."""
    ready = threading.Barrier(len(works))
    ends: list[Any] = [None] * len(works)

    def do(place: int) -> None:
        ready.wait(10)
        try:
            ends[place] = works[place]()
        except Exception as error:
            ends[place] = error

    threads = [threading.Thread(target=do, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "they wait for each other for ever"
    return ends


def everything_stored(office: Office) -> Iterator[tuple[str, str, Any]]:
    """Yield every value in every table: table, column, value."""
    with office.db.reading() as session:
        for table in metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                for column, value in row.items():
                    yield table.name, str(column), value
