"""Made-up people and businesses for tests: real rows, sealed and indexed as an import makes them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from engine.accounts import add_user
from engine.case import handle_of
from engine.office import Office
from models import Business, Person, PersonIndex

PAPER = b"%PDF-1.4\n% a made-up paper of the tests\n"
EVIDENCE = f"sha256:{sha256(PAPER).hexdigest()}"


def register_business(office: Office, national_id: str = "3508166904956220", **changes: Any) -> int:
    """Register an owner with an account and a business; return the business's id."""
    about: dict[str, Any] = {
        "owner_name": "Sri Purnomo",
        "email": "sri@contoh.example",
        "name": "Sari Sri",
        "region_code": "3508",
        "industry_code": "10794",
        "annual_sales_rupiah": 550_000_000,
        "capital_rupiah": 100_000_000,
        "business_id_number": None,
        "language": "id",
        **changes,
    }
    with office.db.writing() as session:
        key = office.vault.new_key(session)
        sealed = {
            "national_id": national_id,
            "tax_id": None,
            "phone": "+6281162319252",
            "email": about["email"],
            "address": "Jl. Santoso No. 179, Lumajang",
        }
        person = Person(
            name=about["owner_name"],
            language=about["language"],
            key_id=key.id,
            sealed=office.vault.seal(key, sealed),
            created_at=office.clock.now(),
        )
        session.add(person)
        session.flush()
        assert person.id is not None
        digest = office.vault.digest("national_id", national_id)
        session.add(PersonIndex(kind="national_id", digest=digest, person_id=person.id))
        business = Business(
            owner_id=person.id,
            name=about["name"],
            region_code=about["region_code"],
            industry_code=about["industry_code"],
            industry_code_version="2020",
            main_product="Keripik singkong",
            cluster="makanan",
            capital_rupiah=about["capital_rupiah"],
            annual_sales_rupiah=about["annual_sales_rupiah"],
            business_id_number=about["business_id_number"],
            created_at=office.clock.now(),
        )
        session.add(business)
        session.flush()
        business_id, person_id = business.id, person.id
    add_user(office, handle_of(person_id), ["applicant"], person=person_id)
    assert business_id is not None
    return business_id


def hire_staff(office: Office) -> None:
    """Give the office two officers, a companion, a head of division and an administrator, and one paper to attach."""
    office.store.put(PAPER)
    for name, role in (
        ("budi", "officer"),
        ("tuti", "officer"),
        ("ani", "companion"),
        ("rini", "division_head"),
        ("admin", "administrator"),
    ):
        add_user(office, name, [role])
