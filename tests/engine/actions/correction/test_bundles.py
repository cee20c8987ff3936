"""What encloses a document that was corrected is made anew with it: the portfolio and the pack that hold a certificate."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from sqlmodel import col, update

from documents.packing import Enclosed
from engine.errors import Refused
from engine.reports.verification import check_document
from engine.runtime.office import Office
from models import Document
from tests.engine.actions.test_recall import played_again
from tests.stories.product_curation.conftest import product as product

if TYPE_CHECKING:
    from tests.stories.product_curation.conftest import CurationStory

Product = Callable[..., "CurationStory"]
CERTIFICATE, CATALOGUE, PORTFOLIO = "certificate_of_curation#1", "export_catalogue#1", "export_portfolio#1"
PACK = "hand_out_pack#1/handover_pack"


@pytest.fixture(autouse=True)
def plain_papers(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Papers that are their facts, and the hashes of what they enclose: a real one takes 50 ms."""

    def render(template: str, facts: Mapping[str, Any], *, files: Sequence[Enclosed] = (), **_: object) -> bytes:
        enclosed = {file.name: sha256(file.content).hexdigest() for file in files}
        return json.dumps({"template": template, "facts": facts, "enclosed": enclosed}, default=str).encode()

    monkeypatch.setattr("documents.render.render", render)
    monkeypatch.setattr(type(office.signer), "sign", lambda _self, pdf, **_how: pdf)


def by_key(story: CurationStory) -> dict[str, Document]:
    """Return the documents of a case."""
    return {document.key: document for document in story.documents}


def enclosed(office: Office, document: Document) -> dict[str, str]:
    """Return name and hash of each file in a bundle, as the bundle itself has them."""
    content = office.store.get(document.path or "")
    if not (document.path or "").endswith(".zip"):
        found: dict[str, str] = json.loads(content)["enclosed"]
        return found
    with ZipFile(BytesIO(content)) as archive:
        return {name: sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def all_are_new(story: CurationStory, office: Office, ending: str) -> None:
    """Hold the newest portfolio and pack to the newest certificate and catalogue, in the files and in what they say."""
    papers = by_key(story)
    certificate, catalogue = papers[f"{CERTIFICATE}{ending}"], papers[f"{CATALOGUE}{ending}"]
    portfolio, pack = papers[f"{PORTFOLIO}{ending}"], papers[f"{PACK}{ending}"]
    assert {one.status for one in (certificate, catalogue, portfolio, pack)} == {"ready"}
    for bundle in (portfolio, pack):
        files = enclosed(office, bundle)
        assert files["certificate_of_curation.pdf"] == certificate.sha256
        assert files["export_catalogue.pdf"] == catalogue.sha256
    assert enclosed(office, pack)["export_portfolio.pdf"] == portfolio.sha256
    with ZipFile(BytesIO(office.store.get(pack.path or ""))) as archive:
        said = json.loads(archive.read("facts.json"))
    hashes = {one["name"]: one["sha256"] for one in said["files"]}
    assert (hashes["export_portfolio"], hashes["export_catalogue"]) == (portfolio.sha256, catalogue.sha256)
    assert (said["portfolio_number"], said["certificate_number"]) == (portfolio.number, certificate.number)


@pytest.mark.reads_papers
def test_after_the_end_pack_and_portfolio_are_made_anew_with_their_parts(product: Product, office: Office) -> None:
    """Twice in a row: each time the old ones stay and are marked, and the new pack holds no paper that is not valid."""
    story = product().to_center().center().matched("no_buyer", reason="belum ada pembeli")
    assert story.outcome == "handed_over"
    old = by_key(story)
    for ending, name in (("~2", "Keripik singkong pedas"), ("~3", "Keripik singkong balado")):
        story.clock.turn(days=1)
        story.corrected(name=name)
        all_are_new(story, office, ending)
        papers = by_key(story)
        before = papers if ending == "~3" else old
        for key in (CERTIFICATE, CATALOGUE, PORTFOLIO, PACK):
            replaced = papers[key if ending == "~2" else f"{key}~2"]
            assert replaced.status == "replaced" and papers[f"{key}{ending}"].replaces == replaced.key
            assert (papers[key].sha256, papers[key].path) == (before[key].sha256, before[key].path)
            assert office.store.get(papers[key].path or "")
    assert check_document(office, "PFO-2026-000001")["checks"][-1]["detail"].endswith("diganti dengan PFO-2026-000003.")
    assert story.standings == {"curated": "A KRS-2026-000003", "handed_over": "PFO-2026-000003"}
    played_again(office, story)


def test_what_is_too_large_for_mail_is_not_sent(product: Product, office: Office) -> None:
    """The owner gets the parts of a pack; its letter names the new number of the portfolio."""
    story = product().to_center().corrected(name="Keripik singkong pedas")
    assert (
        "nomor PFO-2026-000001 diganti dengan dokumen nomor PFO-2026-000002"
        in (story.letter("document_corrected")["text"])
    )
    attached = story.attached("document_corrected")
    assert {f"{CERTIFICATE}~2", f"{CATALOGUE}~2"} <= set(attached)
    assert not {f"{PORTFOLIO}~2", f"{PACK}~2"} & set(attached)


@pytest.mark.reads_papers
@pytest.mark.slow
def test_in_mid_case_what_is_made_later_encloses_the_new_certificate(product: Product, office: Office) -> None:
    """The ledger gave the process the old number and hash; what goes out afterwards bears those of the successor."""
    story = product().to_panel().ruled().corrected(name="Keripik singkong pedas").offers().quality()
    papers = by_key(story)
    assert [papers[key].status for key in (CERTIFICATE, f"{CERTIFICATE}~2", PORTFOLIO)] == [
        "replaced",
        "ready",
        "ready",
    ]
    for bundle in (papers[PORTFOLIO], papers[PACK]):
        assert enclosed(office, bundle)["certificate_of_curation.pdf"] == papers[f"{CERTIFICATE}~2"].sha256
    assert (
        json.loads(office.store.get(papers[PORTFOLIO].path or ""))["facts"]["certificate_number"] == "KRS-2026-000002"
    )
    played_again(office, story)
    story.corrected(name="Keripik singkong balado").center()
    assert enclosed(office, by_key(story)[f"{PACK}~2"])["certificate_of_curation.pdf"] == (
        by_key(story)[f"{CERTIFICATE}~3"].sha256
    )
    assert "PFO-2026-000002" in story.letter("center_accepted")["text"]
    assert story.standings["handed_over"] == "PFO-2026-000002"
    played_again(office, story)


@pytest.mark.reads_papers
@pytest.mark.slow
def test_a_bundle_waits_for_a_part_that_can_not_be_made(
    product: Product, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which; it is made as soon as that one is, and never with the old part."""
    story = product().to_center()
    with monkeypatch.context() as broken:
        make = office.signer.sign

        def sign(_self: object, pdf: bytes, **how: Any) -> bytes:
            if b"export_catalogue" in pdf[:80]:
                raise RuntimeError("no such font")
            return make(pdf, **how)

        broken.setattr(type(office.signer), "sign", sign)
        story.corrected(name="Keripik singkong pedas")
        papers = by_key(story)
        assert papers[f"{PORTFOLIO}~2"].status == "pending"
        assert "export_catalogue#1~2, which goes into export_portfolio#1~2, is not made yet" in (
            papers[f"{PORTFOLIO}~2"].error or ""
        )
    story.clock.turn(hours=1)
    story.advance()
    story.clock.turn(hours=1)
    story.advance()
    all_are_new(story, office, "~2")


@pytest.mark.by_hand
def test_a_paper_that_nobody_hands_out_any_more_stops_no_other(product: Product, office: Office) -> None:
    """Whether it is a bundle can't be told: it keeps its error, and those that were claimed with it are made."""
    story = product()
    with office.db.writing() as session:
        receipt = by_key(story)["confirm_receipt#1/receipt"]
        gone = {"key": "gone#1", "kind": "gone", "status": "pending", "sha256": None, "path": None}
        session.add(Document(**receipt.model_dump() | gone))
    story.corrected(name="Keripik singkong pedas")
    papers = by_key(story)
    assert papers["confirm_receipt#1/receipt~2"].status == "ready"
    assert papers["gone#1"].status == "pending" and "gone" in (papers["gone#1"].error or "")
    with office.db.writing() as session:
        session.execute(update(Document).where(col(Document.key) == "gone#1").values(status="ready", sha256="0" * 64))
    with pytest.raises(
        Refused, match="hands out no gone any more, so gone#1 of case KUR-2026-000001 can't be made anew"
    ):
        story.corrected(name="Keripik singkong balado")
