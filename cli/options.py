"""Options that many commands share, and how what was typed is read."""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.wrong_usage import wrong

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
By = Annotated[str, typer.Option("--by", help="The account on which this is done; a token proves it.")]
WhoActs = Annotated[
    str | None,
    typer.Option("--by", help="The account on which this is done; none: the token's, or the machine's user."),
]
Behalf = Annotated[str | None, typer.Option("--reason", help="Why an administrator does it on behalf of --by.")]
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
    """Return the JSON object in ``text``, on standard input (``-``) or in a file (``@FILE``).

    Outside demo and test personal data and codes are refused on the command line itself, which every user of the machine sees.
    """
    if text == "-":
        return as_json(sys.stdin.read(), option)
    if text.startswith("@"):
        try:
            return as_json(Path(text[1:]).read_text("utf-8"), option)
        except (OSError, UnicodeDecodeError):
            raise wrong("{option}: the file {file} can't be read", option=option, file=text[1:]) from None
    value = as_json(text, option)
    if not _may_be_seen() and _is_personal(value):
        raise wrong("{option} holds personal data or a code: write - to read it, or @FILE", option=option)
    return value


# Keys whose values are personal or secret, however they look.
PERSONAL_KEYS = {"own_code", "national_id", "tax_id", "phone", "email", "address"}


def _may_be_seen() -> bool:
    """Return whether nothing on the command line belongs to a real person: in demo and test."""
    return os.environ.get("JALUR_ENV", "production") in ("demo", "test")


def _is_personal(value: object) -> bool:
    """Return whether a JSON value holds a personal number, or a value under a personal key."""
    from models.privacy import without_personal_numbers

    if isinstance(value, dict):
        named = {str(key).rpartition(".")[2] for key, inner in value.items() if inner not in (None, "")}
        return bool(named & PERSONAL_KEYS) or any(map(_is_personal, value.values()))
    if isinstance(value, list):
        return any(map(_is_personal, value))
    return isinstance(value, str) and without_personal_numbers(value) != value


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
