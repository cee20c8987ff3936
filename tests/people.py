"""Made-up people and businesses for tests: real rows, sealed and indexed as an import makes them."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any

from sqlmodel import select

from engine.people.accounts import add_user
from engine.people.persons import add_person, add_product, record_certificate
from engine.runtime.file_store import Attached
from engine.runtime.office import NO_RUN, Office
from engine.runtime.office_ledger import record
from models import Business, Role, User, UserRole

PAPER = b"%PDF-1.4\n% a made-up paper of the tests\n"
# The paper as it comes in with an act: each use is an upload of its own.
EVIDENCE = Attached(f"sha256:{sha256(PAPER).hexdigest()}")


def register_person(office: Office, national_id: str = "3508166904956220", **changes: Any) -> int:
    """Register somebody with an account of their own (``owner-<id>``); return their id."""
    about = {
        "name": "Sri Purnomo",
        "email": "sri@contoh.example",
        "phone": "+6281162319252",
        "address": "Jl. Santoso No. 179, Lumajang",
        **changes,
    }
    return add_person(office, national_id=national_id, **about)


def register_product(office: Office, business: int, name: str = "Keripik singkong", cluster: str = "makanan") -> int:
    """Register a product of that business; return its id."""
    return add_product(office, business, name, cluster)


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
        "cluster": "makanan",
        **changes,
    }
    person_id = register_person(
        office, national_id, name=about["owner_name"], email=about["email"], language=about["language"]
    )
    with office.db.writing() as session:
        business = Business(
            owner_id=person_id,
            name=about["name"],
            region_code=about["region_code"],
            industry_code=about["industry_code"],
            industry_code_version="2020",
            main_product="Keripik singkong",
            cluster=about["cluster"],
            capital_rupiah=about["capital_rupiah"],
            annual_sales_rupiah=about["annual_sales_rupiah"],
            business_id_number=about["business_id_number"],
            created_at=office.clock.now(),
        )
        session.add(business)
        session.flush()
        business_id = business.id
    assert business_id is not None
    return business_id


def hire_staff(office: Office) -> None:
    """Give the office two officers, a companion, a head of division and an administrator, and one paper to attach."""
    office.store.put(PAPER)
    staff = {
        "budi": Role.OFFICER,
        "tuti": Role.OFFICER,
        "ani": Role.COMPANION,
        "rini": Role.DIVISION_HEAD,
        "admin": Role.ADMINISTRATOR,
    }
    # In one transaction: most stories begin here, and by `add_user` each account would be one that waits for the disk.
    with office.work(NO_RUN) as work:
        session = work.session
        hired = set(session.exec(select(User.name)))  # a test that hires twice means the same five
        users = {name: User(name=name, created_at=office.clock.now()) for name in staff if name not in hired}
        session.add_all(users.values())
        session.flush()
        roles = [UserRole(user_id=user.id or 0, role=staff[name]) for name, user in users.items()]
        session.add_all(roles)
        session.flush()
        record(work, "accounts written", "staff", rows=[*users.values(), *roles])


def hire_curator(office: Office, name: str, cluster: str = "makanan", until: date | None = None) -> int:
    """Hire somebody whom another LSP certified as a curator of that cluster; return their person's id."""
    digits = int(sha256(name.encode()).hexdigest(), 16) % 9000 + 1000
    return hire_certified(
        office, name, "curator", f"357801690450{digits}", "curator", f"curator:{cluster}", until=until
    )


def hire_certified(
    office: Office, name: str, role: str, national_id: str, *what: str, number: str = "", until: date | None = None
) -> int:
    """Hire somebody in that role who holds certificates of other bodies; return their person's id."""
    person = register_person(office, national_id, name=name.title())
    add_user(office, name, [role], person=person)
    for one in what:
        record_certificate(
            office,
            person,
            one,
            number or f"85500 2424 6 {person:07d} 2025",
            since=date(2025, 1, 2),
            until=until,
            source="BNSP",
            evidence=EVIDENCE,
            by=name,
        )
    return person


def hire_specialists(office: Office) -> None:
    """Give the LSP an officer, an assessor and a plenary, and the curation house three curators and a chair."""
    for name, role in (("lia", "lsp_officer"), ("lina", "panel_chair")):
        add_user(office, name, [role])
    hire_certified(office, "asih", "assessor", "3508164101900002", "assessor", "assessor:ukm")
    for place, name in enumerate(("fajar", "gita", "hana"), start=3):
        hire_certified(office, name, "plenary", f"350816410190{place:04d}")
    for name in ("agus", "bayu", "citra"):
        hire_curator(office, name)
