"""Closed cases are played through another version or other rules: what would have gone otherwise is listed, nothing is touched."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Refused
from engine.execution.versions.shadow_run import run_shadow
from engine.runtime.office import Office
from rules import HERE
from tests.engine.conftest import Begin
from tests.engine.together import everything_stored
from tests.pipelines_for_tests.workshop import CERTIFICATES, FARM_VISIT, Workshop
from tests.stories.nib_legalization.conftest import NibStory
from tests.stories.story import Story

pytestmark = pytest.mark.usefixtures("blank_papers")

FINE = {"decision": "fine"}
V2 = ("version=1", "version=2")
TOOK = "    sample = ask(SAMPLE)\n"
PHOTO = (
    "SAMPLE = Question",
    'class Photo(Form):\n    decision: Found\n\nPHOTO = Question(Photo, of=Role.OFFICER, title="Foto")\nSAMPLE = Question',
)


def stored(office: Office) -> str:
    """One hash over every value of every table."""
    lines = sorted(f"{table} {column} {value!r}" for table, column, value in everything_stored(office))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@pytest.fixture
def looks(office: Office) -> Callable[..., dict[str, Any]]:
    """Play the shadow, and see that it left no trace."""

    def look(pipeline: str = "farm-visit", **how: Any) -> dict[str, Any]:
        before = stored(office)
        seen = run_shadow(office, pipeline, **how)
        assert stored(office) == before
        return seen

    return look


Looks = Callable[..., dict[str, Any]]


@pytest.fixture
def rules(tmp_path: Path) -> Callable[..., Path]:
    """Copy the rules into a folder, with old text replaced by new in one file."""

    def folder(file: str, *changes: tuple[str, str]) -> Path:
        made = tmp_path / f"rules-{len(list(tmp_path.glob('rules-*')))}"
        shutil.copytree(HERE, made, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        text = (made / file).read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (made / file).write_text(text)
        return made

    return folder


def visited(begin: Begin, sample: str = "fine") -> Story:
    """A farm visit that came to its end."""
    return begin().answers("budi", "visit#1", **FINE).answers("ani", "sample#1", decision=sample)


# What the second version does otherwise, what a case of the first would come to, and at which key it goes another way.
OTHER_COURSES: dict[str, tuple[list[tuple[str, str]], str | None, str | None]] = {
    "nothing": ([], None, None),
    "a step has another name": ([("def greet", "def welcome"), ("    greet(case)", "    welcome(case)")], None, None),
    "a step has other arguments": ([("weigh(case, 100)", "weigh(case, 200)")], None, None),
    "it asks others": ([("ask(SAMPLE)", 'ask(SAMPLE, apart_from=["tuti"])')], None, None),
    "it asks for a photo": (
        [PHOTO, ("    thank(case)\n    return", "    ask(PHOTO)\n    thank(case)\n    return")],
        "waits at photo#1",
        "photo#1",
    ),
    "it asks for no sample": ([(TOOK, ""), ("sample.by", "visit.by")], "done", "sample#1"),
    "it asks for a sample in the end": (
        [(TOOK, ""), ("    thank(case)\n    return", "    thank(case)\n    sample = ask(SAMPLE)\n    return")],
        None,
        None,
    ),
    "it asks for two samples": ([(TOOK, TOOK + TOOK)], "waits at sample#2", "sample#2"),
    "its form asks for more": (
        [("class Sample(Form):", "class Sample(Form):\n    grams: int")],
        "fails: Sample does not take what is on record (grams: Field required)",
        "sample#1",
    ),
    "a step of it fails": ([("return grams", "return grams // 0")], "fails: ZeroDivisionError: ", "weigh#1"),
    "it ends otherwise": (
        [
            ("    WITHDRAWN =", '    REFUSED = "refused", "Ditolak"\n    WITHDRAWN ='),
            ("    thank(case)\n", "    thank(case)\n    if sample.decision is Found.FINE: return Outcome.REFUSED\n"),
        ],
        "refused",
        "closed#1",
    ),
    "a step decides otherwise": (
        [
            ("    WITHDRAWN =", '    REFUSED = "refused", "Ditolak"\n    WITHDRAWN ='),
            ("return grams", "return grams * SCALE"),
            ("@step\ndef greet", "SCALE = 2\n\n@step\ndef greet"),
            ("    weigh(case, 100)", "    if weigh(case, 100) > 150: return Outcome.REFUSED"),
        ],
        "refused",
        "weigh#1",
    ),
}


@pytest.mark.parametrize("change", OTHER_COURSES)
def test_what_another_version_would_have_made_of_a_closed_case(
    begin: Begin, workshop: Workshop, looks: Looks, change: str
) -> None:
    """The recorded answers are given again; the case ends, waits or fails, or goes another way, at a key that is named."""
    workshop.write()
    story = visited(begin)
    begin()  # one that is open is not played
    changes, would, first = OTHER_COURSES[change]
    workshop.write(FARM_VISIT, "made_up_anew", V2, *changes)
    seen = looks(to=2)
    if would is None:
        assert seen == {"cases": 1, "same": 1, "different": []}
        return
    [found] = seen["different"]
    assert (seen["cases"], seen["same"]) == (1, 0)
    assert found["would"].startswith(would)
    assert found == {"case": story.number, "was": "done", "would": found["would"], "first_difference": first}


def test_a_step_is_done_anew_where_only_what_it_calls_has_changed(
    begin: Begin, workshop: Workshop, looks: Looks
) -> None:
    """The step reads the same in both versions; the function below it does not."""
    below = [
        ("    WITHDRAWN =", '    REFUSED = "refused", "Ditolak"\n    WITHDRAWN ='),
        ("return grams", "return grams * scale()"),
        ("@step\ndef greet", "def scale() -> int:\n    return 1\n\n@step\ndef greet"),
        ("    weigh(case, 100)", "    if weigh(case, 100) > 150: return Outcome.REFUSED"),
    ]
    workshop.write(FARM_VISIT, "made_up", *below)
    visited(begin)
    workshop.write(FARM_VISIT, "made_up_anew", V2, *below)
    assert looks()["same"] == 1
    workshop.write(FARM_VISIT, "made_up_anew", V2, *below, ("return 1\n", "return 2\n"))
    [found] = looks()["different"]
    assert (found["would"], found["first_difference"]) == ("refused", "weigh#1")


def test_code_that_is_gone_is_no_hindrance(begin: Begin, workshop: Workshop, looks: Looks) -> None:
    """Steps of a version that is gone are done anew, and bring the same."""
    workshop.write()
    visited(begin)
    workshop.write(FARM_VISIT, "made_up_anew", V2)
    workshop.lose("farm-visit", 1)
    assert looks() == {"cases": 1, "same": 1, "different": []}


def test_only_the_newest_are_played(begin: Begin, workshop: Workshop, looks: Looks) -> None:
    """A limit takes the newest closed cases, and lists the newest first."""
    workshop.write()
    numbers = [visited(begin, sample).number for sample in ("fine", "bad", "fine")]
    workshop.write(FARM_VISIT, "made_up_anew", V2, (TOOK, TOOK + TOOK))
    seen = looks(limit=2)
    assert (seen["cases"], [one["case"] for one in seen["different"]]) == (2, [numbers[2], numbers[1]])
    assert looks(to=1) == {"cases": 3, "same": 3, "different": []}
    with pytest.raises(Refused, match="farm-visit version 9"):
        looks(to=9)


BOTH = [("visit = ask(VISIT)", "visit, sample = ask_all(VISIT, SAMPLE)"), (TOOK, "")]


@pytest.mark.parametrize("changes", [[], BOTH])
def test_who_took_a_case_back_takes_it_back_again(
    begin: Begin, workshop: Workshop, looks: Looks, changes: list[tuple[str, str]]
) -> None:
    """Where the new version asks something else at that place, it is there that the applicant leaves."""
    workshop.write(FARM_VISIT, "made_up", *changes)
    story = begin()
    story.withdraws("owner-1")
    assert story.outcome == "withdrawn"
    workshop.write(FARM_VISIT, "made_up_anew", V2, *changes)
    assert looks() == {"cases": 1, "same": 1, "different": []}
    workshop.write(
        FARM_VISIT,
        "made_up_anew",
        V2,
        PHOTO,
        *changes,
        ("    greet(case)\n    visit", "    greet(case)\n    ask(PHOTO)\n    visit"),
    )
    [found] = looks()["different"]
    assert (found["would"], found["first_difference"]) == ("withdrawn", "photo#1")


def test_a_document_that_is_not_on_record_is_taken_for_granted(begin: Begin, workshop: Workshop, looks: Looks) -> None:
    """The machine would have made a second one: the case goes on to its end, by another route."""
    workshop.write(CERTIFICATES)
    assert begin("certificates").outcome == "done"
    again = ("    return close", '    issue(CERTIFICATE, {"to": "arsip"})\n    return close')
    workshop.write(CERTIFICATES, "made_up_anew", V2, again)
    [found] = looks("certificates")["different"]
    assert (found["would"], found["first_difference"]) == ("done", "certificate#2")


STANDS = [
    ("def greet(case: Case) -> str:\n", 'def greet(case: Case) -> str:\n    mark()\n    stand("visited")\n'),
    (
        "@step\ndef greet",
        """def mark() -> None:
    from engine.execution.replay import playing
    from models import Standing
    kind = {"subject_kind": "business", "subject_id": 1, "since": this_step.today}
    this_step.session.add(Standing(case_id=playing().row.id, what="marked", **kind))
    this_step.session.flush()

@step
def greet""",
    ),
]


def test_rows_that_a_step_wrote_the_first_time_are_in_nobodys_way(
    begin: Begin, workshop: Workshop, looks: Looks
) -> None:
    """A step that is done anew would write them twice; it does so without the first ones, and all is rolled back."""
    workshop.write(FARM_VISIT, "made_up", *STANDS)
    visited(begin)
    workshop.write(FARM_VISIT, "made_up_anew", V2, *STANDS, ('return "selamat datang"', 'return "selamat pagi"'))
    assert looks() == {"cases": 1, "same": 1, "different": []}


def legalized(story: NibStory, owner: str = "owner-1") -> NibStory:
    """Take a story to its end, with a letter of return and a filing by hand on the way."""
    story.dossier("return", deficiencies=["foto tempat usaha"])
    story.answers(owner, "correction#1", business_name="Sari Sri Jaya")
    return story.to_statement().signs_on_paper().filed().recorded()


def test_a_rule_that_would_have_refused(nib: Callable[..., NibStory], looks: Looks, rules: Callable[..., Path]) -> None:
    """Were small businesses not admitted, those that are small would have been refused at the examination, and nobody else."""
    micro = legalized(nib())
    small = legalized(nib(national_id="3508166904956221", annual_sales_rupiah=5_000_000_000), "owner-2")
    silent = nib(national_id="3508166904956222").dossier("return", deficiencies=["foto"]).on("2026-06-01")
    silent.nothing_happens()
    withdrawn = nib(national_id="3508166904956223").withdraws("owner-4")
    stories = (micro, small, silent, withdrawn)
    assert [story.outcome for story in stories] == ["legalized", "legalized", "not_corrected", "withdrawn"]
    same = {"cases": 4, "same": 4, "different": []}
    assert looks("nib-legalization") == same
    assert looks("nib-legalization", rules=rules("common.toml")) == same
    only_micro = rules("nib_legalization.toml", ('value = ["micro", "small"]', 'value = ["micro"]'))
    refused = {"case": small.number, "was": "legalized", "would": "refused", "first_difference": "examine#1"}
    assert looks("nib-legalization", rules=only_micro) == {"cases": 4, "same": 3, "different": [refused]}


def test_a_rule_of_another_day(nib: Callable[..., NibStory], looks: Looks, rules: Callable[..., Path]) -> None:
    """A row with a later date concerns no case of before; asked for that day, it concerns them all."""
    legalized(nib())
    row = '[[rule]]\nname = "admitted_scales"\n'
    nobody = 'value = []\nunit = "business_scales"\nsince = 2026-03-01\ncitation = "Contoh"\nstanding = "policy"\n\n'
    folder = rules("nib_legalization.toml", (row, row + nobody + row))
    assert looks("nib-legalization", rules=folder)["same"] == 1
    [found] = looks("nib-legalization", rules=folder, rules_on=date(2026, 3, 2))["different"]
    assert (found["would"], found["first_difference"]) == ("refused", "examine#1")


def test_a_folder_that_holds_no_rules_is_refused(looks: Looks, rules: Callable[..., Path], tmp_path: Path) -> None:
    """A missing file would be an empty one, and a broken one a riddle: both are said."""
    with pytest.raises(Refused, match=r"There is no common\.toml"):
        looks("nib-legalization", rules=tmp_path)
    for old, new, why in (
        ("value = 3\n", "value = \n", "TOMLDecodeError"),
        ("since = 2021-01-01\n", 'since = "2021-01-01"\n', r"rule check_time: since and until are days"),
        ('unit = "working_days"\n', "", r"nib_legalization\.toml, rule check_time: unit is missing"),
        ('standing = "policy"\n', 'standing = "undang-undang"\n', r"rule check_time: standing is one of law, policy"),
    ):
        broken = rules("nib_legalization.toml", (old, new))
        with pytest.raises(Refused, match=f"can't be read: .*{why}"):
            looks("nib-legalization", rules=broken)
    (broken / "nib_legalization.toml").write_text("")
    with pytest.raises(Refused, match=r"nib_legalization\.toml: there is no \[\[rule\]\] in it"):
        looks("nib-legalization", rules=broken)
