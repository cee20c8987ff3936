"""Who may not decide: declared with the question, enforced when it is assigned and again when it is answered."""

from __future__ import annotations

from datetime import date

import pytest

from engine.errors import NotAllowed, Refused
from engine.people.accounts import add_user
from engine.people.persons import declare_conflict, record_certificate
from engine.runtime.office import Office
from models import Standing
from tests.engine.conftest import Begin
from tests.people import EVIDENCE, register_person
from tests.pipelines_for_tests.workshop import FARM_VISIT, Workshop
from tests.stories.story import Story

SAMPLE = 'SAMPLE = Question(Sample, of=Role.COMPANION, title="Ambil contoh")'
CURATORS = ("3578016904500101", "3578016904500102", "3578016904500103")


def declares(constraint: str) -> tuple[str, str]:
    """Return the change that declares ``constraint`` with the question SAMPLE."""
    return SAMPLE, SAMPLE.replace('title="Ambil', f'{constraint}, title="Ambil')


def hired(office: Office, name: str, place: int, **standing: object) -> int:
    """Hire a companion who is a registered person; give them a standing where one is named. Return the person's id."""
    person = register_person(office, CURATORS[place], name=name)
    add_user(office, name, ["companion"], person=person)
    return person


def certify(office: Office, story: Story, person: int, what: str, until: date | None) -> None:
    """Let an earlier case have given that person a standing."""
    with office.db.writing() as session:
        session.add(
            Standing(
                case_id=story.case.id or 0,
                what=f"{what}{'' if what == 'sampler' else person}",
                subject_kind="person",
                subject_id=person,
                since=date(2026, 1, 1),
                until=until,
            )
        )


def refused(story: Story, by: str, key: str = "sample#1") -> str:
    """Return why that answer is refused, in Indonesian."""
    with pytest.raises(NotAllowed) as refusal:
        story.answers(by, key, decision="fine")
    assert "Mintalah rekan lain" in refusal.value.for_people
    return refusal.value.for_people


def test_who_answered_one_question_may_not_answer_another_that_is_declared_apart(
    begin: Begin, workshop: Workshop, office: Office
) -> None:
    """Declared at the top of the pipeline; the process itself does not have to say it again."""
    workshop.write(FARM_VISIT, "made_up", declares('apart_from=("visit",)'))
    story = begin()
    add_user(office, "budi", ["companion"])
    story.answers("budi", "visit#1", decision="fine")
    assert "terlibat dalam hal yang diputuskan pada sample#1" in refused(story, "budi")
    assert story.answers("ani", "sample#1", decision="fine").outcome == "done"


def test_of_two_who_are_asked_at_once_the_second_is_kept_apart_when_it_answers(
    begin: Begin, workshop: Workshop, office: Office
) -> None:
    """When both were asked nobody had answered: what counts is the moment of the answer."""
    both = ("visit = ask(VISIT)", "visit, sample = ask_all(VISIT, SAMPLE)"), ("    sample = ask(SAMPLE)\n", "")
    workshop.write(FARM_VISIT, "made_up", declares('apart_from=("visit",)'), *both)
    story = begin()
    add_user(office, "budi", ["companion"])
    story.answers("budi", "visit#1", decision="fine")
    assert "terlibat" in refused(story, "budi")


@pytest.mark.parametrize("towards", ["business", "person", "institution"])
def test_a_declared_conflict_bars_until_its_last_day(
    begin: Begin, office: Office, workshop: Workshop, towards: str
) -> None:
    """Towards the business, its owner, or the institution at which the owner works."""
    workshop.write()
    story = begin().answers("budi", "visit#1", decision="fine")
    add_user(office, f"owner-{story.case.person_id}", ["applicant"], institution="KOP-01")
    whom = {"business": story.case.subject_id, "person": story.case.person_id, "institution": "KOP-01"}
    declare_conflict(office, "ani", "family", by="admin", until=date(2026, 1, 31), **{towards: whom[towards]})  # type: ignore[arg-type]
    assert "benturan kepentingan (family)" in refused(story.on("2026-01-31", hour=23), "ani")
    assert story.on("2026-02-01").answers("ani", "sample#1", decision="fine").outcome == "done"


def test_a_conflict_names_one_party_that_exists_and_a_kind(begin: Begin, office: Office, workshop: Workshop) -> None:
    """Anything else is refused, and nothing is kept."""
    workshop.write()
    story = begin()
    with pytest.raises(Refused, match="no kind of conflict"):
        declare_conflict(office, "ani", "friendship", by="admin", business=story.case.subject_id)
    with pytest.raises(Refused, match="Name one business, person or institution"):
        declare_conflict(office, "ani", "family", by="admin", business=999)
    with pytest.raises(Refused, match="Name one business, person or institution"):
        declare_conflict(office, "ani", "family", by="admin", business=story.case.subject_id, institution="LSP-01")


def test_who_works_where_the_applicant_works_is_barred_where_the_question_says_so(
    begin: Begin, office: Office, workshop: Workshop
) -> None:
    """Another house may decide."""
    workshop.write(FARM_VISIT, "made_up", declares("other_institution=True"))
    story = begin().answers("budi", "visit#1", decision="fine")
    add_user(office, f"owner-{story.case.person_id}", ["applicant"], institution="KOP-01")
    add_user(office, "ani", ["companion"], institution="KOP-01")
    add_user(office, "wati", ["companion"], institution="KOP-02")
    assert "lembaga yang sama" in refused(story, "ani")
    assert story.answers("wati", "sample#1", decision="fine").outcome == "done"


def test_a_standing_is_asked_for_on_the_day_of_the_answer(begin: Begin, office: Office, workshop: Workshop) -> None:
    """Its last day counts; the day after it is refused. An account that is nobody's own holds none."""
    workshop.write(FARM_VISIT, "made_up", declares('holds="sampler"'))
    story, other = (
        begin().answers("budi", "visit#1", decision="fine"),
        begin().answers("budi", "visit#1", decision="fine"),
    )
    assert "tidak memegang sertifikat sampler" in refused(story, "ani")
    person = hired(office, "wati", 0)
    assert "tidak memegang sertifikat sampler" in refused(story, "wati")
    certify(office, story, person, "sampler", date(2026, 1, 31))
    assert story.on("2026-01-31", hour=23).answers("wati", "sample#1", decision="fine").outcome == "done"
    assert "tidak memegang sertifikat sampler yang berlaku pada 2026-02-01" in refused(other.on("2026-02-01"), "wati")


ASSIGN = """
@step
def choose(case: Case) -> list[str]:
    return assignable(case, "sample", apart_from=["joko"])

@step
def thank(case: Case) -> None:"""
ASSIGNED = (
    ("\n@step\ndef thank(case: Case) -> None:", ASSIGN),
    ("    sample = ask(SAMPLE)\n", "    chosen = choose(case)\n    sample, _ = ask_each(SAMPLE, to=chosen[:2])\n"),
)


def test_the_least_loaded_who_may_are_assigned_and_only_they_answer(
    begin: Begin, office: Office, workshop: Workshop
) -> None:
    """Of five companions one has another role's region, one is named apart, one declared a conflict."""
    workshop.write(FARM_VISIT, "made_up", *ASSIGNED)
    first = begin()
    add_user(office, "wati", ["companion"])
    add_user(office, "joko", ["companion"])
    add_user(office, "dedi", ["companion"], region="3578")
    first.answers("budi", "visit#1", decision="fine")
    holders = {one["question"]: one["holder"] for one in first.shown()["waiting_for"]}
    assert holders == {"sample#1": "ani", "sample#2": "wati"}
    with pytest.raises(NotAllowed, match="sample#1 of FRM-2026-000001 is assigned to ani, not to wati") as refusal:
        first.answers("wati", "sample#1", decision="fine")
    assert "ditugaskan kepada ani" in refusal.value.for_people
    first.answers("wati", "sample#2", decision="fine")
    assert first.waits_for == ["sample#1"]

    add_user(office, "tuti", ["companion"])
    second = begin()
    second.answers("budi", "visit#1", decision="fine")
    assert {one["holder"] for one in second.shown()["waiting_for"]} == {"tuti", "wati"}, "ani holds an open one"
    assert first.answers("ani", "sample#1", decision="fine").outcome == "done"
    assert first.case.reason == "dikunjungi budi, diambil ani"


def test_a_process_that_assigns_whom_it_may_not_is_parked_with_the_reason(
    begin: Begin, office: Office, workshop: Workshop
) -> None:
    """Assigning is checked as well: the question is never put to somebody who is barred, nor twice to the same one."""
    workshop.write(
        FARM_VISIT, "made_up", declares('apart_from=("visit",)'), ("ask(SAMPLE)", "ask(SAMPLE, to=visit.by)")
    )
    story = begin().answers("budi", "visit#1", decision="fine")
    assert story.shown()["status"] == "parked"
    assert "budi took part in what sample decides about" in story.shown()["error"]
    workshop.write(
        FARM_VISIT.replace("farm-visit", "twice"),
        "made_up_twice",
        ASSIGNED[0],
        ("    sample = ask(SAMPLE)\n", '    sample, _ = ask_each(SAMPLE, to=["ani", "ani"])\n'),
    )
    twice = begin("twice").answers("budi", "visit#1", decision="fine")
    assert "asked twice of the same account" in twice.shown()["error"]
    workshop.write(
        FARM_VISIT.replace("farm-visit", "nobody"), "made_up_nobody", ("ask(SAMPLE)", 'ask(SAMPLE, to="hantu")')
    )
    assert "There is no user hantu" in begin("nobody").answers("budi", "visit#1", decision="fine").shown()["error"]


def test_a_certificate_of_another_body_counts_as_long_as_it_lasts(
    begin: Begin, office: Office, workshop: Workshop
) -> None:
    """Recorded with its evidence; a number is recorded once, a file that nobody kept shows nothing."""
    workshop.write(FARM_VISIT, "made_up", declares('holds="sampler"'))
    story, other = (
        begin().answers("budi", "visit#1", decision="fine"),
        begin().answers("budi", "visit#1", decision="fine"),
    )
    person = hired(office, "wati", 0)
    about = {
        "since": date(2024, 2, 1),
        "until": date(2026, 1, 31),
        "source": "BNSP",
        "evidence": EVIDENCE,
        "by": "admin",
    }
    record_certificate(office, person, "sampler", "MET.000.004772 2024", **about)  # type: ignore[arg-type]
    for change, why in (({}, "recorded already"), ({"evidence": "sha256:" + "0" * 64}, "no kept file")):
        with pytest.raises(Refused, match=why):
            record_certificate(office, person, "sampler", "MET.000.004772 2024", **about | change)  # type: ignore[arg-type]
    with pytest.raises(Refused, match="no person 99"):
        record_certificate(office, 99, "sampler", "MET.000.000001 2024", **about)  # type: ignore[arg-type]
    assert story.on("2026-01-31").answers("wati", "sample#1", decision="fine").outcome == "done"
    assert "tidak memegang sertifikat sampler" in refused(other.on("2026-02-01"), "wati")
