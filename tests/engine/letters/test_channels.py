"""People are told by the channel that they chose; what bounces there goes the next way, and nobody is told twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from sqlmodel import select

from engine.cases.dossier import fetch_by_number
from engine.definition.declarations import OFFICE
from engine.errors import Refused
from engine.letters import outbox
from engine.letters.channels import LONGEST_TEXT, as_text_message, ways_to
from engine.letters.letter_delivery import deliver
from engine.letters.queue import letter_facts, queue_letter
from engine.people.persons import choose_channel
from engine.runtime.office import Office
from models import Letter, LetterStatus, Person
from tests.engine.together import Killed
from tests.outside.misbehaving_gateway import MisbehavingGateway
from tests.outside.moods import Mood
from tests.outside.test_letters_by_mail import PostOffice
from tests.outside.test_letters_by_mail import post as post

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]
PHONE = "+6281162319252"
NOBODY = "550 5.1.1 no such user sri@contoh.example"
NOTHING = {"sent": 0, "bounced": 0, "later": 0, "given_up": 0, "by_hand": 0}


def letters(story: NibStory, name: str = "receipt") -> list[Letter]:
    """The letters of that kind, the oldest first."""
    with story.office.db.reading() as session:
        found = session.exec(select(Letter).where(Letter.case_id == story.case.id, Letter.letter == name)).all()
    return sorted(found, key=lambda letter: (letter.at, letter.seq, letter.key))


def chooses(story: NibStory, chosen: str | None) -> None:
    """The owner says at the desk how they want to be told."""
    choose_channel(story.office, story.case.person_id, chosen, by="budi")


@pytest.mark.parametrize(
    ("chosen", "email", "by"),
    [
        (None, "sri@contoh.example", "smtp"),
        (None, None, "whatsapp"),
        ("sms", "sri@contoh.example", "sms"),
        ("whatsapp", "sri@contoh.example", "whatsapp"),
        ("sms", None, "sms"),
        ("mail", "sri@contoh.example", "smtp"),
    ],
)
def test_a_letter_goes_the_way_that_its_reader_chose(
    nib: Nib, post: PostOffice, gateway: MisbehavingGateway, chosen: str | None, email: str | None, by: str
) -> None:
    """Who chose nothing gets mail, and WhatsApp where there is no address; each letter goes one way."""
    story = nib(email=email)
    chooses(story, chosen)
    assert deliver(story.office) == {**NOTHING, "sent": 1}
    assert (letters(story)[0].status, letters(story)[0].channel) == ("sent", by)
    assert [one.reference.split(".")[0] for one in gateway.taken] == [by] * (by != "smtp")
    assert len(post.taken) == (by == "smtp")


def test_the_text_message_says_what_which_case_and_where_to_look(
    nib: Nib, post: PostOffice, gateway: MisbehavingGateway
) -> None:
    """The letter's beginning; its paper can't go with it, so it says where that is. No line of it breaks off a link."""
    story = nib()
    chooses(story, "sms")
    deliver(story.office)
    [texted] = gateway.taken
    link = f"http://127.0.0.1:8000/check/{story.number}"
    assert texted.to == PHONE
    assert texted.text.startswith("Permohonan NIB Anda telah kami terima. Yth. Bapak/Ibu Sri Purnomo, Terima kasih.")
    assert texted.text.endswith(f"... Lampirannya dapat diambil di kantor kami. {story.number}. Selengkapnya: {link}")
    assert texted.text.count("http") == 1
    assert len(texted.text) <= LONGEST_TEXT


def test_no_nik_and_no_longer_text_gets_into_a_text_message() -> None:
    """Whatever a letter holds; a short one is said whole, in the reader's language."""
    link, number = "https://jalur.example/check/NIB-2026-000001", "NIB-2026-000001"
    short = as_text_message("Hello", "All is well.\n", number=number, link=link, attached=False, language="en")
    assert short == f"Hello. All is well. {number}. More: {link}"
    for text in ("NIK 3508166904956220", "kata " * 200, "x" * 900, link * 20):
        made = as_text_message("Surat", text, number=number, link=link, attached=True, language="id")
        assert (len(made) <= LONGEST_TEXT, "3508166904956220" in made) == (True, False)
        assert made.endswith(f"{number}. Selengkapnya: {link}")


def test_what_bounces_goes_the_next_way_and_is_not_tried_there_again(
    nib: Nib, post: PostOffice, gateway: MisbehavingGateway
) -> None:
    """WhatsApp does not know the number: mail does; the refusal stays with the letter, without the number."""
    story = nib()
    chooses(story, "whatsapp")
    gateway.nobody.add(PHONE)
    assert deliver(story.office) == {**NOTHING, "sent": 1}
    [letter] = letters(story)
    assert (letter.status, letter.channel, letter.error) == ("sent", "smtp", None)
    assert [one["way"] for one in letter.remarks] == ["whatsapp"]
    assert "tidak terdaftar" in letter.remarks[0]["why"] and PHONE[-6:] not in letter.remarks[0]["why"]
    assert len(post.taken) == 1


def test_whom_nothing_reaches_becomes_one_task_of_an_officer(
    nib: Nib, post: PostOffice, gateway: MisbehavingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All three ways bounce, and the worker dies after the first: in the end one task, each way tried once."""
    story = nib()
    post.to_recipient = NOBODY
    gateway.nobody.add(PHONE)
    with monkeypatch.context() as dying:
        dying.setattr("outside.gateway_http.HttpWhatsApp.send", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            deliver(story.office)
    post.to_recipient = ""
    story.clock.turn(minutes=3)
    assert deliver(story.office) == {**NOTHING, "bounced": 1}
    [letter] = letters(story)
    assert (letter.status, [one["way"] for one in letter.remarks]) == ("bounced", ["mail", "whatsapp", "sms"])
    [task] = [one for one in story.shown()["waiting_for"] if one["question"].startswith("hand_delivery")]
    assert "tidak terdaftar" in task["note"] and "1162319252" not in task["note"]
    assert (post.taken, gateway.taken) == ([], [])


@pytest.mark.parametrize("mood", [Mood.FAIL_AFTER, Mood.GARBAGE, Mood.CUT_OFF])
def test_a_message_whose_end_is_unknown_is_asked_for_before_it_is_sent_again(
    nib: Nib, gateway: MisbehavingGateway, mood: Mood
) -> None:
    """The gateway took it and its answer was lost; two minutes later it is found there, and not sent again."""
    story = nib(email=None)
    gateway.next(mood)
    assert deliver(story.office) == {**NOTHING, "later": 1}
    story.clock.turn(minutes=2)
    assert deliver(story.office) == {**NOTHING, "sent": 1}
    assert (gateway.filings_heard, gateway.look_ups_heard, len(gateway.taken)) == (1, 1, 1)


def test_a_worker_that_dies_after_sending_sends_no_second_message(
    nib: Nib, gateway: MisbehavingGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway has it, nothing is recorded: who takes the letter over asks first."""
    story = nib(email=None)
    with monkeypatch.context() as dying:
        dying.setattr(outbox, "end_attempt", lambda *_, **__: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            deliver(story.office)
    assert (letters(story)[0].status, len(gateway.taken)) == ("waiting", 1)
    story.clock.turn(minutes=3)
    assert deliver(story.office) == {**NOTHING, "sent": 1}
    assert len(gateway.taken) == 1


def test_a_busy_gateway_says_when(nib: Nib, gateway: MisbehavingGateway) -> None:
    """429 with Retry-After: as long as it asks for, and no other channel is bothered meanwhile."""
    story = nib(email=None)
    gateway.next(Mood.BUSY)
    assert deliver(story.office) == {**NOTHING, "later": 1}
    until = letters(story)[0].next_attempt_at
    assert until and (until - story.office.clock.now()).total_seconds() == 120
    assert gateway.filings_heard == 1


def test_without_a_gateway_there_is_no_way_by_telephone(nib: Nib, office: Office) -> None:
    """Who chose SMS where the office has none is told by mail."""
    story = nib()
    chooses(story, "sms")
    ways = ways_to(office.adapters, {"email": "sri@contoh.example", "phone": PHONE}, "sms")
    assert [way.kind for way in ways] == ["mail"]
    assert ways_to(office.adapters, {"email": None, "phone": PHONE}, None) == []


def test_a_channel_is_chosen_by_its_reader_or_an_officer(nib: Nib, office: Office) -> None:
    """Nobody else chooses it, not one for which no address is known, and not one that does not exist."""
    story = nib(email=None)
    person = story.case.person_id
    assert choose_channel(office, person, "whatsapp", by=f"owner-{person}") == "whatsapp"
    for given, by, words in (
        ("mail", "budi", "alamat surel"),
        ("pigeon", "budi", "Tidak ada saluran pigeon"),
        ("sms", "ani", "dicatat petugas"),
        ("sms", "nobody", "nobody"),
    ):
        with pytest.raises(Refused) as caught:
            choose_channel(office, person, given, by=by)
        assert words in caught.value.for_people
    with pytest.raises(Refused, match="There is no person 999"):
        choose_channel(office, 999, "sms", by="budi")
    with office.db.reading() as session:
        assert session.get_one(Person, person).channel == "whatsapp"
    assert choose_channel(office, person, None, by="budi") is None


def remind(story: NibStory, key: str, question: str = "Lengkapi berkas") -> None:
    """The office reminds the owner by itself."""
    office = story.office
    with office.run("cli", by="test") as run, office.work(run) as work:
        dossier = fetch_by_number(office, work.session, story.number)
        facts = {**letter_facts(office, dossier.case), "question": question, "due_on": "2026-01-14"}
        facts.update(ahead=["2026-01-14"], today=[], late=[], closes=[])
        queue_letter(
            work,
            dossier,
            work.now,
            key=key,
            folder=OFFICE,
            letter="reminder",
            whom=dossier.case.applicant,
            facts=facts,
        )


def test_the_office_does_not_say_the_same_twice_within_a_day(nib: Nib, office: Office, post: PostOffice) -> None:
    """The same words once, whoever queued them how often; other words go, and a day later the same words may."""
    story = nib()
    deliver(office)
    for key in ("a", "b"):
        remind(story, key)
    remind(story, "c", "Tanda tangani pernyataan")
    assert deliver(office) == {**NOTHING, "sent": 2}
    story.clock.turn(hours=23)
    remind(story, "d", "Tanda tangani pernyataan")
    assert deliver(office) == NOTHING
    story.clock.turn(hours=2)
    remind(story, "e", "Tanda tangani pernyataan")
    assert deliver(office) == {**NOTHING, "sent": 1}
    assert [letter.status for letter in letters(story, "reminder")] == [
        *(LetterStatus.SENT, LetterStatus.SAID_BEFORE, LetterStatus.SENT, LetterStatus.SAID_BEFORE, LetterStatus.SENT)
    ]
    assert len(post.taken) == 4
