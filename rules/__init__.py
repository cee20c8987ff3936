"""Rules of the law and of the office: effective-dated values with citations, in TOML files.

A rule changes by a new row with a later ``since``; rows are never edited. ``standing`` is its legal force: ``law``, ``policy`` of
the office, or ``unconfirmed`` (cited from elsewhere, its text not re-read). Only ``law`` may be shown, or acted on, as law.
``remark`` tells administrators what is uncertain about a row, most often its date; owners read the citation only.
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
# The legal forces that a rule can have.
STANDINGS = ("law", "policy", "unconfirmed")


class UnknownRule(LookupError):
    """No rule of the given name is in force on the given day."""


@dataclass(frozen=True)
class Rule:
    """One row: ``value`` in ``unit``, in force from ``since`` until ``until``.

    ``until`` is inclusive; None: still in force.

    ``standing`` is its legal force, one of `STANDINGS`. With ``moves_to_working_day``, a budget of calendar days that ends on a
    day off ends on the next working day instead.
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
        """Return whether the rule has the force of law: only then the engine acts by itself."""
        return self.standing == "law"

    def in_force(self, day: date) -> bool:
        """Return whether the rule applied on ``day``."""
        return self.since <= day and (self.until is None or day <= self.until)


class RuleBook:
    """The rules of one pipeline and the common ones, with all their rows."""

    def __init__(self, rules: list[Rule]) -> None:
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._rules.setdefault(rule.name, []).append(rule)

    def at(self, name: str, day: date) -> Rule:
        """Return the newest row of ``name`` in force on ``day``.

        Raises:
            UnknownRule: no row of that name is in force.
        """
        rows = [rule for rule in self._rules.get(name, []) if rule.in_force(day)]
        if not rows:
            raise UnknownRule(f"No rule '{name}' is in force on {day}. Add a row with its date to rules/")
        return max(rows, key=lambda rule: rule.since)

    def rows(self) -> list[Rule]:
        """Return all rows, sorted by name and date."""
        return [rule for name in sorted(self._rules) for rule in sorted(self._rules[name], key=lambda rule: rule.since)]

    def in_force(self, day: date) -> list[Rule]:
        """Return the row of each rule that applies on ``day``, sorted by name."""
        return [self.at(name, day) for name in sorted(self._rules) if any(r.in_force(day) for r in self._rules[name])]


class RulesAt:
    """The rules on one day: ``case.rules.correction_time``.

    The rows that were read are remembered for the ledger.
    """

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

    def peek(self, name: str) -> Rule | None:
        """Return the rule without remembering that it was read; None where none is in force."""
        try:
            return self._book.at(name, self._day)
        except UnknownRule:
            return None

    def take_used(self) -> dict[str, str]:
        """Return the rows read since the last call, name to ``since``, and forget them."""
        used, self._used = self._used, {}
        return used


@lru_cache(maxsize=64)
def book(name: str, folder: Path = HERE) -> RuleBook:
    """Return the rules of ``<name>.toml``, ``common.toml`` and ``office.toml``.

    A missing file has no rules.
    """
    return RuleBook([rule for file in ("common", "office", name) for rule in _read(folder / f"{file}.toml")])


def _read(file: Path) -> list[Rule]:
    """Return the rows of a file.

    Raises:
        ValueError: the file is no TOML, or a row has a fault; later, each case would fail on it.
    """
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
    """Return the fault of a row; "" where it has none."""
    if missing := [name for name in NEEDED if name not in row]:
        return f"{', '.join(missing)} is missing"
    if any(type(row[name]) is not date for name in ("since", "until") if name in row):
        return "since and until are days: 2026-01-31, without quotes or hour"
    if row["standing"] not in STANDINGS:
        return f"standing is one of {', '.join(STANDINGS)}"
    return ""
