"""What people read has one place each, and nothing lies there that nobody hands out."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

from documents.preview import document_kinds, letter_kinds
from documents.templating import SHARED, TEMPLATES
from engine.definition.declarations import OFFICE, OFFICE_PAPERS, Declared
from engine.definition.registry import all_appeals, all_versions

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {"documents": document_kinds, "letters": letter_kinds}
TEXTS = [file for file in sorted(TEMPLATES.rglob("*")) if file.suffix in (".html", ".txt") and "OFL" not in file.name]
ENGINE = [file.read_text("utf-8") for room in ("engine", "documents") for file in sorted((ROOT / room).rglob("*.py"))]
WEB = [file.read_text("utf-8") for file in sorted((ROOT / "web").rglob("*.py"))]


def kinds_with_a_folder() -> set[str]:
    """List the folders of documents and letters, as `nib_legalization/letters/receipt`."""
    rooms = [(folder, room) for room in ROOMS for folder in TEMPLATES.glob(f"*/{room}")]
    return {f"{folder.parent.name}/{room}/{kind}" for folder, room in rooms for kind in ROOMS[room](folder.parent)}


def kinds_that_are_named() -> set[str]:
    """List what pipelines and ways to appeal declare, and what the engine hands out by itself."""
    declaring: list[Declared] = [*all_versions(), *all_appeals()]
    papers = {
        f"{paper.folder or one.slug}/documents/{paper.name}" for one in declaring for paper in one.papers.values()
    }
    letters = {
        f"{letter.folder or one.slug}/letters/{letter.name}" for one in declaring for letter in one.letters.values()
    }
    offices = {f"{OFFICE}/documents/{name}" for name in OFFICE_PAPERS}
    return papers | letters | offices | {f"{OFFICE}/letters/{name}" for name in letters_of_the_engine()}


def letters_of_the_engine() -> set[str]:
    """List the letters of the office: constants given as `letter=`, and folders whose name is a text in the engine."""
    nodes = [node for source in ENGINE for node in ast.walk(ast.parse(source))]
    given = {node.value.value for node in nodes if _is_text(node, "letter")}  # type: ignore[attr-defined]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return given | (texts & set(letter_kinds(TEMPLATES / OFFICE)))


def _is_text(node: ast.AST, keyword: str) -> bool:
    named = isinstance(node, ast.keyword) and node.arg == keyword
    return named and isinstance(node.value, ast.Constant)  # type: ignore[attr-defined]


def extended(text: str) -> list[str]:
    """Return what a template extends."""
    return re.findall(r'{% extends "([^"]+)" %}', text)


def test_every_folder_is_a_kind_that_is_handed_out_and_every_kind_has_its_folder() -> None:
    """A letter that no source names is deleted; a paper that is declared has its words."""
    found = {kind for kind in kinds_with_a_folder() if not kind.startswith(f"{SHARED}/")}
    assert found - kinds_that_are_named() == set()
    assert kinds_that_are_named() - found == set()


def test_no_words_are_kept_twice() -> None:
    """Two kinds of the same words have one template, in shared/."""
    seen: dict[str, list[str]] = {}
    for file in TEXTS:
        seen.setdefault(file.read_text("utf-8"), []).append(str(file.relative_to(TEMPLATES)))
    assert [files for files in seen.values() if len(files) > 1] == []


def test_what_is_shared_is_shared() -> None:
    """A template in shared/ is the words of two kinds at least, in every language."""
    used: Counter[str] = Counter()
    for kind in kinds_with_a_folder():
        if kind.startswith(f"{SHARED}/"):
            continue
        suffix = "html" if "/documents/" in kind else "txt"
        for language in ("id", "en"):
            own = TEMPLATES / kind / f"{language}.{suffix}"
            shared = f"{SHARED}/{kind.partition('/')[2]}/{language}.{suffix}"
            used.update(extended(own.read_text("utf-8")) if own.exists() else [shared])
    shared_ones = [str(file.relative_to(TEMPLATES)) for file in TEXTS if file.is_relative_to(TEMPLATES / SHARED)]
    assert shared_ones and {one: used[one] for one in shared_ones if used[one] < 2} == {}


def test_every_frame_is_used() -> None:
    """What stands beside the kinds (`base.id.html`) is extended by a template, or filled by the engine or the web."""
    beside = [file for file in TEXTS if len(file.relative_to(TEMPLATES).parts) <= 2]
    frames = {str(file.relative_to(TEMPLATES)).removeprefix("pages/") for file in beside}
    named = {name for file in TEXTS for name in extended(file.read_text("utf-8"))}
    filled = {frame for frame in frames - named if any(_filled(frame) in source for source in [*ENGINE, *WEB])}
    assert frames - named - filled == set()


def _filled(frame: str) -> str:
    return re.sub(r"\.(id|en)\.", ".{language}.", frame)


def test_every_picture_is_shown() -> None:
    """A drawing is named by a template or the style sheet, a picture of docs/ by a page."""
    style = (TEMPLATES / "house.css").read_text("utf-8")
    drawn = style + "".join(file.read_text("utf-8") for file in TEXTS)
    files = [file for file in TEMPLATES.rglob("*") if file.suffix in (".svg", ".png", ".jpg", ".woff2")]
    assert [file.name for file in files if file.name not in drawn] == []
    pages = "".join(file.read_text("utf-8") for file in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    assert [file.name for file in (ROOT / "docs" / "images").iterdir() if f"images/{file.name}" not in pages] == []


def test_every_class_of_the_style_sheet_is_worn() -> None:
    """By a template, or by the fact `crowding`, which engine/letters/deadline_page.py gives."""
    style = re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", (TEMPLATES / "house.css").read_text("utf-8"), flags=re.DOTALL)
    templates = "".join(file.read_text("utf-8") for file in TEXTS)
    worn = {word for classes in re.findall(r'class="([^"]*)"', templates) for word in classes.split()}
    assert set(re.findall(r"\.([a-z][\w-]*)", style)) - worn == {"many", "crowded"}
