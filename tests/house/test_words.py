"""One word for one thing: what docs/glossary.md says is not used is in no name and in no docstring."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("cli", "demo", "documents", "engine", "flows", "models", "outside", "rules", "scheduling", "web")
GLOSSARY = ROOT / "docs" / "glossary.md"
LINES = [
    [cell.strip() for cell in line.split("|")[1:-1]]
    for line in GLOSSARY.read_text("utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| English "))
]
# A checkpoint is a signed statement over the heads of all chains; until there are any, no other thing gets the name.
KEPT_FOR_LATER = {"checkpoint"}
NOT_USED = {word: line[0] for line in LINES for word in re.findall(r"`([^`]+)`", line[3])}


@pytest.mark.parametrize("word", NOT_USED)
def test_a_word_that_is_not_used_is_in_no_name_and_no_docstring(word: str) -> None:
    """The glossary gives the word that is used instead."""
    found = [place for place, words in said().items() if says(words, word)] if says(all_said(), word) else []
    assert found == [], f"say {NOT_USED[word]!r} instead of {word!r}"


def test_each_line_has_a_word_in_both_languages_and_what_it_means() -> None:
    """No word stands twice, and none is both used and not used."""
    assert len(LINES) >= 80
    assert [line for line in LINES if len(line) != 4 or not all(line[:3])] == []
    used = [word.strip() for line in LINES for word in line[0].split(",")]
    assert sorted(used) == sorted(set(used))
    assert set(used) & set(NOT_USED) == set()
    assert len(NOT_USED) == sum(len(re.findall(r"`[^`]+`", line[3])) for line in LINES)


def test_each_english_word_is_one_that_the_source_uses() -> None:
    """A word that no name and no docstring has is not our word for anything."""
    used = {word for line in LINES for word in re.findall(r"[a-z]+", line[0].lower())}
    assert {word for word in used if not says(all_said(), word)} - KEPT_FOR_LATER == set()


def test_a_word_that_is_not_used_is_found_in_every_place() -> None:
    """In a module's name, a class, a function, a parameter, an attribute and a docstring; whole words alone."""
    planted = '''"""A journal."""
class EventLog:
    """Nothing."""
    def grab_first(self, job_run: int) -> None:
        """Return it."""
        self.best_before = job_run
'''
    words = dict(said_in(ast.parse(planted), "engine/remaking.py"))
    for word in ("journal", "event log", "grab", "job run", "best before", "remaking"):
        assert any(says(text, word) for text in words.values()), word
    assert not any(says(text, word) for text in words.values() for word in ("run job", "make", "events"))


def says(words: str, word: str) -> bool:
    """Return whether a word, or several in a row, stand in a text whose words are parted by blanks."""
    return f" {' '.join(re.findall(r'[a-z]+', word))} " in words


@cache
def said() -> dict[str, str]:
    """Return each name and docstring of the source by its place, as words in small letters."""
    found: dict[str, str] = {}
    for file in sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")):
        if "migrations" not in file.parts:
            found.update(said_in(ast.parse(file.read_text("utf-8")), str(file.relative_to(ROOT))))
    return found


@cache
def all_said() -> str:
    """Return all names and docstrings as one text, in which a word is looked for first."""
    return "  ".join(said().values())


def said_in(module: ast.Module, path: str) -> Iterator[tuple[str, str]]:
    """Return the names and docstrings of one module, each with its place."""
    yield path, as_words(path)
    for node in ast.walk(module):
        place = f"{path}:{getattr(node, 'lineno', 1)}"
        for field in ("id", "attr", "name", "arg", "asname"):
            if isinstance(name := getattr(node, field, None), str):
                yield f"{place} {name}", as_words(name)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{place} docstring", as_words(ast.get_docstring(node) or "")


@cache
def as_words(text: str) -> str:
    """Return a text or a name as words: `queue_letter`, `QueueLetter` and "queue letter" are the same."""
    return f" {' '.join(word.lower() for word in re.findall(r'[A-Z]?[a-z]+|[A-Z]+(?![a-z])', text))} "
