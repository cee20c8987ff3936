"""Every end of a curation case, and every choice and silence on the way, told by date."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

from engine.reports.verification import check_document
from engine.runtime.office import Office
from tests.stories.product_curation.conftest import REALISED, marks, refused
from tests.stories.story import tells

if TYPE_CHECKING:
    from tests.stories.product_curation.conftest import CurationStory

Begin = Callable[..., "CurationStory"]


@tells(
    "outcome:exported",
    "application:answered",
    "screening:accept",
    "score:scored",
    "panel_decision:pass",
    "export_data:provide",
    "quality_control:confirmed",
    "center_answer:waitlist",
    "center_answer:accept",
    "buyer_match:contract",
    "realisation:answered",
)
@pytest.mark.reads_papers
@pytest.mark.slow
def test_a_product_is_scored_graded_handed_over_and_exported(product: Begin, office: Office, tmp_path: Path) -> None:
    """Papers are real here: the certificate names the standard, the pack holds every file with its hash."""
    story = product()
    story.on("2026-01-13").applies().on("2026-01-14").screened()
    asked = story.holders("score")
    assert sorted(asked) == ["score#1", "score#2"]
    story.on("2026-01-20").scored(90, 88)
    assert story.note == "Nilai 89,00, grade A"
    story.on("2026-01-22").ruled().on("2026-01-28").offers().on("2026-01-30").quality()
    story.on("2026-02-04").center("waitlist").on("2026-02-06").center()
    story.on("2026-02-20").matched().on("2026-03-25").owner_says("realisation", **REALISED)
    assert story.outcome == "exported"
    assert story.case.reason == "SG, USD 1250.00, 500 bungkus"
    said = ["receipt", "sample_received", "passed", "export_wanted", "handed_over", "center_waits", "center_accepted"]
    assert story.letters == [*said, "matched", "exported"]
    assert all(document.status == "ready" for document in story.documents)
    assert story.standings == {
        "curated": "A KRS-2026-000001",
        "handed_over": "PFO-2026-000001",
        "exported": "SG USD 1250.00 500 bungkus",
    }
    assert "rubrik RK-2021-1 yang berlaku sejak 1 Januari 2021" in story.letter("passed")["text"]

    portfolio = next(document for document in story.documents if document.kind == "export_portfolio")
    (tmp_path / "portfolio.pdf").write_bytes(office.store.get(portfolio.path or ""))
    listed = subprocess.run(
        ["pdfdetach", "-list", tmp_path / "portfolio.pdf"], capture_output=True, text=True, check=True
    ).stdout
    for name in ("certificate_of_curation", "export_catalogue", "nib", "food_permit", "quality_control", "photo"):
        assert f"{name}.pdf" in listed
    assert check_document(office, "PFO-2026-000001")["valid"]
    assert check_document(office, "KRS-2026-000001")["valid"]

    pack = next(document for document in story.documents if document.kind == "handover_pack")
    assert pack.path is not None and pack.path.endswith(".zip")
    content = office.store.get(pack.path)
    with ZipFile(BytesIO(content)) as archive:
        manifest = {file["name"]: file for file in json.loads(archive.read("manifest.json"))["files"]}
        assert set(manifest) | {"manifest.json"} == set(archive.namelist())
        for name, file in manifest.items():
            assert hashlib.sha256(archive.read(name)).hexdigest() == file["sha256"]
        assert manifest["export_portfolio.pdf"]["sha256"] == portfolio.sha256
        facts = json.loads(archive.read("facts.json"))
        catalogue = archive.read("export_catalogue.pdf")
    assert (facts["hs_code"], facts["price"], facts["batch"]) == ("2008.99.90", "USD 2.50", "B-2026-01")
    assert b"(en)" in catalogue or b"/Lang (en" in catalogue
    (tmp_path / "pack.zip").write_bytes(content)
    assert check_document(office, str(tmp_path / "pack.zip"))["valid"]


@tells(
    "outcome:matched",
    "buyer_match:letter_of_intent",
    "realisation:silent",
    "quality_control:not_confirmed",
    "panel_decision:pass",
)
def test_nothing_is_handed_over_while_quality_control_is_unconfirmed(product: Begin, blank_papers: None) -> None:
    """What quality control finds goes back to the owner; only a confirmed batch is packed."""
    story = product().to_panel(75, 75).ruled(grade="B", export_plan="uji simpan sembilan bulan")
    story.offers().quality(decision="not_confirmed", findings=["kadar air terlalu tinggi"])
    assert story.waits_for == ["export_data#2"]
    assert "kadar air terlalu tinggi (Pengendalian mutu batch)" in story.letter("return_notice")["text"]
    kinds = {document.kind for document in story.documents}
    assert not kinds & {"export_catalogue", "export_portfolio", "handover_pack"}
    assert refused(lambda: story.offers().quality(record=None))[0] == "record"
    story.quality().center().matched("letter_of_intent")
    story.on("2027-06-01").nothing_happens()
    assert (story.outcome, story.standings["curated"]) == ("matched", "B KRS-2026-000001")


@tells("outcome:handed_over", "buyer_match:no_buyer", "center_answer:accept")
def test_a_product_without_a_buyer_stays_with_the_export_center(product: Begin, blank_papers: None) -> None:
    """What was tried is the reason."""
    story = product().to_center().center().matched("no_buyer", reason="tiga pembeli menolak contoh")
    assert (story.outcome, story.case.reason) == ("handed_over", "tiga pembeli menolak contoh")


@tells("outcome:matched", "buyer_match:test_market", "realisation:silent")
def test_a_test_market_may_end_without_an_export(product: Begin, blank_papers: None) -> None:
    """The letter says what was arranged."""
    story = product().to_center().center().matched("test_market")
    assert "uji pasar" in story.letter("matched")["text"]
    assert story.on("2027-06-01").nothing_happens().outcome == "matched"


@tells("panel_decision:return", "repair:answered", "panel_decision:pass", "score:scored")
def test_a_grade_above_the_scores_needs_its_reason_and_who_scored_does_not_decide(
    product: Begin, office: Office, blank_papers: None
) -> None:
    """The spread brings a third curator; their median counts; notes carry remarks, no scores and no names."""
    story = product().to_scores().scored(90, 70)
    assert story.waits_for == ["score#3"]
    story.scored(84)
    assert story.note == "Nilai 84,00, grade B"
    assert refused(lambda: story.ruled(grade="D"))[0] == "grade"
    story.ruled(grade="A")
    assert story.waits_for == ["panel_decision#2"]
    assert "grade A di atas hasil nilai; tulis alasannya" in story.note
    story.ruled("return")
    text = story.letter("curation_notes")["text"]
    assert "cantumkan berat bersih" in text
    story.repairs().scored(86, 86).ruled(grade="A", reason="")
    assert story.waits_for == ["export_data#1"]


@tells("outcome:not_repaired", "panel_decision:return", "repair:silent")
def test_an_owner_who_does_not_repair(product: Begin, blank_papers: None) -> None:
    """Thirty calendar days, then the case ends; it is no judgement on the owner."""
    story = product().to_panel(50, 50).ruled("return").on("2026-03-31").nothing_happens()
    assert story.outcome == "not_repaired"
    assert "boleh diajukan lagi" in story.letter("closed")["text"]


@tells("panel_decision:return", "repair:answered", "appeal:accept", "outcome:not_passed")
def test_three_rounds_and_no_more(product: Begin, blank_papers: None) -> None:
    """In the last round notes mean: not passed. The chair is told before."""
    story = product().to_panel(50, 50).ruled("return").repairs().scored(52, 52).ruled("return").repairs().scored(53, 53)
    assert story.note == "Nilai 53,00, grade D; putaran terakhir, lolos atau tidak"
    story.ruled("return").owner_says("appeal", decision="accept")
    assert (story.outcome, story.case.reason) == ("not_passed", "cantumkan berat bersih")


@tells("appeal:silent", "outcome:not_passed")
def test_an_owner_who_does_not_appeal(product: Begin, blank_papers: None) -> None:
    """The result stands when the time for an appeal is over."""
    story = product().to_panel(40, 40).ruled("reject").on("2026-03-02").nothing_happens()
    assert (story.outcome, story.case.reason) == ("not_passed", "mutu tidak seragam")


@tells("curators_wanted:reject", "appeal:appeal", "outcome:no_curators")
def test_an_appeal_that_nobody_can_hear(product: Begin, blank_papers: None) -> None:
    """Where every curator scored, an officer looks for others; who gives that up is objected to, and the owner is told so."""
    story = product(curators=("agus", "bayu")).to_panel(40, 40).ruled("reject")
    story.owner_says("appeal", decision="appeal", reason="contoh tertukar")
    assert story.note == "Perlu 1 kurator makanan bersertifikat tanpa benturan, ada 0"
    assert story.answers("budi", "curators_wanted#1", decision="reject", reason="tidak ada").outcome == "no_curators"
    assert "keberatan tertulis kepada Kepala Bidang" in story.letter("closed")["text"]


@tells("curators_wanted:reject", "outcome:no_curators")
def test_a_cluster_without_curators(product: Begin, blank_papers: None) -> None:
    """The case is not left waiting for nobody: an officer may end it, and the owner is told why."""
    story = product(curators=("agus",)).to_scores()
    story.answers("budi", "curators_wanted#1", decision="reject", reason="tidak ada kurator kedua")
    assert story.outcome == "no_curators"
    assert "kurator yang boleh menilai tidak cukup" in story.letter("closed")["text"]


@tells("score:silent", "score:scored", "curators_wanted:reject", "outcome:no_curators")
def test_a_silent_curator_is_replaced_and_a_third_may_be_missing(product: Begin, blank_papers: None) -> None:
    """Silence never lapses a case: another curator scores, as long as there is one."""
    story = product(curators=("agus", "bayu", "citra")).to_scores()
    story.answers("agus", "score#1", decision="scored", marks=marks(95)).on("2026-02-20").nothing_happens()
    assert story.holders("score") == {"score#3": "citra"}
    assert "Kurator lain menggantikannya" in story.letter("curators_changed")["text"]
    story.scored(60)
    assert story.waits_for == ["curators_wanted#1"]
    story.answers("budi", "curators_wanted#1", decision="reject", reason="tidak ada kurator ketiga")
    assert story.outcome == "no_curators"


@tells("screening:reject", "outcome:refused")
def test_refusals_bear_a_number_and_their_reasons(product: Begin) -> None:
    """By an officer, or because the business is in another province."""
    story = product().applies().screened("reject", reason="bukan produk sendiri")
    assert story.outcome == "refused"
    assert "bukan produk sendiri (Pemeriksaan berkas)" in story.letter("refused")["text"]
    away = product(region_code="3201", national_id="3508166904956221")
    assert (away.outcome, away.documents[-1].number) == ("refused", "TLK-2026-000002")


@tells("application:silent", "outcome:not_submitted", "correction:silent", "outcome:not_corrected")
def test_owners_who_are_silent(product: Begin, blank_papers: None) -> None:
    """Silence past the limit ends the case, with what was missing."""
    story = product()
    other = product("Keripik talas", business=1).applies(packaged=True, home_industry_number=None)
    third = product("Keripik ubi", business=1).applies().screened("return", deficiencies=["foto buram"])
    story.on("2026-04-30").nothing_happens()
    assert (story.outcome, other.outcome, third.outcome) == ("not_submitted", "not_corrected", "not_corrected")


@tells("outcome:withdrawn")
@pytest.mark.parametrize("waits", ["application#1", "score#1", "center_answer#1"])
def test_an_owner_may_withdraw_at_any_wait(product: Begin, blank_papers: None, waits: str) -> None:
    """Whatever the case waits for, the owner may take the product back, and gets it confirmed."""
    story = product()
    if waits != "application#1":
        story = story.to_scores() if waits == "score#1" else story.to_center()
    assert waits in story.waits_for
    story.withdraws(f"owner-{story.case.person_id}", "berhenti berproduksi")
    assert story.outcome == "withdrawn"
    assert "merek bersama" in story.letter("withdrawn")["text"]
