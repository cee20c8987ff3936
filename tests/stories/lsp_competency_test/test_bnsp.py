"""BNSP by machine: it is asked once, for the candidate and with those who are not yet competent; else an officer asks."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from engine.runtime.office import Office
from outside.bnsp_http import HttpBnsp
from tests.outside.misbehaving_bnsp import MisbehavingBnsp
from tests.outside.moods import Mood
from tests.stories.lsp_competency_test.conftest import Begin

pytestmark = pytest.mark.usefixtures("blank_papers")
FAILED = ("M.702090.001.01",)


@pytest.fixture
def bnsp(office: Office) -> Iterator[MisbehavingBnsp]:
    """A BNSP that numbers every competent candidate; we talk to it by machine."""
    with MisbehavingBnsp() as server:
        office.adapters.bnsp = HttpBnsp(server.url, server.token, 5, tls=ssl.create_default_context())
        yield server
        office.adapters.bnsp.close()


@pytest.mark.slow
def test_numbers_come_by_machine(begin: Begin, bnsp: MisbehavingBnsp) -> None:
    """The request names who is BK, too; only the competent candidate is numbered, and the ledger says by whom."""
    begin().to_vote(FAILED).voted(*["not_yet_competent"] * 3)
    story = begin().to_vote(national_id="3508166904950001").voted(*["competent"] * 3)
    assert story.outcome == "certified"
    assert bnsp.filings_heard == 1
    [printed] = bnsp.taken
    assert len(printed.blanks) == 1
    assert [entry.actor for entry in story.entries if entry.key == "certificate_blank#1"] == ["bnsp (127.0.0.1)"]
    assert "62019 2513 6 0000001 2026" in story.letter("certified")["text"]


@pytest.mark.slow
def test_an_answer_that_was_lost_is_looked_up_not_asked_again(begin: Begin, bnsp: MisbehavingBnsp) -> None:
    """The blanks are printed once."""
    bnsp.next(Mood.FAIL_AFTER)
    story = begin().to_vote().voted(*["competent"] * 3)
    assert story.waits_for == ["certificate_blank#1"]
    story.on("2026-02-20").advance()
    assert (story.outcome, len(bnsp.taken)) == ("certified", 1)


@pytest.mark.slow
def test_what_bnsp_refuses_an_officer_records(begin: Begin, bnsp: MisbehavingBnsp) -> None:
    """With its reason; the number comes under the same key."""
    bnsp.next(Mood.REFUSE)
    story = begin().to_vote().voted(*["competent"] * 3)
    assert story.waits_for == ["certificate_blank#1"]
    assert "BNSP" in story.note
    assert story.numbered().outcome == "certified"
