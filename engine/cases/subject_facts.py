"""Facts about the subject of a case (person, business, product), taken when it is opened.

They are encrypted with the case; later changes of the register don't reach them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlmodel import Session, col, select

from engine.definition.case import Applicant
from engine.errors import Refused
from engine.runtime.database import among
from engine.runtime.office import Office
from models import Business, Person, PersonKey, Product
from models.privacy import significant_digits


class PersonFacts(BaseModel):
    """Personal data of an owner.

    The numbers are shown masked, or handed to the authority that needs them.
    """

    model_config = ConfigDict(frozen=True)

    person_id: int
    name: str
    language: str
    national_id: str
    tax_id: str | None = None
    phone: str | None = None
    email: str | None = None
    address: str = ""
    region_code: str = ""


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


class ProductFacts(BaseModel):
    """A product and the business that makes it at the moment the case was opened."""

    model_config = ConfigDict(frozen=True)

    product_id: int
    name: str
    cluster: str
    business: BusinessFacts


def own_numbers(facts: BaseModel) -> frozenset[str]:
    """Return the significant digits of NIK, NPWP and telephone number in the facts."""
    business = getattr(facts, "business", facts)
    person = getattr(business, "owner", business)
    known = (getattr(person, name, None) for name in ("national_id", "tax_id", "phone"))
    return frozenset(significant_digits(number) for number in known if number)


Subject = tuple[BaseModel, Applicant, PersonKey, str]

# The region of a person is that of their registration, else that of their business, else this province.
PROVINCE = "35"


def load_persons(office: Office, session: Session, ids: list[int]) -> dict[int, Subject]:
    """Return facts, applicant, key and region of each person who exists, by id.

    Locks: the persons' rows.
    """
    rows = session.exec(
        select(Person, PersonKey, Business.region_code)
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
        .join(Business, col(Business.owner_id) == col(Person.id), isouter=True)
        .where(among(session, col(Person.id), ids))
        .order_by(col(Person.id))
        .with_for_update(of=Person)
    ).all()
    found: dict[int, Subject] = {}
    for person, key, region in rows:
        facts = _person(office, person, key)
        facts = facts.model_copy(update={"region_code": facts.region_code or region or PROVINCE})
        found[facts.person_id] = (facts, _applicant(person), key, facts.region_code)
    return found


def load_businesses(office: Office, session: Session, ids: list[int]) -> dict[int, Subject]:
    """Return facts, applicant, key and region of each business that exists, by id.

    Locks: the businesses' rows: of two workers who open a case for the same business at once, the second sees the first's.
    """
    rows = session.exec(
        select(Business, Person, PersonKey)
        .join(Person, col(Person.id) == col(Business.owner_id))
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
        .where(among(session, col(Business.id), ids))
        .order_by(col(Business.id))
        .with_for_update(of=Business)
    ).all()
    return {
        business.id or 0: (_business(office, business, person, key), _applicant(person), key, business.region_code)
        for business, person, key in rows
    }


def load_products(office: Office, session: Session, ids: list[int]) -> dict[int, Subject]:
    """Return facts, applicant, key and region of each product that exists, by id.

    Locks: the products' rows.
    """
    rows = session.exec(
        select(Product, Business, Person, PersonKey)
        .join(Business, col(Business.id) == col(Product.business_id))
        .join(Person, col(Person.id) == col(Business.owner_id))
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
        .where(among(session, col(Product.id), ids))
        .order_by(col(Product.id))
        .with_for_update(of=Product)
    ).all()
    found: dict[int, Subject] = {}
    for product, business, person, key in rows:
        facts = ProductFacts(
            product_id=product.id or 0,
            name=product.name,
            cluster=product.cluster,
            business=_business(office, business, person, key),
        )
        found[facts.product_id] = (facts, _applicant(person), key, business.region_code)
    return found


def _person(office: Office, person: Person, key: PersonKey) -> PersonFacts:
    private: dict[str, Any] = office.vault.decrypt(key, person.sealed)
    return PersonFacts(person_id=person.id or 0, name=person.name, language=person.language, **private)


def _applicant(person: Person) -> Applicant:
    return Applicant(person.id or 0, person.name, person.language)


def _business(office: Office, business: Business, owner: Person, key: PersonKey) -> BusinessFacts:
    return BusinessFacts(
        business_id=business.id or 0,
        owner=_person(office, owner, key),
        **business.model_dump(exclude={"id", "owner_id", "import_id", "created_at"}),
    )


@dataclass(frozen=True)
class Kind:
    """A kind of subject: the class of its facts, their loader, the query for imported ids."""

    facts: type[BaseModel]
    load: Callable[[Office, Session, list[int]], dict[int, Subject]]
    imported: Any


KINDS = {
    "person": Kind(PersonFacts, load_persons, select(Business.owner_id).where(col(Business.import_id).is_not(None))),
    "business": Kind(BusinessFacts, load_businesses, select(Business.id).where(col(Business.import_id).is_not(None))),
    "product": Kind(
        ProductFacts,
        load_products,
        select(Product.id)
        .join(Business, col(Business.id) == col(Product.business_id))
        .where(col(Business.import_id).is_not(None)),
    ),
}


def kind_of(subject: str) -> Kind:
    """Return the kind of subject of that name.

    Raises:
        Refused: there is no such kind.
    """
    if subject not in KINDS:
        raise Refused(
            f"Cases can't be opened for a {subject}; known: {', '.join(KINDS)}",
            for_people=f"Permohonan tidak dapat dibuka untuk {subject}. Yang dikenal: {', '.join(KINDS)}.",
        )
    return KINDS[subject]
