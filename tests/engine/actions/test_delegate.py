"""Somebody is away and another answers: by date, in what is theirs, never who is barred; both names are recorded."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from engine.actions.answer import answer_many
from engine.actions.delegate import delegate, revoke
from engine.errors import NotAllowed, Refused
from engine.people.accounts import add_user
from engine.people.persons import declare_conflict
from engine.reports.inbox import inbox
from engine.runtime.office import Office
from models import Delegation, Notice
from tests.engine.conftest import Begin
from tests.engine.together import at_once
from tests.people import hire_curator
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.story import Story

TO_ANI = ("ask(SAMPLE)", 'ask(SAMPLE, to="ani")')
SAMPLE = 'SAMPLE = Question(Sample, of=Role.COMPANION, title="Ambil contoh")'


@pytest.fixture
def held(begin: Begin, office: Office, workshop: Workshop) -> Story:
    """A case whose sample the companion ani holds; wati is an officer, dedi a companion."""
    workshop.write(FARM_VISIT, "made_up", TO_ANI)
    story = begin()
    add_user(office, "wati", ["officer"])
    add_user(office, "dedi", ["companion"])
    return story.answers("budi", "visit#1", decision="fine")


def lets(office: Office, away: str, to: str, until: str = "2026-01-16", *, by: str | None = None, **more: Any) -> int:
    """Delegate in a run of its own."""
    about = {"since": date(2026, 1, 12), "reason": "cuti tahunan", **more}
    with office.run("cli", by=by or away) as run:
        return delegate(office, run, away, to, until=date.fromisoformat(until), by=by or away, **about)


def refused(office: Office, *words: str, **more: Any) -> str:
    """Return why a delegation is refused; nothing was kept."""
    with office.db.reading() as session:
        before = len(session.exec(select(Delegation)).all())
    with pytest.raises(Refused) as refusal:
        lets(office, *words, **more)
    with office.db.reading() as session:
        assert len(session.exec(select(Delegation)).all()) == before
    return str(refusal.value)


def waiting_for(office: Office, name: str) -> list[tuple[str, str | None]]:
    """Return what the account may answer, and for whom."""
    with office.db.reading() as session:
        return [(one["question"], one["on_behalf_of"]) for one in inbox(office, session, whom=name)]


def test_another_answers_what_the_absent_holds_and_both_names_stand_in_the_ledger(held: Story, office: Office) -> None:
    """Not before its first day and not after its last; on both of them, yes."""
    lets(office, "ani", "wati", "2026-01-14", since=date(2026, 1, 13))
    for day in ("2026-01-12", "2026-01-15"):
        with pytest.raises(NotAllowed, match="sample#1 is for the role companion"):
            held.on(day).answers("wati", "sample#1", decision="fine")
        assert waiting_for(office, "wati") == []
    assert waiting_for(held.on("2026-01-14", hour=23).office, "wati") == [("sample#1", "ani")]
    assert waiting_for(office, "ani") == [("sample#1", None)]
    assert held.answers("wati", "sample#1", decision="fine").outcome == "done"
    entry = next(one for one in held.entries if one.key == "sample#1")
    assert (entry.actor, entry.role, entry.on_behalf_of) == ("wati", "companion", "ani")
    assert held.case.reason == "dikunjungi budi, diambil wati" and held.is_whole()
    with office.db.reading() as session:
        assert [one.kind for one in session.exec(select(Notice))] == ["delegated"]


def test_one_who_has_the_role_answers_what_the_absent_holds_by_name(held: Story, office: Office) -> None:
    """For one role alone: the delegation of another role gives nothing."""
    add_user(office, "ani", ["officer"])
    lets(office, "ani", "dedi", role="officer")
    with pytest.raises(NotAllowed, match="is assigned to ani, not to dedi"):
        held.answers("dedi", "sample#1", decision="fine")
    lets(office, "ani", "dedi", role="companion", by="admin")
    held.answers("dedi", "sample#1", decision="fine")
    assert next(one for one in held.entries if one.key == "sample#1").on_behalf_of == "ani"


def test_what_a_whole_role_may_answer_is_answered_for_who_is_away_in_their_region(
    begin: Begin, office: Office, workshop: Workshop
) -> None:
    """The region is that of who is away; who has the role themselves answers for themselves."""
    workshop.write()
    story, other = begin(), begin(region_code="3578")
    for one in (story, other):
        one.answers("budi", "visit#1", decision="fine")
    add_user(office, "ani", ["companion"], region="3508")
    lets(office, "ani", "tuti")
    with pytest.raises(NotAllowed, match="for the role companion; tuti has: officer"):
        other.answers("tuti", "sample#1", decision="fine")
    assert waiting_for(office, "tuti") == [("sample#1", "ani")]
    story.answers("tuti", "sample#1", decision="fine")
    assert next(one for one in story.entries if one.key == "sample#1").on_behalf_of == "ani"
    add_user(office, "tuti", ["companion"])
    other.answers("tuti", "sample#1", decision="fine")
    assert next(one for one in other.entries if one.key == "sample#1").on_behalf_of is None


def test_a_delegation_is_not_passed_on(held: Story, office: Office) -> None:
    """ani to wati, wati to dedi: dedi answers nothing of ani's."""
    lets(office, "ani", "wati")
    lets(office, "wati", "tuti")
    assert waiting_for(office, "tuti") == []
    with pytest.raises(NotAllowed):
        held.answers("tuti", "sample#1", decision="fine")


def test_who_is_barred_answers_for_nobody(begin: Begin, office: Office, workshop: Workshop) -> None:
    """Who took part, who declared a conflict; and nobody stands in for the applicant of the case."""
    workshop.write(FARM_VISIT, "made_up", TO_ANI, (SAMPLE, SAMPLE.replace("title=", 'apart_from=("visit",), title=')))
    story = begin().answers("budi", "visit#1", decision="fine")
    lets(office, "ani", "budi")
    with pytest.raises(NotAllowed, match="budi took part in what sample#1 decides about"):
        story.answers("budi", "sample#1", decision="fine")
    with office.run("cli", by="ani") as run:
        assert revoke(office, run, "ani", "budi", by="ani") == 1
    lets(office, "ani", "tuti")
    declare_conflict(office, "ani", "family", by="admin", business=story.case.subject_id)
    declare_conflict(office, "tuti", "family", by="admin", business=story.case.subject_id, until=date(2026, 1, 12))
    with pytest.raises(NotAllowed, match="tuti declared a conflict"):
        story.answers("tuti", "sample#1", decision="fine")
    story.on("2026-01-13")
    add_user(office, "ani", ["companion"], person=story.case.person_id)
    with pytest.raises(NotAllowed, match="ani is the applicant"):
        story.answers("tuti", "sample#1", decision="fine")
    assert waiting_for(office, "tuti") == []


def test_a_standing_cannot_be_delegated(begin: Begin, office: Office, workshop: Workshop) -> None:
    """The curator's certificate is asked of who answers."""
    held = SAMPLE.replace("COMPANION", "CURATOR").replace("title=", 'holds="curator", title=')
    workshop.write(FARM_VISIT, "made_up", (SAMPLE, held), ("ask(SAMPLE)", 'ask(SAMPLE, to="agus")'))
    story = begin()
    hire_curator(office, "agus")
    hire_curator(office, "bayu")
    story.answers("budi", "visit#1", decision="fine")
    lets(office, "agus", "tuti", "2026-01-12")
    with pytest.raises(NotAllowed, match="tuti holds no curator standing"):
        story.answers("tuti", "sample#1", decision="fine")
    story.on("2026-01-13")
    lets(office, "agus", "bayu", since=date(2026, 1, 13))
    assert story.answers("bayu", "sample#1", decision="fine").outcome == "done"


def test_of_several_who_are_asked_nobody_answers_twice(begin: Begin, office: Office, workshop: Workshop) -> None:
    """Neither for another beside their own, nor for two who are away."""
    both = ("    sample = ask(SAMPLE)\n", '    sample, other = ask_each(SAMPLE, to=["ani", "dedi"])\n')
    workshop.write(FARM_VISIT, "made_up", both)
    story = begin()
    add_user(office, "dedi", ["companion"])
    story.answers("budi", "visit#1", decision="fine")
    lets(office, "ani", "dedi", "2026-01-12")
    with pytest.raises(NotAllowed, match="dedi took part"):
        story.answers("dedi", "sample#1", decision="fine")
    story.on("2026-01-13")
    for away in ("ani", "dedi"):
        lets(office, away, "tuti", since=date(2026, 1, 13))
    story.answers("tuti", "sample#1", decision="fine")
    with pytest.raises(NotAllowed, match="tuti took part"):
        story.answers("tuti", "sample#2", decision="fine")


def test_who_may_delegate_and_to_whom(held: Story, office: Office) -> None:
    """The absent themselves, a superior, an administrator; to somebody who works here, for days that are to come."""
    add_user(office, "sari", ["supervisor"])
    add_user(office, "ani", ["companion"], reports_to="sari")
    for name in ("one", "self"):
        add_user(office, name, ["companion"], person=held.case.person_id)
    for by in ("wati", "rini", f"owner-{held.case.person_id}"):
        assert f"{by} may not arrange this" in refused(office, "ani", "wati", by=by)
    for words, more, why in (
        (("ani", "ani"), {}, "can't stand in for themselves"),
        (("one", "self"), {"by": "admin"}, "can't stand in for themselves"),
        (("ani", f"owner-{held.case.person_id}"), {}, "holds no role of the office"),
        ((f"owner-{held.case.person_id}", "wati"), {"by": "admin"}, "holds no role of the office to delegate"),
        (("ani", "wati"), {"role": "curator"}, "ani holds no curator"),
        (("ani", "wati"), {"role": "farmer"}, "no role farmer"),
        (("ani", "wati"), {"role": ""}, "no role ;"),
        (("ani", "wati"), {"role": "applicant"}, "needs a mandate"),
        (("ani", "wati"), {"role": "officer"}, "ani holds no officer role to delegate; theirs: companion"),
        (("ani", "wati", "2026-01-11"), {"since": date(2026, 1, 10)}, "in the past"),
        (("ani", "wati", "2026-01-13"), {"since": date(2026, 1, 14)}, "before it begins"),
        (("ani", "hantu"), {}, "no user hantu"),
        (("ani", "wati"), {"reason": ""}, "Say why"),
        (("ani", "wati"), {"number": "FRM-2026-000099"}, "no case"),
        (("ani", "wati"), {"number": ""}, "no case"),
    ):
        assert why in refused(office, *words, **more)
    for by, day in (("ani", 12), ("sari", 13), ("admin", 14)):
        lets(office, "ani", "wati", f"2026-01-{day}", since=date(2026, 1, day), by=by)


def test_what_overlaps_or_runs_in_a_circle_is_refused(held: Story, office: Office) -> None:
    """Also over one shared day; other roles, other days and one case beside the rest are no overlap."""
    lets(office, "ani", "wati")
    assert "ani has delegated that to wati" in refused(office, "ani", "dedi", "2026-01-30", since=date(2026, 1, 16))
    assert "ani has delegated that to wati" in refused(office, "ani", "wati", role="companion")
    for away in ("wati", "dedi"):
        assert "a delegation is not passed on" in refused(office, away, "ani")
    lets(office, "ani", "dedi", number=held.number)
    assert "a delegation is not passed on" in refused(office, "dedi", "ani", number=held.number)
    lets(office, "ani", "dedi", "2026-01-30", since=date(2026, 1, 17))
    with office.run("cli", by="admin") as run:
        assert revoke(office, run, "ani", "wati", by="admin") == 1
    lets(office, "ani", "budi")


@pytest.mark.both_databases
def test_of_two_that_are_made_at_once_one_is_refused(held: Story, office: Office) -> None:
    """A circle is not closed behind anybody's back."""
    ends = at_once(lambda: lets(office, "ani", "wati"), lambda: lets(office, "wati", "ani"))
    assert sorted(isinstance(one, Refused) for one in ends) == [False, True]


def test_a_delegation_in_one_case_is_in_its_ledger_and_covers_no_other(
    begin: Begin, held: Story, office: Office
) -> None:
    """Who is barred there is refused when it is made; it ends when it is revoked, and the ledger says so."""
    other = begin().answers("budi", "visit#1", decision="fine")
    declare_conflict(office, "tuti", "family", by="admin", business=held.case.subject_id)
    assert "tuti declared a conflict" in refused(office, "ani", "tuti", number=held.number)
    assert "asks nothing more of admin" in refused(office, "admin", "tuti", number=held.number)
    lets(office, "ani", "wati", number=held.number, by="admin")
    entry = held.entries[-1]
    assert (entry.key, entry.actor, entry.role, entry.on_behalf_of) == ("delegated", "admin", "administrator", "ani")
    assert entry.reason == "ani kepada wati, 2026-01-12 sampai 2026-01-16; cuti tahunan"
    assert waiting_for(office, "wati") == [("sample#1", "ani")]
    with pytest.raises(NotAllowed):
        other.answers("wati", "sample#1", decision="fine")
    with office.run("cli", by="ani") as run:
        with pytest.raises(NotAllowed):
            revoke(office, run, "ani", "wati", by="budi")
        assert revoke(office, run, "ani", "wati", by="ani") == 1
        with pytest.raises(Refused, match="still to run"):
            revoke(office, run, "ani", "wati", by="ani")
    assert [entry.key for entry in held.entries][-2:] == ["delegated", "delegation_revoked"]
    with pytest.raises(NotAllowed):
        held.answers("wati", "sample#1", decision="fine")
    held.answers("ani", "sample#1", decision="fine")
    assert "asks nothing more" in refused(office, "ani", "wati", number=held.number)
    assert held.is_whole()


def test_what_is_delegated_for_one_role_ends_alone(held: Story, office: Office) -> None:
    """The other role's runs on; what covers all roles does not end for one of them; why is in the ledger and in the digest."""
    add_user(office, "ani", ["officer", "curator"])
    lets(office, "ani", "dedi", role="officer")
    lets(office, "ani", "dedi", role="companion", number=held.number)
    with office.run("cli", by="admin") as run:
        for role, why in (
            ("", "no role ;"),
            ("curator", "what is still to run is for: companion, officer"),
            ("farmer", "no role farmer"),
        ):
            with pytest.raises(Refused, match=why):
                revoke(office, run, "ani", "dedi", by="admin", role=role)
        assert revoke(office, run, "ani", "dedi", by="admin", role="officer") == 1
        assert waiting_for(office, "dedi") == [("sample#1", "ani")]
        assert revoke(office, run, "ani", "dedi", by="admin", role="companion", reason="pulang lebih awal") == 1
    said = "ani kepada dedi untuk peran companion dicabut; pulang lebih awal"
    entry = held.entries[-1]
    assert (entry.actor, entry.on_behalf_of, entry.reason) == ("admin", "ani", f"pendelegasian {said}")
    with office.db.reading() as session:
        words = [one.words for one in session.exec(select(Notice).order_by(col(Notice.id)))]
    assert words[-1] == f"Pendelegasian dari {said}"
    lets(office, "ani", "dedi")
    with office.run("cli", by="ani") as run:
        with pytest.raises(Refused, match="all roles together"):
            revoke(office, run, "ani", "dedi", by="ani", role="companion")
        assert revoke(office, run, "ani", "dedi", by="ani") == 1


def test_many_answers_ask_for_the_delegations_once(begin: Begin, office: Office, workshop: Workshop) -> None:
    """As with roles: whom one stands in for is looked up once a transaction."""
    workshop.write(FARM_VISIT, "made_up", TO_ANI)
    stories = [begin().answers("budi", "visit#1", decision="fine") for _ in range(4)]
    lets(office, "ani", "tuti")
    said: list[str] = []
    event.listen(office.db.engine, "before_cursor_execute", lambda *about: said.append(about[2]))
    with office.run("cli", by="tuti") as run:
        taken = answer_many(office, run, [(one.number, "sample#1", {"decision": "fine"}) for one in stories], by="tuti")
    assert not any(isinstance(one, Refused) for one in taken)
    assert sum("delegation" in statement for statement in said) == 1
