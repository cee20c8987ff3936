"""Print results for people in their language: a table for many records, lines for one."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.labels import head, value_of
from cli.language import _, language

# What must be read whole, or it can't be typed into the next command.
WHOLE = (
    "standing",
    "since",
    "until",
    "case",
    "number",
    "run",
    "question",
    "key",
    "name",
    "role",
    "actor",
    "seq",
    "due_on",
    "at",
    "started_at",
)

# What only programs read of a row within a record.
NOT_FOR_A_TABLE = ("form", "title", "recorded_for", "silent_on", "silent_provisional")

LONGEST_VALUE = 60  # letters of a rule's value; all of it stands in the JSON


def as_table(value: Any, columns: tuple[str, ...], console: Console | None = None) -> None:
    """Print a list of records as a table of ``columns``, or one record line by line."""
    console = console or Console(width=None if sys.stdout.isatty() else 160)
    if isinstance(value, list):
        table = Table(header_style="bold", row_styles=("", "dim"))
        for column in columns:
            table.add_column(head(column), no_wrap=column in WHOLE)
        for record in value:
            table.add_row(*(_cell(record.get(column), column) for column in columns))
        console.print(table if value else _("Nothing."))
        return
    for name, content in value.items():
        if isinstance(content, list) and content and isinstance(content[0], dict):
            shown = tuple(key for key in content[0] if key not in NOT_FOR_A_TABLE)
            console.print(f"[bold]{head(name)}[/bold]")
            as_table(content, shown, console)
        else:
            console.print(f"[bold]{head(name)}[/bold]: {_line(content, name)}", highlight=False, soft_wrap=True)


def _line(value: Any, name: str) -> str:
    """Return a value of one record, with its dates in words; tables have figures, as typed."""
    if isinstance(value, str) and name in ("since", "until", "date"):
        from documents.formats import day_in_words

        return day_in_words(value, language())
    return _cell(value, name)


def _cell(value: Any, column: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if column == "value":
        words = " ".join(_cell(value, "").split())
        return words if len(words) <= LONGEST_VALUE else f"{words[:LONGEST_VALUE]}…"
    if column in ("at", "started_at") or (column == "since" and "T" in str(value)):
        return str(value)[:19].replace("T", " ")
    if isinstance(value, list):
        return ", ".join(_cell(part, column) for part in value) or "–"
    if isinstance(value, dict):
        if "name" in value or "code" in value:
            named = value.get("name") or value.get("title" if language() == "id" else "code") or value.get("code")
            return str(named)
        return " · ".join(f"{head(key)} {_cell(part, key)}" for key, part in value.items())
    return value_of(column, str(value))
