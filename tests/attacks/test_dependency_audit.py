"""The audit of dependencies works without a network, or says in so many words that it could not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCK = "jinja2==3.1.2 \\\n    --hash=sha256:00\nPillow==10.0.0 ; python_version > '3'\nwanted[extra]==2.0\n"


def audit(folder: Path, *words: str | Path, lock: str = LOCK) -> subprocess.CompletedProcess[str]:
    """Audit a lock file in a process without a network to speak of."""
    (folder / "some.lock").write_text(lock)
    env = {name: value for name, value in os.environ.items() if name != "JALUR_ADVISORIES"}
    command = [sys.executable, ROOT / "scripts" / "audit-dependencies", *words, folder / "some.lock"]
    return subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)


def advisory(name: str, *events: dict[str, str], **more: Any) -> dict[str, Any]:
    """An advisory in OSV's form."""
    package = {"ecosystem": more.pop("ecosystem", "PyPI"), "name": name}
    affected = {"package": package, "ranges": [{"type": "ECOSYSTEM", "events": list(events)}], **more.pop("part", {})}
    return {"id": "PYSEC-2026-1", "modified": "2026-11-30T00:00:00Z", "affected": [affected], **more}


def kept(folder: Path, *found: dict[str, Any]) -> Path:
    """A folder with these advisories."""
    place = folder / "advisories"
    place.mkdir()
    for at, one in enumerate(found):
        (place / f"{at}.json").write_text(json.dumps(one))
    return place


def test_without_a_database_it_says_that_it_could_not(tmp_path: Path) -> None:
    """With an exit code that is neither "fine" nor "found", and how many packages went unchecked."""
    done = audit(tmp_path)
    assert done.returncode == 3
    assert "COULD NOT LOOK" in done.stderr and "None of 3 locked packages" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("content", [None, b"", b"no zip", "empty folder"])
def test_a_database_that_cannot_be_read_is_no_clean_bill(tmp_path: Path, content: bytes | str | None) -> None:
    """Missing, torn or empty: it could not look."""
    place = tmp_path / "all.zip"
    if isinstance(content, bytes):
        place.write_bytes(content)
    elif content:
        place.mkdir()
    done = audit(tmp_path, "--advisories", place)
    assert (done.returncode, "COULD NOT LOOK" in done.stderr) == (3, True)


def test_what_is_known_is_found(tmp_path: Path) -> None:
    """By range and by list, whatever the spelling of the name; the line names package, advisory and mended version."""
    place = kept(
        tmp_path,
        advisory("Jinja2", {"introduced": "0"}, {"fixed": "3.1.3"}, aliases=["CVE-2026-2"]),
        advisory("pillow", part={"versions": ["10.0.0"], "ranges": []}),
        advisory("wanted", {"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "2.0"}, {"last_affected": "2.0"}),
    )
    done = audit(tmp_path, "--advisories", place)
    assert done.returncode == 1
    assert "jinja2 3.1.2: PYSEC-2026-1 CVE-2026-2 (mended in 3.1.3)" in done.stdout
    assert "pillow 10.0.0" in done.stdout and "wanted 2.0" in done.stdout
    assert "3 locked packages held against 3 advisories, the newest of 2026-11-30: 3 known" in done.stdout


def test_what_is_mended_is_not_found(tmp_path: Path) -> None:
    """Nor what was withdrawn, or is another ecosystem's."""
    place = kept(
        tmp_path,
        advisory("jinja2", {"introduced": "0"}, {"fixed": "3.1.2"}),
        advisory("pillow", {"introduced": "10.0.1"}),
        advisory("pillow", {"introduced": "0"}, ecosystem="npm"),
        advisory("wanted", {"introduced": "0"}, withdrawn="2026-01-01T00:00:00Z"),
    )
    done = audit(tmp_path, "--advisories", place)
    assert (done.returncode, "0 known against them" in done.stdout) == (0, True)


def test_a_zip_of_advisories_is_read(tmp_path: Path) -> None:
    """As OSV gives it out."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("1.json", json.dumps(advisory("jinja2", {"introduced": "0"})))
    assert audit(tmp_path, "--advisories", tmp_path / "all.zip").returncode == 1


def test_our_own_locks_are_read_whole(tmp_path: Path) -> None:
    """Each pinned line of both lock files is a package that is looked at."""
    place = kept(tmp_path, advisory("no-such-package-of-ours", {"introduced": "0"}))
    command = [sys.executable, str(ROOT / "scripts" / "audit-dependencies"), "--advisories", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    lines = {line.split("==")[0] for line in (ROOT / "requirements-dev.lock").read_text().splitlines() if "==" in line}
    assert done.returncode == 0
    assert f"{len(lines)} locked packages" in done.stdout


def test_wrong_usage_is_told_apart(tmp_path: Path) -> None:
    """A lock that is not there, or names nothing, is no audit."""
    assert audit(tmp_path, tmp_path / "missing.lock").returncode == 2
    assert audit(tmp_path, lock="# nothing\n").returncode == 2
