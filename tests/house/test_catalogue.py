"""The catalogue of the command line: complete, current, and with the same parts filled in as in English."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "catalogue"


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, at work on a copy of the catalogue."""
    loader = SourceFileLoader("catalogue", str(SCRIPT))
    spec = spec_from_loader("catalogue", loader)
    assert spec is not None
    script = module_from_spec(spec)
    loader.exec_module(script)
    for name in ("PO", "MO"):
        monkeypatch.setattr(script, name, Path(shutil.copy(getattr(script, name), tmp_path)))
    return script


def test_the_catalogue_is_complete_and_current() -> None:
    """Every message has its Indonesian, with the same placeholders, and is compiled: else `scripts/catalogue` is due."""
    done = subprocess.run([sys.executable, SCRIPT, "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ('msgstr "Opsi {option} belum diisi."', 'msgstr ""', "no Indonesian: 'Missing option {option}.'"),
        ('msgstr "Opsi {option} belum', 'msgstr "Opsi {opsi} belum', "other placeholders: 'Missing option {option}.'"),
        ('msgstr "Opsi {option} belum', 'msgstr "Pilihan {option} belum', "jalur.mo was not made from jalur.po"),
        ('msgid "Missing option {option}."', 'msgid "No {option}."', "not in jalur.po: 'Missing option {option}.'"),
        ('msgid "Missing option {option}."', 'msgid "No {option}."', "said nowhere any more: 'No {option}.'"),
        ("tidak perlu dengan --dry-run.", "tidak perlu dengan --kering.", "other placeholders"),
    ],
)
def test_what_is_missing_or_odd_is_named(catalogue: ModuleType, was: str, becomes: str, fault: str) -> None:
    """Each kind of fault, by its English; nothing is wrong before."""
    assert catalogue.faults() == []
    text = catalogue.PO.read_text("utf-8")
    assert was in text
    catalogue.PO.write_text(text.replace(was, becomes), "utf-8")
    assert any(fault in one for one in catalogue.faults())


def test_an_update_changes_nothing_that_is_current(catalogue: ModuleType) -> None:
    """The same words are the same bytes, today and tomorrow; what is said nowhere any more goes."""
    before = catalogue.PO.read_bytes(), catalogue.MO.read_bytes()
    catalogue.update()
    assert (catalogue.PO.read_bytes(), catalogue.MO.read_bytes()) == before
    catalogue.PO.write_text(catalogue.PO.read_text("utf-8") + '\nmsgid "Gone."\nmsgstr "Hilang."\n', "utf-8")
    catalogue.update()
    assert (catalogue.PO.read_bytes(), catalogue.MO.read_bytes()) == before
