"""Every end of a NIB case, and every choice and silence on the way, told by date."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from engine.errors import NotAllowed, NotWaiting
from engine.runtime.office import Office
from models import Standing
from tests.people import EVIDENCE
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

Begin = Callable[..., "NibStory"]


@tells(
    "outcome:legalized",
    "dossier_check:complete",
    "classification:proceed",
    "statement:sign",
    "oss_filing:issued",
    "nib_record:match",
)
def test_a_low_risk_business_gets_its_nib_recorded_and_a_certificate(nib: Begin, office: Office) -> None:
    """A low-risk business goes from receipt to certificate, and each step reaches its owner as a letter."""
    story = nib()
    story.on("2026-01-13").dossier().on("2026-01-14").classified().on("2026-01-15").signs_on_paper()
    assert story.waits_for == ["oss_filing#1"]
    story.filed().on("2026-01-16").recorded()
    assert story.outcome == "legalized"
    assert story.letters == ["receipt", "completeness", "risk_sheet", "legalized"]
    certificate = next(document for document in story.documents if document.number)
    assert certificate.number == "LEG-2026-000001"
    assert certificate.kind == "certificate_of_legalization"
    assert all(document.status == "ready" for document in story.documents)
    assert "9120304567812" in story.letter("legalized")["text"]
    with office.db.reading() as session:
        standing = session.get(Standing, (story.case.id, "legalized"))
        assert standing is not None
        assert standing.reference == "9120304567812"


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_nib_whose_day_of_issue_nobody_knows_is_certified_without_it(nib: Begin, language: str) -> None:
    """OSS or the officer named no day: the certificate does not wait for one for ever."""
    story = nib(language=language).dossier().classified().signs_on_paper().filed(issued_on=None).recorded()
    [certificate] = [document for document in story.documents if document.number]
    assert (story.outcome, certificate.status, certificate.error) == ("legalized", "ready", None)


@tells("verification:approve", "outcome:legalized")
def test_a_medium_high_risk_waits_for_dpmptsp_before_it_is_certified(nib: Begin) -> None:
    """A medium-high risk gets its certificate only once DPMPTSP's approval is recorded, with its evidence."""
    story = nib().to_verification()
    assert story.waits_for == ["verification#1"]
    assert not any(document.number for document in story.documents)
    story.on("2026-01-30").verified()
    assert story.outcome == "legalized"
    assert "verification_started" in story.letters


@tells("outcome:refused_by_dpmptsp", "verification:reject")
def test_a_refusal_of_dpmptsp_is_handed_on_with_its_reason_and_the_way_to_object(nib: Begin) -> None:
    """What DPMPTSP refuses is recorded for it; its reason and the right to object reach the owner."""
    story = nib().to_verification().verified("reject", reason="lokasi tidak sesuai tata ruang")
    assert story.outcome == "refused_by_dpmptsp"
    text = story.letter("rejected_by_verifier")["text"]
    assert "lokasi tidak sesuai tata ruang" in text


@tells("verification:return", "verification:approve", "correction:answered")
def test_what_dpmptsp_wants_put_right_is_put_right_and_verified_again(nib: Begin) -> None:
    """DPMPTSP returns the application; the owner mends it; the verification goes on under the next count."""
    story = nib().to_verification().verified("return", deficiencies=["denah lokasi"])
    assert story.waits_for == ["correction#1"]
    story.corrects(note="denah terlampir")
    assert story.waits_for == ["verification#2"]
    assert story.verified().outcome == "legalized"


@tells("verification:return", "correction:silent", "outcome:not_corrected")
def test_an_owner_silent_towards_dpmptsp_loses_the_case(nib: Begin) -> None:
    """Silence of the owner, not of the office, ends the case after the limit."""
    story = nib().to_verification().verified("return", deficiencies=["denah lokasi"])
    assert story.on("2026-04-15").nothing_happens().outcome == "not_corrected"


@tells("verification:deadline_passed", "deadline_ruling:keep_waiting", "deadline_ruling:granted_in_oss")
def test_a_passed_deadline_grants_nothing_by_itself(nib: Begin) -> None:
    """DPMPTSP's time passes: a head of division decides, and only evidence from OSS makes it a grant."""
    story = nib().to_verification().on("2026-02-16").verified("deadline_passed")
    assert story.waits_for == ["deadline_ruling#1"]
    assert "deadline_passed" in story.letters
    story.answers("rini", "deadline_ruling#1", decision="keep_waiting", reason="OSS belum menetapkan")
    assert story.waits_for == ["verification#2"]
    story.verified("deadline_passed")
    granted = {"decision": "granted_in_oss", "reason": "ditetapkan di OSS", "evidence": EVIDENCE}
    assert story.answers("rini", "deadline_ruling#2", **granted).outcome == "legalized"


@tells("dossier_check:return", "correction:answered", "outcome:legalized")
def test_a_returned_dossier_is_mended_and_goes_on(nib: Begin) -> None:
    """An incomplete dossier comes back with what is missing and until when; mended, it goes on to its NIB."""
    story = nib().dossier("return", deficiencies=["alamat usaha belum lengkap"])
    assert "alamat usaha belum lengkap" in story.letter("return_notice")["text"]
    assert story.shown()["waiting_for"][0]["due_on"] == "2026-01-20"  # 16 January is Isra Mikraj
    story.on("2026-01-15").corrects(address="Jl. Melati No. 5, Lumajang")
    story.dossier().classified().signs_on_paper().filed().recorded()
    assert story.outcome == "legalized"


@tells("dossier_check:return", "correction:silent", "outcome:not_corrected")
def test_a_dossier_that_is_not_mended_lapses(nib: Begin) -> None:
    """An owner who does not mend the dossier within 30 working days loses the case, and is told so."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"])
    story.on("2026-02-20").nothing_happens()
    assert story.outcome is None
    story.on("2026-03-31").nothing_happens()
    assert story.outcome == "not_corrected"
    assert story.letters[-1] == "lapsed"


@tells("dossier_check:reject", "outcome:refused")
def test_a_rejected_dossier_gets_its_reasons_and_the_way_to_object(nib: Begin) -> None:
    """A refusal names its reason and until when the owner may object: UU 30/2014 Pasal 77."""
    story = nib().dossier("reject", reason="usaha tidak berada di alamat ini")
    assert story.outcome == "refused"
    text = story.letter("refused")["text"]
    assert "usaha tidak berada di alamat ini" in text
    assert "Februari 2026" in text


@tells("outcome:refused")
def test_a_business_of_another_province_is_refused_in_words(nib: Begin) -> None:
    """A business outside the office's region is refused at once, and told why."""
    story = nib(region_code="3201")
    assert story.outcome == "refused"
    assert "di luar wilayah kerja" in (story.case.reason or "")


@tells("outcome:refused")
def test_a_medium_business_is_outside_the_programme(nib: Begin) -> None:
    """A medium business is told that the programme is for micro and small ones."""
    story = nib(annual_sales_rupiah=18_400_000_000)
    assert story.outcome == "refused"
    assert "mikro dan kecil" in (story.case.reason or "")


@tells("existing_nib_check:valid", "outcome:already_legal")
def test_a_business_with_a_valid_nib_is_recorded_and_handed_on(nib: Begin) -> None:
    """Who has a NIB already is never refused: it is matched, recorded, and the next doors are shown."""
    story = nib(business_id_number="9120304567812")
    assert story.waits_for == ["existing_nib_check#1"]
    story.answers("budi", "existing_nib_check#1", decision="valid", evidence=EVIDENCE)
    assert story.outcome == "already_legal"
    assert story.letters == ["receipt", "already_legal"]


@tells("existing_nib_check:not_theirs", "dossier_check:complete")
def test_a_nib_of_somebody_else_is_not_taken_over(nib: Begin) -> None:
    """A stated NIB that belongs to another owner does not count; the case goes the usual way."""
    story = nib(business_id_number="9120304567812")
    story.answers("budi", "existing_nib_check#1", decision="not_theirs", reason="atas nama orang lain")
    assert story.dossier().waits_for == ["classification#1"]


@tells("existing_nib_check:not_found")
def test_a_nib_that_oss_does_not_know_does_not_count(nib: Begin) -> None:
    """A stated NIB that OSS does not know is as good as none."""
    story = nib(business_id_number="9120304567812")
    story.answers("budi", "existing_nib_check#1", decision="not_found")
    assert story.waits_for == ["dossier_check#1"]


@tells("oss_filing:already_registered", "outcome:already_legal")
def test_an_owner_who_got_the_nib_alone_meanwhile_is_handed_on(nib: Begin) -> None:
    """OSS knows the owner by the time we file: the NIB is matched and recorded, not filed twice."""
    story = nib().to_statement().signs_on_paper().filed("already_registered").recorded()
    assert story.outcome == "already_legal"


@tells("classification:reroute", "outcome:rerouted")
def test_an_activity_that_needs_a_permit_first_is_rerouted(nib: Begin) -> None:
    """A slaughterhouse goes to the agency in charge, and is told which."""
    story = nib().dossier()
    story.classified("T", "reroute", industry_code="10110", agency="Dinas Peternakan", reason="perlu NKV lebih dahulu")
    assert story.outcome == "rerouted"
    assert "Dinas Peternakan" in story.letter("rerouted")["text"]


@tells("statement:silent", "outcome:not_signed")
def test_an_unsigned_statement_lets_the_case_lapse(nib: Begin) -> None:
    """Without the owner's statements nothing can be filed; after the limit the case ends."""
    story = nib().to_statement().on("2026-03-31").nothing_happens()
    assert story.outcome == "not_signed"
    assert story.letters[-1] == "lapsed"


@tells("statement:decline", "outcome:declined")
def test_an_owner_who_will_not_state_is_let_go(nib: Begin) -> None:
    """Declining is an answer, too: the case ends without reproach."""
    story = nib().to_statement()
    story.answers("budi", "statement#1", decision="decline", paper=EVIDENCE, reason="belum siap")
    assert story.outcome == "declined"


@tells("oss_filing:refused", "correction:answered", "outcome:legalized")
def test_what_oss_refuses_is_mended_and_filed_again(nib: Begin) -> None:
    """OSS refuses the data; the owner mends them; the next filing has a key of its own."""
    story = nib().to_statement().signs_on_paper().filed("refused", reason="nama tidak sesuai KTP")
    assert story.waits_for == ["correction#1"]
    story.corrects(owner_name="Sri Purnomo, S.E.")
    assert story.waits_for == ["oss_filing#2"]
    assert story.filed().recorded().outcome == "legalized"


@tells("oss_filing:refused", "correction:silent", "outcome:not_corrected")
def test_data_that_oss_refused_and_nobody_mends_end_the_case(nib: Begin) -> None:
    """An owner who never mends what OSS refused loses the case after the limit."""
    story = nib().to_statement().signs_on_paper().filed("refused", reason="NPWP tidak dikenal")
    assert story.on("2026-03-31").nothing_happens().outcome == "not_corrected"


@tells("nib_record:mismatch", "nib_record:match")
def test_a_nib_pdf_of_another_person_goes_back_to_filing(nib: Begin) -> None:
    """The second officer sees another person's name on the PDF: it is not recorded, and is filed again."""
    story = nib().to_statement().signs_on_paper().filed().recorded("mismatch", reason="PDF atas nama orang lain")
    assert story.waits_for == ["oss_filing#2"]
    assert story.filed().recorded().outcome == "legalized"


def test_who_filed_does_not_check_the_own_filing(nib: Begin) -> None:
    """The officer who typed the NIB may not be the one who compares it with the dossier."""
    story = nib().to_statement().signs_on_paper().filed()
    with pytest.raises(NotAllowed, match="budi took part"):
        story.recorded(by="budi")
    assert story.waits_for == ["nib_record#1"]


WAITS: dict[str, Callable[[NibStory], object]] = {
    "dossier_check#1": lambda story: None,
    "correction#1": lambda story: story.dossier("return", deficiencies=["alamat"]),
    "classification#1": lambda story: story.dossier(),
    "statement#1": lambda story: story.to_statement(),
    "oss_filing#1": lambda story: story.to_statement().signs_on_paper(),
    "nib_record#1": lambda story: story.to_statement().signs_on_paper().filed(),
    "verification#1": lambda story: story.to_verification(),
    "deadline_ruling#1": lambda story: story.to_verification().verified("deadline_passed"),
}


@tells("outcome:withdrawn")
@pytest.mark.parametrize("key", WAITS)
def test_an_owner_may_withdraw_at_any_wait(nib: Begin, key: str) -> None:
    """Whatever the case waits for, the owner may take it back, and gets it confirmed."""
    story = nib()
    WAITS[key](story)
    assert story.waits_for == [key]
    story.withdraws("owner-1", "pindah ke luar kota")
    assert story.outcome == "withdrawn"
    assert story.letters[-1] == "withdrawn"
    with pytest.raises(NotWaiting, match="was withdrawn before"):
        story.answers("budi", key, decision="complete")
