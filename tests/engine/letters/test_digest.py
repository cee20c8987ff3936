"""One digest a morning: what is new, what waits, what is late, and whether anybody still watches. Told once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlmodel import col, insert, select, update

from documents.letters import write_letter
from engine.actions.delegate import delegate
from engine.deadlines.clock import JAKARTA
from engine.letters import digest_outbox
from engine.letters.digest import write_digests
from engine.letters.digest_outbox import LINES
from engine.letters.letter_delivery import deliver
from engine.letters.notices import notify
from engine.people.accounts import add_user
from engine.runtime.office import Office
from engine.sweeps.sweep import sweep
from models import Digest, Notice, Sweep, User, Wait
from tests.engine.letters.test_channels import NOBODY, NOTHING
from tests.engine.letters.test_channels import post as post
from tests.engine.together import Killed, at_once
from tests.outside.test_letters_by_mail import PostOffice
from tests.people import register_person

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]


@pytest.fixture
def story(nib: Nib, office: Office) -> NibStory:
    """A dossier that waits for an officer; Budi and Tuti are officers with mail, and all letters have left."""
    story = nib()
    for name, national_id in (("budi", "3578010107900003"), ("tuti", "3578010107900004")):
        person = register_person(office, national_id, name=name.title(), email=f"{name}@dinkop.example")
        add_user(office, name, ["officer"], person=person)
    watched(office)
    return story


def watched(office: Office) -> None:
    """Let the sweep over what is due come by."""
    with office.run("flow", by="escalation") as run:
        sweep(office, run)


def found_nothing(office: Office) -> None:
    """Let the last sweep have ended just now, without news."""
    with office.db.writing() as session:
        session.execute(update(Sweep).values(finished_at=office.clock.now()))


def tell(office: Office, *names: str, what: str, kind: str = "reminder", number: str | None = None, words: str) -> None:
    """Have something for their next digest."""
    with office.db.writing() as session:
        notify(session, office, names, what=what, kind=kind, case_number=number, words=words)


def digests(office: Office) -> dict[str, Digest]:
    """The last digest of each account, by name."""
    with office.db.reading() as session:
        rows = session.exec(select(User.name, Digest).where(User.id == Digest.account_id).order_by(col(Digest.day)))
        return {name: digest for name, digest in rows}


def untold(office: Office) -> int:
    """How much is still to be told."""
    with office.db.reading() as session:
        return len(session.exec(select(Notice.id).where(col(Notice.told_at).is_(None))).all())


def test_the_morning_of_an_officer(story: NibStory, office: Office, post: PostOffice) -> None:
    """New things by kind, the newest first; what waits; what is due today, and no reminder of that; by mail, and told is told."""
    deliver(office)
    story.on("2026-01-14", hour=16)
    tell(office, "budi", what="a", number="NIB-2026-000007", words="Periksa berkas: jatuh tempo")
    tell(office, "budi", what="b", kind="escalation", number=story.number, words="lewat 1 hari kerja")
    tell(office, "budi", what="c", kind="strange", words="Server diganti & dicoba")
    story.clock.turn(minutes=1)
    tell(office, "budi", what="d", number="NIB-2026-000008", words="Putuskan: jatuh tempo")
    story.on("2026-01-15", hour=7)
    watched(office)
    taken = len(post.taken)
    assert deliver(office) == {**NOTHING, "sent": 2}, "the sweep had news for Tuti, too"
    digest = digests(office)["budi"]
    assert (digest.status, digest.channel, str(digest.day)) == ("sent", "smtp", "2026-01-15")
    assert digest.subject == "Ringkasan 15 Januari 2026: 4 kabar baru, 1 menunggu, 1 jatuh tempo"
    order = ["Diteruskan kepada Anda (1)", "lewat 1 hari kerja", "Pengingat (2)", "NIB-2026-000008", "NIB-2026-000007"]
    order += ["Kabar lain (1)", "- Kantor: Server diganti & dicoba", "/desk"]
    places = [digest.text.index(one) for one in order]
    assert places == sorted(places)
    assert f"- {story.number}: Periksa kelengkapan berkas, hari ini" in digest.text
    assert digest.text.count("Periksa kelengkapan berkas") == 1
    assert "PERHATIAN" not in digest.text
    assert "Server diganti &amp; dicoba" in digest.html
    assert {one.rcpt_tos[0] for one in post.taken[taken:]} == {"budi@dinkop.example", "tuti@dinkop.example"}
    assert post.last()["Subject"].startswith("Ringkasan 15 Januari 2026: ")
    assert untold(office) == 0
    tell(office, "budi", what="e", words="sesudah pagi")
    story.clock.turn(hours=3)
    watched(office)
    assert deliver(office) == NOTHING, "what is new after that waits"
    assert untold(office) == 1


def test_nobody_is_told_twice_nor_on_a_day_off(story: NibStory, office: Office) -> None:
    """Not at 06.59; not on Isra Mikraj, Saturday or Sunday; on Monday what came meanwhile, and nothing that was told."""
    tell(office, "budi", what="a", words="satu")
    story.clock.moment = datetime(2026, 1, 13, 6, 59, 59, tzinfo=JAKARTA)
    assert write_digests(office) == 0
    story.clock.turn(seconds=1)
    found_nothing(office)
    assert (write_digests(office), write_digests(office)) == (1, 0)
    story.on("2026-01-15", hour=17)
    tell(office, "budi", what="a", words="satu")
    tell(office, "budi", what="b", words="dua")
    for day in ("2026-01-16", "2026-01-17", "2026-01-18"):
        story.on(day)
        assert write_digests(office) == 0
    story.on("2026-01-19")
    found_nothing(office)
    assert write_digests(office) == 1
    assert "dua" in digests(office)["budi"].text and "satu" not in digests(office)["budi"].text


@pytest.mark.both_databases
def test_two_who_write_at_the_same_moment_write_one_each(story: NibStory, office: Office) -> None:
    """The day is won by one of them, for each account."""
    for name in ("budi", "tuti"):
        tell(office, name, what="a", words="satu")
    written = at_once(*[partial(write_digests, office)] * 3)
    assert sum(written) == 2
    assert (sorted(digests(office)), untold(office)) == (["budi", "tuti"], 0)


def test_a_worker_that_dies_loses_no_news(
    story: NibStory, office: Office, post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digest and told are one: after a death in between there is neither, and the next run says everything."""
    tell(office, "budi", what="a", words="satu")
    with monkeypatch.context() as dying:
        dying.setattr(digest_outbox, "among", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            write_digests(office)
    assert (digests(office), untold(office)) == ({}, 1)
    deliver(office)
    assert (digests(office)["budi"].status, untold(office)) == ("sent", 0)


def test_a_digest_that_cannot_be_written_stops_none_of_the_others(
    story: NibStory, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Budi's fails and is logged; Tuti has hers, and Budi's news are not lost."""
    for name in ("budi", "tuti"):
        tell(office, name, what="a", words="satu")
    whole = write_letter

    def broken(template: str, facts: dict[str, object], language: str) -> object:
        return 1 / 0 if facts["name"] == "budi" else whole(template, facts, language)  # type: ignore[arg-type]

    with monkeypatch.context() as breaking:
        breaking.setattr("engine.letters.digest.write_letter", broken)
        assert write_digests(office) == 1
    assert (list(digests(office)), untold(office)) == (["tuti"], 1)
    assert write_digests(office) == 1


def test_a_digest_goes_the_ways_of_a_letter(story: NibStory, office: Office, post: PostOffice) -> None:
    """A full mailbox is tried again, one that is gone bounces, and without an address it stays to be read at the desk."""
    deliver(office)
    for name in ("budi", "rini"):
        tell(office, name, what="a", words="satu")
    post.to_recipient = "452 4.2.2 mailbox full"
    assert deliver(office) == {**NOTHING, "later": 1, "by_hand": 1}
    assert (digests(office)["rini"].status, digests(office)["budi"].status) == ("by_hand", "queued")
    story.clock.turn(minutes=2)
    post.to_recipient = NOBODY.replace("sri@contoh.example", "budi@dinkop.example")
    assert deliver(office) == {**NOTHING, "bounced": 1}
    assert digests(office)["budi"].status == "bounced"
    assert "budi@dinkop" not in (digests(office)["budi"].error or "")
    assert deliver(office) == NOTHING


@pytest.mark.both_databases
def test_two_who_deliver_send_each_digest_once(story: NibStory, office: Office, post: PostOffice) -> None:
    """The lease that letters have."""
    deliver(office)
    for name in ("budi", "tuti"):
        tell(office, name, what="a", words="satu")
    taken = len(post.taken)
    ends = at_once(*[partial(deliver, office)] * 3)
    assert sum(end["sent"] for end in ends) == len(post.taken) - taken == 2


@pytest.mark.parametrize(("minutes", "warned"), [(None, "belum pernah berjalan"), (45, ""), (46, "pukul 08.14 WIB")])
def test_it_says_when_nobody_watches_the_deadlines(
    story: NibStory, office: Office, minutes: int | None, warned: str
) -> None:
    """The last sweep that came to its end counts; one that began and died does not."""
    story.on("2026-01-15")
    now = office.clock.now()
    with office.db.writing() as session:
        ended = now - timedelta(minutes=minutes) if minutes is not None else None
        session.execute(update(Sweep).values(finished_at=ended))
        run_id = session.exec(select(Sweep.run_id)).first()
        session.execute(insert(Sweep).values(run_id=run_id, started_at=now))
    tell(office, "budi", what="a", words="satu")
    write_digests(office)
    digest = digests(office)["budi"]
    assert warned in digest.text
    assert ("PERHATIAN: Pengawasan tenggat" in digest.text, 'role="alert"' in digest.html) == (bool(warned),) * 2


def test_while_nobody_sweeps_there_is_no_news_and_all_the_more_to_say(story: NibStory, office: Office) -> None:
    """No sweep since Tuesday: on Thursday all for whom something waits are warned, once, and nobody else."""
    story.on("2026-01-13")
    watched(office)
    assert write_digests(office) == 0, "no news, no letter"
    story.on("2026-01-15")
    assert (write_digests(office), write_digests(office)) == (2, 0)
    assert sorted(digests(office)) == ["budi", "tuti"]
    text = digests(office)["budi"].text
    assert "PERHATIAN: Pengawasan tenggat terakhir selesai pada 13 Januari 2026" in text
    assert f"- {story.number}: Periksa kelengkapan berkas, hari ini" in text
    watched(office)
    story.on("2026-01-19", hour=8)
    watched(office)
    write_digests(office)
    assert "PERHATIAN" not in digests(office)["budi"].text


def waiting(office: Office, name: str) -> tuple[int, int]:
    """How many questions the digest of an account says wait for it, and how many of them are due or late."""
    tell(office, name, what=f"for {name} at {office.clock.now()}", words="satu")
    write_digests(office)
    found = re.search(r"(\d+) pertanyaan menunggu Anda, (\d+) di", digests(office)[name].text)
    assert found
    return int(found[1]), int(found[2])


@pytest.mark.by_hand
def test_what_waits_is_counted_for_whom_it_waits(story: NibStory, nib: Nib, office: Office) -> None:
    """By role, by region, by name, and not for whom the process bars; an applicant gets letters and no digest."""
    other = nib(national_id="3508166904956221", region_code="3578")
    add_user(office, "lumajang", ["officer"], region="35.08")
    add_user(office, "surabaya", ["officer"], region="3578")
    with office.db.writing() as session:
        session.execute(update(Wait).where(col(Wait.case_id) == other.case.id).values(apart_from=["tuti"]))
    story.on("2026-01-15")
    found = {name: waiting(office, name) for name in ("budi", "tuti", "lumajang", "surabaya", "ani")}
    assert found == {"budi": (2, 2), "tuti": (1, 1), "lumajang": (1, 1), "surabaya": (1, 1), "ani": (0, 0)}
    with office.db.writing() as session:
        session.execute(update(Wait).values(holder="ani"))
    story.on("2026-01-19")
    assert (waiting(office, "ani"), waiting(office, "budi")) == ((2, 2), (0, 0))
    assert "lewat sejak 15 Januari 2026" in digests(office)["ani"].text
    tell(office, f"owner-{story.case.person_id}", what="a", words="satu")
    write_digests(office)
    assert f"owner-{story.case.person_id}" not in digests(office)


def test_a_long_morning_stays_short(story: NibStory, office: Office) -> None:
    """Of each kind the newest, and how many more there are."""
    for number in range(1, LINES + 9):
        tell(office, "budi", what=str(number), number=f"NIB-2026-{number:06d}", words="jatuh tempo")
    write_digests(office)
    text = digests(office)["budi"].text
    assert text.count("- NIB-2026-") == LINES
    assert "Selebihnya: 8 lagi, lihat meja kerja" in text
    assert "NIB-2026-000023" in text and "NIB-2026-000008" not in text


@pytest.mark.by_hand
def test_what_waits_for_who_is_away_waits_for_their_stand_in(story: NibStory, nib: Nib, office: Office) -> None:
    """In every case from the first day to the last, or in one; what the stand-in may not answer there is not counted."""
    other = nib(national_id="3508166904956221", region_code="3578")
    for name, role in (("wati", "curator"), ("agus", "curator"), ("dewi", "curator")):
        add_user(office, name, [role])
    with office.run("cli", by="admin") as run:
        for_them = partial(
            delegate, office, run, since=date(2026, 1, 13), until=date(2026, 1, 14), by="admin", reason="dinas luar"
        )
        for_them("budi", "wati")
        for_them("tuti", "agus", number=other.number)
    with office.db.writing() as session:
        session.execute(update(Wait).where(col(Wait.case_id) == other.case.id).values(apart_from=["wati"]))
    story.on("2026-01-14")
    found = {name: waiting(office, name)[0] for name in ("wati", "agus", "dewi")}
    assert found == {"wati": 1, "agus": 1, "dewi": 0}
    story.on("2026-01-15")
    assert {name: waiting(office, name) for name in ("wati", "agus")} == {"wati": (0, 0), "agus": (0, 0)}
