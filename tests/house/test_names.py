"""One name, one thing: modules and functions do not borrow each other's names."""

from __future__ import annotations

import ast

from tests.house.test_rules_of_the_house import ROOT

FOLDERS = ("cli", "documents", "engine", "models", "outside", "rules", "scheduling", "web")
FILES = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py")) if "migrations" not in file.parts]
# The function is the word, the command or the route for what the module of its name does.
SAME_THING = {
    "hand_on": "the word of a pipeline, and the machine that does it",
    "inbox": "the route, and the view that it returns",
    "lodge_appeal": "the command, and what it does",
    "pipeline": "the decorator that declares one, and the door for those that are declared",
    "pipelines": "the route, and the commands about them",
    "preview": "the command, and what it writes",
    "shadow_run": "the command, and what it runs",
}


def test_no_module_shares_its_name_with_something_else() -> None:
    """A reader who looks for a function by its name opens the right file."""
    modules = {file.stem: file for file in FILES if file.name != "__init__.py"}
    defined = [
        (node.name, file)
        for file in FILES
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    clashes = {name for name, file in defined if name in modules and modules[name] != file}
    assert clashes == set(SAME_THING)


def test_no_import_is_renamed_to_dodge_a_clash() -> None:
    """`from x import y as z` says that two things bear one name: one of them gets another."""
    renamed = [
        f"{file.relative_to(ROOT)}: {one.name} as {one.asname}"
        for file in FILES + sorted((ROOT / "flows").rglob("*.py")) + sorted((ROOT / "demo").rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for one in node.names
        if one.asname
    ]
    assert renamed == []
