"""Settings of Jalur, read from environment variables with the prefix ``JALUR_``."""

from __future__ import annotations

import tomllib
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, files
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

import engine
from engine.errors import Refused

# Where our packages lie: the project's root in a checkout, site-packages where a wheel was installed.
PROJECT_ROOT = Path(engine.__file__).resolve().parents[1]

# A server may listen there, and nobody reaches it under that name.
NOWHERE = ("", "0.0.0.0", "::")  # noqa: S104


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
    tls_key: Path | None = Field(default=None, description="PEM key with which `serve` speaks HTTPS")
    tls_certificate: Path | None = Field(default=None, description="PEM certificate of `tls_key`, with its chain")
    trusted_proxies: str = Field(
        default="", description="Addresses or networks, comma between, whose X-Forwarded-* headers are believed"
    )
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

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, value: str) -> str:
        for one in _parts(value):
            try:
                ip_network(one)
            except ValueError:
                raise ValueError("must be addresses or networks, comma between, e.g. 10.0.0.2,10.1.0.0/16") from None
        return value

    @field_validator("master_key")
    @classmethod
    def _key_of_32_bytes(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                key = b64decode(value.get_secret_value(), validate=True)
            except ValueError:
                raise ValueError("must be 32 random bytes in base64") from None
            if len(key) != 32:
                raise ValueError("must be 32 random bytes in base64")
        return value

    @model_validator(mode="after")
    def _key_and_certificate(self) -> Settings:
        if (self.tls_key is None) != (self.tls_certificate is None):
            raise ValueError("JALUR_TLS_KEY needs JALUR_TLS_CERTIFICATE")
        return self

    @model_validator(mode="after")
    def _production_invents_nothing(self) -> Settings:
        if self.env is Environment.PRODUCTION:
            if self.now is not None:
                raise ValueError("JALUR_NOW is refused in production: set JALUR_ENV to demo or test to turn the clock")
            if self.master_key is not None and not any(b64decode(self.master_key.get_secret_value())):
                raise ValueError("JALUR_MASTER_KEY is refused in production: every byte of it is zero")
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

    @property
    def proxies(self) -> list[str]:
        """Return the addresses and networks of trusted proxies."""
        return _parts(self.trusted_proxies)

    @property
    def is_public(self) -> bool:
        """Return whether the web app listens beyond this machine."""
        return not _is_loopback(self.web_host)

    def must_be_safe(self) -> None:
        """Check that production is given all that it needs.

        Raises:
            Refused: settings are missing, weak or left as they come; each is named.
        """
        if self.env is not Environment.PRODUCTION:
            return
        found = list(self._weak())
        if found:
            raise Refused(
                "Production does not start with these settings: " + "; ".join(english for english, _ in found),
                for_people="Lingkungan production tidak dapat dijalankan dengan setelan ini: "
                + "; ".join(people for _, people in found),
            )

    def _weak(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with each setting, in English and Indonesian."""
        key = self.master_key and b64decode(self.master_key.get_secret_value())
        make = "python3 -c 'import base64,os;print(base64.b64encode(os.urandom(32)).decode())'"
        if not key:
            yield (
                f"JALUR_MASTER_KEY is not set. Make one ({make}) and keep a copy where the database is not",
                f"JALUR_MASTER_KEY belum diatur. Buat kuncinya ({make}) dan simpan salinannya di luar tempat basis data",
            )
        elif len(set(key)) < 8:
            yield (
                f"JALUR_MASTER_KEY is weak, its bytes repeat. Make one ({make})",
                f"JALUR_MASTER_KEY lemah karena isinya berulang. Buat kuncinya ({make})",
            )
        public = urlsplit(self.public_url)
        if public.scheme != "https" or (public.hostname or "") in NOWHERE or _is_loopback(public.hostname or ""):
            yield (
                "JALUR_PUBLIC_URL must be the https address under which people reach this office, e.g. https://jalur.example",
                "JALUR_PUBLIC_URL harus berupa alamat https kantor ini yang dapat dibuka orang, misalnya https://jalur.example",
            )
        for name, file in (("KEY", self.signer_key), ("CERTIFICATE", self.signer_certificate)):
            if file is None:
                yield f"JALUR_SIGNER_{name} is not set", f"JALUR_SIGNER_{name} belum diatur"
            elif not self.path(file).is_file():
                yield f"JALUR_SIGNER_{name} names no file", f"JALUR_SIGNER_{name} menunjuk berkas yang tidak ada"

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


def _parts(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def _is_loopback(host: str) -> bool:
    """Return whether a name or address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
