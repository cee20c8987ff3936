"""Where a drive begins: an office with several people for every role, some of them barred, and subjects of every kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from unicodedata import normalize

from documents.alphabet import printable_letters
from documents.enclosure import JSON
from documents.templating import fill
from engine.cases.dossier import Dossier
from engine.cases.ledger import jsonable
from engine.deadlines.clock import TurnedClock
from engine.definition.declarations import Paper
from engine.definition.registry import current
from engine.people.accounts import add_user
from engine.people.persons import declare_conflict
from engine.runtime.links import check_url
from engine.runtime.office import Office
from engine.runtime.settings import Environment, Settings
from models import CaseFile, Document, Person, PersonKey, Role, Standing
from tests.compiled import compiled_once
from tests.conftest import MASTER_KEY, START
from tests.drives.answers import PHONE, TAX_ID
from tests.people import hire_staff, register_business, register_person, register_product
from tests.replay.disks import Place
from tests.replay.script import NATIONAL_IDS, OWNER, Answers
from tests.replay.scripts import scripts_of

A_ROLE = 4
"""How many people have each role, besides those whom the scripts name."""

BARRED, BOTH = "berkerabat", "owner-2"
"""Who has every role and declared a conflict with the first business, and the second applicant, who works here, too."""


@dataclass
class Ground:
    """Who may be asked, by role, and what a case may be about, by kind."""

    staff: dict[str, list[str]] = field(default_factory=dict)
    subjects: dict[str, list[int]] = field(default_factory=dict)


@contextmanager
def office_at(place: Place) -> Iterator[Office]:
    """Open an office there; its clock stands where tests begin."""
    settings = Settings(
        home=place.home,
        env=Environment.TEST,
        database_url=place.database_url,
        documents_url="file://documents",
        master_key=MASTER_KEY,
        signer_key=place.signer / "office-demo.key.pem",
        signer_certificate=place.signer / "office-demo.cert.pem",
    )
    office = Office.open(settings, TurnedClock(START))
    compiled_once(office)
    try:
        yield office
    finally:
        office.close()


def settle_in(office: Office) -> Ground:
    """Hire people, register subjects, long before any drive begins; return who and what there is."""
    assert isinstance(office.clock, TurnedClock)
    office.clock.turn(days=-60)
    ground = Ground(subjects={"business": [], "person": [], "product": []})
    for place, national_id in enumerate(NATIONAL_IDS[:2]):
        person = register_person(
            office,
            national_id,
            name="Sri Purnomo",
            phone=f"+62{PHONE[1:]}",
            tax_id=re.sub(r"\D", "", TAX_ID),
            email=None if place else "sri@contoh.example",
        )
        business = register_business(office, national_id)
        ground.subjects["business"].append(business)
        ground.subjects["product"].append(register_product(office, business))
        ground.subjects["person"].append(person)
    hire_staff(office)
    roles: dict[Role, list[str]] = {
        role: [f"{role}-{n}" for n in range(1, A_ROLE + 1)] for role in Role if role is not Role.APPLICANT
    }
    for role, named in _named_in_scripts().items():
        roles[role] = sorted(named) + roles[role]
    several = [str(role) for role in roles]
    earlier = count(1)
    for role, names in roles.items():
        for name in names:
            _hire(office, name, [role], next(earlier))
        ground.staff[str(role)] = [*names, BARRED, BOTH]
    add_user(office, BARRED, several)
    add_user(office, BOTH, several)
    declare_conflict(office, BARRED, "family", by="admin", business=ground.subjects["business"][0])
    return ground


def _named_in_scripts() -> dict[Role, set[str]]:
    """Return whom the scripts let answer as which role: their answers may name each other."""
    found: dict[Role, set[str]] = {}
    for pipeline in current():
        for script in scripts_of(pipeline):
            for act in script.acts:
                question = pipeline.questions.get(act.question.split("#")[0]) if isinstance(act, Answers) else None
                if question and act.by != OWNER and question.of is not Role.APPLICANT:  # type: ignore[attr-defined]
                    found.setdefault(question.of, set()).add(act.by)  # type: ignore[attr-defined]
    return found


def _hire(office: Office, name: str, roles: list[Role], n: int) -> None:
    """Give somebody an account as a person, and the standings that any question of the role asks for."""
    wanted = {
        question.holds
        for pipeline in current()
        for question in pipeline.questions.values()
        if question.holds and question.of in roles
    }
    person = register_person(office, f"357801{4101900000 + n}", name=name.title()) if wanted else None
    add_user(office, name, [str(role) for role in roles], person=person)
    for what in sorted(wanted):
        _certify(office, person or 0, {what, f"{what}:makanan", f"{what}:ukm"}, n)


def _certify(office: Office, person_id: int, what: set[str], n: int) -> None:
    """Let an earlier case, long closed, have given a person these standings."""
    with office.db.writing() as session:
        key = session.get_one(PersonKey, session.get_one(Person, person_id).key_id)
        case = CaseFile(
            number=f"LAMA-2025-{n:06d}",
            pipeline="nib-legalization",
            version=1,
            rule_date=date(2025, 1, 2),
            subject_kind="person",
            subject_id=person_id,
            person_id=person_id,
            region_code="35",
            salt=32 * "0",
            facts=office.vault.encrypt(key, {}),
            status="closed",
            ready=False,
            opened_at=office.clock.now(),
        )
        session.add(case)
        session.flush()
        for one in sorted(what):
            row = Standing(
                case_id=case.id or 0, what=one, subject_kind="person", subject_id=person_id, since=date(2025, 1, 2)
            )
            session.add(row)


def lay_out_only(office: Office, dossier: Dossier, document: Document, paper: Paper) -> bytes:
    """Do all of a paper but its pages: its facts fill its template, and its fonts have every letter. Real pages take 50 ms."""
    facts: dict[str, JSON] = office.vault.decrypt(dossier.key, document.facts)
    number = document.number
    chrome: dict[str, JSON] = dict.fromkeys(("title", "check_url", "check_qr", "mark", "document_number", "replaces"))
    chrome["provisional"] = []
    if number:
        chrome |= {"check_url": check_url(office, number), "check_qr": "data:,", "document_number": number}
        chrome |= {"date": jsonable(document.at)[:10]}
    folder = paper.folder or dossier.pipeline.slug
    template = f"{folder}/documents/{document.kind}/{document.language}.html"
    html = normalize("NFC", fill(template, {"language": document.language, **chrome, **facts}))
    strange = set(html) - printable_letters()
    assert not strange, f"no font has {sorted(strange)}"
    return b"%PDF-1.7\n%%EOF\n"
