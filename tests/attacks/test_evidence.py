"""Evidence is an upload of one account, for one field of one case; our own documents are none, and paper signs at the counter."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from engine.actions.answer import Answered, answer, answer_many
from engine.actions.correction.correct import correct
from engine.actions.lodge_appeal import lodge_appeal
from engine.deadlines.clock import TurnedClock
from engine.errors import BadAnswer, NotAllowed, Refused
from engine.people.accounts import add_user, give_own_code
from engine.people.mandates import add_mandate
from engine.people.persons import record_certificate
from engine.runtime.file_store import attach
from engine.runtime.migrations import migrate_schema
from engine.runtime.office import Office
from models import Role, Upload
from outside.oss_http import HttpOss
from tests.cli.test_contract import Jalur, advance
from tests.cli.test_contract import jalur as jalur
from tests.cli.test_contract import opened as opened
from tests.cli.test_contract import run as run
from tests.engine.conftest import Begin
from tests.engine.conftest import authorities as authorities
from tests.engine.conftest import begin as begin
from tests.engine.conftest import oss as oss
from tests.engine.conftest import workshop as workshop
from tests.engine.together import at_once
from tests.people import EVIDENCE
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.nib_legalization.conftest import NIB, NibStory
from tests.stories.nib_legalization.conftest import nib as nib

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., NibStory]
ANOTHER = "3508166904956221"
SIGN: dict[str, Any] = {"decision": "sign", "k3l": True, "spatial": True, "sppl": True}
ISSUED: dict[str, Any] = {
    "decision": "issued",
    "source": "oss.go.id",
    "nib": NIB,
    "holder_name": "Sri Purnomo",
    "issued_on": "2026-01-14",
}


def put(office: Office, words: str) -> str:
    """Put a file into the store as nobody's upload; return its name as somebody types it."""
    return f"sha256:{office.store.put(f'%PDF-1.4 {words}'.encode())[0]}"


def own_document(story: NibStory) -> str:
    """Return the name of the case's own receipt, as its owner reads it from the portal."""
    [receipt] = [one for one in story.documents if one.kind == "receipt"]
    assert receipt.sha256 is not None
    return f"sha256:{receipt.sha256}"


def uploads(office: Office) -> list[Upload]:
    """Return all uploads, the oldest first."""
    with office.db.reading() as session:
        return list(session.exec(select(Upload).order_by(col(Upload.id))))


def refused_field(refused: pytest.ExceptionInfo[BadAnswer]) -> tuple[str, str]:
    """Return the one field that was refused, and why."""
    faults: Any = refused.value.parts["fields"]
    [fault] = faults
    return fault["field"], fault["reason"]


# -- signatures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paper", ["own document", "kept file", "new upload"])
def test_a_stolen_token_of_the_owner_signs_with_no_paper(nib: Nib, office: Office, paper: str) -> None:
    """The own code is asked for whatever file is given; with the right code the signature is the code's."""
    story = nib().to_statement()
    code = give_own_code(office, "owner-1")
    given = {
        "own document": own_document(story),
        "kept file": put(office, "scan"),
        "new upload": attach(office.store, b"%PDF-1.4 signed by the thief"),
    }[paper]
    with pytest.raises(NotAllowed, match="own code of owner-1 is missing") as refused:
        story.answers("owner-1", "statement#1", paper=given, **SIGN)
    assert "petugas loket" in refused.value.for_people
    assert (story.waits_for, uploads(office)) == (["statement#1"], [])
    if paper == "new upload":
        story.answers("owner-1", "statement#1", paper=given, own_code=code, **SIGN)
        entry = next(entry for entry in story.entries if entry.key == "statement#1")
        assert entry.result["signed"] == "own_code"
        assert "evidence" not in entry.result


def test_a_mandate_signs_with_no_paper_either(nib: Nib, office: Office) -> None:
    """A companion who holds a mandate has a code of their own; a paper that they upload is no signature."""
    story = nib().to_statement()
    add_mandate(office, "owner-1", "ani", paper=EVIDENCE, by="budi", since=date(2026, 1, 1))
    with pytest.raises(NotAllowed, match="own code of ani is missing"):
        story.answers("ani", "statement#1", paper=EVIDENCE, **SIGN)
    assert story.waits_for == ["statement#1"]


def test_only_the_counter_signs_on_paper_for_somebody(nib: Nib, office: Office) -> None:
    """Of all roles only the one that takes papers; not an officer of another region, not for oneself."""
    story = nib().to_statement()
    for role in Role:
        add_user(office, f"a-{role}", [str(role)])
        if role is not Role.OFFICER:
            with pytest.raises(NotAllowed, match="nor holds a mandate"):
                story.answers(f"a-{role}", "statement#1", paper=EVIDENCE, **SIGN)
    add_user(office, "dedi", ["officer"], region="35.78")
    with pytest.raises(NotAllowed, match="works for region 3578"):
        story.answers("dedi", "statement#1", paper=EVIDENCE, **SIGN)
    add_user(office, "owner-1", ["officer"])
    with pytest.raises(NotAllowed, match="own code of owner-1 is missing"):
        story.answers("owner-1", "statement#1", paper=EVIDENCE, **SIGN)
    assert story.waits_for == ["statement#1"]
    story.answers("a-officer", "statement#1", paper=EVIDENCE, **SIGN)
    entry = next(entry for entry in story.entries if entry.key == "statement#1")
    assert (entry.actor, entry.on_behalf_of, entry.result["signed"]) == ("a-officer", "owner-1", "paper")


# -- our own documents -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["named", "attached"])
def test_a_document_of_ours_is_no_evidence(nib: Nib, office: Office, how: str) -> None:
    """Neither by its hash nor uploaded again, in whatever field, at the counter as little as elsewhere."""
    story = nib().to_statement()
    named = own_document(story)
    ours = named if how == "named" else attach(office.store, office.store.get(story.documents[0].path or ""))
    assert ours == named
    with pytest.raises(BadAnswer) as refused:
        story.answers("budi", "statement#1", paper=ours, **SIGN)
    assert refused_field(refused) == (
        "paper",
        "ini surat dari kantor ini sendiri dan bukan bukti; lampirkan berkas dari pihak lain",
    )
    story.signs_on_paper()
    with pytest.raises(BadAnswer, match="bukan bukti"):
        story.filed(evidence=ours)
    with pytest.raises(Refused, match="a document of this office"):
        add_mandate(office, "owner-1", "ani", paper=ours, by="budi", since=date(2026, 1, 1))
    with pytest.raises(Refused, match="a document of this office"), office.run("cli", by="tuti") as run:
        correct(office, run, story.number, by="tuti", reason="salah ketik", data={"owner.name": "Sri P"}, evidence=ours)
    assert [(one.question, one.field) for one in uploads(office)] == [("statement", "paper")]


# -- one case, one field, one account, one use -----------------------------------------------------------------------


def test_each_use_is_an_upload_that_says_whose_and_where(nib: Nib, office: Office) -> None:
    """Hash, case, question, field, account, run and entry; the same paper attached again is another upload."""
    story = nib().to_statement().signs_on_paper().filed()
    found = uploads(office)
    entries = {entry.key: entry for entry in story.entries}
    assert [(one.question, one.field, one.uploader) for one in found] == [
        ("statement", "paper", "budi"),
        ("oss_filing", "evidence", "budi"),
    ]
    for one in found:
        entry = entries[f"{one.question}#1"]
        assert (one.case_id, one.used_by, one.run_id, one.at) == (story.case.id, entry.seq, entry.run_id, entry.at)
        assert f"sha256:{one.sha256}" == EVIDENCE


def test_an_upload_serves_nowhere_else_and_nobody_else(nib: Nib, office: Office) -> None:
    """By its hash it is refused in another field, in another case, and to another account; so is every later use."""
    story, other = nib().to_statement().signs_on_paper(), nib(national_id=ANOTHER).to_statement()
    paper = str(EVIDENCE)
    with pytest.raises(BadAnswer) as refused:
        story.filed(evidence=paper)
    assert refused_field(refused) == (
        "evidence",
        "berkas ini diunggah untuk hal lain atau oleh akun lain; lampirkan sendiri berkasnya",
    )
    for by in ("budi", "tuti"):
        with pytest.raises(BadAnswer, match="untuk hal lain"):
            other.answers(by, "statement#1", paper=paper, **SIGN)
    with pytest.raises(Refused, match="uploaded for something else"):
        add_mandate(office, "owner-1", "ani", paper=paper, by="budi", since=date(2026, 1, 1))
    assert len(uploads(office)) == 1
    assert (story.waits_for, other.waits_for) == (["oss_filing#1"], ["statement#1"])


def test_a_file_that_lay_in_the_store_is_bound_by_its_first_use(nib: Nib, office: Office) -> None:
    """As files were put before there were uploads: the first answer that names it has it, no other."""
    story, other = nib().to_statement(), nib(national_id=ANOTHER).to_statement()
    paper = put(office, "scan")
    story.answers("budi", "statement#1", paper=paper, **SIGN)
    assert [(one.sha256, one.question, one.uploader) for one in uploads(office)] == [(paper[7:], "statement", "budi")]
    with pytest.raises(BadAnswer, match="untuk hal lain"):
        story.filed(evidence=paper)
    with pytest.raises(BadAnswer, match="untuk hal lain"):
        other.answers("budi", "statement#1", paper=paper, **SIGN)


def test_a_refused_answer_binds_nothing(nib: Nib, office: Office) -> None:
    """The file is still free for the answer that is taken."""
    story = nib().to_statement()
    paper = put(office, "scan")
    for by, faulty in (("ani", SIGN), ("budi", SIGN | {"k3l": "maybe"})):
        with pytest.raises((NotAllowed, BadAnswer)):
            story.answers(by, "statement#1", paper=paper, **faulty)
    assert uploads(office) == []
    story.answers("budi", "statement#1", paper=paper, **SIGN)
    assert len(uploads(office)) == 1


@pytest.mark.both_databases
def test_of_two_cases_that_name_one_file_at_once_one_has_it(nib: Nib, office: Office) -> None:
    """Two officers name the same file at the same moment, each in a case of their own; also two in one request."""
    stories = [nib(national_id=f"350816690495622{n}").to_statement() for n in range(4)]
    first, second = put(office, "one"), put(office, "two")

    def signs(story: NibStory) -> Answered:
        with office.run("web", by="budi") as run:
            return answer(office, run, story.number, "statement#1", by="budi", data={**SIGN, "paper": first})

    ends = at_once(*(partial(signs, story) for story in stories[:2]))
    assert sorted(type(end).__name__ for end in ends) == ["Answered", "BadAnswer"]
    with office.run("web", by="budi") as run:
        both = [(story.number, "statement#1", {**SIGN, "paper": second}) for story in stories[2:]]
        results = answer_many(office, run, both, by="budi")
    assert [type(result).__name__ for result in results] == ["Answered", "BadAnswer"]
    assert sorted(one.sha256 for one in uploads(office)) == sorted([first[7:], second[7:]])


TWO_FILES = (
    "class Visit(Form):\n    decision: Found\n",
    "class Visit(Form):\n    decision: Found\n    photo: Evidence\n    record: Evidence | None = None\n",
)


def test_one_file_fills_no_two_fields(begin: Begin, workshop: Workshop, office: Office) -> None:
    """A named file fills one field; attached twice, it is two uploads."""
    workshop.write(FARM_VISIT, "made_up", TWO_FILES)
    story = begin()
    photo = put(office, "photo")
    with pytest.raises(BadAnswer) as refused:
        story.answers("budi", "visit#1", decision="fine", photo=photo, record=photo)
    assert refused_field(refused)[0] == "record"
    story.answers("budi", "visit#1", decision="fine", photo=EVIDENCE, record=EVIDENCE)
    assert [one.field for one in uploads(office)] == ["photo", "record"]


def test_a_question_asked_anew_takes_the_same_paper_from_the_same_account(nib: Nib, office: Office) -> None:
    """After a recall the signed paper is named again by who uploaded it; by nobody else."""
    story = nib().to_statement()
    paper = put(office, "scan")
    story.answers("budi", "statement#1", paper=paper, **SIGN).recalls("budi")
    with pytest.raises(BadAnswer, match="oleh akun lain"):
        story.answers("tuti", "statement#2", paper=paper, **SIGN)
    story.answers("budi", "statement#2", paper=paper, **SIGN)
    assert [(one.question, one.uploader) for one in uploads(office)] == [("statement", "budi")] * 2
    assert story.waits_for == ["oss_filing#2"]


def test_what_the_office_filled_in_itself_serves_again(begin: Begin, workshop: Workshop, office: Office) -> None:
    """A corrected answer holds the files of the first one, which the form shows already; another file is another matter."""
    again = "visit = ask(VISIT)\n    visit = ask(VISIT, known={'photo': visit.photo})"
    workshop.write(FARM_VISIT, "made_up", TWO_FILES, ("visit = ask(VISIT)", again))
    story = begin().answers("budi", "visit#1", decision="fine", photo=EVIDENCE)
    with pytest.raises(BadAnswer, match="record: berkas ini diunggah untuk hal lain"):
        story.answers("tuti", "visit#2", decision="fine", record=str(EVIDENCE))
    story.answers("tuti", "visit#2", decision="fine")
    assert [(one.question, one.field, one.uploader) for one in uploads(office)] == [
        ("visit", "photo", "budi"),
        ("visit", "photo", "tuti"),
    ]


def test_objections_corrections_mandates_and_certificates_bind_their_files(nib: Nib, office: Office) -> None:
    """Each leaves its upload; what one of them has, the others are refused."""
    story = nib().dossier("reject", reason="alamat di luar wilayah")
    letter, card, mandate, scan = (put(office, words) for words in ("letter", "card", "mandate", "scan"))
    with office.run("cli", by="owner-1") as run:
        lodge_appeal(office, run, story.number, by="owner-1", reason="alamat benar", evidence=letter)
    with office.run("cli", by="tuti") as run:
        about: dict[str, Any] = {"reason": "salah ketik", "data": {"owner.name": "Sri Pur"}}
        correct(office, run, story.number, by="tuti", evidence=card, **about)
    made = add_mandate(office, "owner-1", "ani", paper=mandate, by="budi", since=date(2026, 1, 1))
    known: dict[str, Any] = {"since": date(2026, 1, 2), "until": None, "source": "BNSP", "by": "budi"}
    kept = record_certificate(office, 1, "assessor", "85500 1", evidence=scan, **known)
    entries = {entry.key: entry.seq for entry in story.entries}
    assert [
        (f"sha256:{one.sha256}", one.question, one.field, one.uploader, one.used_by) for one in uploads(office)
    ] == [
        (letter, "appeal_lodged", "evidence", "owner-1", entries["appeal_lodged#1"]),
        (card, "corrected", "evidence", "tuti", entries["corrected#1"]),
        (mandate, "mandate", "paper", "budi", made),
        (scan, "recorded_certificate", "evidence", "budi", kept),
    ]
    for taken in (letter, card, mandate):
        with pytest.raises(Refused, match="uploaded for something else"):
            record_certificate(office, 1, "assessor", "85500 2", evidence=taken, **known)


def test_a_file_that_another_office_sent_is_that_offices(nib: Nib, office: Office, oss: HttpOss) -> None:
    """The NIB that OSS gave by machine is bound to that filing: nobody names it as evidence of their own."""
    story = nib().to_statement().signs_on_paper()
    assert story.waits_for == ["nib_record#1"]
    [sent] = [one for one in uploads(office) if one.question == "oss_filing"]
    assert (sent.uploader, sent.field) == ("oss (127.0.0.1)", "evidence")
    other = nib(national_id=ANOTHER).to_statement()
    with pytest.raises(BadAnswer, match="untuk hal lain atau oleh akun lain"):
        other.answers("budi", "statement#1", paper=f"sha256:{sent.sha256}", **SIGN)


def test_what_was_recorded_before_there_were_uploads_is_bound_by_the_migration(
    nib: Nib, office: Office, clock: TurnedClock
) -> None:
    """Ledger, mandates and certificates name it: the cases of that time go on with it, later ones don't get it."""
    story = nib().to_statement().signs_on_paper()
    add_mandate(office, "owner-1", "ani", paper=put(office, "mandate"), by="budi", since=date(2026, 1, 1))

    def shown() -> list[tuple[Any, ...]]:
        found = sorted(uploads(office), key=lambda one: one.case_id is None)
        names = ("sha256", "case_id", "question", "field", "uploader", "at", "used_by")
        return [tuple(getattr(one, name) for name in names) for one in found]

    before = shown()
    migrate_schema(office.db, "-1")
    migrate_schema(office.db)
    assert shown() == before
    paper = str(EVIDENCE)
    story.filed(evidence=paper)
    clock.moment = datetime.now(UTC) + timedelta(days=1)
    later = nib(national_id=ANOTHER).to_statement()
    with pytest.raises(BadAnswer, match="untuk hal lain"):
        later.answers("budi", "statement#1", paper=paper, **SIGN)
    with pytest.raises(Refused, match="uploaded for something else"):
        add_mandate(office, "owner-2", "ani", paper=paper, by="budi", since=date(2026, 1, 1))


def test_the_command_line_attaches_anew_and_names_once(
    jalur: Jalur, opened: list[str], database_url: str, tmp_path: Path
) -> None:
    """``@file`` is an upload each time; the hash that it got names nothing elsewhere."""
    jalur("user", "add", "budi", "--role", "officer")
    jalur("user", "add", "ani", "--role", "companion")
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.4 signed")
    classified = {"decision": "proceed", "industry_code": "10794", "risk_level": "R"}
    for number in opened[:3]:
        advance(database_url, tmp_path)
        jalur("answer", number, "dossier_check#1", "--by", "budi", "--data", '{"decision": "complete"}')
        advance(database_url, tmp_path)
        jalur("answer", number, "classification#1", "--by", "ani", "--data", json.dumps(classified))
    advance(database_url, tmp_path)

    def signs(number: str, paper: str, code: int = 0) -> Any:
        words = json.dumps({**SIGN, "paper": paper})
        return jalur("answer", number, "statement#1", "--by", "budi", "--data", words, code=code)

    for number in opened[:2]:
        assert signs(number, f"@{scan}")["question"] == "statement#1"
    named = f"sha256:{sha256(scan.read_bytes()).hexdigest()}"
    assert "paper: berkas ini diunggah untuk hal lain" in signs(opened[2], named, code=1)["error"]
    receipt = jalur("case", "show", opened[2])["documents"][0]
    assert "bukan bukti" in signs(opened[2], f"sha256:{receipt['sha256']}", code=1)["error"]
    assert "bukan bukti" in signs(opened[2], f"@{receipt['path']}", code=1)["error"]
