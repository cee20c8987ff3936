"""Results as a person reads them at a terminal: a table for many, lines for one."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table


def as_table(value: Any, columns: tuple[str, ...]) -> None:
    """Print a list of records as a table of ``columns``, or one record line by line."""
    console = Console()
    if isinstance(value, list):
        table = Table(*(columns or ("",)), header_style="bold", row_styles=("", "dim"))
        for record in value:
            table.add_row(*(_cell(record.get(column)) for column in columns))
        console.print(table if value else "Nothing.")
        return
    for name, content in value.items():
        if isinstance(content, list) and content and isinstance(content[0], dict):
            shown = tuple(key for key in content[0] if key != "form")
            console.print(f"[bold]{name}[/bold]")
            as_table(content, shown)
        else:
            console.print(f"[bold]{name}[/bold]: {_cell(content)}", highlight=False)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(_cell(part) for part in value) or "–"
    if isinstance(value, dict):
        if "name" in value or "code" in value:
            return str(value.get("name") or value.get("code"))
        return " · ".join(f"{key} {_cell(part)}" for key, part in value.items())
    return str(value)
