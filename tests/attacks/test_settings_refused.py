"""Settings with which production must not start: each is named, together with the others that are wrong."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from typer.testing import Result

from engine.errors import Refused
from engine.runtime.office import Office
from engine.runtime.settings import Environment, Settings
from tests.cli.test_contract import run as run  # the fixture
from web.serving import serve

ROOT = Path(__file__).resolve().parents[2]


def in_base64(key: bytes) -> SecretStr:
    return SecretStr(base64.b64encode(key).decode())


@pytest.fixture
def production(tmp_path: Path, signer_folder: Path) -> Callable[..., Settings]:
    """Settings of a real office, and what is changed in them."""

    def given(**changes: Any) -> Settings:
        whole = {
            "home": tmp_path,
            "env": Environment.PRODUCTION,
            "database_url": "sqlite:///jalur.db",
            "master_key": in_base64(os.urandom(32)),
            "signer_key": signer_folder / "office-demo.key.pem",
            "signer_certificate": signer_folder / "office-demo.cert.pem",
            "public_url": "https://jalur.example",
        }
        return Settings(**{**whole, **changes})

    return given


def test_a_real_office_opens(production: Callable[..., Settings]) -> None:
    """Nothing is wrong with it."""
    Office.open(production()).close()


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"master_key": None}, ["JALUR_MASTER_KEY is not set"]),
        ({"master_key": in_base64(b"k" * 32)}, ["JALUR_MASTER_KEY is weak"]),
        ({"master_key": in_base64(b"0123" * 8)}, ["JALUR_MASTER_KEY is weak"]),
        ({"public_url": "http://127.0.0.1:8000"}, ["JALUR_PUBLIC_URL"]),
        ({"public_url": "https://127.0.0.1"}, ["JALUR_PUBLIC_URL"]),
        ({"public_url": "https://127.9.9.9:8000"}, ["JALUR_PUBLIC_URL"]),
        ({"public_url": "https://[::1]"}, ["JALUR_PUBLIC_URL"]),
        ({"public_url": "https://localhost"}, ["JALUR_PUBLIC_URL"]),
        ({"public_url": "https://jalur.localhost"}, ["JALUR_PUBLIC_URL"]),
        ({"public_url": "https://0.0.0.0"}, ["JALUR_PUBLIC_URL"]),
        ({"public_url": "https://"}, ["JALUR_PUBLIC_URL"]),
        ({"public_url": "http://jalur.example"}, ["JALUR_PUBLIC_URL"]),
        ({"public_url": ""}, ["JALUR_PUBLIC_URL"]),
        ({"signer_key": None}, ["JALUR_SIGNER_KEY is not set"]),
        ({"signer_certificate": None}, ["JALUR_SIGNER_CERTIFICATE is not set"]),
        ({"signer_key": Path("gone.pem")}, ["JALUR_SIGNER_KEY names no file"]),
        (
            {"master_key": None, "public_url": "http://localhost", "signer_key": None, "signer_certificate": None},
            ["JALUR_MASTER_KEY", "JALUR_PUBLIC_URL", "JALUR_SIGNER_KEY", "JALUR_SIGNER_CERTIFICATE"],
        ),
    ],
)
def test_weak_and_default_settings_are_refused_by_name(
    production: Callable[..., Settings], changes: dict[str, Any], names: list[str], tmp_path: Path
) -> None:
    """All at once, in both languages; nothing is made, and no value is repeated. A demo starts with each of them."""
    settings = production(**changes)
    for start in (Office.open, serve):
        with pytest.raises(Refused) as refused:
            start(settings)
        for name in names:
            assert name in str(refused.value)
            assert name.split()[0] in refused.value.for_people
        assert "a2tr" not in str(refused.value) + refused.value.for_people  # the key's own letters
    assert list(tmp_path.iterdir()) == []
    Office.open(settings.model_copy(update={"env": Environment.DEMO})).close()


@pytest.mark.parametrize(
    "key", ["", "kunci", "A" * 42, "=" * 44, base64.b64encode(bytes(16)).decode(), base64.b64encode(bytes(33)).decode()]
)
def test_a_malformed_master_key_is_refused_everywhere(tmp_path: Path, key: str) -> None:
    """It is no key of 32 bytes, whatever the environment; its value is not told."""
    for env in Environment:
        with pytest.raises(ValidationError, match=r"master_key\n.*must be 32 random bytes in base64") as refused:
            Settings(home=tmp_path, env=env, master_key=SecretStr(key))
        assert not key or key not in str(refused.value)


def test_a_master_key_of_zeros_is_refused_in_production(production: Callable[..., Settings]) -> None:
    """Whoever filled in a template opened every person's data to anybody."""
    with pytest.raises(ValidationError, match="JALUR_MASTER_KEY is refused in production: every byte of it is zero"):
        production(master_key=in_base64(bytes(32)))


def test_every_command_says_which_setting_is_wrong(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 1 in words, and as JSON where that was asked for."""
    monkeypatch.setenv("JALUR_ENV", "production")
    monkeypatch.delenv("JALUR_NOW")
    for command in (["inbox", "--json"], ["runs", "--json"], ["deliver", "--json"]):
        result = run(*command)
        assert result.exit_code == 1
        assert "JALUR_PUBLIC_URL" in json.loads(result.stdout)["error"]
        assert result.exception is None or isinstance(result.exception, SystemExit)
    monkeypatch.setenv("JALUR_MASTER_KEY", "kunci")
    result = run("inbox", "--json")
    assert (result.exit_code, list(json.loads(result.stdout))) == (1, ["error", "for_people"])
    assert "JALUR_MASTER_KEY" in json.loads(result.stdout)["error"]
    assert "kunci" not in result.output.replace("kuncinya", "")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "jalur.example"])
def test_production_speaks_no_plain_http_beyond_this_machine(production: Callable[..., Settings], host: str) -> None:
    """`serve` names the two ways out, before it starts anything."""
    with pytest.raises(
        Refused, match=r"JALUR_TLS_KEY and JALUR_TLS_CERTIFICATE, or .* JALUR_TRUSTED_PROXIES"
    ) as refused:
        serve(production(web_host=host))
    assert host in refused.value.for_people


def test_half_a_key_or_a_wrong_one_is_refused(production: Callable[..., Settings], signer_folder: Path) -> None:
    """A key without its certificate, of another one, of no file, or under a password that nobody types in."""
    key, certificate = signer_folder / "office-demo.key.pem", signer_folder / "office-demo.cert.pem"
    for half in ({"tls_key": key}, {"tls_certificate": certificate}):
        with pytest.raises(ValidationError, match="JALUR_TLS_KEY needs JALUR_TLS_CERTIFICATE"):
            production(**half)
    for wrong in ((certificate, key), (key, key), (Path("gone.pem"), certificate), (Path(__file__), certificate)):
        with pytest.raises(Refused, match="JALUR_TLS_KEY and JALUR_TLS_CERTIFICATE can't be used"):
            serve(production(web_host="0.0.0.0", tls_key=wrong[0], tls_certificate=wrong[1]))


@pytest.mark.slow
def test_nothing_of_a_setting_reaches_the_screen(tmp_path: Path) -> None:
    """The real command, with everything wrong at once: no traceback, no value, each name."""
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "JALUR_HOME": str(tmp_path),
        "JALUR_MASTER_KEY": base64.b64encode(b"0123" * 8).decode(),
        "JALUR_DATABASE_URL": "postgresql://jalur:rahasia@db.example/jalur",
    }
    told = subprocess.run(
        [sys.executable, "-m", "cli", "serve"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
    )
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    assert all(name in told.stderr for name in ("JALUR_MASTER_KEY", "JALUR_PUBLIC_URL", "JALUR_SIGNER_KEY"))
    assert not any(secret in told.stderr + told.stdout for secret in ("rahasia", env["JALUR_MASTER_KEY"]))
