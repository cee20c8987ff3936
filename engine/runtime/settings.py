"""Settings of Jalur, read from environment variables with the prefix ``JALUR_``."""

from __future__ import annotations

import tomllib
from datetime import datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

import engine
from engine.errors import Refused

# Where our packages lie: the project's root in a checkout, site-packages where a wheel was installed.
PROJECT_ROOT = Path(engine.__file__).resolve().parents[1]


def is_checkout() -> bool:
    """Return whether the packages lie in a checkout of ours, and not in an installed wheel."""
    described = PROJECT_ROOT / "pyproject.toml"
    if not described.is_file():
        return False
    name: str | None = tomllib.loads(described.read_text("utf-8")).get("project", {}).get("name")
    return name == "jalur"


def default_home() -> Path:
    """Return the root of the checkout.

    Raises:
        Refused: the code was installed from a wheel, and JALUR_HOME is not set.
    """
    if is_checkout():
        return PROJECT_ROOT
    raise Refused(
        "JALUR_HOME is not set: name the folder in which Jalur keeps its database, papers and letters, "
        "e.g. export JALUR_HOME=/srv/jalur",
        for_people="JALUR_HOME belum diatur. Sebutkan folder tempat Jalur menyimpan basis data, dokumen, dan surat, "
        "misalnya: export JALUR_HOME=/srv/jalur",
    )


def shipped(name: str) -> Path:
    """Return the path of a shipped file, in a checkout or in ``share/jalur`` of a wheel.

    Raises:
        Refused: the file is in neither place.
    """
    beside = PROJECT_ROOT / name
    if beside.exists():
        return beside
    try:
        installed = files("jalur") or []
    except PackageNotFoundError:
        installed = []
    for file in installed:
        if file.as_posix().endswith(f"share/jalur/{name}"):
            return Path(str(file.locate())).resolve()
    raise Refused(
        f"{name} was not installed with Jalur. Install Jalur's wheel again",
        for_people=f"Berkas {name} tidak ikut terpasang. Pasang ulang paket Jalur.",
    )


class Environment(StrEnum):
    """Demo and test invent missing keys, a clock and a signer; production refuses to."""

    PRODUCTION = "production"
    DEMO = "demo"
    TEST = "test"


class Settings(BaseSettings):
    """Addresses, paths, keys and timeouts of one installation.

    Relative paths are taken from ``home``.
    """

    model_config = SettingsConfigDict(env_prefix="JALUR_", extra="ignore")

    home: Path = Field(default_factory=default_home)
    env: Environment = Environment.PRODUCTION
    now: datetime | None = Field(default=None, description="A moment to take for now; demo and test only")
    database_url: str = "sqlite:///var/jalur.db"
    documents_url: str = "file://var/documents"
    letters_url: str = Field(default="folder://var/letters", description="folder://… or smtp://user:pw@host:port")
    sender: str = "layanan@dinkop.example"
    web_host: str = "127.0.0.1"
    web_port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    master_key: SecretStr | None = Field(
        default=None, description="32 bytes in base64; made by itself in demo and test"
    )
    token_file: Path | None = Field(default=None, description="A file with the token that proves --by")
    signer_key: Path | None = Field(default=None, description="PEM key of the office's signer")
    signer_certificate: Path | None = Field(default=None, description="PEM certificate of the office's signer")
    oss_url: str | None = Field(default=None, description="Base URL of OSS; without it officers file by hand")
    oss_token: SecretStr | None = None
    oss_timeout: float = Field(default=20.0, description="Seconds to wait for OSS")
    sihalal_url: str | None = Field(default=None, description="Base URL of SiHalal; without it officers do it by hand")
    sihalal_token: SecretStr | None = None
    sihalal_timeout: float = Field(default=20.0, description="Seconds to wait for SiHalal")
    bnsp_url: str | None = Field(default=None, description="Base URL of BNSP; without it officers do it by hand")
    bnsp_token: SecretStr | None = None
    bnsp_timeout: float = Field(default=20.0, description="Seconds to wait for BNSP")
    sms_url: str | None = Field(default=None, description="Base URL of an SMS gateway; without it there is no SMS")
    sms_token: SecretStr | None = None
    whatsapp_url: str | None = Field(
        default=None, description="Base URL of a WhatsApp gateway; without it there is none"
    )
    whatsapp_token: SecretStr | None = None
    prefect_auth: SecretStr | None = Field(default=None, description="user:password of the Prefect server we start")

    @field_validator("now")
    @classmethod
    def _with_zone(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            from zoneinfo import ZoneInfo

            return value.replace(tzinfo=ZoneInfo("Asia/Jakarta"))
        return value

    @model_validator(mode="after")
    def _production_invents_nothing(self) -> Settings:
        if self.env is Environment.PRODUCTION:
            if self.now is not None:
                raise ValueError("JALUR_NOW is refused in production: set JALUR_ENV to demo or test to turn the clock")
            for name, url, token in (
                ("OSS", self.oss_url, self.oss_token),
                ("SIHALAL", self.sihalal_url, self.sihalal_token),
                ("BNSP", self.bnsp_url, self.bnsp_token),
                ("SMS", self.sms_url, self.sms_token),
                ("WHATSAPP", self.whatsapp_url, self.whatsapp_token),
            ):
                if url and not token:
                    raise ValueError(f"JALUR_{name}_URL needs JALUR_{name}_TOKEN")
        return self

    def path(self, relative: str | Path) -> Path:
        """Return ``relative`` below ``home``; an absolute path stays as it is."""
        return self.home / relative

    def sqlalchemy_url(self) -> str:
        """Return the database URL, with the file of SQLite in ``home`` and psycopg 3 as driver."""
        url = self.database_url
        if url.startswith("sqlite:///") and not url.startswith("sqlite:////") and ":memory:" not in url:
            return f"sqlite:///{self.path(url.removeprefix('sqlite:///'))}"
        for plain in ("postgresql://", "postgres://"):
            if url.startswith(plain):
                return "postgresql+psycopg://" + url.removeprefix(plain)
        return url

    def invents(self) -> bool:
        """Return whether missing keys may be invented: in demo and test, never in production."""
        return self.env is not Environment.PRODUCTION
