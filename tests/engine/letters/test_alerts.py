"""What broke reaches the administrators within minutes, by night and on Sundays, in one letter a look, and is said once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml  # type: ignore[import-untyped]
from cronsim import CronSim
from sqlmodel import col, select

from documents.letters import write_letter
from engine.execution.parking import park, retry
from engine.letters.letter_delivery import deliver
from engine.people.accounts import add_user
from engine.runtime.office import Office
from models import Digest, Notice, User
from tests.engine.letters.test_channels import NOTHING
from tests.engine.letters.test_channels import post as post
from tests.engine.letters.test_digest import watched
from tests.engine.together import at_once
from tests.outside.test_letters_by_mail import PostOffice
from tests.people import register_person

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
ROOT = Path(__file__).parents[3]
Nib = Callable[..., "NibStory"]


@pytest.fixture
def story(nib: Nib, office: Office) -> NibStory:
    """A dossier that waits for an officer, on a Sunday at three in the morning; Adi and Tini are administrators with mail."""
    story = nib()
    for name, national_id in (("adi", "3578010107900003"), ("tini", "3578010107900004")):
        person = register_person(office, national_id, name=name.title(), email=f"{name}@dinkop.example")
        add_user(office, name, ["administrator"], person=person)
    story.on("2026-01-18", hour=3)
    watched(office)
    deliver(office)
    return story


def parks(office: Office, story: NibStory, why: str) -> None:
    """A worker meets a case that it can't advance."""
    with office.run("flow", by="test") as run:
        park(office, run, story.case.id or 0, why)


def alerts(office: Office, name: str) -> list[Digest]:
    """What an account was told at once."""
    with office.db.reading() as session:
        wanted = select(Digest).join(User).where(User.name == name, col(Digest.occasion).startswith("alert"))
        return list(session.exec(wanted.order_by(col(Digest.id))))


def test_they_are_told_at_three_on_a_sunday_night(story: NibStory, nib: Nib, office: Office, post: PostOffice) -> None:
    """Two cases and a run, one letter each for two administrators, by kind and without numbers; officers hear nothing."""
    other = nib(national_id="3508166904956221")
    deliver(office)
    parks(office, story, "ValueError: NIK 3508166904956220 tidak dikenal")
    parks(office, other, "KeyError: 'kbli' & <b>")
    with pytest.raises(OSError, match="disk"), office.run("flow", by="jadwal", pipeline="nib-legalization"):
        raise OSError("disk full")
    taken = len(post.taken)
    assert deliver(office)["sent"] == 2
    assert {one.rcpt_tos[0] for one in post.taken[taken:]} == {"adi@dinkop.example", "tini@dinkop.example"}
    [alert] = alerts(office, "adi")
    assert (alert.status, alert.subject) == ("sent", "3 gangguan baru pada 18 Januari 2026 pukul 03.00 WIB")
    order = ["Proses yang gagal (1)", "Proses otomatis (nib-legalization) gagal: OSError: disk full"]
    order += ["Perkara yang tertahan (2)", f"- {other.number}: terhenti", f"- {story.number}: terhenti"]
    order += ["jalur runs --failed", "jalur case retry NOMOR"]
    places = [alert.text.index(one) for one in order]
    assert places == sorted(places)
    assert "350816********20" in alert.text and "3508166904956220" not in alert.text + alert.html
    assert "&lt;b&gt;" in alert.html
    assert deliver(office) == NOTHING


def test_each_trouble_is_told_once_and_not_in_the_morning_again(story: NibStory, office: Office) -> None:
    """Not by the next look, not by Monday's digest; parked again after a retry, it is told again."""
    parks(office, story, "ValueError: salah")
    deliver(office)
    with office.run("cli", by="adi") as run:
        retry(office, run, story.number, by="adi")
    story.clock.turn(minutes=5)
    deliver(office)
    assert len(alerts(office, "adi")) == 1
    parks(office, story, "ValueError: masih salah")
    deliver(office)
    assert ["masih salah" in one.text for one in alerts(office, "adi")] == [False, True]
    story.on("2026-01-19")
    watched(office)
    deliver(office)
    with office.db.reading() as session:
        digests = select(Digest).join(User).where(User.name == "adi", Digest.occasion == "morning")
        assert [one for one in session.exec(digests) if "salah" in one.text] == []
        assert session.exec(select(Notice).where(col(Notice.told_at).is_(None))).all() == []


def test_nobody_sweeps_and_they_are_told_after_45_minutes(story: NibStory, office: Office) -> None:
    """By the first delivery after that; the next ones keep silent until a sweep came and stayed away again."""
    for minutes, told in ((45, 0), (1, 1), (60, 1)):
        story.clock.turn(minutes=minutes)
        deliver(office)
        assert len(alerts(office, "adi")) == told
    assert "terakhir selesai pada 18 Januari 2026 pukul 03.00 WIB" in alerts(office, "adi")[0].text
    watched(office)
    story.clock.turn(minutes=46)
    deliver(office)
    assert len(alerts(office, "adi")) == 2


def test_letters_that_hang_or_break_keep_no_alert_back(
    story: NibStory, nib: Nib, office: Office, post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alert leaves before the letters; where their table can't be read it left all the same, and the run has failed."""
    parks(office, story, "ValueError: salah")
    nib(national_id="3508166904956221")
    taken = len(post.taken)
    deliver(office)
    assert [one.rcpt_tos[0].split("@")[0] for one in post.taken[taken:]] == ["adi", "tini", "sri"]
    parks(office, story, "ValueError: masih salah")
    with monkeypatch.context() as breaking:
        breaking.setattr("engine.letters.letter_delivery._due", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            deliver(office)
    assert [one.status for one in alerts(office, "adi")] == ["sent", "sent"]


def test_a_delivery_ends_before_the_next_one(story: NibStory, nib: Nib, office: Office, post: PostOffice) -> None:
    """When its time is up it begins no further letter, and the next run looks anew for what broke."""
    nib(national_id="3508166904956221")
    assert deliver(office, within=timedelta(microseconds=1))["sent"] == 0
    assert deliver(office, within=timedelta(minutes=4))["sent"] == 1


@pytest.mark.both_databases
def test_three_who_deliver_at_once_send_one(story: NibStory, office: Office, post: PostOffice) -> None:
    """Whoever has the account first tells it; the others find it told."""
    parks(office, story, "ValueError: salah")
    taken = len(post.taken)
    ends = at_once(*[partial(deliver, office)] * 3)
    assert sum(end["sent"] for end in ends) == len(post.taken) - taken == 2
    assert (len(alerts(office, "adi")), len(alerts(office, "tini"))) == (1, 1)


def test_one_that_cannot_be_written_is_told_by_the_next_look(
    story: NibStory, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adi's fails and is logged; Tini has hers."""
    parks(office, story, "ValueError: salah")
    whole = write_letter

    def broken(template: str, facts: dict[str, object], language: str) -> object:
        return 1 / 0 if facts["name"] == "adi" else whole(template, facts, language)  # type: ignore[arg-type]

    with monkeypatch.context() as breaking:
        breaking.setattr("engine.letters.alerts.write_letter", broken)
        deliver(office)
    assert (len(alerts(office, "adi")), len(alerts(office, "tini"))) == (0, 1)
    deliver(office)
    assert (len(alerts(office, "adi")), len(alerts(office, "tini"))) == (1, 1)


def test_the_schedule_lets_nothing_wait_for_a_quarter_of_an_hour() -> None:
    """From any moment to the next delivery, with the grace that a run may be late by: within the 15 minutes of the promise."""
    stanzas = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    [delivery] = [one for one in stanzas if one["entrypoint"] == "flows.scheduled.delivery.delivery"]
    [schedule] = delivery["schedules"]
    runs = CronSim(schedule["cron"], datetime(2026, 1, 17, 23, 0, tzinfo=UTC))
    moments = [next(runs) for _ in range(600)]
    late = timedelta(seconds=delivery["concurrency_limit"]["grace_period_seconds"])
    assert max(after - before for before, after in pairwise(moments)) + late <= timedelta(minutes=15)
    assert moments[-1] - moments[0] > timedelta(days=2), "over a Sunday and its night"
