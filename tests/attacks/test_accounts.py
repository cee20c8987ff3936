"""Accounts under attack: who changes them, what an ended one can still do, and names that must not be given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session, select

from engine.actions.delegate import delegate
from engine.actions.end_account import end_account
from engine.actions.reassign import reassign
from engine.actions.withdraw import withdraw
from engine.deadlines.clock import TurnedClock
from engine.errors import NotAllowed, Refused
from engine.people import accounts, mandates, persons
from engine.people.accounts import add_user, end_rights, give_own_code, give_token
from engine.people.hierarchy import superiors
from engine.people.permissions import user_ever_named
from engine.people.proving import account_of_token
from engine.people.roles import roles_of
from engine.reports.account_list import list_accounts, list_mandates
from engine.reports.inbox import inbox
from engine.runtime.office import Office, RunHandle
from models import OfficeEntry, Run
from tests.engine.conftest import Begin
from tests.engine.conftest import begin as begin
from tests.engine.conftest import workshop as workshop
from tests.engine.together import at_once
from tests.people import EVIDENCE, PAPER, register_business, register_person
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.story import Story

WHY = "pindah tugas"
NIK = "3508166904956220"
TO_ANI = ("ask(SAMPLE)", 'ask(SAMPLE, to="ani")')
TO_BOTH = ("    sample = ask(SAMPLE)\n", '    sample, other = ask_each(SAMPLE, to=["ani", "wati"])\n')


def acting(office: Office, by: str, act: Callable[[RunHandle], Any]) -> Any:
    """Do something in a run of ``by``."""
    with office.run("cli", by=by) as run:
        return act(run)


def end(office: Office, name: str, by: str = "admin", **more: Any) -> Any:
    """End an account, or one role of it."""
    return acting(office, by, lambda run: end_account(office, run, name, reason=WHY, **more))


def written(office: Office) -> list[tuple[str, str, str, str | None]]:
    """Return what the office's ledger says beside the ends of runs: what, subject, actor, and the run's kind."""
    with office.db.reading() as session:
        entries = session.exec(
            select(OfficeEntry, Run)
            .join(Run, isouter=True)
            .where(OfficeEntry.what != "run ended")
            .order_by(OfficeEntry.seq)  # type: ignore[arg-type]
        )
        return [(one.what, one.subject, one.actor, run.kind if run else None) for one, run in entries]


@pytest.fixture
def staffed(office: Office) -> Office:
    """An office with an administrator, two officers and a companion, and an owner with a business."""
    office.store.put(PAPER)
    register_business(office)
    for name, role in (("admin", "administrator"), ("budi", "officer"), ("tuti", "officer"), ("ani", "companion")):
        add_user(office, name, [role], region="35")
    return office


# Each act on an account, by an administrator: what is done, and what the office's ledger says of it.
ACTS: dict[str, tuple[Callable[[Office, RunHandle], Any], str, str]] = {
    "an account": (lambda o, run: add_user(o, "sari", ["officer"], run=run), "account written", "sari"),
    "a role": (lambda o, run: add_user(o, "ani", ["officer"], run=run), "account written", "ani"),
    "a region": (lambda o, run: add_user(o, "ani", ["companion"], region="3578", run=run), "account written", "ani"),
    "a code": (lambda o, run: give_own_code(o, "ani", run=run), "own code given", "ani"),
    "a code's end": (lambda o, run: accounts.end_own_code(o, "budi", run=run), "own code ended", "budi"),
    "a token": (lambda o, run: give_token(o, "ani", run=run), "token given", "ani"),
    "a token's end": (lambda o, run: accounts.end_token(o, "budi", run=run), "token ended", "budi"),
    "a role's end": (lambda o, run: end_account(o, run, "ani", reason=WHY, role="companion"), "role ended", "ani"),
    "an account's end": (lambda o, run: end_account(o, run, "ani", reason=WHY), "account ended", "ani"),
    "a mandate": (lambda o, run: mandate(o, run), "mandate added", "tuti"),
    "a mandate's end": (
        lambda o, run: mandates.revoke_mandates(o, "owner-1", "ani", by="admin", run=run),
        "mandates revoked",
        "ani",
    ),
    "a person": (
        lambda o, run: persons.add_person(o, "Wati", national_id="3578016904500101", run=run),
        "account written",
        "owner-2",
    ),
    "a conflict": (
        lambda o, run: persons.declare_conflict(o, "ani", "family", by="admin", business=1, run=run),
        "conflict declared",
        "ani",
    ),
}

# Acts that others than administrators may do as well.
BY_OTHERS = {"a mandate", "a mandate's end", "a person", "a conflict"}


def mandate(office: Office, run: RunHandle | None = None, name: str = "tuti", by: str = "admin") -> int:
    """Record a mandate of the owner."""
    since = office.clock.today()
    return mandates.add_mandate(office, "owner-1", name, paper=EVIDENCE, by=by, since=since, run=run)


@pytest.mark.parametrize("act", ACTS)
def test_each_act_is_a_run_with_an_actor_in_the_offices_ledger(staffed: Office, act: str) -> None:
    """Of the run's actor: one entry more, which names account, actor and run."""
    give_own_code(staffed, "budi")
    give_token(staffed, "budi")
    mandate(staffed, name="ani")
    known = written(staffed)
    do, what, subject = ACTS[act]
    acting(staffed, "admin", lambda run: do(staffed, run))
    assert written(staffed)[len(known) :] == [(what, subject, "admin", "cli")]


@pytest.mark.parametrize("act", [act for act in ACTS if act not in BY_OTHERS])
@pytest.mark.parametrize("by", ["tuti", "ani", "owner-1"])
def test_only_an_administrator_changes_accounts(staffed: Office, act: str, by: str) -> None:
    """An officer, a companion and an owner change nothing; their own token and code they renew."""
    give_own_code(staffed, "budi")
    give_token(staffed, "budi")
    known = written(staffed)
    if by == "ani" and act in ("a code", "a token"):
        acting(staffed, by, lambda run: ACTS[act][0](staffed, run))
        assert written(staffed)[len(known) :] == [(ACTS[act][1], "ani", "ani", "cli")]
        return
    with pytest.raises(NotAllowed, match="only they change accounts"):
        acting(staffed, by, lambda run: ACTS[act][0](staffed, run))
    assert written(staffed) == known


@pytest.mark.parametrize(
    "name",
    [
        NIK,
        "3508 1669 0495 6220",
        "3508.1669.0495.6220",
        "3508_1669-0495/6220",
        f"nik{NIK}",
        "081162319252",
        "+62 811 6231 9252",
        "sri@contoh.example",
        "01.312.166.0-091.000",
        "jalur",
        "JALUR",
        "cli:root",
        "nobody",
        "",
        " budi",
        "bu\x00di",
        "x" * 65,
    ],
)
def test_a_name_that_is_personal_or_the_machinerys_is_refused(staffed: Office, name: str) -> None:
    """It would stand in ledgers, logs and letters for good; the refusal doesn't repeat a whole number either."""
    with pytest.raises(Refused) as refused:
        add_user(staffed, name, ["officer"])
    assert NIK not in str(refused.value) + refused.value.for_people
    with staffed.db.reading() as session:
        assert name not in {one["name"] for one in list_accounts(session, staffed.clock.today())}


def test_the_account_of_a_person_to_come_is_not_taken_beforehand(staffed: Office) -> None:
    """Whoever held owner-2 with a token would be the next person who registers."""
    with pytest.raises(Refused, match="that person's own account"):
        add_user(staffed, "owner-2", ["officer"])
    person = register_person(staffed, "3578016904500101")
    with staffed.db.reading() as session:
        user = user_ever_named(session, f"owner-{person}")
        assert (user.person_id, roles_of(session, user, staffed.clock.today())) == (person, {"applicant"})


def test_nobody_mandates_themselves(staffed: Office) -> None:
    """A mandate is recorded by who takes papers or by the owner; a companion's own paper opens nothing."""
    for by, name in (("ani", "ani"), ("ani", "tuti"), ("budi", "budi")):
        with pytest.raises(NotAllowed, match="may not record a mandate"):
            mandate(staffed, name=name, by=by)
    assert mandate(staffed, name="ani", by="owner-1") == 1


@pytest.fixture
def held(begin: Begin, office: Office, workshop: Workshop) -> Story:
    """A case whose sample ani holds; wati is a companion too; sari is ani's superior, rini hers."""
    workshop.write(FARM_VISIT, "made_up", TO_ANI)
    story = begin()
    add_user(office, "sari", ["supervisor"], reports_to="rini")
    add_user(office, "ani", ["companion"], reports_to="sari")
    add_user(office, "wati", ["companion"])
    return story.answers("budi", "visit#1", decision="fine")


def holders(story: Story) -> dict[str, str | None]:
    """Return who holds each open question."""
    return {one["question"]: one["holder"] for one in story.shown()["waiting_for"]}


def test_what_an_ended_account_holds_goes_back_to_its_role(held: Story, office: Office) -> None:
    """By an act on record, with who and why; another companion answers, and the case goes on."""
    assert holders(held) == {"sample#1": "ani"}
    done = end(office, "ani")
    assert done.freed == [{"case": held.number, "question": "sample#1"}]
    assert holders(held) == {"sample#1": None}
    entry = held.entries[-1]
    assert (entry.key, entry.actor, entry.role, entry.outcome) == (
        "reassigned",
        "admin",
        "administrator",
        "reassigned",
    )
    assert entry.reason == f"sample#1: dari ani kepada semua; akun ani diakhiri: {WHY}"
    held.answers("wati", "sample#1", decision="fine")
    assert held.outcome == "done"


def test_an_ended_account_does_nothing_and_is_asked_nothing(held: Story, office: Office, clock: TurnedClock) -> None:
    """No answer, assignment, delegation or inbox; no token, code, role or mandate; what it did stays readable."""
    office.store.put(PAPER)
    mandates.add_mandate(office, "owner-1", "ani", paper=EVIDENCE, by="budi", since=office.clock.today())
    token, _code = give_token(office, "ani"), give_own_code(office, "ani")
    acting(
        office, "ani", lambda run: delegate(office, run, "ani", "wati", until=date(2026, 2, 1), reason=WHY, by="ani")
    )
    end(office, "ani")
    attempts: list[Callable[[RunHandle], Any]] = [
        lambda run: held.answers("ani", "sample#1", decision="fine"),
        lambda run: withdraw(office, run, held.number, by="ani", reason=WHY),
        lambda run: reassign(office, run, held.number, "sample#1", to="ani", by="admin", reason=WHY),
        lambda run: reassign(office, run, held.number, "sample#1", to="wati", by="ani", reason=WHY),
        lambda run: delegate(office, run, "wati", "ani", until=date(2026, 2, 1), reason=WHY, by="wati"),
        lambda run: mandates.add_mandate(office, "owner-1", "ani", paper=EVIDENCE, by="budi", since=clock.today()),
        lambda run: add_user(office, "ani", ["administrator"], run=run),
        lambda run: give_token(office, "ani", run=run),
        lambda run: add_user(office, "joko", ["companion"], reports_to="ani", run=run),
    ]
    known = held.entries
    for attempt in attempts:
        with pytest.raises(NotAllowed, match="The account ani was ended on 2026-01-12"):
            acting(office, "admin", attempt)
    assert held.entries == known
    with office.db.reading() as session:
        assert account_of_token(session, office, token) is None
        with pytest.raises(NotAllowed):
            inbox(office, session, whom="ani")
        assert [one["on_behalf_of"] for one in inbox(office, session, whom="wati")] == [None]
        [listed] = [one for one in list_accounts(session, clock.today()) if one["name"] == "ani"]
        assert (listed["roles"], listed["has_token"], listed["has_own_code"]) == ([], False, False)
        assert (listed["ended_at"][:10], listed["reason"]) == ("2026-01-12", WHY)
        assert listed["role_dates"][0]["ended_at"] == listed["ended_at"]
        [mandated] = list_mandates(session)
        assert (mandated["name"], mandated["revoked_at"]) == ("ani", listed["ended_at"])
    assert f"sample#1: dari ani kepada semua; akun ani diakhiri: {WHY}" in {entry.reason for entry in held.entries}


def test_an_ended_superior_is_passed_over(held: Story, office: Office) -> None:
    """sari ended: ani's next superior on the ladder is rini, to whom sari reported."""
    with office.db.reading() as session:
        assert [one.name for one in superiors(session, "ani")] == ["sari", "rini"]
    end(office, "sari")
    with office.db.reading() as session:
        assert [one.name for one in superiors(session, "ani")] == ["rini"]


def test_of_several_who_are_asked_alike_the_ones_left_do_not_answer_twice(
    begin: Begin, office: Office, workshop: Workshop
) -> None:
    """ani and wati are asked the same; ani ended, wati can't give both answers; joko can give ani's."""
    workshop.write(FARM_VISIT, "made_up", TO_BOTH)
    story = begin()
    add_user(office, "ani", ["companion"])
    add_user(office, "wati", ["companion"])
    add_user(office, "joko", ["companion"])
    story.answers("budi", "visit#1", decision="fine")
    end(office, "ani")
    assert holders(story) == {"sample#1": None, "sample#2": "wati"}
    story.answers("wati", "sample#2", decision="fine")
    with pytest.raises(NotAllowed, match="took part"):
        story.answers("wati", "sample#1", decision="fine")
    story.answers("joko", "sample#1", decision="fine")
    assert story.outcome == "done"


def test_both_of_two_ended_leave_two_questions_for_two(begin: Begin, office: Office, workshop: Workshop) -> None:
    """Neither name is left beside the other, and still one account gives one answer."""
    workshop.write(FARM_VISIT, "made_up", TO_BOTH)
    story = begin()
    for name in ("ani", "wati", "joko", "dedi"):
        add_user(office, name, ["companion"])
    story.answers("budi", "visit#1", decision="fine")
    end(office, "ani")
    end(office, "wati")
    story.answers("joko", "sample#1", decision="fine")
    with pytest.raises(NotAllowed, match="took part"):
        story.answers("joko", "sample#2", decision="fine")
    story.answers("dedi", "sample#2", decision="fine")
    assert story.outcome == "done"


def test_an_account_that_ended_before_it_was_asked_leaves_the_question_to_its_role(
    begin: Begin, office: Office, workshop: Workshop
) -> None:
    """The pipeline chose ani while she was there; the case asks all companions, and is not parked."""
    workshop.write(FARM_VISIT, "made_up", TO_ANI)
    story = begin()
    add_user(office, "ani", ["companion"])
    add_user(office, "wati", ["companion"])
    end(office, "ani")
    story.answers("budi", "visit#1", decision="fine")
    assert holders(story) == {"sample#1": None}
    story.answers("wati", "sample#1", decision="fine")
    assert story.outcome == "done"


def test_a_kill_between_the_end_and_its_questions_is_made_good(held: Story, office: Office) -> None:
    """The account is dead with the first commit; ending it again frees what it still holds, and ends nothing twice."""

    def half(run: RunHandle) -> None:
        with office.work(run) as work:
            end_rights(work, user_ever_named(work.session, "ani"), WHY)

    acting(office, "admin", half)
    assert holders(held) == {"sample#1": "ani"}
    with pytest.raises(NotAllowed):
        held.answers("ani", "sample#1", decision="fine")
    assert end(office, "ani").freed == [{"case": held.number, "question": "sample#1"}]
    assert [one[0] for one in written(office)].count("account ended") == 1


def test_one_role_ends_and_the_others_stay(held: Story, office: Office) -> None:
    """What was held in that role goes back; a role that is given again begins anew."""
    add_user(office, "ani", ["officer"])
    assert end(office, "ani", role="companion").freed == [{"case": held.number, "question": "sample#1"}]
    with office.db.reading() as session:
        assert roles(session, office, "ani") == {"officer"}
    with pytest.raises(Refused, match="does not hold the role companion"):
        end(office, "ani", role="companion")
    assert add_user(office, "ani", ["companion"]) == ["companion", "officer"]
    held.answers("ani", "sample#1", decision="fine")
    assert held.outcome == "done"


def roles(session: Session, office: Office, name: str) -> set[str]:
    """Return the roles of an account today."""
    return {str(role) for role in roles_of(session, user_ever_named(session, name), office.clock.today())}


def test_roles_and_tokens_end_with_their_last_day(staffed: Office, clock: TurnedClock) -> None:
    """On the last day they count, on the next they are worth nothing, and nobody has to do anything for it."""
    add_user(staffed, "ani", ["officer"], until=date(2026, 1, 13))
    token = give_token(staffed, "ani", until=date(2026, 1, 13))
    both, one = {"companion", "officer"}, {"companion"}
    for day, held_then, signed_in in ((12, both, True), (13, both, True), (14, one, False)):
        clock.moment = clock.moment.replace(day=day)
        with staffed.db.reading() as session:
            assert roles(session, staffed, "ani") == held_then
            assert (account_of_token(session, staffed, token) is not None) is signed_in
    with pytest.raises(Refused, match="in the past"):
        give_token(staffed, "ani", until=date(2026, 1, 13))


def test_no_administrator_ends_their_own_account(staffed: Office) -> None:
    """The last one would lock the office out."""
    with pytest.raises(NotAllowed, match="can't end their own account"):
        end(staffed, "admin")


def test_an_owners_question_stays_theirs(begin: Begin, office: Office, workshop: Workshop) -> None:
    """The account ends, the person does not: what is asked of the owner is still asked of the owner."""
    workshop.write(
        FARM_VISIT,
        "made_up",
        ("SAMPLE = Question(Sample, of=Role.COMPANION", "SAMPLE = Question(Sample, of=Role.APPLICANT"),
    )
    story = begin().answers("budi", "visit#1", decision="fine")
    assert holders(story) == {"sample#1": "owner-1"}
    assert end(office, "owner-1").freed == []
    assert holders(story) == {"sample#1": "owner-1"}
    with pytest.raises(NotAllowed, match="was ended"):
        story.answers("owner-1", "sample#1", decision="fine")


@pytest.mark.both_databases
def test_an_end_and_an_answer_at_the_same_moment(held: Story, office: Office) -> None:
    """Either the answer was first and counts, or the end was first and the answer is refused; never both undone."""

    def answered() -> str:
        try:
            held.answers("ani", "sample#1", decision="fine")
        except Refused:
            return "refused"
        return "answered"

    said, ended = at_once(answered, lambda: end(office, "ani"))
    assert said in ("answered", "refused")
    answers = [entry.actor for entry in held.entries if entry.key == "sample#1"]
    assert answers == (["ani"] if said == "answered" else [])
    if said == "refused":
        assert ended.freed and holders(held) == {"sample#1": None}
