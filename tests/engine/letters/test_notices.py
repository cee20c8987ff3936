"""What officers are told is told once: whoever says it, however often, and at the same moment."""

from __future__ import annotations

import pytest
from sqlmodel import select

from engine.letters.notices import News, notify, notify_all
from engine.runtime.office import Office
from models import Notice, User
from tests.engine.together import at_once
from tests.people import hire_staff, register_person


def told(office: Office) -> list[tuple[str, str, str]]:
    """Who is to be told what, in which words."""
    with office.db.reading() as session:
        rows = session.exec(select(User.name, Notice.what, Notice.words).where(User.id == Notice.account_id))
        return sorted((name, what, words) for name, what, words in rows)


def late(office: Office, *names: str, words: str = "terlambat") -> None:
    """Tell them that a question is late."""
    with office.db.writing() as session:
        notify(session, office, names, what="A/check#1/rung-1", kind="late", case_number="A", words=words)


@pytest.mark.both_databases
def test_the_same_thing_is_not_told_twice(office: Office) -> None:
    """Two sweeps at once, and a third later: each officer has it once, who joins later gets it; nobody unknown, no applicant."""
    hire_staff(office)
    applicant = f"owner-{register_person(office)}"
    at_once(lambda: late(office, "budi", "tuti"), lambda: late(office, "tuti", "budi", "budi"))
    late(office, "tuti", "rini", "nobody", applicant, words="terlambat lagi")
    assert told(office) == [
        ("budi", "A/check#1/rung-1", "terlambat"),
        ("rini", "A/check#1/rung-1", "terlambat lagi"),
        ("tuti", "A/check#1/rung-1", "terlambat"),
    ]


def test_many_things_are_told_in_one_go_without_personal_numbers(office: Office) -> None:
    """A sweep of three thousand cases; a NIK that got into the words is masked, and nothing at all is no error."""
    hire_staff(office)
    with office.db.writing() as session:
        notify_all(session, office, [])
        notify_all(
            session,
            office,
            [News(["budi"], f"A-{n}", "late", f"A-{n}", "3508166904956220 menunggu") for n in range(3000)],
        )
    found = told(office)
    assert len(found) == 3000
    assert {words for *_, words in found} == {"350816********20 menunggu"}
