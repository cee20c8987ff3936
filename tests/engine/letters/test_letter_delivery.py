"""Letters leave when their papers are ready; whom no channel reaches becomes a task of an officer, never silence.

The mail server is a real one on loopback (aiosmtpd).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlmodel import col, select

from engine.letters import outbox
from engine.letters.letter_delivery import deliver
from engine.runtime.batch_writer import BatchWriter
from engine.runtime.office import Office
from models import Letter
from outside.channels import Message, Receipt
from tests.engine.together import Killed, at_once
from tests.outside.test_letters_by_mail import PostOffice
from tests.outside.test_letters_by_mail import post as post

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

pytestmark = pytest.mark.usefixtures("blank_papers")
Nib = Callable[..., "NibStory"]
NOBODY = "550 5.1.1 no such user sri@contoh.example"
FULL = "452 4.2.2 mailbox full"


def letter(story: NibStory, name: str = "receipt") -> Letter:
    """A letter of the case."""
    with story.office.db.reading() as session:
        wanted = select(Letter).where(Letter.case_id == story.case.id, Letter.letter == name)
        return session.exec(wanted.order_by(col(Letter.seq).desc())).first() or pytest.fail(
            f"there is no letter {name}"
        )


def tasks(story: NibStory) -> list[dict[str, Any]]:
    """What the office must do by hand for the case."""
    return [one for one in story.shown()["waiting_for"] if one["question"].startswith("hand_delivery")]


def test_a_letter_leaves_with_its_paper(nib: Nib, office: Office, post: PostOffice) -> None:
    """The owner gets the words and the receipt as a PDF; sent once, it is not sent again."""
    story = nib()
    assert deliver(office) == {"sent": 1, "bounced": 0, "later": 0, "given_up": 0, "by_hand": 0}
    mail = post.last()
    assert post.taken[0].rcpt_tos == ["sri@contoh.example"]
    assert mail["Subject"] == story.letter("receipt")["subject"]
    [attachment] = mail.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content_type()) == ("receipt.pdf", "application/pdf")
    assert attachment.get_content() == office.store.get(story.documents[0].path or "")
    sent = letter(story)
    assert (sent.status, sent.channel, sent.sent_at) == ("sent", "smtp", office.clock.now())
    assert deliver(office)["sent"] == 0
    assert len(post.taken) == 1


def test_a_letter_that_bounces_becomes_a_task_of_an_officer(nib: Nib, office: Office, post: PostOffice) -> None:
    """The task says which letter and why, without the address; printing it marks the letter."""
    story = nib()
    post.to_recipient = NOBODY
    assert deliver(office)["bounced"] == 1
    assert letter(story).status == "bounced"
    [task] = tasks(story)
    assert (task["question"], task["role"]) == ("hand_delivery#1", "officer")
    assert task["note"].startswith("confirm_receipt#1/receipt: ")
    assert "no such user" in task["note"]
    assert "sri@contoh.example" not in task["note"] + (letter(story).error or "")
    head = story.case.last_seq
    story.answers("budi", "hand_delivery#1", decision="printed", note="diambil sendiri")
    assert letter(story).status == "handed_over"
    assert tasks(story) == []
    entry = story.entries[-1]
    assert (entry.seq, entry.kind, entry.key, entry.actor) == (head + 1, "remark", "hand_delivery#1", "budi")
    assert entry.outcome == "printed"
    assert story.dossier().waits_for == ["classification#1"], "the process itself did not notice"


def test_a_full_mailbox_is_tried_eight_times_and_then_by_hand(nib: Nib, office: Office, post: PostOffice) -> None:
    """The pauses double from two minutes; then somebody prints or telephones."""
    story = nib()
    post.to_recipient = FULL
    pauses = []
    while deliver(office)["later"]:
        until = letter(story).next_attempt_at
        assert until is not None
        assert "mailbox full" in (letter(story).error or "")
        pauses.append((until - office.clock.now()) // timedelta(minutes=1))
        story.clock.turn(seconds=pauses[-1] * 60 - 1)
        assert not any(deliver(office).values()), "not before its time"
        story.clock.turn(seconds=1)
    assert pauses == [2, 4, 8, 16, 32, 64, 128]
    assert (letter(story).status, letter(story).attempt) == ("given_up", 8)
    assert len(tasks(story)) == 1
    assert not any(deliver(office).values())


def test_a_letter_goes_through_once_the_mailbox_has_room(nib: Nib, office: Office, post: PostOffice) -> None:
    """What was put off is not lost, and its error does not stay."""
    story = nib()
    post.to_recipient = FULL
    deliver(office)
    post.to_recipient = ""
    story.clock.turn(minutes=2)
    assert deliver(office)["sent"] == 1
    assert (letter(story).status, letter(story).error) == ("sent", None)


@pytest.mark.parametrize(
    ("decision", "status"), [("printed", "handed_over"), ("telephoned", "handed_over"), ("not_reached", "given_up")]
)
def test_who_has_no_address_is_reached_by_hand_on_a_closed_case_too(
    nib: Nib, office: Office, post: PostOffice, decision: str, status: str
) -> None:
    """Half of the owners have no e-mail: each letter is a task, and the end of the case is told like the rest."""
    story = nib(email=None).withdraws("owner-1")
    assert story.outcome == "withdrawn"
    assert deliver(office)["by_hand"] == 2
    assert {task["question"] for task in tasks(story)} == {"hand_delivery#1", "hand_delivery#2"}
    second = next(task for task in tasks(story) if "/withdrawn: " in task["note"])
    story.answers("tuti", second["question"], decision=decision)
    assert (letter(story, "withdrawn").status, letter(story).status) == (status, "by_hand")
    assert (story.case.status, story.outcome, story.case.ready) == ("closed", "withdrawn", False)
    assert story.is_whole()
    assert post.taken == []


def test_a_letter_waits_for_its_papers(
    nib: Nib, office: Office, post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receipt without its receipt would only make people call."""
    with monkeypatch.context() as broken:
        broken.setattr("engine.execution.document_files.make_file", lambda *_: 1 / 0)
        story = nib()
        assert not any(deliver(office).values())
        assert letter(story).status == "waiting"
    story.clock.turn(minutes=2)
    story.advance()
    assert deliver(office)["sent"] == 1
    assert len(list(post.last().iter_attachments())) == 1


@pytest.mark.both_databases
def test_two_who_deliver_at_the_same_moment_send_each_letter_once(
    nib: Nib, office: Office, post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers empty the same outbox: nobody gets a letter twice, and everybody gets one."""
    stories = [nib(national_id=f"35081669049562{number}") for number in range(20, 26)]
    monkeypatch.setattr(outbox, "BATCH", 2)
    ends = at_once(partial(deliver, office), partial(deliver, office), partial(deliver, office))
    assert sum(end["sent"] for end in ends) == len(stories)
    ids = [message_from_bytes(one.original_content or b"")["Message-ID"] for one in post.taken]
    assert len(ids) == len(set(ids)) == len(stories)


@pytest.mark.by_hand
def test_a_letter_that_cannot_be_read_stops_none_of_the_others(
    nib: Nib, office: Office, post: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    """The oldest letter's file is gone from the store: it is put off with its error, the next one leaves."""
    story = nib()
    other = nib(national_id="3508166904956221")
    with office.db.writing() as session:
        kept = session.get_one(Letter, (story.case.id, "confirm_receipt#1/receipt"))
        kept.sealed = b"broken" + kept.sealed
        session.add(kept)
    counts = deliver(office)
    assert (counts["sent"], counts["later"]) == (1, 1)
    assert (letter(story).status, letter(other).status) == ("waiting", "sent")
    assert "was changed afterwards" in (letter(story).error or "")
    for _ in range(7):
        story.clock.turn(hours=12)
        deliver(office)
    assert letter(story).status == "given_up"
    assert len(tasks(story)) == 1


def test_a_slow_batch_that_outlives_its_lease_sends_nothing_twice(nib: Nib, office: Office) -> None:
    """The first letter takes three minutes; another worker takes the rest over, and the first one leaves it alone."""
    for number in (20, 21, 22):
        nib(national_id=f"35081669049562{number}")
    sent: list[str] = []

    class Slow:
        name = "slow"

        def send(self, message: Message) -> Receipt:
            sent.append(message.message_id)
            if len(sent) == 1:
                office.clock.turn(minutes=3)  # type: ignore[attr-defined]
                deliver(office)
            return Receipt(self.name, message.message_id, "250 OK")

    office.adapters.mail = Slow()
    deliver(office)
    assert sorted(sent[1:]) == sorted(set(sent)), "only the first, whose end was unknown to the other, went twice"


def test_a_worker_that_dies_beside_a_bounce_loses_neither_letter_nor_task(
    nib: Nib, office: Office, post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it bounced and that an officer must act are written together or not at all."""
    story = nib()
    post.to_recipient = NOBODY
    with monkeypatch.context() as dying:
        dying.setattr(BatchWriter, "write", lambda *_, **__: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            deliver(office)
    assert (letter(story).status, tasks(story)) == ("waiting", [])
    story.clock.turn(minutes=3)
    assert deliver(office)["bounced"] == 1
    assert len(tasks(story)) == 1
