"""What a command says of a setting that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from tests.cli.test_contract import run as run


def test_a_wrong_setting_is_named_and_no_other_is_shown(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The message says which one and why; the database's address, which may hold a password, stays unsaid."""
    monkeypatch.setenv("JALUR_DATABASE_URL", f"sqlite:///{tmp_path}/kata-sandi.db")
    for name, value in (("JALUR_NOW", "kemarin"), ("JALUR_WEB_PORT", "delapan"), ("JALUR_ENV", "production")):
        monkeypatch.setenv(name, value)
        result = run("inbox", "--json")
        assert (result.exit_code, list(json.loads(result.stdout))) == (1, ["error", "for_people"])
        assert name.removesuffix("_ENV") in json.loads(result.stdout)["error"]
        assert "sandi" not in result.output and "input_value" not in result.output
        monkeypatch.setenv(name, {"JALUR_NOW": "2026-01-12", "JALUR_WEB_PORT": "8000"}.get(name, "test"))
