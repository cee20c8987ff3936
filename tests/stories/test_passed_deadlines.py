"""What a passed deadline does: by law where a rule is law, and nothing but a question to an official where it is not."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from engine.actions.extend import extend
from engine.cases.dossier import fetch_by_number
from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.errors import NotWaiting, Refused
from engine.runtime.office import Office
from models import CaseFile
from tests.people import hire_staff, register_business
from tests.stories.halal_regular.conftest import RegularStory
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.story import Story
from tests.stories.test_rules_change_by_date import Adds, adds

__all__ = ["adds"]

BY_LAW = """
[[rule]]
name = "verification_passed"
value = { deadline = 14, authority = "DPMPTSP", effect = "deemed_approved" }
unit = "effect_of_deadline"
since = 2026-01-01
citation = "Peraturan contoh 1/2026 Pasal 5"
standing = "law"
"""

SHORT_SERVICE = """
[[rule]]
name = "service_time"
value = 11
unit = "working_days"
since = 2026-01-01
citation = "Usulan contoh: layanan singkat"
standing = "policy"
"""


def computation(story: Story, office: Office) -> dict[str, object]:
    """Return the facts of the page that counts the days."""
    [page] = [document for document in story.documents if document.kind == "deadline_computation"]
    with office.db.reading() as session:
        key = fetch_by_number(office, session, story.number).key
    facts: dict[str, object] = office.vault.decrypt(key, page.facts)
    return facts


def begun(office: Office, clock: TurnedClock) -> NibStory:
    """A medium-high risk that DPMPTSP has had since 9 March 2026, with Lebaran and its joint leave ahead."""
    hire_staff(office)
    clock.moment = datetime.combine(date(2026, 3, 9), time(9), JAKARTA)
    return NibStory(office, clock, "nib-legalization", register_business(office)).to_verification()


def test_under_an_unconfirmed_rule_an_official_decides(office: Office, clock: TurnedClock) -> None:
    """The page says that the effect is not confirmed; the case waits, and DPMPTSP's late answer still counts."""
    story = begun(office, clock)
    assert story.shown()["waiting_for"][0]["due_on"] == "2026-04-06"
    story.on("2026-04-07").nothing_happens()
    assert story.waits_for == ["verification#1"]
    facts = computation(story, office)
    assert (facts["used"], facts["by_law"], facts["not_by_law"]) == (14, [], ["deemed_approved"])
    assert ("verification#1/say_passed", "deadline_passed") in [(one.key, one.outcome) for one in story.entries]
    story.verified("deadline_passed").answers("rini", "deadline_ruling#1", decision="keep_waiting", reason="belum ada")
    assert story.verified().outcome == "legalized"


def test_under_a_rule_of_law_the_same_case_is_deemed_approved(office: Office, clock: TurnedClock, adds: Adds) -> None:
    """The same days, and a row that is law: the approval is recorded with its page, and a late refusal changes nothing."""
    adds("nib_legalization", BY_LAW)
    story = begun(office, clock)
    story.on("2026-04-08").nothing_happens()  # what DPMPTSP decided in time may be recorded for two days more
    assert story.waits_for == ["verification#1"]
    with pytest.raises(NotWaiting, match="the time has passed"):
        story.on("2026-04-09").verified("reject", reason="terlambat")
    story.advance()
    assert story.outcome == "legalized"
    [entry] = [one for one in story.entries if one.key == "verification#1"]
    assert (entry.actor, entry.outcome) == ("jalur", "passed")
    assert entry.reason == "deemed_approved: DPMPTSP, Peraturan contoh 1/2026 Pasal 5"
    assert "deemed_approved" in story.letters
    facts = computation(story, office)
    assert (facts["used"], facts["by_law"]) == (14, ["deemed_approved"])
    days = [(day["date"], day["place"], day["why"]) for day in facts["days"]]  # type: ignore[attr-defined]
    assert ("2026-03-09", "", "hari mulai, tidak dihitung") in days
    assert ("2026-03-21", "", "akhir pekan") not in days  # Lebaran itself is named
    assert days[-1][:2] == ("2026-04-06", "14")
    assert len([place for _, place, _ in days if place]) == 14


@pytest.mark.parametrize(("days", "due", "last"), [(20, "2026-04-06", "2026-04-16"), (10, "2026-03-30", "2026-04-01")])
def test_the_effect_comes_after_the_days_that_the_law_names_whatever_the_office_aims_at(
    office: Office, clock: TurnedClock, adds: Adds, days: int, due: str, last: str
) -> None:
    """Fourteen days are no law: the twenty or ten of the law, and two to record, pass first; the page counts them."""
    adds("nib_legalization", BY_LAW.replace("deadline = 14", f"deadline = {days}"))
    story = begun(office, clock)
    assert [story.shown()["waiting_for"][0][name] for name in ("due_on", "silent_on")] == [due, last]
    story.on(last, 23).nothing_happens()
    assert story.waits_for == ["verification#1"]
    story.on(str(date.fromisoformat(last) + timedelta(days=1))).nothing_happens()
    assert story.outcome == "legalized"
    facts = computation(story, office)
    counted = (f"{days} hari kerja", "Peraturan contoh 1/2026 Pasal 5", days)
    assert (facts["budget"], facts["budget_citation"], facts["used"]) == counted


def test_the_page_of_an_effect_counts_the_law_s_days_and_not_the_cases_own(
    office: Office, clock: TurnedClock, adds: Adds
) -> None:
    """The case's own eleven days, a policy, end on 31 March; what is deemed is deemed after the fourteen of the law, on 6 April."""
    adds("nib_legalization", BY_LAW + SHORT_SERVICE)
    story = begun(office, clock)
    assert story.shown()["waiting_for"][0]["due_on"] == "2026-03-31"
    assert story.on("2026-04-09").nothing_happens().outcome == "legalized"
    facts = computation(story, office)
    assert (facts["budget"], facts["due_on"], facts["used"]) == ("14 hari kerja", "2026-04-06", 14)


def test_a_rule_of_law_that_names_no_deadline_does_nothing_by_itself(
    office: Office, clock: TurnedClock, adds: Adds
) -> None:
    """Deadline, authority and effect are all named, or an official decides."""
    adds("nib_legalization", BY_LAW.replace("deadline = 14, ", ""))
    story = begun(office, clock)
    assert story.on("2026-06-30").nothing_happens().waits_for == ["verification#1"]
    assert computation(story, office)["not_by_law"] == ["deemed_approved"]


def test_nobody_puts_off_what_the_law_says_of_a_deadline(office: Office, clock: TurnedClock, adds: Adds) -> None:
    """An agreement can't move a date on which the law deems something approved."""
    adds("nib_legalization", BY_LAW)
    story = begun(office, clock)
    with office.run("cli", by="rini") as run, pytest.raises(Refused, match="which gives no extension"):
        until, who = date(2026, 4, 20), {"by": "rini", "agreed_with": "owner-1", "reason": "belum sempat"}
        extend(office, run, story.number, "verification#1", until=until, **who)
    assert story.shown()["waiting_for"][0]["due_on"] == "2026-04-06"


def test_what_mui_does_not_rule_on_in_time_passes_to_the_committee(office: Office, clock: TurnedClock) -> None:
    """UU 33/2014 art. 33 (5) is law: after MUI's three days, and two to record what it ruled, the committee decides."""
    hire_staff(office)
    story = RegularStory(office, clock, "halal-regular", register_business(office, business_id_number="9120304567812"))
    story.to_fatwa()
    asked = story.shown()["waiting_for"][0]
    assert asked["question"] == "fatwa#1"
    story.on("2026-02-27").nothing_happens()
    assert story.waits_for == ["committee_ruling#1"]
    assert computation(story, office)["by_law"] == ["handed_over"]


def test_three_clarifications_in_a_row_never_give_the_office_new_days(office: Office, clock: TurnedClock) -> None:
    """Each stops the case's clock and none resets it: what was used stays used."""
    hire_staff(office)
    story = NibStory(office, clock, "nib-legalization", register_business(office)).to_verification()
    assert story.shown()["clock"] == {"budget_days": 30, "used_days": 0, "running": True, "holder": "outside"}
    used = []
    for answered, returned in (
        ("2026-01-20", "2026-01-15"),
        ("2026-01-27", "2026-01-22"),
        ("2026-02-03", "2026-01-29"),
    ):
        story.on(returned).verified("return", deficiencies=["denah lokasi"])
        clock_now = story.shown()["clock"]
        assert (clock_now["running"], clock_now["holder"]) == (False, "applicant")
        assert comes_by_again(story).shown()["clock"] == clock_now, "a worker that finds nothing to do starts no clock"
        story.on(answered).corrects(note="denah baru")
        used.append(story.shown()["clock"]["used_days"])
    assert used == [2, 4, 6]  # 13-14, 20-21, 27-28 January; every other day lay with the owner, or was its first
    story.on("2026-02-05").verified("return", deficiencies=["denah lokasi"])
    assert story.shown()["clock"]["running"], "a fourth clarification stops nothing"


def comes_by_again(story: NibStory) -> NibStory:
    """Let a worker play the case once more while nothing has happened, as after a case was parked and tried again."""
    with story.office.db.writing() as session:
        session.get_one(CaseFile, story.case.id).ready = True
    story.advance()
    return story


def test_where_the_cases_own_time_ends_first_the_page_counts_that(
    office: Office, clock: TurnedClock, adds: Adds
) -> None:
    """Eleven days from completeness; of a clarification two days are none; 2027, which had no decree, is provisional."""
    adds("nib_legalization", SHORT_SERVICE)
    hire_staff(office)
    clock.moment = datetime.combine(date(2026, 12, 17), time(9), JAKARTA)
    story = NibStory(office, clock, "nib-legalization", register_business(office)).to_verification()
    story.on("2026-12-18").verified("return", deficiencies=["denah lokasi"])
    story.on("2026-12-22").corrects(note="denah baru")
    assert story.waits_for == ["verification#2"]
    assert story.shown()["waiting_for"][0]["due_on"] == "2027-01-11", "the 24th and 25th and New Year are days off"
    story.on("2027-01-12").nothing_happens()
    facts = computation(story, office)
    assert (facts["budget"], facts["started_on"], facts["due_on"]) == ("11 hari kerja", "2026-12-17", "2027-01-11")
    assert (facts["used"], facts["provisional"]) == (11, ["2027"])
    lines = {line["words"]: (line["place"], line["why"]) for line in facts["days"]}  # type: ignore[attr-defined]
    assert lines["18 Desember 2026"] == lines["21 Desember 2026"] == ("", "berhenti")
    assert lines["19–20 Desember 2026"] == ("", "akhir pekan")
    assert [*lines.items()][-1] == ("11 Januari 2027", ("11", ""))
