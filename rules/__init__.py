"""What the law and the office say: effective-dated values with their citations. Imports nothing of ours.

A rule is a row in a TOML file; it changes by adding a row with a later ``since``, never by editing one.
``standing`` tells what it is: ``law``, ``policy`` of the office, or ``unconfirmed`` (read somewhere, its text not re-read).
``remark`` tells an administrator what is not sure about a row, most often its date; owners read the citation alone.
Only a rule of standing ``law`` may be shown, or acted on, as law.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NEEDED = ("name", "value", "unit", "since", "citation", "standing")
STANDINGS = ("law", "policy", "unconfirmed")


class UnknownRule(LookupError):
    """No rule of that name is in force on that day."""


@dataclass(frozen=True)
class Rule:
    """One row: ``value`` in ``unit``, in force from ``since`` until ``until`` (inclusive; None: still).

    ``moves_to_working_day``: a budget of calendar days that ends on a day off ends on the next working day instead.
    """

    name: str
    value: Any
    unit: str
    since: date
    until: date | None
    citation: str
    standing: str
    remark: str = ""
    moves_to_working_day: bool = False

    @property
    def is_law(self) -> bool:
        """Return whether the value is the law's, so that it may be acted on without a person."""
        return self.standing == "law"

    def in_force(self, day: date) -> bool:
        """Return whether the rule applied on ``day``."""
        return self.since <= day and (self.until is None or day <= self.until)


class RuleBook:
    """All rules of one pipeline's file, on top of the common ones."""

    def __init__(self, rules: list[Rule]) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.name, []).append(rule)

    def at(self, name: str, day: date) -> Rule:
        """Return the newest row of ``name`` in force on ``day``; raises `UnknownRule`."""
        rows = [rule for rule in self._rules.get(name, []) if rule.in_force(day)]
        if not rows:
            raise UnknownRule(f"No rule '{name}' is in force on {day}. Add a row with its date to rules/")
        return max(rows, key=lambda rule: rule.since)

    def rows(self) -> list[Rule]:
        """Return every row, by name and date."""
        return [rule for name in sorted(self._rules) for rule in sorted(self._rules[name], key=lambda rule: rule.since)]

    def in_force(self, day: date) -> list[Rule]:
        """Return the row of each rule that applies on ``day``, by name."""
        return [self.at(name, day) for name in sorted(self._rules) if any(r.in_force(day) for r in self._rules[name])]


class RulesAt:
    """The rules on one day: ``case.rules.correction_time``. Remembers which rows were looked at, for the ledger."""

    def __init__(self, book: RuleBook, day: date) -> None:
        self._book, self._day = book, day
        self._used: dict[str, str] = {}

    def __getattr__(self, name: str) -> Rule:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Rule:
        rule = self._book.at(name, self._day)
        self._used[name] = rule.since.isoformat()
        return rule

    def quietly(self, name: str) -> Rule | None:
        """Return the rule without remembering that it was looked at; None where none is in force."""
        try:
            return self._book.at(name, self._day)
        except UnknownRule:
            return None

    def take_used(self) -> dict[str, str]:
        """Return the rows looked at since the last call, name to date, and forget them."""
        used, self._used = self._used, {}
        return used


@lru_cache(maxsize=64)
def book(name: str, folder: Path = HERE) -> RuleBook:
    """Return the rule book ``<name>.toml`` together with ``common.toml`` and ``office.toml``; a missing file is an empty one."""
    return RuleBook([rule for file in ("common", "office", name) for rule in _read(folder / f"{file}.toml")])


def _read(file: Path) -> list[Rule]:
    """Return the rows of a file. Raises `ValueError` where it is no TOML, or a row is none: it would be found out case by case."""
    if not file.exists():
        return []
    rows = tomllib.loads(file.read_text("utf-8")).get("rule")
    if not isinstance(rows, list):
        raise ValueError(f"{file.name}: there is no [[rule]] in it")
    for row in rows:
        if fault := _fault(row):
            raise ValueError(f"{file.name}, rule {row.get('name', '-')}: {fault}")
    return [
        Rule(
            name=row["name"],
            value=row["value"],
            unit=row["unit"],
            since=row["since"],
            until=row.get("until"),
            citation=row["citation"],
            standing=row["standing"],
            remark=row.get("remark", ""),
            moves_to_working_day=row.get("moves_to_working_day", False),
        )
        for row in rows
    ]


def _fault(row: dict[str, Any]) -> str:
    """Return what is wrong with a row; nothing where it is whole."""
    if missing := [name for name in NEEDED if name not in row]:
        return f"{', '.join(missing)} is missing"
    if any(type(row[name]) is not date for name in ("since", "until") if name in row):
        return "since and until are days: 2026-01-31, without quotes or hour"
    if row["standing"] not in STANDINGS:
        return f"standing is one of {', '.join(STANDINGS)}"
    return ""
