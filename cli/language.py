"""Translate what people read: English stands in the code, Indonesian in ``locale/``.

``JALUR_LANGUAGE`` names the reader's language; without it the locale does."""

from __future__ import annotations

import os
import re
from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

LANGUAGES = ("id", "en")
DOMAIN, LOCALE = "jalur", Path(__file__).with_name("locale")
# In the order in which POSIX looks for the language of messages.
OF_THE_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")


class UnknownLanguage(ValueError):
    """``JALUR_LANGUAGE`` names a language that is not spoken here."""


def language() -> str:
    """Return the language of who reads: ``id`` or ``en``.

    Raises:
        UnknownLanguage: ``JALUR_LANGUAGE`` is set to anything else.
    """
    named = os.environ.get("JALUR_LANGUAGE", "")
    if named and named not in LANGUAGES:
        raise UnknownLanguage(named)
    return named or language_of_the_locale()


def language_of_the_locale() -> str:
    """Return ``id`` where the locale's first variable that is set names Indonesian, else ``en``."""
    locale = next(filter(None, map(os.environ.get, OF_THE_LOCALE)), "")
    return "id" if re.split(r"[_.@-]", locale)[0] == "id" else "en"


def _(words: str | None) -> str:
    """Translate an English message for who reads; nothing stays empty."""
    return _catalogue(_readable()).gettext(words) if words else ""


def in_context(context: str, word: str) -> str:
    """Translate a word whose meaning depends on its place, such as ``open`` of a case."""
    return _catalogue(_readable()).pgettext(context, word)


def N_(words: str) -> str:
    """Mark a message for the catalogue, to be translated where it is printed."""
    return words


def _readable() -> str:
    """Return the language; where ``JALUR_LANGUAGE`` is wrong, that of the locale, to say so."""
    try:
        return language()
    except UnknownLanguage:
        return language_of_the_locale()


@cache
def _catalogue(language: str) -> NullTranslations:
    return NullTranslations() if language == "en" else translation(DOMAIN, LOCALE, [language])
