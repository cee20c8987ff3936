"""Tell wrong usage in the reader's language: in words of typer, click, pydantic, or ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError

from cli.help import argument, put_titles
from cli.language import LANGUAGES, N_, UnknownLanguage, _, language

# As typer 0.29, its click and pydantic have them, the special before the general; "…" stands for details that are left out.
SAID_BY_OTHERS = (
    N_("Invalid value: {reason}"),
    N_("Invalid value for {argument}: {reason}"),
    N_("Missing argument {argument}."),
    N_("Missing option {option}."),
    N_("Missing command."),
    N_("No such option: {option} (Possible options: {options})"),
    N_("No such option: {option}"),
    N_("No such command {command}. Did you mean {commands}?"),
    N_("No such command {command}."),
    N_("Option {option} does not take a value."),
    N_("Option {option} requires an argument."),
    N_("Got unexpected extra argument(s) ({words})"),
    N_("file {name} does not exist."),
    N_("file {name} is a directory."),
    N_("file {name} is not readable."),
    N_("Input should be a valid integer, …"),
    N_("Input should be greater than or equal to {number}"),
    N_("Input should be less than or equal to {number}"),
    N_("Value error, {reason}"),
    N_("Input should be a valid datetime or date, …"),
    N_("Input should be a valid number, …"),
    N_("Input should be {values}"),
    N_("JALUR_NOW is refused in production: set JALUR_ENV to demo or test to turn the clock"),
    N_("JALUR_MASTER_KEY is refused in production: every byte of it is zero"),
    N_("must be 32 random bytes in base64"),
    N_("must be addresses or networks, comma between, e.g. 10.0.0.2,10.1.0.0/16"),
    N_("{url} needs {token}"),
    N_("It has an open case already: {case}"),
    N_("There is no business {number}"),
    N_("There is no person {number}"),
    N_("There is no product {number}"),
)


class WrongUsage(UsageError):
    """Wrong usage that is told already in the reader's language."""


@contextmanager
def told_in_words() -> Iterator[None]:
    """Say in the reader's language what is wrong with the words of a command line.

    Raises:
        WrongUsage: a word is wrong, or ``JALUR_LANGUAGE`` names a language that is not spoken here.
    """
    try:
        language()
        yield
    except UnknownLanguage as error:
        put_titles()
        wrong = _("JALUR_LANGUAGE must be {languages}, not {value}")
        raise WrongUsage(wrong.format(languages=" | ".join(LANGUAGES), value=error)) from None
    except (NoArgsIsHelpError, WrongUsage):
        raise
    except UsageError as error:
        put_titles()
        if language() == "en":
            raise
        raise WrongUsage(said_again(error.format_message()), error.ctx) from None


def wrong(words: str, **parts: object) -> typer.BadParameter:
    """Return the error that a word of the command line is wrong, told in the reader's language."""
    return typer.BadParameter(_(words).format(**parts))


def must_be_clean_words(words: Sequence[str]) -> None:
    """Check the words of a command line; tabs and line ends are taken as they are.

    Raises:
        WrongUsage: one holds NUL, an escape, another control letter or half a letter.
    """
    for place, word in enumerate(words, start=1):
        if not word.isprintable():
            from engine.definition.incoming import has_control_letters  # only unusual words need the engine

            if has_control_letters(word):
                said = _("Word {place} of the command holds a control letter: type it anew")
                raise WrongUsage(said.format(place=place))


def said_again(message: str) -> str:
    """Translate a message of typer, click or pydantic; one that is not known stays English."""
    for template in SAID_BY_OTHERS:
        if found := _pattern(template).fullmatch(message):
            parts = found.groupdict()
            if "reason" in parts:
                parts["reason"] = said_again(parts["reason"])
            if "argument" in parts:
                parts["argument"] = f"'{argument(parts['argument'].strip(chr(39)))}'"
            return _(template).format(**parts)
    return message


@cache
def _pattern(template: str) -> re.Pattern[str]:
    any_words = re.escape(template).replace("…", ".*")
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", any_words), re.DOTALL)
