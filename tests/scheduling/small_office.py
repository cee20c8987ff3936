"""A small office on SQLite: people with roles and tokens, businesses, and cases of the first pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import models
from engine.actions.answer import answer
from engine.cases.opening import open_cases
from engine.definition.registry import pipeline_named
from engine.people.accounts import give_token
from engine.runtime.office import Office
from engine.runtime.settings import Environment, Settings
from models import Business, Person, Role, User, UserRole
from tests.people import EVIDENCE, PAPER

# Made up: a date of birth in 1995, and a mobile number of nobody.
NATIONAL_ID = "3508166904956220"
PHONE = "+6281162319252"
OWNER = "Sri Purnomo"
PIPELINE = "nib-legalization"

# From the first question to the certificate, in the order in which they are asked.
TO_THE_END: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("dossier_check#1", "budi", {"decision": "complete"}),
    ("classification#1", "ani", {"decision": "proceed", "industry_code": "10794", "risk_level": "R"}),
    (
        "statement#1",
        "budi",
        {"decision": "sign", "k3l": True, "spatial": True, "sppl": True, "paper": EVIDENCE},
    ),
    (
        "oss_filing#1",
        "budi",
        {
            "decision": "issued",
            "nib": "9120304567812",
            "holder_name": OWNER,
            "evidence": EVIDENCE,
            "issued_on": "2026-11-23",
        },
    ),
    ("nib_record#1", "tuti", {"decision": "match"}),
)
ROLES: Mapping[str, Role] = {
    "budi": Role.OFFICER,
    "tuti": Role.OFFICER,
    "ani": Role.COMPANION,
    "owner-1": Role.APPLICANT,
    "owner-2": Role.APPLICANT,
}


@dataclass
class SmallOffice:
    """The office, and what its people do there."""

    office: Office
    businesses: list[int] = field(default_factory=list)

    @classmethod
    def at(cls, home: Path, businesses: int = 3) -> SmallOffice:
        """Found it in a folder."""
        settings = Settings(env=Environment.TEST, home=home, database_url="sqlite:///jalur.db")
        small = cls(Office.open(settings))
        small.office.store.put(PAPER)
        models.metadata.create_all(small.office.db.engine)
        small._settle_in(businesses)
        return small

    @property
    def environment(self) -> dict[str, str]:
        """What another process must be told to open the same office."""
        return {
            "JALUR_ENV": "test",
            "JALUR_HOME": str(self.office.settings.home),
            "JALUR_DATABASE_URL": "sqlite:///jalur.db",
        }

    def open(self, number: int = 1) -> list[str]:
        """Open cases for the next businesses; return their numbers."""
        chosen, self.businesses = self.businesses[:number], self.businesses[number:]
        with self.office.run("cli", by="budi") as run:
            return open_cases(self.office, run, pipeline_named(PIPELINE), chosen, by="budi").opened

    def answer(self, case: str, key: str, by: str, data: dict[str, Any]) -> None:
        """Answer a question, as another process would."""
        with self.office.run("cli", by=by) as run:
            answer(self.office, run, case, key, by=by, data=data)

    def token(self, name: str) -> dict[str, str]:
        """The header with which somebody calls the API."""
        return {"Authorization": f"Bearer {give_token(self.office, name)}"}

    def _settle_in(self, businesses: int) -> None:
        vault, now = self.office.vault, self.office.clock.now()
        with self.office.db.writing() as session:
            for number in range(1, businesses + 1):
                key = vault.new_key(session)
                personal = {
                    "national_id": NATIONAL_ID,
                    "tax_id": None,
                    "phone": PHONE,
                    "email": "sri@contoh.example",
                    "address": "Jl. Santoso No. 179",
                }
                person = Person(name=OWNER, key_id=key.id, created_at=now, sealed=vault.encrypt(key, personal))
                session.add(person)
                session.flush()
                business = Business(
                    owner_id=person.id or 0,
                    name=f"Sari Sri {number}",
                    region_code="3508",
                    industry_code="10794",
                    industry_code_version="2020",
                    main_product="Keripik",
                    cluster="makanan",
                    capital_rupiah=1,
                    annual_sales_rupiah=550_000_000,
                    created_at=now,
                )
                session.add(business)
                session.flush()
                self.businesses.append(business.id or 0)
            for name, role in ROLES.items():
                person_id = int(name.removeprefix("owner-")) if name.startswith("owner-") else None
                region = None if person_id else "35"
                user = User(name=name, person_id=person_id, region_code=region, created_at=now)
                session.add(user)
                session.flush()
                session.add(UserRole(user_id=user.id or 0, role=role))
