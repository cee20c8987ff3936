"""What the fingerprint of a version is taken of, and what it is not."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.definition import registry
from engine.execution.versions.fingerprints import fingerprint
from tests.pipelines_for_tests.workshop import FARM_VISIT

Print = Callable[..., str]


@pytest.fixture
def fingerprint_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Print:
    """Take the fingerprint of the farm's visit as a module on disk, after each old text became the new one."""
    monkeypatch.setattr(registry, "_pipelines", {})

    def taken(*changes: tuple[str, str]) -> str:
        source = FARM_VISIT
        for old, new in changes:
            assert old in source, f"there is no {old!r} to change"
            source = source.replace(old, new)
        file = tmp_path / "edited.py"
        file.write_text(source)
        spec = importlib.util.spec_from_file_location("edited", file)
        assert spec and spec.loader
        made = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "edited", made)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        spec.loader.exec_module(made)
        [found] = registry._pipelines.values()
        return fingerprint(found)

    return taken


def test_an_import_is_no_part_of_the_process(fingerprint_with: Print) -> None:
    """A word may come from another module, and be fetched at the top or inside a function."""
    before = fingerprint_with()
    assert fingerprint_with(("from enum import StrEnum", "import enum\nfrom enum import Enum, StrEnum")) == before
    assert fingerprint_with(("    greet(case)\n", "    from math import pi\n    greet(case)\n")) == before


def test_a_line_of_the_process_is_part_of_it(fingerprint_with: Print) -> None:
    """A step that is done twice, a step that weighs more, and a form with another field make another process."""
    before = fingerprint_with()
    assert fingerprint_with(("    greet(case)\n    visit", "    greet(case)\n    greet(case)\n    visit")) != before
    assert fingerprint_with(("weigh(case, 100)", "weigh(case, 200)")) != before
    assert fingerprint_with(("class Sample(Form):\n", "class Sample(Form):\n    grams: int\n")) != before
