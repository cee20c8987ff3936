"""Who answers a question: it is given to another, answered for somebody who is away, and its date is moved by agreement."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlmodel import select

from engine.accounts import add_user
from engine.answering import Answered, answer
from engine.delegating import delegate, revoke
from engine.errors import NotAllowed, NotWaiting, Refused
from engine.extending import extend
from engine.office import Office
from engine.people import declare_conflict
from engine.reassigning import Reassigned, reassign, reassign_all
from models import Notice, Wait
from tests.engine.together import at_once

if TYPE_CHECKING:
    from tests.flows.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]


def done(office: Office, what: Callable[..., Any], *args: Any, by: str, **more: Any) -> Any:
    with office.run("cli", by=by) as run:
        return what(office, run, *args, by=by, **more)


def last(story: NibStory) -> tuple[str, str, str | None]:
    entry = story.entries[-1]
    return entry.key, entry.actor, entry.reason


# -- reassigning -----------------------------------------------------------------------------------------------------


def test_a_question_is_given_to_another_and_back_to_its_role(nib: Nib, office: Office) -> None:
    """Only the new holder may answer; the ledger and both inboxes say so, and the replay goes on."""
    story = nib()
    assert done(office, reassign, story.number, None, to="tuti", by="rini", reason="beban kerja") == Reassigned(
        story.number, "dossier_check#1", "tuti"
    )
    assert last(story) == ("reassigned", "rini", "dossier_check#1, seluruh peran → tuti: beban kerja")
    with pytest.raises(NotAllowed, match="is assigned to tuti, not to budi"):
        story.dossier()
    done(office, reassign, story.number, "dossier_check", to="nobody", by="tuti", reason="cuti")
    with office.db.reading() as session:
        assert {notice.kind for notice in session.exec(select(Notice))} == {"reassigned"}
    assert story.dossier().waits_for == ["classification#1"]
    assert story.is_whole()


@pytest.mark.parametrize(
    ("by", "to", "why"),
    [
        ("rini", "ani", "is for the role officer, which ani does not have"),
        ("tuti", "tuti", "may not steer"),
        ("rini", "hana", "works for region 3578"),
        ("rini", "joko", "There is no user joko"),
        ("rini", "dewi", "declared a conflict of interest"),
    ],
)
def test_who_may_not_answer_is_not_given_it(nib: Nib, office: Office, by: str, to: str, why: str) -> None:
    """Another role, another region, a declared conflict, a stranger; and who does not lead gives nothing away."""
    story = nib()
    add_user(office, "hana", ["officer"], region="3578")
    add_user(office, "dewi", ["officer"])
    declare_conflict(office, "dewi", "family", by="rini", business=story.case.subject_id)
    before = len(story.entries)
    with pytest.raises(Refused, match=why):
        done(office, reassign, story.number, None, to=to, by=by, reason="x")
    assert len(story.entries) == before


def test_an_applicants_question_and_a_settled_one_stay(nib: Nib, office: Office) -> None:
    """The owner's own is for a mandate; what was answered can't be given away."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"])
    with pytest.raises(NotAllowed, match="is the applicant's own"):
        done(office, reassign, story.number, None, to="tuti", by="rini", reason="x")
    with pytest.raises(NotWaiting):
        done(office, reassign, story.number, "dossier_check#1", to="tuti", by="rini", reason="x")


def test_an_answer_and_a_reassignment_at_the_same_moment_come_in_a_legal_order(nib: Nib, office: Office) -> None:
    """Either the answer was first and nothing is given away, or the question was, and the old holder is refused."""
    story = nib()
    done(office, reassign, story.number, None, to="budi", by="rini", reason="x")

    def answers() -> Any:
        with office.run("web", by="budi") as run:
            return answer(office, run, story.number, "dossier_check#1", by="budi", data={"decision": "complete"})

    gives = partial(done, office, reassign, story.number, "dossier_check#1", to="tuti", by="rini", reason="y")
    answered, given = at_once(answers, gives)
    if isinstance(answered, Answered):
        assert isinstance(given, NotWaiting)
    else:
        assert isinstance(answered, NotAllowed) and isinstance(given, Reassigned)
    assert story.is_whole()


def test_all_that_somebody_holds_is_shared_out_and_what_nobody_may_take_is_named(nib: Nib, office: Office) -> None:
    """Three cases to two colleagues by load; the one against a conflict goes to the other, or to nobody."""
    stories = [nib(national_id=f"35081669049562{place}") for place in (20, 21, 22)]
    add_user(office, "dewi", ["officer"])
    for story in stories:
        done(office, reassign, story.number, None, to="budi", by="rini", reason="x")
    declare_conflict(office, "dewi", "family", by="rini", business=stories[0].case.subject_id)
    given, refused = done(office, reassign_all, "budi", to=["dewi", "tuti"], by="rini", reason="pindah tugas")
    assert [(one.case, one.to) for one in given] == [
        (stories[0].number, "tuti"),
        (stories[1].number, "dewi"),
        (stories[2].number, "dewi"),
    ]
    assert refused == []
    given, refused = done(office, reassign_all, "tuti", to=["dewi"], by="rini", reason="x")
    assert given == [] and refused[0]["case"] == stories[0].number
    assert "declared a conflict" in refused[0]["reason"]


# -- absence ---------------------------------------------------------------------------------------------------------


def test_a_deputy_answers_for_a_colleague_while_it_is_in_force_and_both_names_stand(nib: Nib, office: Office) -> None:
    """Another role's question, until the last day and not after; nobody passes it on."""
    story = nib().dossier()  # classification#1 is for companions
    add_user(office, "sari", ["supervisor"])
    done(office, delegate, "ani", "budi", since=date(2026, 1, 13), until=date(2026, 1, 14), by="ani", reason="cuti")
    said = {"decision": "proceed", "industry_code": "10794", "risk_level": "R"}
    for day in ("2026-01-12", "2026-01-15"):
        with pytest.raises(NotAllowed, match="is for the role companion"):
            story.on(day).answers("budi", "classification#1", **said)
    with pytest.raises(Refused, match="touches this one"):
        done(office, delegate, "budi", "tuti", until=date(2026, 1, 15), since=date(2026, 1, 14), by="budi", reason="x")
    story.on("2026-01-14").answers("budi", "classification#1", **said)
    entry = next(one for one in story.entries if one.key == "classification#1")
    assert (entry.actor, entry.role, entry.on_behalf_of) == ("budi", "companion", "ani")


def test_a_delegation_of_one_case_is_recorded_there_and_never_made_to_somebody_barred(nib: Nib, office: Office) -> None:
    """It works in that case alone; one who declared a conflict is refused when it is made, and when it is used."""
    story, other = nib().dossier(), nib(national_id="3508166904956221").dossier()
    until = date(2026, 1, 20)
    done(office, delegate, "ani", "budi", until=until, by="admin", reason="sakit", number=story.number)
    assert last(story) == ("delegated", "admin", "ani → budi sampai 2026-01-20: sakit")
    said = {"decision": "proceed", "industry_code": "10794", "risk_level": "R"}
    with pytest.raises(NotAllowed):
        other.answers("budi", "classification#1", **said)
    declare_conflict(office, "budi", "family", by="rini", business=story.case.subject_id)
    with pytest.raises(NotAllowed, match="declared a conflict"):
        story.answers("budi", "classification#1", **said)
    assert revoke(office, "ani", "budi") == 1
    with pytest.raises(NotAllowed, match="declared a conflict"):
        done(office, delegate, "ani", "budi", until=until, by="admin", reason="x", number=story.number)
    with pytest.raises(NotAllowed, match="is neither ani, nor a superior"):
        done(office, delegate, "ani", "tuti", until=until, by="budi", reason="x")
    for to, day in (("ani", until), ("tuti", date(2026, 1, 11))):
        with pytest.raises(Refused, match="Name another person"):
            done(office, delegate, "ani", to, until=day, by="ani", reason="x")


# -- more time -------------------------------------------------------------------------------------------------------


def more(office: Office, story: NibStory, until: str, **changes: Any) -> None:
    about = {"by": "rini", "agreed_with": "owner-1", "reason": "banjir", **changes}
    done(office, extend, story.number, None, until=date.fromisoformat(until), **about)


def test_an_agreed_extension_moves_the_date_and_what_hangs_on_it(nib: Nib, office: Office) -> None:
    """Both names and the reason stand in the ledger, the owner gets a letter, the ladder starts anew from the new date."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"])  # until 20 January
    story.on("2026-01-15").nothing_happens()
    more(office, story, "2026-02-10")
    assert last(story) == (
        "extended",
        "rini",
        "correction#1, 2026-01-20 menjadi 2026-02-10, disetujui owner-1: banjir",
    )
    assert story.shown()["waiting_for"][0]["due_on"] == "2026-02-10"
    assert "Semula 20 Januari 2026, sekarang 10 Februari 2026." in story.letter("date_extended")["text"]
    with office.db.reading() as session:
        wait = session.exec(select(Wait).where(Wait.key == "correction#1")).one()
    assert (wait.rung, str(wait.extended_until)) == (0, "2026-02-10")
    assert wait.next_due_at is not None and wait.next_due_at.date().isoformat() == "2026-01-27"
    with pytest.raises(Refused, match="is extended until 2026-02-10 already"):
        more(office, story, "2026-02-20")


def test_extensions_have_limits_and_sides(nib: Nib, office: Office) -> None:
    """Twice, thirty days each, forward only, agreed with somebody else, by who leads."""
    story = nib().dossier("return", deficiencies=["foto KTP buram"])
    for until, changes, why in (
        ("2026-01-20", {}, "must lie after 2026-01-20"),
        ("2026-03-20", {}, "not after 2026-02-19"),
        ("2026-01-30", {"agreed_with": "rini"}, "two sides agree"),
        ("2026-01-30", {"by": "budi"}, "may not steer"),
    ):
        with pytest.raises(Refused, match=why):
            more(office, story, until, **changes)
    for day, until in (("2026-01-12", "2026-01-22"), ("2026-01-23", "2026-01-30")):
        story.on(day)
        more(office, story, until)
    with pytest.raises(Refused, match="as often as may be"):
        story.on("2026-02-02")
        more(office, story, "2026-02-10")
