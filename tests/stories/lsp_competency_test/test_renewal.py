"""A certificate of three years comes to its end: the office opens its renewal, and the candidate types nothing twice."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlmodel import col, select

from engine.deadlines.clock import TurnedClock
from engine.definition.registry import pipeline_named
from engine.people.persons import record_certificate
from engine.runtime.office import Office
from engine.sweeps.renew import renew
from models import Standing
from tests.conftest import START
from tests.people import EVIDENCE
from tests.stories.lsp_competency_test.conftest import ASSESSORS, NIK, Begin, CompetencyStory
from tests.stories.story import tells

PIPELINE = pipeline_named("lsp-competency-test")
CODES = [unit["code"] for unit in PIPELINE.rules.at("schemes", START.date()).value["curator"]["units"]]
NUMBER, NEXT = "62019 2513 6 0033443 2026", "62019 2513 6 0077777 2028"
SCHEDULE = {"test_date": "2028-08-29", "met_number": "MET.000.004772 2027"}


def renewed(office: Office) -> list[int]:
    with office.run("flow", by="renewal") as run:
        done = renew(office, run)
    assert done.failed == []
    return [done.due, done.opened, done.reminded]


def taken_up(office: Office, clock: TurnedClock, number: str) -> CompetencyStory:
    """Return the story of the renewal, advanced as far as it goes."""
    story = CompetencyStory.__new__(CompetencyStory)
    story.office, story.clock, story.number, story.pipeline = office, clock, number, PIPELINE
    story.advance()
    return story


def still_certified(office: Office, assessors: dict[str, int]) -> None:
    """Record that the assessors renewed their own certificates, with another LSP."""
    for name in ASSESSORS:
        for what in ("assessor", "assessor:ukm"):
            about: dict[str, Any] = {"source": "BNSP", "evidence": EVIDENCE, "by": "admin"}
            number = f"85500 2424 6 {assessors[name]:07d} 2027"
            record_certificate(
                office, assessors[name], what, number, since=date(2027, 6, 1), until=date(2030, 5, 31), **about
            )


@tells("outcome:certified", "admin_check:accept")
@pytest.mark.slow
def test_a_curator_is_certified_again_before_the_certificate_ends(
    begin: Begin, office: Office, lsp: dict[str, int], clock: TurnedClock, blank_papers: None
) -> None:
    """180 days ahead RCC opens with scheme, clusters, trainers and old number in it; certified in time, nobody is reminded."""
    first = begin()
    first.applies(scheme="curator", clusters=["Makanan"], employer="Rumah Kurasi", trainers=["budi"]).checked()
    first.claims(CODES).scheduled().reviewed().planned(CODES).agrees().on("2026-01-20").tested(CODES).recorded(CODES)
    first.says().reported().responds().seated().voted(*["competent"] * 3).numbered(NUMBER)
    assert first.outcome == "certified"
    still_certified(office, lsp)

    first.on("2028-08-12")
    assert renewed(office) == [0, 0, 0], "it ends on 9 February 2029"
    first.on("2028-08-13")
    assert renewed(office) == [1, 1, 0]
    again = taken_up(office, clock, "LSP-2028-000001")
    told = again.letter("renewal_opened")
    assert told["subject"] == "Sertifikat kompetensi Anda akan berakhir, segera ajukan RCC"
    assert "9 Februari 2029" in told["text"] and NUMBER in told["text"]
    [asked] = again.shown()["waiting_for"]
    known = {name: field["default"] for name, field in asked["form"]["properties"].items() if "default" in field}
    assert {name: value for name, value in known.items() if value} == {
        "kind": "recertification",
        "previous_certificate": NUMBER,
        "scheme": "curator",
        "clusters": ["Makanan"],
        "education": "S1 Manajemen",
        "occupation": "Pendamping UMKM",
        "employer": "Rumah Kurasi",
        "trainers": ["budi"],
    }
    proofs = [{"kind": kind, "file": EVIDENCE} for kind in ("id_card", "photo")]
    again.answers(again.candidate, "application#1", national_id=NIK, proofs=proofs)
    again.checked().claims(CODES).scheduled(**SCHEDULE).reviewed().on("2028-08-29")
    again.tested(CODES, tested_on="2028-08-29", instrument="FR.IA.08").recorded(CODES).says().reported().responds()
    again.seated().voted(*["competent"] * 3).numbered(
        NEXT, registration_number="LSP.0001.00077 2028", issued_on="2028-09-20"
    )
    assert again.outcome == "certified"
    for day in ("2028-11-11", "2029-01-10", "2029-02-09", "2029-02-10"):
        again.on(day)
        assert renewed(office) == [0, 0, 0], "the new one lasts until 2031"
    with office.db.reading() as session:
        curator = session.exec(select(Standing).where(Standing.what == "curator").order_by(col(Standing.case_id)))
        assert [one.until for one in curator] == [date(2029, 2, 9), date(2031, 9, 19)]


@pytest.mark.parametrize(
    ("stands", "scheme"),
    [({"companion"}, "companion"), ({"assessor", "assessor:ukm"}, "sme_assessor"), ({"assessor:ukm"}, None)],
)
def test_a_certificate_of_another_lsp_fills_in_what_it_says(
    office: Office, lsp: dict[str, int], clock: TurnedClock, stands: set[str], scheme: str | None
) -> None:
    """The old number, and the scheme where what it gives is one scheme's; nothing is guessed."""
    person = lsp["fajar"]
    about: dict[str, Any] = {"since": date(2023, 4, 1), "until": date(2026, 6, 30), "source": "BNSP"}
    for what in stands:
        record_certificate(office, person, what, "62019 2513 6 0011111 2023", evidence=EVIDENCE, by="admin", **about)
    assert renewed(office) == [1, 1, 0]
    story = taken_up(office, clock, "LSP-2026-000001")
    [asked] = story.shown()["waiting_for"]
    known = asked["form"]["properties"]
    assert known["previous_certificate"]["default"] == "62019 2513 6 0011111 2023"
    assert known["scheme"].get("default") == scheme
    assert story.entries[0].reason == "dilanjutkan dari sertifikat 62019 2513 6 0011111 2023"
