"""A name or number that was registered wrong is put right: in the register, in the case, on what was handed out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlmodel import select

from engine.actions.correction.correct import correct
from engine.cases.dossier import fetch_by_number
from engine.errors import NotAllowed, Refused
from engine.execution.parking import retry
from engine.people.accounts import add_user
from engine.people.persons import add_person
from engine.reports.verification import check_document
from engine.runtime.file_store import attach
from engine.runtime.office import Office
from models import Business, Document, LedgerEntry, Letter, Person, PersonIndex, PersonKey, Standing
from tests.engine.actions.test_recall import played_again
from tests.engine.conftest import Begin
from tests.outside.misbehaving_oss import MisbehavingOss, Mood
from tests.pipelines_for_tests.workshop import CERTIFICATES, FARM_VISIT, Workshop
from tests.stories.story import Story

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

Nib = Callable[..., "NibStory"]
WRONG, RIGHT = "3508166904956220", "3508166904956228"
blank = pytest.mark.usefixtures("blank_papers")


def facts(office: Office, story: Story) -> dict[str, Any]:
    """Return the sealed facts of the case."""
    with office.db.reading() as session:
        dossier = fetch_by_number(office, session, story.number)
        found: dict[str, Any] = office.vault.decrypt(dossier.key, dossier.row.facts)
    return found


def on_paper(office: Office, story: Story) -> dict[str, dict[str, Any]]:
    """Return the facts of every document by its key."""
    with office.db.reading() as session:
        dossier = fetch_by_number(office, session, story.number)
        found = session.exec(select(Document).where(Document.case_id == dossier.row.id))
        return {one.key: office.vault.decrypt(dossier.key, one.facts) for one in found}


@blank
def test_in_mid_case_register_facts_and_papers_are_put_right(nib: Nib, office: Office) -> None:
    """A letter missing in the owner's name, found after the dossier check: the case goes on and ends with the right name."""
    story = nib().dossier()
    before = {one.key: one.status for one in story.documents}
    story.corrected(owner__name="Sri Purnomowati", national_id=RIGHT)
    with office.db.reading() as session:
        person = session.exec(select(Person).where(Person.id == story.case.person_id)).one()
        sealed = office.vault.decrypt(session.get_one(PersonKey, person.key_id), person.sealed)
        digests = set(session.exec(select(PersonIndex.digest).where(PersonIndex.person_id == person.id)))
    assert (person.name, sealed["national_id"]) == ("Sri Purnomowati", RIGHT)
    assert office.vault.digest("national_id", RIGHT) in digests
    assert office.vault.digest("national_id", WRONG) not in digests
    known = facts(office, story)
    assert known["owner"]["name"] == "Sri Purnomowati"
    assert [(one["field"], one["old"], one["by"]) for one in known["corrected"]] == [
        ("owner.name", "Sri Purnomo", "tuti"),
        ("owner.national_id", WRONG, "tuti"),
    ]
    papers = {one.key: (one.status, one.replaces) for one in story.documents}
    for key in before:
        assert papers[key][0] == "replaced"
        assert papers[f"{key}~2"] == ("ready", key)
    assert all(on_paper(office, story)[f"{key}~2"]["applicant_name"] == "Sri Purnomowati" for key in before)
    assert story.letters[-1] == "document_corrected"
    assert "- nama (pemohon)\n- NIK (pemohon)" in story.letter("document_corrected")["text"]
    assert story.letter("document_corrected")["text"].startswith("Yth. Bapak/Ibu Sri Purnomowati")
    played_again(office, story)
    story.classified().signs_on_paper().filed().recorded()
    assert story.outcome == "legalized"
    assert on_paper(office, story)["certificate_of_legalization#1"]["applicant_name"] == "Sri Purnomowati"
    played_again(office, story)


@blank
def test_the_ledger_keeps_names_of_fields_and_hashes(nib: Nib, office: Office) -> None:
    """Neither the old nor the new value stands in it."""
    evidence = attach(office.store, b"%PDF-1.4 KTP")
    story = nib()
    with office.run("cli", by="tuti") as run:
        data = {"owner": {"national_id": f"'{RIGHT} "}}
        correct(office, run, story.number, by="tuti", reason=f"NIK {WRONG} salah", data=data, evidence=evidence)
    entry = story.entries[-1]
    assert (entry.key, entry.kind, entry.outcome, entry.actor, entry.role) == (
        "corrected#1", "remark", "corrected", "tuti", "officer",
    )  # fmt: skip
    assert list(entry.result["fields"]) == ["owner.national_id"]
    assert entry.result["evidence"] == evidence
    assert WRONG not in str(entry.model_dump()) and RIGHT not in str(entry.model_dump())
    assert facts(office, story)["owner"]["national_id"] == RIGHT
    with pytest.raises(Refused, match="says the same already"):
        story.corrected(national_id=RIGHT)


@pytest.mark.reads_papers
@pytest.mark.slow
def test_an_issued_document_is_replaced_by_one_with_a_new_number(nib: Nib, office: Office) -> None:
    """After the end: the old certificate is marked, the new one names it, both can be checked; the series has no gap."""
    story = nib().to_statement().signs_on_paper().filed().recorded()
    assert story.outcome == "legalized"
    [old] = [one for one in story.documents if one.number]
    assert check_document(office, old.number or "")["valid"] is True
    story.clock.turn(days=3)
    story.corrected("rini", name="Sari Sri Rejeki")
    [new] = [one for one in story.documents if one.replaces == old.key]
    assert (old.number, new.number) == ("LEG-2026-000001", "LEG-2026-000002")
    found = check_document(office, old.number or "")
    assert (found["valid"], found["status"]) == (False, "replaced")
    assert found["checks"][-1]["detail"] == "Dokumen ini sudah diganti dengan LEG-2026-000002."
    assert check_document(office, new.number or "") | {"checks": []} == {
        "valid": True, "kind": old.kind, "number": new.number, "status": "ready",
        "signed_by": check_document(office, new.number or "")["signed_by"], "checks": [],
    }  # fmt: skip
    words = on_paper(office, story)[new.key]
    assert (words["business_name"], words["applicant_name"], words["replaces"]) == (
        "Sari Sri Rejeki", "Sri Purnomo", old.number,
    )  # fmt: skip
    issued = next(entry for entry in story.entries if entry.key == new.key)
    assert (issued.kind, issued.outcome, issued.result["number"]) == ("remark", "issued", new.number)
    assert issued.result["sha256"] == new.sha256
    remarks = [entry.key for entry in story.entries if entry.kind == "remark"]
    assert remarks == ["corrected#1", new.key], "papers without number are made anew without an entry, as ever"
    assert (
        f"Dokumen nomor {old.number} diganti dengan dokumen nomor {new.number}."
        in (story.letter("document_corrected")["text"])
    )
    assert story.letters[-1] == "document_corrected"
    with office.db.reading() as session:
        letter = session.exec(select(Letter).where(Letter.letter == "document_corrected")).one()
        assert new.key in letter.attachments
        standing = session.exec(select(Standing).where(Standing.case_id == story.case.id)).first()
        assert session.exec(select(Business.name)).one() == "Sari Sri Rejeki"
    assert standing is None or standing.reference != old.number
    assert story.is_whole()
    story.corrected("rini", name="Sari Sri")
    assert check_document(office, "LEG-2026-000001")["checks"][-1]["detail"].endswith("diganti dengan LEG-2026-000003.")
    assert {one.key for one in story.documents if one.number} == {old.key, f"{old.key}~2", f"{old.key}~3"}


@blank
def test_a_parked_case_is_corrected_and_issues_with_the_right_name(
    workshop: Workshop, begin: Begin, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its document could not be made; the number that is reserved bears the right name afterwards."""
    workshop.write(CERTIFICATES)
    with monkeypatch.context() as broken:
        broken.setattr("engine.execution.issuing.make_and_store", lambda *_: 1 / 0)
        story = begin("certificates")
        with pytest.raises(Refused, match=r"certificate#1 .* is under way"):
            story.corrected(owner__name="Sri Purnomowati")
        for _ in range(5):
            story.clock.turn(hours=1)
            story.advance()
    assert story.case.status == "parked"
    story.corrected(owner__name="Sri Purnomowati")
    with office.run("cli", by="admin") as run:
        retry(office, run, story.number, by="admin")
    story.advance()
    assert story.outcome == "done"
    assert on_paper(office, story)["certificate#1"] == {"to": "Sri Purnomowati"}
    assert [one.number for one in story.documents] == ["SRT-2026-000001"]
    played_again(office, story)


@blank
def test_the_other_open_cases_of_the_applicant_go_on(workshop: Workshop, begin: Begin, office: Office) -> None:
    """The name of an applicant reaches all their cases: what those recorded is fitted by key from then on."""
    named = ("greet(case)\n    visit", "weigh(case, len(case.applicant.name))\n    visit")
    workshop.write(FARM_VISIT, "made_up", named)
    workshop.write(CERTIFICATES, "made_up_2", ("    certificate = issue", "    ask(VISIT)\n    certificate = issue"))
    first = begin()
    with office.db.reading() as session:
        business = session.exec(select(Business.id)).one() or 0
    other = Story(office, first.clock, "certificates", business)
    other.corrected(owner__name="Sri Purnomowati")
    assert first.entries[-1].key == "corrected#1"
    assert first.entries[-1].reason == f"nama pemohon diperbaiki pada {other.number}"
    first.answers("budi", "visit", decision="fine").answers("ani", "sample", decision="fine")
    assert first.outcome == "done"
    played_again(office, first)


@blank
def test_what_would_send_the_case_another_way_is_refused(nib: Nib, office: Office) -> None:
    """A NIB that the applicant had all along opens another question: that is no slip of the pen."""
    story = nib()
    with pytest.raises(Refused, match=r"can't go on with that: .*Withdraw it and open it anew") as refused:
        story.corrected(business_id_number="9120304567812")
    assert "Tarik, lalu ajukan kembali" in refused.value.for_people
    assert facts(office, story)["business_id_number"] is None
    assert story.entries[-1].key == "examine#1"


@blank
@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"national_id": "350816690495622"}, "has 15 digits instead of 16"),
        ({"phone": "12"}, "incomplete or mistyped"),
        ({"name": " "}, "business's name is empty"),
        (
            {"capital_rupiah": "5"},
            r"capital_rupiah .* can't be corrected.*; what can be: name, main_product, .*owner\.address",
        ),
        ({"owner": {"person_id": "2"}}, r"owner\.person_id .* can't be corrected"),
        ({"name": 7}, "is no text"),
        ({"phone": "081234567890", "owner": {"phone": "081234567891"}}, "named twice, as phone and as owner.phone"),
    ],
)
def test_what_can_not_be_taken_changes_nothing(data: dict[str, Any], said: str, nib: Nib, office: Office) -> None:
    """Each refusal names the field and what is wrong, as an import does."""
    story = nib()
    with pytest.raises(Refused, match=said), office.run("cli", by="tuti") as run:
        correct(office, run, story.number, by="tuti", reason="salah ketik", data={"address": "Jl. Baru 1", **data})
    assert story.entries[-1].key == "examine#1"
    assert facts(office, story)["owner"]["address"] == "Jl. Santoso No. 179, Lumajang"


@blank
def test_a_national_id_of_somebody_else_is_refused(nib: Nib, office: Office) -> None:
    """One national id is one person."""
    story = nib()
    add_person(office, "Budi Santoso", national_id="3508166904956229")
    with pytest.raises(Refused, match="registered already for somebody else"):
        story.corrected(national_id="3508166904956229")
    assert story.entries[-1].key == "examine#1"


@blank
def test_who_may_correct(nib: Nib, office: Office) -> None:
    """Neither the applicant, nor a companion, nor an officer of another region or on their own case."""
    story = nib()
    for by, said in (("owner-1", "that takes an officer"), ("ani", "that takes an officer")):
        with pytest.raises(NotAllowed, match=said):
            story.corrected(by, name="Sari")
    add_user(office, "dewi", ["officer"], region="3578")
    with pytest.raises(NotAllowed, match="works for region 3578"):
        story.corrected("dewi", name="Sari")
    add_user(office, "sri", ["officer"], person=story.case.person_id)
    with pytest.raises(NotAllowed, match="is the applicant"):
        story.corrected("sri", name="Sari")


@blank
def test_while_a_machine_is_at_work_nothing_is_corrected(nib: Nib, oss: MisbehavingOss) -> None:
    """OSS has the old name in hand."""
    oss.next(Mood.BUSY)
    story = nib().to_statement().signs_on_paper()
    with pytest.raises(Refused, match=r"oss_filing#1 .* is under way\. Correct it once that is done"):
        story.corrected(name="Sari")


@blank
def test_after_a_recall_and_before_a_withdrawal(nib: Nib, office: Office) -> None:
    """The three can follow each other, in any case's ledger."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"]).corrected(name="Sari Sri Rejeki")
    story.recalls("budi").corrected("rini", name="Sari").dossier()
    assert story.waits_for == ["classification#1"]
    played_again(office, story)
    with office.db.reading() as session:
        remarks = session.exec(
            select(LedgerEntry.key).where(LedgerEntry.case_id == story.case.id, LedgerEntry.kind == "remark")
        ).all()
    assert remarks == ["corrected#1", "recall#1", "corrected#2"]
    assert story.withdraws("owner-1").outcome == "withdrawn"


@blank
def test_a_letter_that_has_not_left_says_what_is_right(nib: Nib, office: Office) -> None:
    """It is queued with the old name, and leaves with the new one; in its HTML a sign that HTML uses is written out."""
    story = nib()
    story.corrected(owner__name="Sri D'Angelo").corrected(owner__name="Sri D'Artagnan")
    with office.db.reading() as session:
        dossier = fetch_by_number(office, session, story.number)
        letter = session.exec(select(Letter).where(Letter.letter == "receipt")).one()
        words = office.vault.decrypt(dossier.key, letter.sealed)
    assert (letter.status, letter.to_name) == ("waiting", "Sri D'Artagnan")
    assert words["text"].startswith("Yth. Bapak/Ibu Sri D'Artagnan,")
    assert "Sri D&#39;Artagnan" in words["html"]
    assert not {"Purnomo", "Angelo"} & set(re.findall(r"\w+", words["text"] + words["html"]))
