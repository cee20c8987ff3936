"""SiHalal by machine and by hand: the same questions, under the same keys, with the same end."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from engine.errors import NotAllowed
from engine.runtime.office import Office
from outside.sihalal_http import HttpSiHalal
from tests.outside.misbehaving_sihalal import SH, MisbehavingSiHalal
from tests.outside.moods import Mood
from tests.people import EVIDENCE

if TYPE_CHECKING:
    from tests.stories.halal_self_declare.conftest import HalalStory

Begin = Callable[..., "HalalStory"]
pytestmark = pytest.mark.usefixtures("blank_papers")


@pytest.fixture
def sihalal(office: Office) -> Iterator[MisbehavingSiHalal]:
    """A SiHalal that gives a receipt to every application, so that a second one shows; we talk to it by machine."""
    with MisbehavingSiHalal(forgetful=True) as server:
        office.adapters.sihalal = HttpSiHalal(server.url, server.token, 5, tls=ssl.create_default_context())
        yield server
        office.adapters.sihalal.close()


def later(story: HalalStory) -> HalalStory:
    """Turn the clock past the pause, and let the next run come by."""
    story.clock.turn(hours=7)
    story.advance()
    return story


def note(story: HalalStory) -> str:
    """What the officer reads who is asked instead."""
    [asked] = story.shown()["waiting_for"]
    assert asked["role"] == "officer"
    return str(asked["note"])


def test_receipt_and_certificate_come_by_machine(halal: Begin, sihalal: MisbehavingSiHalal) -> None:
    """Both are recorded as BPJPH's system said; the certificate is looked for until it is there."""
    story = halal().to_visit().visited().forwarded()
    assert story.waits_for == ["fatwa#1"]
    assert [one.reference for one in sihalal.taken] == [f"{story.number}/receipt_letter#1"]
    assert "STTD-2026-0000001" in story.letter("in_session")["text"]
    assert story.judged().waits_for == ["certificate_record#1"]
    assert later(story).outcome is None
    sihalal.certify("STTD-2026-0000001")
    assert later(story).outcome == "certified"
    assert SH in story.letter("certified")["text"]
    by_machine = {entry.key: (entry.actor, entry.outcome) for entry in story.entries if entry.kind == "machine"}
    assert by_machine == {
        "receipt_letter#1": ("sihalal (127.0.0.1)", "issued"),
        "certificate_record#1": ("sihalal (127.0.0.1)", "answered"),
    }


def test_a_receipt_whose_answer_was_lost_is_looked_up(halal: Begin, sihalal: MisbehavingSiHalal) -> None:
    """SiHalal took it and answered 500: nothing is handed in twice."""
    sihalal.next(Mood.FAIL_AFTER)
    story = halal().to_visit().visited().forwarded()
    assert story.waits_for == ["receipt_letter#1"]
    assert later(story).waits_for == ["fatwa#1"]
    assert (sihalal.filings_heard, len(sihalal.taken)) == (1, 1)


def test_what_bpjph_returns_is_mended_and_handed_in_under_a_reference_of_its_own(
    halal: Begin, sihalal: MisbehavingSiHalal
) -> None:
    """The owner reads BPJPH's deficiency, the NIK in it masked."""
    sihalal.next(Mood.REFUSE)
    story = halal().to_visit().visited().forwarded()
    assert story.waits_for == ["correction#1"]
    assert "357801********01 tidak sesuai" in story.letter("return_notice")["text"]
    story.corrects(note="data sudah saya perbaiki").visited().forwarded()
    assert [one.reference for one in sihalal.taken] == [f"{story.number}/receipt_letter#2"]


@pytest.mark.parametrize(
    ("number", "kh_number", "said"),
    [
        (SH, "KH-2026/01/999999", "berbeda dari nomor KH yang tercatat"),
        ("ID40110001325901022", "kh-2026/01/004211", "kode provinsinya tidak dikenal"),
    ],
)
def test_a_certificate_that_does_not_fit_goes_to_an_officer(
    halal: Begin, sihalal: MisbehavingSiHalal, number: str, kh_number: str, said: str
) -> None:
    """One that rests on another fatwa, or bears no known province: the officer reads why, and records what is right."""
    sihalal.certify("STTD-2026-0000001", number, kh_number)
    story = halal().to_visit().visited().forwarded().judged()
    assert said in note(story)
    assert "Ketetapan halal (KH) KH-2026/01/004211; yang dicatat di sini nomor SH" in note(story)
    assert story.certificate().outcome == "certified"


def test_by_hand_the_officer_reads_what_to_do_and_who_visited_may_not_record(halal: Begin) -> None:
    """Without a machine's way in the question opens at once; ISO/IEC 17065, 7.5 and 7.6 hold there as before."""
    story = halal().to_visit().visited(by="wati").forwarded()
    assert story.waits_for == ["receipt_letter#1"]
    assert "laman SiHalal" in note(story)
    words = {"decision": "issued", "number": "STTD-1", "source": "laman SiHalal", "evidence": EVIDENCE}
    with pytest.raises(NotAllowed, match="wati took part"):
        story.answers("wati", "receipt_letter#1", **words)
    story.received().judged()
    assert note(story).startswith("Ketetapan halal (KH) KH-2026/01/004211; yang dicatat di sini nomor SH. Unduh")
    assert story.certificate().outcome == "certified"
