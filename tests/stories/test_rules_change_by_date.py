"""A rule changes by adding a row with a date: no Python is touched, old cases keep the old row, new ones get the new.

The rules are a copy of ``rules/`` in a folder of the test's own, with one row more at the end of a file.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, datetime, time
from functools import partial
from pathlib import Path

import pytest

from engine.deadlines.clock import JAKARTA, TurnedClock
from engine.definition import registry
from engine.definition.registry import Pipeline, current
from engine.runtime.office import Office
from flows.halal_self_declare import register
from rules import HERE, book
from tests.people import hire_staff, register_business
from tests.stories.halal_self_declare.conftest import HalalStory
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.story import Story

pytestmark = pytest.mark.usefixtures("blank_papers")

BEFORE, FROM = "2026-02-02", "2026-02-03"

Adds = Callable[[str, str], None]

SEVEN_DAYS = f"""
[[rule]]
name = "correction_time"
value = 7
unit = "working_days"
since = {FROM}
citation = "Usulan kantor: tujuh hari sejak Februari 2026"
standing = "policy"
"""
A_NEW_DECREE = f"""
[[rule]]
name = "criteria"
value = {{ decree = "KEP_CONTOH", sales = 200_000_000 }}
unit = "limits"
since = {FROM}
citation = "Kepkaban contoh 2026"
standing = "law"
"""
A_NEW_COMPANION = f"""
[[rule]]
name = "companions"
unit = "lp3h_and_last_day_by_number"
since = {FROM}
citation = "Daftar LP3H Februari 2026"
standing = "unconfirmed"
value = {{ "P3H-35-000777" = {{ body = "LP3H Contoh", until = 2027-12-31 }} }}
"""


@pytest.fixture
def adds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Adds:
    """Add a row to a file of the rules that the pipelines read."""
    folder = tmp_path / "rules"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for module in (registry, register):
        monkeypatch.setattr(module, "book", partial(book, folder=folder))

    def add(name: str, row: str) -> None:
        with (folder / f"{name}.toml").open("a", encoding="utf-8") as file:
            file.write(row)
        book.cache_clear()

    return add


def versions(story: Story, key: str) -> dict[str, str]:
    """Return which rows the ledger says were looked at for that entry."""
    return next(entry.rule_versions for entry in story.entries if entry.key == key)


def test_an_old_case_keeps_its_days_and_a_new_one_gets_the_new(office: Office, clock: TurnedClock, adds: Adds) -> None:
    """The row is added while the old case is open. Both are returned on one day: due date, letter and ledger differ."""
    hire_staff(office)
    clock.moment = datetime.combine(date.fromisoformat(BEFORE), time(9), JAKARTA)
    old = NibStory(office, clock, "nib-legalization", register_business(office))

    adds("nib_legalization", SEVEN_DAYS)
    old.on(FROM)
    other = register_business(office, "3508166904956221")
    new = NibStory(office, clock, "nib-legalization", other)

    for story in (old, new):
        story.on("2026-02-05").dossier("return", deficiencies=["foto tempat usaha"])
        assert story.waits_for == ["correction#1"]
    told = [
        (
            story.shown()["waiting_for"][0]["due_on"],
            versions(story, "ask_for_fixes#1")["correction_time"],
            [day for day in ("12 Februari 2026", "18 Februari 2026") if day in story.letter("return_notice")["text"]],
        )
        for story in (old, new)
    ]
    assert told == [
        ("2026-02-12", "2021-01-01", ["12 Februari 2026"]),
        ("2026-02-18", FROM, ["18 Februari 2026"]),  # 16 and 17 February are joint leave and Lunar New Year
    ]
    assert old.is_whole() and new.is_whole()


def test_an_old_case_is_judged_by_the_decree_of_its_day(office: Office, clock: TurnedClock, adds: Adds) -> None:
    """The same statement, on the same day, under two decrees: the first goes on, the second letter names the new one."""
    hire_staff(office)
    clock.moment = datetime.combine(date.fromisoformat(BEFORE), time(9), JAKARTA)
    old = HalalStory(office, clock, "halal-self-declare", register_business(office))
    adds("halal_self_declare", A_NEW_DECREE)
    old.on(FROM)
    new = HalalStory(office, clock, "halal-self-declare", register_business(office, "3508166904956221"))
    for story in (old, new):
        story.on("2026-02-05").submits(nib=f"912030456781{story.case.id}", annual_sales_rupiah=300_000_000)
    assert (old.outcome, old.waits_for) == (None, ["facilitation#1"])
    assert new.outcome == "rerouted"
    assert "Rp300.000.000 melampaui batas Rp200.000.000. (Kepkaban contoh 2026)" in new.letter("rerouted")["text"]
    assert [versions(story, "examine#1")["criteria"] for story in (old, new)] == ["2025-07-08", FROM]


def test_a_register_is_read_as_it_stands_today(office: Office, clock: TurnedClock, adds: Adds) -> None:
    """Who is registered is no rule of the case's day: a companion registered since then visits for an old case, too."""
    hire_staff(office)
    clock.moment = datetime.combine(date.fromisoformat(BEFORE), time(9), JAKARTA)
    old = HalalStory(office, clock, "halal-self-declare", register_business(office))
    adds("halal_self_declare", A_NEW_COMPANION)
    old.to_visit().visited(companion_number="P3H-35-000777", visited_on=BEFORE)
    assert old.waits_for == ["visit#2"]
    old.on(FROM).visited(companion_number="P3H-35-000777", visited_on=FROM)
    assert old.waits_for == ["body_check#1"]


@pytest.mark.parametrize("pipeline", current(), ids=lambda pipeline: pipeline.name)
def test_every_budget_of_every_pipeline_changes_by_a_row(pipeline: Pipeline, adds: Adds) -> None:
    """Each `due` and `silent_after` has its old value on the day before, and the new one from its day on."""
    names = {name for asked in pipeline.questions.values() for name in (asked.due, asked.silent_after) if name}
    before = {name: pipeline.rules.at(name, date.fromisoformat(BEFORE)) for name in names}
    for name, rule in before.items():
        row = SEVEN_DAYS.replace("correction_time", name).replace("value = 7", f"value = {rule.value + 2}")
        adds(pipeline.slug, row.replace("working_days", rule.unit))
    after = {name: pipeline.rules.at(name, date.fromisoformat(FROM)) for name in names}
    assert {name: pipeline.rules.at(name, date.fromisoformat(BEFORE)) for name in names} == before
    assert {name: rule.value for name, rule in after.items()} == {name: r.value + 2 for name, r in before.items()}
