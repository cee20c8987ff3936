"""Every end of a competency test, and every choice and silence on the way, told by date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlmodel import col, select

from engine.errors import NotAllowed
from engine.runtime.office import Office
from models import Standing
from tests.people import EVIDENCE
from tests.stories.lsp_competency_test.conftest import NUMBER, UNITS
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.lsp_competency_test.conftest import Begin, CompetencyStory

FAILED = UNITS[:1]


def standings(office: Office, story: CompetencyStory) -> dict[str, tuple[str | None, date | None]]:
    with office.db.reading() as session:
        wanted = select(Standing).where(Standing.case_id == story.case.id).order_by(col(Standing.what))
        return {row.what: (row.reference, row.until) for row in session.exec(wanted)}


@tells(
    "application:answered",
    "admin_check:return",
    "admin_check:accept",
    "self_assessment:answered",
    "schedule:answered",
    "assessment_review:continue",
    "plan:answered",
    "agreement:answered",
    "assessor_agreement:answered",
    "test_record:held",
    "assessment_record:competent",
    "feedback:answered",
    "assessment_report:answered",
    "result_response:accept",
    "plenary_seats:answered",
    "plenary_vote:competent",
    "certificate_blank:answered",
    "outcome:certified",
)
@pytest.mark.slow
def test_a_companion_is_certified(begin: Begin, office: Office) -> None:
    """From FR.APL.01 to the certificate: every form is a paper, in the order of the real ones."""
    story = begin().on("2026-01-13").applies().checked("return", deficiencies=["pasfoto bukan asesi"])
    assert "pasfoto bukan asesi" in story.letter("return_notice")["text"]
    story.applies(employer="PLUT Lumajang").checked().claims()
    assert "asih, bayu, citra, dimas, endah" in story.note
    story.on("2026-01-15").scheduled(funding="candidate", fee_rupiah=450_000)
    assert "Rp450.000" in story.letter("schedule")["text"]
    story.reviewed().planned().agrees(special_needs="huruf besar")
    story.on("2026-01-20").tested().recorded().says().reported().on("2026-01-22").responds().seated()
    assert story.waits_for == ["plenary_vote#1", "plenary_vote#2", "plenary_vote#3"]
    story.voted("competent", "competent", "not_yet_competent").on("2026-02-11")
    assert "NIK lengkap" in story.note
    story.numbered()
    assert story.outcome == "certified"
    assert standings(office, story)["companion"] == (NUMBER, date(2029, 2, 9))
    forms = [document.kind for document in story.documents if document.kind.startswith("fr_")]
    assert sorted(forms) == [
        *("fr_ak_01", "fr_ak_02", "fr_ak_03", "fr_ak_05", "fr_ak_06", "fr_apl_01", "fr_apl_02"),
        *("fr_ia", "fr_mapa_01", "fr_mapa_02"),
    ]
    numbers = [document.number for document in story.documents if document.number]
    assert numbers == ["STA-2026-000001", "SKH-2026-000001", "SKK-2026-000001"]
    assert story.letters == [
        *("receipt", "return_notice", "self_assessment", "schedule", "result", "certified"),
    ]
    assert all(document.status == "ready" for document in story.documents)


@pytest.mark.slow  # every form of the LSP, in English: 4 s
@tells(
    "result_response:appeal",
    "appeal_seats:answered",
    "appeal_vote:upheld",
    "plenary_vote:return",
    "assessment_record:not_yet_competent",
    "plenary_vote:not_yet_competent",
    "retest:retest",
    "feedback:silent",
    "outcome:certified",
)
def test_an_appeal_another_assessor_and_a_retest_in_english(begin: Begin, lsp: dict[str, int]) -> None:
    """Upheld: another assessor; BK by the plenary; only the failed unit is tested again; the result is not appealed twice."""
    story = begin(language="en").to_response(FAILED)
    story.responds("appeal", reason="bukti saya tidak dilihat", units=[UNITS[0]]).seated("appeal_seats")
    assert story.waits_for == ["appeal_vote#1", "appeal_vote#2", "appeal_vote#3"]
    story.voted("upheld", "upheld", "rejected", question="appeal_vote")
    assert story.note.endswith("ditugaskan: endah"), "neither who assessed nor who heard the appeal"
    story.scheduled(assessor="endah", test_date="2026-01-27").reviewed(by="endah").planned(by="endah").agrees(
        by="endah"
    )
    story.on("2026-01-27").tested(by="endah", tested_on="2026-01-27").recorded(failed=FAILED, by="endah")
    story.on("2026-02-10").nothing_happens().reported(by="endah").seated()
    assert story.voted("return", "return", "competent").waits_for == ["assessment_record#3"]
    assert "lihat rekaman" in story.note
    more = [{"instrument": "FR.IA.09", "units": list(UNITS), "finding": "wawancara ulang", "file": EVIDENCE}]
    story.recorded(failed=FAILED, by="endah", records=more).seated().voted(*["not_yet_competent"] * 3)
    story.on("2026-02-11")._fills_in("retest", decision="retest")
    assert "paling awal 2026-02-24" in story.scheduled(test_date="2026-02-23").note
    story.scheduled(test_date="2026-02-24").reviewed().planned(FAILED).agrees()
    story.on("2026-02-24").tested(FAILED, tested_on="2026-02-24").recorded(FAILED).says().reported().seated()
    assert story.voted("competent", "competent", "competent").numbered().outcome == "certified"
    assert {"appeal_received", "appeal_ruled", "not_yet_competent"} <= set(story.letters)
    assert all(document.status == "ready" for document in story.documents)


@tells("appeal_vote:rejected", "retest:stop", "outcome:not_yet_competent")
@pytest.mark.slow
def test_an_appeal_is_rejected_and_the_candidate_stops(begin: Begin, blank_papers: None) -> None:
    """A vote without a majority upholds nothing; K against a unit that is BK goes back to the assessor."""
    story = begin().to_response(FAILED).responds("appeal", reason="tidak setuju").seated("appeal_seats")
    story.voted("upheld", "rejected", "rejected", question="appeal_vote").seated()
    assert story.voted("competent", "competent", "competent").waits_for == ["assessment_record#2"]
    assert "unit BK tidak dapat diputuskan K" in story.note
    story.recorded(failed=FAILED).seated().voted("not_yet_competent", "competent", "return")
    assert story.waits_for == ["assessment_record#3"], "one vote each is no majority"
    story.recorded(failed=FAILED).seated().voted(*["not_yet_competent"] * 3)
    assert story._fills_in("retest", decision="stop").outcome == "not_yet_competent"


@tells("retest:silent", "result_response:silent", "outcome:not_yet_competent")
@pytest.mark.slow
def test_bk_by_the_plenary_alone_must_name_a_unit_that_was_tested(begin: Begin, blank_papers: None) -> None:
    """BK of no unit of the scheme goes back to the assessor; silence after BK is the end."""
    story = begin().to_response().on("2026-02-20").nothing_happens().seated()
    story.voted(*["not_yet_competent"] * 3, units=["M.702090.009.01"])
    assert story.waits_for == ["assessment_record#2"]
    story.recorded().seated().voted(*["not_yet_competent"] * 3)
    assert story.waits_for == ["retest#1"]
    assert story.on("2026-06-30").nothing_happens().outcome == "not_yet_competent"


@tells("outcome:not_yet_competent")
@pytest.mark.slow
def test_a_retest_is_the_last_one(begin: Begin, blank_papers: None) -> None:
    """The limit is a rule: after it, the second BK ends the case."""
    story = begin().to_vote(FAILED).voted(*["not_yet_competent"] * 3)._fills_in("retest", decision="retest")
    story.scheduled(test_date="2026-02-10").reviewed().planned(FAILED).agrees().on("2026-02-10")
    story.tested(FAILED, tested_on="2026-02-10").recorded(FAILED, FAILED).says().reported().responds().seated()
    assert story.voted(*["not_yet_competent"] * 3).outcome == "not_yet_competent"


@tells("test_record:absent", "outcome:absent")
def test_who_misses_the_test_is_given_one_more_day(begin: Begin, office: Office, blank_papers: None) -> None:
    """And after that the case ends, which says nothing of competence."""
    story = begin().to_test().tested(decision="absent", records=[])
    assert story.note.startswith("Asesi tidak hadir; jadwalkan ulang.")
    story.scheduled(test_date="2026-01-27").reviewed().planned().agrees().on("2026-01-27")
    assert story.tested(decision="absent", tested_on="2026-01-27", records=[]).outcome == "absent"
    assert story.letters[-2:] == ["absent", "closed"]


@tells("assessment_review:not_continue", "outcome:not_ready")
@pytest.mark.slow
def test_an_assessor_advises_training_first(begin: Begin, office: Office, blank_papers: None) -> None:
    """The advice reaches the candidate, and the seat is free again."""
    story = begin().to_schedule().scheduled().reviewed("not_continue", reason="ikuti pelatihan pendampingan")
    assert story.outcome == "not_ready"
    assert "ikuti pelatihan pendampingan" in story.letter("closed")["text"]
    assert standings(office, story) == {}
    again = begin().to_response(FAILED, national_id="3508166904950001").responds("appeal", reason="tidak setuju")
    again.seated("appeal_seats").voted(*["upheld"] * 3, question="appeal_vote").scheduled(assessor="endah")
    assert again.reviewed("not_continue", by="endah", reason="ikuti pelatihan").outcome == "not_ready"


@tells("admin_check:reject", "outcome:refused")
def test_basic_requirements_that_are_not_met(begin: Begin, blank_papers: None) -> None:
    """The officer's reason reaches the candidate."""
    story = begin().applies().checked("reject", reason="belum pernah mendampingi UMKM")
    assert story.outcome == "refused"
    assert "belum pernah mendampingi UMKM" in story.letter("closed")["text"]


@tells("application:silent", "self_assessment:silent", "agreement:silent", "outcome:not_completed")
def test_who_fills_in_nothing_loses_the_case(begin: Begin, blank_papers: None) -> None:
    """FR.APL.01, FR.APL.02 or FR.AK.01."""
    first, second, third = begin(), begin(), begin()
    second.applies(national_id="3508166904950001").checked()
    third.to_schedule(national_id="3508166904950002").scheduled().reviewed().planned()
    third.on("2026-05-29").nothing_happens()
    assert [story.outcome for story in (first, second, third)] == ["not_completed"] * 3


@tells("outcome:certified")
def test_recertification_is_by_portfolio(begin: Begin, office: Office, blank_papers: None) -> None:
    """RCC: FR.APL.02 and FR.IA.08, no plan and no FR.AK.01; a printed end is taken as it is."""
    story = begin(certificate="62019 2513 6 0011111 2023")
    story.applies(kind="recertification", previous_certificate="62019 2513 6 0011111 2023").checked().claims()
    story.scheduled().reviewed().on("2026-01-20")
    assert story.waits_for == ["test_record#1"]
    assert "RCC hanya memakai FR.IA.08" in story.tested().note
    story.tested(instrument="FR.IA.08").recorded().says().reported().responds().seated()
    story.voted("competent", "competent", "competent").numbered(valid_until="2029-01-31")
    assert story.outcome == "certified"
    assert standings(office, story)["companion"] == (NUMBER, date(2029, 1, 31))


@tells("outcome:certified")
@pytest.mark.slow
def test_a_curator_may_curate_the_clusters_that_were_named(begin: Begin, office: Office, blank_papers: None) -> None:
    """Eleven units; a certificate issued on 29 February ends on 28 February three years later."""
    codes = [
        *("M.741000.002.01", "M.741000.007.01", "M.741000.008.01", "M.741000.021.01", "G.46EKU00.013.1"),
        *("G.46EKU00.015.2", "M.702090.022.01", "M.702090.008.01", "M.702090.019.02", "M.702090.017.02"),
        "M.702090.030.01",
    ]
    story = begin().applies(scheme="curator")
    assert "clusters" in story.letter("return_notice")["text"]
    story.applies(scheme="curator", clusters=["Makanan"]).checked().claims(codes).scheduled().reviewed()
    story.planned(codes).agrees().on("2026-01-20").tested(codes).recorded(codes).says().reported().responds().seated()
    number = "62019 2513 6 0033443 2028"
    story.voted("competent", "competent", "competent")
    story.numbered(number, issued_on="2028-02-29", registration_number="LSP.0001.00001 2028")
    held = standings(office, story)
    assert held["curator"] == held["curator:makanan"] == (number, date(2031, 2, 28))


@pytest.mark.slow
def test_the_blank_request_lists_k_and_bk(begin: Begin, office: Office, blank_papers: None) -> None:
    """All who were decided from one test, at that site; the NIK is masked in our copy."""
    from engine import pipeline
    from flows.lsp_competency_test import deciding

    seen = []
    original = pipeline.paper

    def look(kind: object, facts: dict[str, object]) -> str:
        seen.append((kind, facts))
        return original(kind, facts)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deciding, "paper", look)
        begin().to_vote(FAILED).voted(*["not_yet_competent"] * 3)
        elsewhere = begin().to_schedule(national_id="3508166904950001").scheduled(test_site="TUK Malang")
        elsewhere.reviewed().planned().agrees().tested().recorded().says().reported().responds().seated()
        elsewhere.voted(*["competent"] * 3)
        begin().to_vote(national_id="3508166904950002").voted(*["competent"] * 3)
    [_, request] = [facts for kind, facts in seen if kind is deciding.BLANK_REQUEST]
    rows = request["candidates"]
    assert isinstance(rows, list)
    assert [(row["result"], row["national_id"]) for row in rows] == [
        *(("BK", "350816********20"), ("K", "350816********02")),
    ]


WAITS: dict[str, Callable[[CompetencyStory], object]] = {
    "application#1": lambda story: None,
    "admin_check#1": lambda story: story.applies(),
    "test_record#1": lambda story: story.to_test(),
    "certificate_blank#1": lambda story: story.to_vote().voted("competent", "competent", "competent"),
}


@tells("outcome:withdrawn")
@pytest.mark.parametrize("key", WAITS)
def test_a_candidate_may_withdraw_at_any_wait(begin: Begin, key: str, blank_papers: None) -> None:
    """Whatever the case waits for, the candidate may take it back, and gets it confirmed."""
    story = begin()
    WAITS[key](story)
    assert story.waits_for == [key]
    assert story.withdraws(story.candidate).outcome == "withdrawn"
    assert story.letters[-1] == "withdrawn"


def test_only_the_assessor_who_was_appointed_assesses(begin: Begin, blank_papers: None) -> None:
    """Another one is refused, with all the right papers."""
    story = begin().to_schedule().scheduled()
    with pytest.raises(NotAllowed, match="assigned to asih"):
        story.reviewed(by="bayu")
