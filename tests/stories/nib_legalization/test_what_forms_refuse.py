"""What the forms of NIB legalization refuse: a decision that does not say, or show, what people are to be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from engine.cases.dossier import fetch_by_number
from engine.runtime.office import Office
from flows.nib_legalization.application import application_of
from tests.engine.conftest import authorities as authorities
from tests.engine.conftest import oss as oss
from tests.outside.misbehaving_oss import MisbehavingOss, Mood
from tests.stories.halal_self_declare.filling import refused

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

Begin = Callable[..., "NibStory"]
pytestmark = pytest.mark.usefixtures("blank_papers")


@pytest.mark.parametrize(
    ("act", "field"),
    [
        (lambda story: story.dossier("return"), "deficiencies"),
        (lambda story: story.dossier("reject"), "reason"),
        (lambda story: story.dossier().classified("T", "reroute", agency="Dinas Peternakan"), "agency"),
        (lambda story: story.to_statement().answers("budi", "statement#1", decision="sign", k3l=True), "k3l"),
        (lambda story: story.to_statement().signs_on_paper().filed(evidence=None), "nib"),
        (lambda story: story.to_statement().signs_on_paper().filed("refused"), "reason"),
        (lambda story: story.to_statement().signs_on_paper().filed().recorded("mismatch"), "reason"),
        (lambda story: story.to_verification().verified("return"), "deficiencies"),
        (lambda story: story.to_verification().verified("reject"), "reason"),
    ],
)
def test_a_decision_that_does_not_say_what_it_must(nib: Begin, act: Callable[[NibStory], object], field: str) -> None:
    """A return without a wish, a refusal without a reason, a number without its paper: each is named by its field."""
    story = nib()
    [(where, why)] = refused(lambda: act(story))
    assert where == field
    assert why


def test_a_nib_that_is_confirmed_is_shown(nib: Begin) -> None:
    """That the stated NIB is the owner's is seen at OSS, and what was seen is attached."""
    story = nib(business_id_number="9120304567812")
    [(field, reason)] = refused(lambda: story.answers("budi", "existing_nib_check#1", decision="valid"))
    assert (field, reason) == ("evidence", "lampirkan bukti dari OSS bahwa NIB ini milik pemohon")
    assert story.waits_for == ["existing_nib_check#1"]


def test_a_passed_deadline_that_oss_is_said_to_have_granted_is_shown(nib: Begin) -> None:
    """Without OSS's own paper of 14 April 2026 no permit counts as given, whoever says so."""
    story = nib().to_verification().on("2026-04-14").verified("deadline_passed")
    ruling = {"decision": "granted_in_oss", "reason": "terlihat di OSS"}
    [(field, reason)] = refused(lambda: story.answers("rini", "deadline_ruling#1", **ruling))
    assert field == "evidence"
    assert "tanpa bukti tidak ada izin yang dianggap terbit" in reason


def test_a_request_whose_form_oss_does_not_take_goes_back_with_its_words(nib: Begin, oss: MisbehavingOss) -> None:
    """400: nothing was filed; what OSS said stands in the ledger, and the case waits to be put right."""
    oss.next(Mood.MISSHAPEN)
    story = nib().to_statement().signs_on_paper()
    assert story.waits_for == ["correction#1"]
    [entry] = [entry for entry in story.entries if entry.key == "oss_filing#1"]
    assert (entry.kind, entry.outcome) == ("machine", "refused")
    assert "tidak menerima bentuk permohonan ini" in story.letter("return_notice")["text"]
    assert oss.nibs_of("3508166904956220") == set()


def test_an_application_has_no_risk_level_before_it_is_classified(nib: Begin, office: Office) -> None:
    """Whoever asks for it too early is stopped: nothing is filed under a level that nobody settled."""
    story = nib()
    with office.db.reading() as session:
        application = application_of(fetch_by_number(office, session, story.number).case)
    with pytest.raises(ValueError, match="not classified yet"):
        _ = application.risk_level
