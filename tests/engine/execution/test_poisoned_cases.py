"""One bad case, paper or document stops nobody else: it is set aside with its error, and goes on once it is mended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from engine.actions.answer import answer
from engine.cases.dossier import Dossier
from engine.cases.opening import open_cases
from engine.deadlines.clock import TurnedClock
from engine.definition.registry import Pipeline
from engine.errors import Refused
from engine.execution import document_files, issuing
from engine.execution.document_files import StoredFile
from engine.execution.drain import DrainResult, drain
from engine.execution.parking import retry
from engine.people.intake.importing import import_file
from engine.reports.case_views import case_history, case_view
from engine.runtime.office import Office
from models import Document
from tests.engine.conftest import Begin
from tests.engine.people.intake.listing import as_csv, row
from tests.engine.together import Killed
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.story import Story

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]
POISON = """return poisoned(case)

def poisoned(case):
    if case.facts.name.endswith(" 50"):
        raise ValueError(f"NIK {case.facts.owner.national_id} tidak dikenal")
    return "selamat datang"
"""
DEADLY = ('return "selamat datang"', 'if case.facts.name == "Sari Sri 2": raise killed()\n    return "selamat datang"')


def opened(office: Office, pipeline: Pipeline, count: int) -> list[str]:
    """Open as many cases, and advance none."""
    listed = as_csv(*(row(number) for number in range(1, count + 1)))
    with office.run("cli", by="budi") as run:
        assert import_file(office, run, name="daftar.csv", content=listed.encode()).accepted == count
        return open_cases(office, run, pipeline, range(1, count + 1), by="budi").opened


def advanced(office: Office, pipeline: str) -> DrainResult:
    """Let a run of the pipeline come by."""
    with office.run("flow", by="test", pipeline=pipeline) as run:
        return drain(office, run, pipeline)


def freed(office: Office, number: str) -> None:
    """Somebody frees the case."""
    with office.run("cli", by="admin") as run:
        retry(office, run, number, by="admin")


def test_one_of_a_hundred_is_parked_and_the_others_commit(office: Office, workshop: Workshop) -> None:
    """Its error is kept without the number in it; mended and freed, it goes on as if nothing had been."""
    pipeline = workshop.write(FARM_VISIT, "made_up", ('return "selamat datang"', POISON))
    numbers = opened(office, pipeline, 100)
    tally = advanced(office, "farm-visit")
    assert (len(tally.waiting), list(tally.failed)) == (99, [numbers[49]])
    with office.db.reading() as session:
        bad, good = case_view(office, session, numbers[49]), case_view(office, session, numbers[50])
        remark = case_history(session, numbers[49])[-1]
    assert bad["status"] == "parked"
    assert bad["error"].startswith("ValueError: NIK 350816********")
    assert remark["reason"] == bad["error"]
    assert [good["status"], good["waiting_for"][0]["question"]] == ["waiting", "visit#1"]
    assert not advanced(office, "farm-visit").advanced, "a parked case is left alone"

    freed(office, numbers[49])
    assert list(advanced(office, "farm-visit").failed) == [numbers[49]], "nothing was mended yet"
    workshop.write()
    freed(office, numbers[49])
    assert advanced(office, "farm-visit").waiting == {numbers[49]}
    with office.db.reading() as session:
        mended = case_view(office, session, numbers[49])
        keys = [entry["key"] for entry in case_history(session, numbers[49])]
    assert (mended["status"], mended["error"]) == ("waiting", None)
    assert keys == ["opened#1", "parked", "retried", "parked", "retried", "greet#1"]


def test_only_a_parked_case_can_be_freed(begin: Begin, workshop: Workshop, office: Office) -> None:
    """There is nothing to retry in a case that waits."""
    workshop.write()
    with pytest.raises(Refused, match="is open, not parked"):
        freed(office, begin().number)


def test_a_case_that_kills_the_process_is_run_alone_and_parked_after_two(
    office: Office, workshop: Workshop, clock: TurnedClock
) -> None:
    """The others that were claimed with it are not suspected for long."""
    pipeline = workshop.write(FARM_VISIT, "made_up", DEADLY)
    pipeline.body.__globals__["killed"] = Killed
    numbers = opened(office, pipeline, 3)
    with pytest.raises(Killed):
        advanced(office, "farm-visit")
    assert not advanced(office, "farm-visit").advanced, "their leases still hold"
    clock.turn(minutes=3)
    with pytest.raises(Killed):
        advanced(office, "farm-visit")
    assert advanced(office, "farm-visit").waiting == {numbers[2]}, (
        "it ran alone, so the next run does the other suspect"
    )
    clock.turn(minutes=3)
    tally = advanced(office, "farm-visit")
    assert tally.failed == {numbers[1]: "The process died 2 times while it advanced this case"}
    with office.db.reading() as session:
        assert [case_view(office, session, number)["status"] for number in numbers] == ["waiting", "parked", "waiting"]
    workshop.write()
    freed(office, numbers[1])
    assert advanced(office, "farm-visit").waiting == {numbers[1]}


def failing(
    monkeypatch: pytest.MonkeyPatch, module: Any, bad: Callable[[Dossier, Document], bool]
) -> Callable[[], None]:
    """Let the making of some documents fail; call what is returned to mend it."""
    made = module.make_and_store

    def make(office: Office, dossier: Dossier, document: Document) -> StoredFile:
        if bad(dossier, document):
            raise LookupError(f"'alamat' of {dossier.case.facts.owner.national_id} is undefined")
        file: StoredFile = made(office, dossier, document)
        return file

    monkeypatch.setattr(module, "make_and_store", make)
    return lambda: monkeypatch.setattr(module, "make_and_store", made)


def test_a_paper_that_cannot_be_made_is_shown_retried_and_stops_nothing(
    nib: Nib, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The case goes on, its error is shown without the number, its letter waits; mended, the paper comes."""
    mend = failing(monkeypatch, document_files, lambda _, document: document.kind == "receipt")
    story = nib()
    other = nib(national_id="3508166904956221")
    assert story.waits_for == other.waits_for == ["dossier_check#1"]
    [shown] = story.shown()["documents"]
    assert (shown["status"], shown["path"]) == ("pending", None)
    assert shown["error"] == "LookupError: 'alamat' of 350816********20 is undefined"
    assert "3508166904956220" not in caplog.text
    assert story.documents[0].attempt == 1, "the template is as wrong a moment later"
    assert [story.letters, story.shown()["letters"][0]["status"]] == [["receipt"], "waiting"]
    story.dossier()
    assert [document.status for document in story.documents] == ["pending", "ready"]
    story.clock.turn(minutes=2)
    story.advance()
    assert story.documents[0].attempt == 2
    mend()
    story.clock.turn(minutes=5)
    story.advance()
    assert [document.status for document in story.documents + other.documents] == ["ready"] * 3
    assert story.letters == ["receipt", "completeness"]
    assert [letter["status"] for letter in story.shown()["letters"]] == ["sent", "sent"]


def to_the_record(story: NibStory) -> NibStory:
    """Up to the last answer before the certificate."""
    return story.to_statement().signs_on_paper().filed()


def match(story: Story) -> None:
    """The last answer before the certificate, without going on."""
    with story.office.run("cli", by="tuti") as run:
        answer(story.office, run, story.number, "nib_record#1", by="tuti", data={"decision": "match"})


def test_a_document_that_cannot_be_made_keeps_its_number_and_blocks_nobody(
    nib: Nib, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of two fails: the second gets its own certificate; mended, the first gets the number that it drew."""
    first, second = to_the_record(nib()), to_the_record(nib(national_id="3508166904956221"))
    mend = failing(monkeypatch, issuing, lambda dossier, _: dossier.case.number == first.number)
    match(first)
    match(second)
    second.advance()
    assert (first.outcome, second.outcome) == (None, "legalized")
    assert [document.number for document in second.documents if document.number] == ["LEG-2026-000002"]
    assert first.waits_for == ["certificate_of_legalization#1"]
    assert first.shown()["error"] == "LookupError: 'alamat' of 350816********20 is undefined"
    [drawn] = [document for document in first.documents if document.number]
    assert (drawn.number, drawn.status) == ("LEG-2026-000001", "reserved")
    mend()
    first.advance()
    assert first.outcome is None, "it is tried again later"
    first.clock.turn(minutes=2)
    first.advance()
    assert first.outcome == "legalized"
    [issued] = [document for document in first.documents if document.number]
    assert (issued.number, issued.status, issued.at) == ("LEG-2026-000001", "ready", drawn.at)


def test_a_document_that_fails_again_and_again_parks_its_case(nib: Nib, monkeypatch: pytest.MonkeyPatch) -> None:
    """After five attempts somebody must look; freed after the mending, it ends with the number that it drew."""
    story = to_the_record(nib())
    mend = failing(monkeypatch, issuing, lambda *_: True)
    match(story)
    for _ in range(5):
        assert story.shown()["status"] != "parked"
        story.advance()
        story.clock.turn(minutes=20)
    shown = story.shown()
    assert shown["status"] == "parked"
    assert shown["error"].startswith("certificate_of_legalization#1 could not be issued: LookupError")
    mend()
    story.clock.turn(days=1)
    story.advance()
    assert story.shown()["status"] == "parked", "nobody has looked yet"
    freed(story.office, story.number)
    story.advance()
    assert story.outcome == "legalized"
    assert [document.number for document in story.documents if document.number] == ["LEG-2026-000001"]
