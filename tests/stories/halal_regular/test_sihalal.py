"""SiHalal by machine on the regular path: what the owner handed in there is looked up."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from engine.runtime.office import Office
from outside.sihalal_http import HttpSiHalal
from tests.outside.misbehaving_sihalal import MisbehavingSiHalal
from tests.outside.moods import Mood
from tests.stories.halal_regular.conftest import CERTIFICATE, KH, Begin

NIK = "3508166904956220"


@pytest.fixture
def sihalal(office: Office) -> Iterator[MisbehavingSiHalal]:
    """A SiHalal that the owner has handed in to; we talk to it by machine."""
    with MisbehavingSiHalal() as server:
        server.register(NIK, "SRI PURNOMO")
        office.adapters.sihalal = HttpSiHalal(server.url, server.token, 5, tls=ssl.create_default_context())
        yield server
        office.adapters.sihalal.close()


def test_receipt_and_certificate_are_looked_up(halal: Begin, sihalal: MisbehavingSiHalal, blank_papers: None) -> None:
    """Nothing is handed in a second time; what SiHalal says is recorded as its own."""
    sihalal.certify("STTD-2026-0117", CERTIFICATE, KH)
    story = halal().to_quote().quoted().pays()
    assert story.waits_for == ["audit#1"]
    assert story.audited().ruled().outcome == "certified"
    assert CERTIFICATE in story.letter("certified")["text"]
    assert sihalal.filings_heard == 0
    by_machine = {entry.key: entry.actor for entry in story.entries if entry.kind == "machine"}
    assert by_machine == {
        "document_receipt#1": "sihalal (127.0.0.1)",
        "halal_certificate#1": "sihalal (127.0.0.1)",
    }


def test_another_persons_receipt_goes_to_an_officer(
    halal: Begin, sihalal: MisbehavingSiHalal, blank_papers: None
) -> None:
    """It is not recorded; the officer looks into SiHalal and records the right one, under the same key."""
    sihalal.next_look_up(Mood.STRANGER)
    story = halal().to_quote().quoted().pays()
    assert story.waits_for == ["document_receipt#1"]
    assert "atas nama orang lain" in story.note
    assert story.receipted().waits_for == ["audit#1"]
