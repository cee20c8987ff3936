"""Open the office for a command, record its runs, print its results and refusals."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from cli.language import _, language
from cli.wrong_usage import said_again

if TYPE_CHECKING:
    from sqlmodel import Session

    from engine.runtime.office import Office, RunHandle


@dataclass(frozen=True)
class Here:
    """Hold a command's open office, its account, and whether a program reads its result."""

    office: Office
    json: bool

    @property
    def account(self) -> str | None:
        """Return the account whose rights count; None where the machine's own user acts."""
        from engine.runtime.proofs import Way

        proof = self.office.proof
        return proof.acts_as if proof and proof.way not in (Way.MACHINE, Way.FIRST) else None

    @property
    def by(self) -> str:
        """Return the actor: an account, or where none was named or proven the machine's own user."""
        from engine.runtime.proofs import machine_user

        return self.account or machine_user()

    def run(self, pipeline: str | None = None) -> AbstractContextManager[RunHandle]:
        """Record what is done inside as one run of the command line."""
        return self.office.run("cli", by=self.by, pipeline=pipeline)

    def reading(self) -> AbstractContextManager[Session]:
        """Open a session that changes nothing."""
        return self.office.db.reading()

    def tell(self, value: Any, columns: tuple[str, ...] = ()) -> None:
        """Print the result."""
        tell(value, self.json, columns)

    def show(self, number: str) -> None:
        """Print a case as it stands now."""
        from cli.titles import case_in_words
        from engine.reports.case_views import case_view

        with self.reading() as session:
            shown = case_view(self.office, session, number)
        self.tell(shown if self.json else case_in_words(shown))


@contextmanager
def acting(
    json: bool = False, by: str | None = None, reason: str | None = None, *, first: bool = False
) -> Iterator[Here]:
    """Open the office for a command by which ``by`` acts, as far as that is proven or believed.

    ``reason`` is why an administrator acts on behalf of ``by``; what is ``first`` is done before anybody has a token.
    """
    from engine.people.proving import prove

    with opened(json) as here:
        here.office.proof = prove(here.office, by, reason, first=first)
        yield here


@contextmanager
def opened(json: bool = False, *, made: bool = True) -> Iterator[Here]:
    """Open the office for one command that reads, or that time calls for.

    Refuses in words, with exit code 1, a database that was not ``made`` yet and all that is refused inside.
    """
    from engine.runtime.migrations import must_be_migrated
    from engine.runtime.office import Office

    with refusals_told(json):
        office = Office.open()
        try:
            if made:
                must_be_migrated(office.db)
            yield Here(office, json)
        finally:
            office.close()


@contextmanager
def refusals_told(json: bool) -> Iterator[None]:
    """Print a refusal in words on standard error, and as JSON where that was asked for."""
    from pydantic import ValidationError

    from engine.errors import Refused

    try:
        yield
    except (Refused, ValidationError) as error:
        # What was set stays unsaid: a database's password may be among it.
        english = str(error) if isinstance(error, Refused) else "; ".join(map(_wrong_setting, error.errors()))
        people = error.for_people if isinstance(error, Refused) else english
        if json:
            _print_json({"error": english, "for_people": people}, indent=None)
        if language() == "en":
            _speak(english)
        elif isinstance(error, Refused):
            _speak(people)
        else:
            _speak("; ".join(_wrong_setting(one, said_again(one["msg"])) for one in error.errors()))
        raise typer.Exit(1) from None


def _wrong_setting(error: Mapping[str, Any], reason: str | None = None) -> str:
    """Return which setting is wrong, and why."""
    return ": ".join([*(f"JALUR_{part}".upper() for part in error["loc"]), reason or error["msg"]])


def say(words: str, **parts: object) -> None:
    """Speak to the person at the terminal in their language; standard output stays clean."""
    _speak(_(words).format(**parts))


def _speak(words: str) -> None:
    print(words, file=sys.stderr)


def tell(value: Any, json: bool, columns: tuple[str, ...] = ()) -> None:
    """Print a result: one JSON value, or a table for people."""
    if json:
        _print_json(value, indent=2)
        return
    from cli.tables import as_table

    as_table(value, columns)


def _print_json(value: Any, indent: int | None) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=indent, default=str))
