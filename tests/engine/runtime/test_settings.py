"""Where an office is at home, and where the files are that belong to no package."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import Refused
from engine.runtime import settings
from engine.runtime.settings import Settings, shipped

ROOT = Path(__file__).resolve().parents[3]


def test_a_checkout_is_its_own_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside our own pyproject.toml nobody has to say where things are."""
    monkeypatch.delenv("JALUR_HOME", raising=False)
    assert Settings().home == ROOT
    assert shipped("prefect.yaml") == ROOT / "prefect.yaml"


@pytest.mark.parametrize("described", [None, '[project]\nname = "warung"\n'])
def test_elsewhere_a_home_must_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, described: str | None) -> None:
    """Beside the packages lies nothing, or somebody else's project: what is refused is said in both languages."""
    if described:
        (tmp_path / "pyproject.toml").write_text(described)
    monkeypatch.setattr(settings, "PROJECT_ROOT", tmp_path)
    monkeypatch.delenv("JALUR_HOME", raising=False)
    with pytest.raises(Refused, match=r"^JALUR_HOME is not set: name the folder") as refused:
        Settings()
    assert refused.value.for_people.startswith("JALUR_HOME belum diatur. Sebutkan folder tempat Jalur menyimpan")
    monkeypatch.setenv("JALUR_HOME", str(tmp_path / "kantor"))
    assert Settings().home == tmp_path / "kantor"
    with pytest.raises(Refused, match=r"^samples\.csv was not installed with Jalur") as missing:
        shipped("samples.csv")
    assert missing.value.for_people == "Berkas samples.csv tidak ikut terpasang. Pasang ulang paket Jalur."
