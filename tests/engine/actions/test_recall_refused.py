"""Who may take an answer back, and when it is too late: each refusal says what can be done instead."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from typing import TYPE_CHECKING

import pytest
from sqlmodel import select

from engine.deadlines.clock import JAKARTA
from engine.errors import NotAllowed, Refused
from engine.people.accounts import add_user
from engine.people.persons import declare_conflict
from engine.runtime.office import Office
from models import Business
from tests.engine.actions.test_recall import farm as farm
from tests.engine.actions.test_recall import played_again
from tests.engine.conftest import Begin
from tests.outside.misbehaving_oss import MisbehavingOss, Mood
from tests.pipelines_for_tests.workshop import CERTIFICATES, FARM_VISIT, Workshop

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]

OFFICERS = (
    ("visit = ask(VISIT)", "visit = ask(VISIT)"),
    ("Sample, of=Role.COMPANION", "Sample, of=Role.OFFICER, apart_from=('visit',)"),
)


# -- who may -----------------------------------------------------------------------------------------------------------


def test_only_who_answered_or_stands_above_may_take_it_back(begin: Begin, office: Office) -> None:
    """A colleague is refused by name; a superior up the line, a head of division or an administrator may."""
    add_user(office, "sari", ["supervisor"])
    add_user(office, "joko", ["officer"], reports_to="sari")
    story = begin()
    for by, role in (("sari", "supervisor"), ("rini", "division_head"), ("admin", "administrator")):
        story.answers("joko", story.waits_for[0], decision="bad")
        with pytest.raises(NotAllowed, match=r"tuti did not give visit#. of .*: joko did") as refused:
            story.recalls("tuti")
        assert "Hanya ia, atasannya" in refused.value.for_people
        story.recalls(by)
        assert (story.entries[-1].actor, story.entries[-1].role) == (by, role)


def test_nobody_who_is_barred_takes_it_back(begin: Begin, office: Office) -> None:
    """A head of division with a declared conflict, and one of another region."""
    story = begin().answers("budi", "visit", decision="bad")
    with office.db.reading() as session:
        business = session.exec(select(Business.id)).one()
    declare_conflict(office, "rini", "family", by="rini", business=business)
    with pytest.raises(NotAllowed, match="declared a conflict of interest"):
        story.recalls("rini")
    add_user(office, "dewi", ["division_head"], region="3578")
    with pytest.raises(NotAllowed, match="works for region 3578"):
        story.recalls("dewi")


def test_a_recalled_answer_bars_nobody(workshop: Workshop, begin: Begin) -> None:
    """Who took a visit back did not take part: a colleague visits, and they may take the sample."""
    workshop.write(FARM_VISIT, "made_up", *OFFICERS)
    story = begin().answers("budi", "visit", decision="bad")
    with pytest.raises(NotAllowed, match="took part"):
        story.answers("budi", "sample", decision="fine")
    story.recalls("budi").answers("tuti", "visit#2", decision="fine")
    with pytest.raises(NotAllowed, match="took part"):
        story.answers("tuti", "sample#2", decision="fine")
    story.answers("budi", "sample#2", decision="fine")
    assert story.outcome == "done"


# -- when it is too late -----------------------------------------------------------------------------------------------


def test_silence_is_not_taken_back(nib: Nib) -> None:
    """Nobody gave it."""
    with pytest.raises(Refused, match="Nobody has answered anything"):
        nib().recalls("rini")
    story = nib(national_id="3508166904956221").dossier("return", deficiencies=["foto KTP buram"])
    story.on("2026-06-30").nothing_happens()
    with pytest.raises(Refused, match="the case is closed"):
        story.recalls("rini")


def test_a_deadline_that_passed_is_not_recalled_before_the_sweep_comes_by(workshop: Workshop, begin: Begin) -> None:
    """Who led to the question does not ask it anew once it ended by itself; on its last second they still may."""
    timed = ("of=Role.COMPANION,", 'of=Role.COMPANION, silent_after="answer_limit",')
    workshop.write(FARM_VISIT, "made_up", timed)
    story, other = (begin().answers("budi", "visit", decision="fine") for _ in range(2))
    last = date.fromisoformat(story.shown()["waiting_for"][0]["silent_on"])
    story.clock.moment = datetime.combine(last, time(23, 59, 59), JAKARTA)
    assert other.recalls("budi").waits_for == ["visit#2"]
    story.clock.turn(seconds=1)
    with pytest.raises(Refused, match=r"visit#1 .* the time for sample#1 is up") as refused:
        story.recalls("budi")
    assert "waktu untuk sample#1 sudah habis" in refused.value.for_people
    with pytest.raises(Refused, match="its time passed"):
        story.nothing_happens().recalls("budi")


def test_while_a_machine_is_under_way_nothing_is_taken_back(nib: Nib, oss: MisbehavingOss) -> None:
    """OSS may have the filing already: its end is awaited, or the owner withdraws."""
    oss.next(Mood.BUSY)
    story = nib().to_statement().signs_on_paper()
    with pytest.raises(Refused, match=r"oss_filing#1 is under way .*jalur case withdraw") as refused:
        story.recalls("budi")
    assert "mungkin sudah terkirim" in refused.value.for_people
    story.clock.turn(minutes=3)
    story.advance()
    with pytest.raises(Refused, match=r"statement#1 .* oss_filing#1 was built on it"):
        story.recalls("budi")
    assert oss.taken


def test_what_a_document_was_built_on_stays(workshop: Workshop, begin: Begin) -> None:
    """A certificate that is out is corrected or withdrawn, not forgotten."""
    before, after = (
        ("    certificate = issue", "    ask(VISIT)\n    certificate = issue"),
        ("    return close(case", "    ask(SAMPLE)\n    return close(case"),
    )
    workshop.write(CERTIFICATES, "made_up", before, after)
    story = begin("certificates").answers("budi", "visit", decision="fine")
    assert story.waits_for == ["sample#1"]
    with pytest.raises(Refused, match=r"certificate#1 was built on it\. Correct a name or number"):
        story.recalls("budi")
    assert story.waits_for == ["sample#1"]


def test_a_standing_that_was_given_stays(workshop: Workshop, begin: Begin) -> None:
    """What other cases may rely on already."""
    workshop.write(FARM_VISIT, "made_up", ("return grams", 'stand("weighed")\n    return grams'))
    story = begin().answers("budi", "visit", decision="fine")
    with pytest.raises(Refused, match="the standing weighed was given"):
        story.recalls("budi")


REGISTERED = """    from engine.pipeline import enter_in_register
    enter_in_register("seat", kind="day", of=1, reference=str(grams))
    return grams"""


def test_only_what_came_before_a_place_in_a_register_stays(workshop: Workshop, begin: Begin, office: Office) -> None:
    """A seat was taken after the visit: other cases counted it. The sample of the same day came later, and is asked anew."""
    rest = ("    thank(case)\n", "    thank(case)\n    ask(VISIT)\n")
    workshop.write(FARM_VISIT, "made_up", ("    return grams", REGISTERED), rest)
    story = begin().answers("budi", "visit", decision="fine")
    entry = next(one for one in story.entries if one.key == "weigh#1")
    assert (entry.outcome, entry.reason) == ("changes a register", "seat")
    with pytest.raises(Refused, match="seat stands in a register that other cases go by since"):
        story.recalls("budi")
    story.answers("ani", "sample", decision="bad").recalls("ani")
    assert story.waits_for == ["sample#2"]
    played_again(office, story)


def test_a_parked_case_goes_on_after_the_answer_that_broke_it(workshop: Workshop, begin: Begin, office: Office) -> None:
    """The answer that the code can't take is taken back, and the case is free."""
    workshop.write(FARM_VISIT, "made_up", ("weigh(case, 100)", "weigh(case, 100 // len(visit.reason))"))
    story = begin().answers("budi", "visit", decision="bad")
    assert story.case.status == "parked"
    story.recalls("budi")
    assert (story.case.status, story.case.error, story.waits_for) == ("open", None, ["visit#2"])
    story.answers("budi", "visit#2", decision="fine", reason="x").answers("ani", "sample#1", decision="fine")
    assert story.outcome == "done"
    played_again(office, story)
