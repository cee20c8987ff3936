"""What a case is about, as facts taken at its opening and sealed with it: later changes of the register don't reach it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from sqlmodel import Session, col, select

from engine.case import Applicant
from engine.database import among
from engine.errors import Refused
from engine.office import Office
from models import Business, Person, SealingKey


class PersonFacts(BaseModel):
    """An owner's own data. Personal numbers: they leave this object masked, or to the authority that needs them."""

    model_config = ConfigDict(frozen=True)

    person_id: int
    name: str
    language: str
    national_id: str
    tax_id: str | None = None
    phone: str | None = None
    email: str | None = None
    address: str = ""


class BusinessFacts(BaseModel):
    """A business and its owner at the moment the case was opened. Money in whole rupiah."""

    model_config = ConfigDict(frozen=True)

    business_id: int
    name: str
    region_code: str
    industry_code: str
    industry_code_version: str
    main_product: str
    cluster: str
    capital_rupiah: int
    annual_sales_rupiah: int
    business_id_number: str | None = None
    owner: PersonFacts


Subject = tuple[BaseModel, Applicant, SealingKey, str]


def businesses(office: Office, session: Session, ids: list[int]) -> dict[int, Subject]:
    """Return facts, applicant, sealing key and region of each business that exists."""
    rows = session.exec(
        select(Business, Person, SealingKey)
        .join(Person, col(Person.id) == col(Business.owner_id))
        .join(SealingKey, col(SealingKey.id) == col(Person.key_id))
        .where(among(session, col(Business.id), ids))
        .order_by(col(Business.id))
        .with_for_update(
            of=Business
        )  # of two who open a case for the same business at once, the second sees the first's
    ).all()
    found: dict[int, Subject] = {}
    for business, person, key in rows:
        assert business.id is not None and person.id is not None
        owner = PersonFacts(
            person_id=person.id,
            name=person.name,
            language=person.language,
            **office.vault.unseal(key, person.sealed),
        )
        facts = BusinessFacts(
            business_id=business.id,
            owner=owner,
            **business.model_dump(exclude={"id", "owner_id", "import_id", "created_at"}),
        )
        found[business.id] = (facts, Applicant(person.id, person.name, person.language), key, business.region_code)
    return found


FACTS: dict[str, type[BaseModel]] = {"business": BusinessFacts}
LOADERS = {"business": businesses}


def facts_type(subject: str) -> type[BaseModel]:
    """Return the facts that cases about ``subject`` carry. Raises `Refused` for a kind that is not known."""
    if subject not in FACTS:
        raise Refused(f"Cases can't be opened for a {subject}; known: {', '.join(FACTS)}")
    return FACTS[subject]
