"""What a case may be about: a person, a business, a product; registered, opened, and barred from a second open case."""

from __future__ import annotations

import pytest

from engine.cases.dossier import fetch_by_number
from engine.cases.opening import open_cases, subjects_without_case
from engine.cases.subject_facts import PersonFacts, ProductFacts
from engine.deadlines.clock import TurnedClock
from engine.errors import Refused
from engine.people.persons import add_person, add_product
from engine.runtime.office import Office
from tests.engine.conftest import Begin
from tests.people import hire_staff, register_business, register_person, register_product
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.story import Story

NIK = "3578016904500101"


def about(kind: str, name: str, prefix: str) -> str:
    """Return the farm visit as a pipeline about another kind of subject."""
    return (
        FARM_VISIT.replace("farm-visit", name).replace("FRM", prefix).replace('subject="business"', f'subject="{kind}"')
    )


def test_a_case_about_a_person(office: Office, clock: TurnedClock, workshop: Workshop) -> None:
    """Its applicant is that person, who decides nothing on it; region by where they live."""
    workshop.write(about("person", "test-of-skill", "TST"))
    hire_staff(office)
    person = register_person(office, NIK, name="Wati", region="35.78")
    story = Story(office, clock, "test-of-skill", person)
    with office.db.reading() as session:
        case = fetch_by_number(office, session, story.number).case
    assert isinstance(case.facts, PersonFacts)
    assert (case.facts.national_id, case.region_code, case.applicant.name) == (NIK, "3578", "Wati")
    story.answers("budi", "visit#1", decision="fine").answers("ani", "sample#1", decision="fine")
    assert story.outcome == "done"


def test_the_region_of_an_owner_is_that_of_the_business_else_this_province(
    office: Office, clock: TurnedClock, workshop: Workshop
) -> None:
    """Where nobody said where they live."""
    workshop.write(about("person", "test-of-skill", "TST"))
    register_business(office)
    owner = Story(office, clock, "test-of-skill", 1)
    stranger = Story(office, clock, "test-of-skill", register_person(office, NIK))
    assert (owner.case.region_code, stranger.case.region_code) == ("3508", "35")


def test_a_case_about_a_product(office: Office, clock: TurnedClock, workshop: Workshop) -> None:
    """Its applicant is the owner of the business; a second open case for the same product is refused, another's is not."""
    workshop.write(about("product", "taste", "TAS"))
    business = register_business(office)
    product = register_product(office, business)
    assert register_product(office, business) == product, "one of that name is not registered twice"
    story = Story(office, clock, "taste", product)
    with office.db.reading() as session:
        case = fetch_by_number(office, session, story.number).case
    assert isinstance(case.facts, ProductFacts)
    assert (case.facts.business.business_id, case.applicant.person_id) == (
        business,
        case.facts.business.owner.person_id,
    )
    other = register_product(office, business, "Keripik pisang")
    with office.run("cli", by="budi") as run:
        result = open_cases(office, run, story.pipeline, [product, other, 99], by="budi")
    assert result.opened == ["TAS-2026-000002"]
    assert result.refused == [
        {"subject": f"product {product}", "reason": "It has an open case already: TAS-2026-000001"},
        {"subject": "product 99", "reason": "There is no product 99"},
    ]


def test_imported_are_only_those_that_came_by_import(begin: Begin, office: Office, workshop: Workshop) -> None:
    """Who was registered by hand is opened by name."""
    person, product = workshop.write(about("person", "p", "P")), workshop.write(about("product", "q", "Q"), "q")
    register_product(office, register_business(office))
    assert subjects_without_case(office, person) == subjects_without_case(office, product) == []


def test_a_person_is_registered_once_and_a_national_id_must_be_one(office: Office) -> None:
    """Who is known already is named, as they are; what can't be a NIK is refused, masked."""
    first = add_person(office, "Wati", national_id=NIK)
    assert add_person(office, "Wati Lagi", national_id="3578 0169 0450 0101") == first
    for wrong in ("357801690450010", "3578013204500101", ""):
        with pytest.raises(Refused) as refusal:
            add_person(office, "Wati", national_id=wrong)
        assert refusal.value.for_people.startswith("national_id: ")
        assert not wrong or wrong not in str(refusal.value)
    for field, wrong in (("tax_id", "09.254"), ("phone", "12"), ("email", "wati@")):
        with pytest.raises(Refused) as refusal:
            add_person(office, "Wati", national_id="3578016904500102", **{field: wrong})  # type: ignore[arg-type]
        assert refusal.value.for_people.startswith(f"{field}: ")
    with pytest.raises(Refused, match="no business 7"):
        add_product(office, 7, "Keripik", "makanan")
