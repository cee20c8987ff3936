"""Plays scripts through the command line alone: many cases in one office, each with its own applicant.

No module of the engine is named here and cases advance by ``jalur advance``, so the same file plays the same cases before and
after the engine's modules have moved. What a command does not print (which case is whose, which are ready) is read from
the tables of SQLite.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.people import EVIDENCE, PAPER
from tests.replay.randomness import Randomness
from tests.replay.script import OWNER, Act, Answers, Contests, Imports, Opens, Passes, Script, Withdraws

MASTER_KEY = "amFsdXItdGVzdC1tYXN0ZXIta2V5LTMyLWJ5dGVzISE="
FIRST_DAY = "2026-01-12"
# National ids, business numbers and numbers of blanks: in one office each applicant has their own.
NUMBERS = re.compile(r"\b(\d{12}|\d{9}|\d{3})\d{4}\b")
STAFF = {
    "budi": ("officer",),
    "tuti": ("officer",),
    "ani": ("companion",),
    "sari": ("supervisor",),
    "rini": ("division_head",),
    "kadis": ("office_head",),
    "admin": ("administrator",),
    "lia": ("lsp_officer",),
    "lina": ("panel_chair",),
}
SPECIALISTS = {
    "asih": ("assessor", ("assessor", "assessor:ukm")),
    "fajar": ("plenary", ()),
    "gita": ("plenary", ()),
    "hana": ("plenary", ()),
    "agus": ("curator", ("curator", "curator:makanan")),
    "bayu": ("curator", ("curator", "curator:makanan")),
    "citra": ("curator", ("curator", "curator:makanan")),
}


class CommandFailed(Exception):
    """A command ended with another code than 0; its words are the message."""


@dataclass(frozen=True)
class Does(Act):
    """Somebody gives a command about every case of the script.

    ``{number}`` stands for the case's number and ``{owner}`` for its applicant's account; with nobody as ``by`` the command
    is given without it.
    """

    words: tuple[str, ...]
    by: str = ""


@dataclass
class Part:
    """A script with the people who are its applicants here."""

    script: Script
    serials: list[int]
    businesses: list[int] = field(default_factory=list)
    persons: list[int] = field(default_factory=list)


class Played:
    """One office of scripts, on SQLite below ``home``."""

    def __init__(self, home: Path, randomness: Randomness | None = None) -> None:
        self.home, self.randomness = home, randomness
        self.now = f"{FIRST_DAY}T09:00:00+07:00"
        self.parts: list[Part] = []
        self.given = 0
        self.log: list[tuple[str, list[str]]] = []
        self.settings: dict[str, str] = {}

    # -- the command line --------------------------------------------------------------------------------------------

    def jalur(self, *words: str) -> Any:
        """Give a command; return the JSON that it prints. ``log`` notes all but advances. Raises CommandFailed."""
        from cli import main

        self.given += 1
        if self.randomness:
            self.randomness.seed(f"{self.home.name} {self.given}")
        if words[0] != "advance":
            self.log.append((self.now, list(words)))
        before = dict(os.environ), sys.argv
        for name in [name for name in os.environ if name.startswith("JALUR_")]:
            del os.environ[name]
        os.environ |= {
            "JALUR_HOME": str(self.home),
            "JALUR_ENV": "test",
            "JALUR_DATABASE_URL": "sqlite:///jalur.db",
            "JALUR_DOCUMENTS_URL": "file://documents",
            "JALUR_MASTER_KEY": MASTER_KEY,
            "JALUR_LANGUAGE": "en",
            "JALUR_NOW": self.now,
            "LOGNAME": "budi",
            **self.settings,
        }
        sys.argv = ["jalur", *words, "--json"]
        out, err = io.StringIO(), io.StringIO()
        code: object = 0
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main()
        except SystemExit as end:
            code = end.code
        finally:
            os.environ.clear()
            os.environ |= before[0]
            sys.argv = before[1]
        if code not in (0, None):
            raise CommandFailed(f"{self.now} jalur {' '.join(words)}\n{out.getvalue()}{err.getvalue()[-2000:]}")
        return json.loads(out.getvalue())

    def read(self, query: str, *values: object) -> list[Any]:
        """Return rows of the database."""
        with contextlib.closing(sqlite3.connect(self.home / "jalur.db", timeout=30)) as connection:
            return connection.execute(query, values).fetchall()

    def advance(self) -> None:
        """Advance the pipelines that have ready cases, or a machine's work that is due, until none has."""
        self.log.append((self.now, ["advance"]))
        now = datetime.fromisoformat(self.now).astimezone(UTC).isoformat(" ", "microseconds")
        query = (
            "SELECT pipeline FROM case_file WHERE ready UNION SELECT wait.pipeline FROM wait JOIN case_file"
            " ON case_file.id = case_id WHERE settled_at IS NULL AND kind IN ('external', 'issue', 'hand_on')"
            " AND status = 'open' AND (next_attempt_at IS NULL OR next_attempt_at <= ?) ORDER BY 1"
        )
        for _ in range(5):
            ready = self.read(query, now)
            if not ready:
                return
            for (pipeline,) in ready:
                self.advance_one(pipeline)

    def advance_one(self, pipeline: str) -> None:
        """Advance the ready cases of a pipeline."""
        self.jalur("advance", pipeline)

    # -- before the first act ----------------------------------------------------------------------------------------

    def staffed(self) -> None:
        """Make the database; give the office its people, and one paper to attach."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.jalur("migrate")
        paper = self.home / "paper.pdf"
        paper.write_bytes(PAPER)
        for name, roles in STAFF.items():
            self.jalur("user", "add", name, *(word for role in roles for word in ("--role", role)))
        for place, (name, (role, standings)) in enumerate(SPECIALISTS.items(), start=2):
            about = json.dumps({"national_id": f"350816410190{place:04d}"})
            person = str(self.jalur("person", "add", name.title(), "--data", about)["person"])
            self.jalur("user", "add", name, "--role", role, "--person", person)
            for what in standings:
                number = ("--number", f"85500 2424 6 {int(person):07d} 2025", "--since", "2025-01-02")
                proof = ("--source", "BNSP", "--evidence", str(paper), "--by", name)
                self.jalur("person", "certificate", person, what, *number, *proof)

    def play(self, *, after: str = "", until: str = "9999") -> None:
        """Do all acts after a day and up to another: of each script the day's first act, then the second, and so on."""
        days: defaultdict[str, defaultdict[int, list[tuple[Part, Act]]]] = defaultdict(lambda: defaultdict(list))
        for part in self.parts:
            done: Counter[str] = Counter()
            for act in part.script.acts:
                days[act.on][done[act.on]].append((part, act))
                done[act.on] += 1
        for day in sorted(days):
            if after < day <= until:
                self.on(day)
                for turn in sorted(days[day]):
                    self.together(days[day][turn])
                self.jalur("deliver")

    def on(self, day: str) -> None:
        """Turn the clock to nine o'clock in Surabaya."""
        self.now = f"{day}T09:00:00+07:00"

    def together(self, acts: Sequence[tuple[Part, Act]]) -> None:
        """Do acts of several scripts, then let all cases advance."""
        for part, act in acts:
            self.do(part, act)
        if any(isinstance(act, Passes) for _, act in acts):
            self.jalur("escalate")
        self.advance()

    def open(self, scripts: Sequence[Script]) -> None:
        """Import what the scripts are about, and open their cases."""
        self.on(FIRST_DAY)
        rows: list[dict[str, str]] = []
        for script in scripts:
            part = Part(script, [])
            for subject in script.subjects:
                serial = len(rows) + 1001
                own = {name: _numbered(value, serial) for name, value in subject.items()}
                email = subject["email"] and f"pemohon{serial}@contoh.example"
                rows.append({**own, "phone": f"081162310{serial}", "email": email})
                part.serials.append(serial)
            self.parts.append(part)
        file = self.home / "usaha.csv"
        with file.open("w", newline="") as text:
            table = csv.DictWriter(text, sorted({name for row in rows for name in row}))
            table.writeheader()
            table.writerows(rows)
        taken = self.jalur("import", str(file))
        if taken["accepted"] != len(rows):
            raise CommandFailed(f"Not all subjects were imported: {taken}")
        found = iter(self.read("SELECT id, owner_id FROM business ORDER BY id"))
        for part in self.parts:
            for _ in part.serials:
                business, person = next(found)
                part.businesses.append(business)
                part.persons.append(person)
                self.jalur("open", part.script.pipeline, *self._subject(part.script.pipeline, business, person))
        self.advance()
        self.jalur("deliver")

    def _subject(self, pipeline: str, business: int, person: int) -> tuple[str, str]:
        if pipeline == "lsp-competency-test":
            return "--person", str(person)
        if pipeline == "product-curation":
            made = self.jalur("product", "add", str(business), "Keripik singkong", "--cluster", "makanan")
            return "--product", str(made["product"])
        return "--business", str(business)

    # -- acts --------------------------------------------------------------------------------------------------------

    def do(self, part: Part, act: Act) -> None:
        """Do an act in every case of its script; what only lets time pass is done by `play`."""
        match act:
            case Imports() | Opens() | Passes():
                return
            case Answers():
                cases = self.cases(part)
                for number, owner, serial in cases if act.only is None else cases[act.only : act.only + 1]:
                    key, holder = self.asked(number, act.question)
                    data = self.attached(_numbered(json.dumps(act.data, ensure_ascii=False), serial))
                    assigned = holder if holder != owner else None  # an officer takes the owner's paper at the counter
                    by = owner if act.by == OWNER else assigned or act.by
                    self.jalur("answer", number, key, "--by", by, "--data", data)
            case Withdraws() | Contests():
                verb = "withdraw" if isinstance(act, Withdraws) else "appeal"
                for number, owner, _ in self.cases(part):
                    by = owner if act.by == OWNER else act.by
                    self.jalur("case", verb, number, "--by", by, "--reason", act.reason)
            case Does():
                for number, owner, _ in self.cases(part):
                    words = [word.replace("{number}", number).replace("{owner}", owner) for word in act.words]
                    by = owner if act.by == OWNER else act.by
                    self.jalur(*words, *(("--by", by) if by else ()))

    def attached(self, data: str) -> str:
        """Return an answer in which the paper is attached, not named: each use of it is an upload."""
        paper = self.home / "paper.pdf"
        if EVIDENCE in data and not paper.exists():
            paper.write_bytes(PAPER)
        return data.replace(EVIDENCE, f"@{paper}")

    def cases(self, part: Part) -> list[tuple[str, str, int]]:
        """Return number, applicant's account and serial of each case of a script, the oldest of each applicant first."""
        found: list[tuple[str, str, int]] = []
        for person, serial in zip(part.persons, part.serials, strict=True):
            query = "SELECT number FROM case_file WHERE pipeline = ? AND person_id = ? ORDER BY id"
            numbers = self.read(query, part.script.pipeline, person)
            found += [(number, f"owner-{person}", serial) for (number,) in numbers]
        return found

    def asked(self, number: str, question: str) -> tuple[str, str | None]:
        """Return the key under which a question is open, and to whom it is assigned.

        After a recall it bears another number than its script says; which curator is asked depends on the other cases.
        """
        query = (
            "SELECT key, wait.holder FROM wait JOIN case_file ON case_file.id = wait.case_id"
            " WHERE number = ? AND question = ? AND settled_at IS NULL ORDER BY key"
        )
        found = dict(self.read(query, number, question.partition("#")[0]))
        key = question if question in found or not found else min(found)
        return key, found.get(key)


def _numbered(text: str, serial: int) -> str:
    """Return ``text`` with the numbers in it ending in that serial."""
    return NUMBERS.sub(lambda found: f"{found[1]}{serial}", text)
