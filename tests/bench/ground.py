"""Fresh databases for every measurement, both kinds as durable as in production, and the people the cases are about."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, insert, text

from engine.runtime.migrations import migrate_schema
from engine.runtime.office import Office
from engine.runtime.settings import Environment, Settings
from models import Business, Person, PersonKey, User, UserRole

OFFICER = "budi"
OPENED_BY = "bench"
_counter = itertools.count(1)


@dataclass(frozen=True)
class Ground:
    """Where a measurement may make databases: a folder on a real disk, and a PostgreSQL server."""

    folder: Path
    postgres: str
    kinds: tuple[str, ...] = field(default=("postgresql", "sqlite"))

    def new_database(self, kind: str) -> str:
        """Make an empty database; return its SQLAlchemy URL."""
        name = f"bench_{next(_counter)}"
        if kind == "sqlite":
            return f"sqlite:///{self.folder / name}.db"
        server = create_engine(self.postgres, isolation_level="AUTOCOMMIT")
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        server.dispose()
        return self.postgres.replace("/postgres?", f"/{name}?")

    def new_office(self, kind: str, subjects: int) -> Settings:
        """Make a migrated database with so many businesses and one officer; return the settings that open it."""
        settings = Settings(env=Environment.TEST, home=self.folder, database_url=self.new_database(kind))
        with opened(settings) as office:
            migrate_schema(office.db)
            settle_in(office, subjects)
        return settings


@contextmanager
def opened(settings: Settings) -> Iterator[Office]:
    """Open the office and close it again."""
    office = Office.open(settings)
    try:
        yield office
    finally:
        office.close()


def settle_in(office: Office, subjects: int) -> None:
    """Write so many owners, each with a key of their own and a business, numbered from 1; and the officer."""
    now = datetime.now(UTC)
    with office.db.writing() as session:
        officer = User(name=OFFICER, created_at=now)
        session.add(officer)
        session.flush()
        session.add(UserRole(user_id=officer.id or 0, role="officer"))
        keys = [office.vault.new_key(session) for _ in range(subjects)]
        rows = [(number, key) for number, key in enumerate(keys, start=1)]
        people = [_person(office, number, key, now) for number, key in rows]
        businesses = [_business(number, now) for number, _ in rows]
        session.flush()
        session.execute(insert(Person), people)
        session.execute(insert(Business), businesses)


def _person(office: Office, number: int, key: PersonKey, now: datetime) -> dict[str, Any]:
    sealed = {
        "national_id": f"35081669{number:08d}",
        "tax_id": None,
        "phone": f"+62811{number:08d}",
        "email": f"pemilik-{number}@contoh.example",
        "address": f"Jl. Contoh No. {number}, Lumajang",
    }
    return {
        "id": number,
        "name": f"Pemilik {number}",
        "language": "id",
        "key_id": key.id,
        "sealed": office.vault.encrypt(key, sealed),
        "created_at": now,
    }


def _business(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "owner_id": number,
        "name": f"Usaha {number}",
        "region_code": "3508",
        "industry_code": "10794",
        "industry_code_version": "2020",
        "main_product": "Keripik singkong",
        "cluster": "makanan",
        "capital_rupiah": 25_000_000,
        "annual_sales_rupiah": 550_000_000,
        "created_at": now,
    }
