"""Options that many commands share, and how what was typed is read."""

from __future__ import annotations

import json
import sys
from datetime import date
from typing import Annotated, Any

import typer

from cli.wrong_usage import wrong

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
By = Annotated[str, typer.Option("--by", help="The account on which this is done.")]
Number = Annotated[str, typer.Argument(help="The case's number, e.g. NIB-2026-000001.")]
Reason = Annotated[str, typer.Option(help="Why, in words.")]
Mover = Annotated[str | None, typer.Option("--by", help="The administrator who moves them; not needed with --dry-run.")]
WhyMoved = Annotated[str | None, typer.Option(help="Why, in words; not needed with --dry-run.")]
LastDay = Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")]
ToVersion = Annotated[int | None, typer.Option(help="The version; none: the newest.")]
OneQuestion = Annotated[
    str | None, typer.Argument(help="The question as the inbox names it; none: the only one that waits.")
]


def who_and_why(by: str | None, reason: str | None) -> tuple[str, str]:
    """Return who moves cases and why; without both, and without --dry-run, it is wrong usage."""
    if by is None or reason is None:
        raise wrong("name --by and --reason; only a --dry-run needs neither")
    return by, reason


def as_json(text: str, option: str) -> dict[str, Any]:
    """Return the JSON object in ``text``; a wrong one, or one without end, is wrong usage."""
    from engine.definition.incoming import is_oversize

    try:
        value = json.loads(text)
    except (RecursionError, ValueError) as error:
        if isinstance(error, json.JSONDecodeError):
            raise wrong(
                "{option} is not JSON: see line {line}, column {column}",
                option=option,
                line=error.lineno,
                column=error.colno,
            ) from None
        raise wrong("{option} has too many values, levels or letters", option=option) from None
    if not isinstance(value, dict):
        raise wrong("{option} must be a JSON object", option=option)
    if is_oversize(value):
        raise wrong("{option} has too many values, levels or letters", option=option)
    return value


def as_json_or_read(text: str, option: str) -> dict[str, Any]:
    """Return the JSON object in ``text``; a dash reads it from standard input."""
    return as_json(sys.stdin.read() if text == "-" else text, option)


def as_date(text: str, option: str) -> date:
    """Return the day in ``text``; a wrong one is wrong usage."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # a week's day and a row of digits are dates to Python, and slips here
        raise wrong("{option} is no date: write YYYY-MM-DD, not {text}", option=option, text=text)
    return day


def as_date_if_named(text: str | None, option: str) -> date | None:
    """Return the day in ``text``, or none where the option was left out."""
    return as_date(text, option) if text else None
