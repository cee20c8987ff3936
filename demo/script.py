"""The answers of the demo's people: one script for each pipeline, one path for each case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from engine.actions.answer import answer_many
from engine.actions.withdraw import withdraw
from engine.definition.case import handle_of
from engine.people.accounts import give_own_code
from engine.people.own_codes import proved
from engine.runtime.file_store import attach
from engine.runtime.office import Office
from models import CaseFile, Person, Standing, Wait, WaitKind

Said = tuple[str, dict[str, Any]] | None
PAPER = b"%PDF-1.4\n% a made-up paper of the demo\n"
# An answer that has to wait for a later day.
LATER: Said = ("", {})


@dataclass(frozen=True)
class Situation:
    """An open question of the demo: its case and path, its count, and the case's owner."""

    number: str
    key: str
    path: str
    owner: str
    name: str
    holder: str | None

    @property
    def question(self) -> str:
        """Return the question's name without its count."""
        return self.key.split("#")[0]

    @property
    def again(self) -> bool:
        """Return whether the question is asked for a second time or later."""
        return not self.key.endswith("#1")

    @property
    def serial(self) -> str:
        """Return the case's own number within its series."""
        return self.number.rsplit("-", 1)[1]


class Script:
    """The answers by the path of each case; the subclasses hold a method for each question."""

    paths: dict[int, str]
    of: int
    withdrawn_at = ""

    def __init__(self, office: Office, opened: list[str]) -> None:
        """Lay the cases on the paths: case n takes path n modulo ``of``.

        A case without a path goes straight to its end.
        """
        self.office = office
        self.path = {number: self.paths.get(place % self.of, "straight") for place, number in enumerate(opened)}
        self.evidence = attach(office.store, PAPER, "pdf")
        self.started = office.clock.today()
        self._codes: dict[str, str] = {}

    def answer(self) -> int:
        """Answer each open question that the script has words for; return their number.

        Questions whose answer waits for a later day count as well.
        """
        later = 0
        by_whom: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
        for now in self._waiting():
            if now.path == "withdrawn" and now.question == self.withdrawn_at:
                with self.office.run("cli", by=now.owner) as run:
                    withdraw(self.office, run, now.number, by=now.owner, reason="pindah ke luar provinsi")
                continue
            said: Said = getattr(self, now.question)(now)
            if said is LATER:
                later += 1
            elif said is not None:
                by_whom.setdefault(said[0], []).append((now.number, now.key, said[1]))
        for by, answers in sorted(by_whom.items()):
            with self.office.run("cli", by=by) as run:
                for result in answer_many(self.office, run, answers, by=by):
                    if isinstance(result, Exception):
                        raise result
        return later + sum(map(len, by_whom.values()))

    def standings(self, number: str, what: str) -> list[Standing]:
        """Return the standings of that name that a case gave."""
        with self.office.db.reading() as session:
            wanted = select(Standing).join(CaseFile, col(CaseFile.id) == col(Standing.case_id))
            return list(session.exec(wanted.where(CaseFile.number == number, Standing.what == what)))

    @property
    def today(self) -> str:
        """Return the date of the demo's clock."""
        return self.office.clock.today().isoformat()

    def own_code(self, owner: str) -> str:
        """Return the proof of an owner's code, which is made at the first signature."""
        if owner not in self._codes:
            self._codes[owner] = give_own_code(self.office, owner)
        return str(proved(self.office, owner, {"own_code": self._codes[owner]})["own_code"])

    def _waiting(self) -> list[Situation]:
        with self.office.db.reading() as session:
            found = session.exec(
                select(CaseFile, Wait, Person.name)
                .join(Wait, col(Wait.case_id) == col(CaseFile.id))
                .join(Person, col(Person.id) == col(CaseFile.person_id))
                .where(col(Wait.settled_at).is_(None), Wait.kind == WaitKind.PERSON)
            )
            return [
                Situation(case.number, wait.key, self.path[case.number], handle_of(case.person_id), name, wait.holder)
                for case, wait, name in found
                if case.number in self.path
            ]
