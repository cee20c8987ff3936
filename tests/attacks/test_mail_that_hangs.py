"""Mail servers that hang: a delivery ends at its deadline, whatever the server does; a second copy says that it is one."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import SMTP as MAIL
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlmodel import col, select

from engine.letters import outbox
from engine.letters.letter_delivery import deliver
from engine.runtime.office import Office
from models import Letter
from outside.channels import Attachment, Message, Receipt
from outside.errors import EndUnknown, TryLater
from outside.folder import FolderChannel
from outside.mail import DEADLINE, SmtpChannel, as_mime
from tests.engine.together import Killed
from tests.outside.test_letters_by_mail import PostOffice, certificate, channel
from tests.outside.test_letters_by_mail import post as post
from tests.stories.nib_legalization.conftest import nib as nib

if TYPE_CHECKING:
    from tests.stories.nib_legalization.conftest import NibStory

Nib = Callable[..., "NibStory"]
Talk = Callable[[socket.socket], None]
GREETING = b"220 mail.example ESMTP\r\n"


@pytest.fixture
def letter() -> Message:
    """A letter with a paper."""
    return Message(
        message_id="<nib.1.h0@dinkop.example>",
        sender="Dinas <surat@dinkop.example>",
        to_name="Siti",
        to_address="siti@example.com",
        subject="NIB Anda telah terbit",
        text="Yth. Ibu Siti,\n\nNIB Anda telah terbit.\n",
        html="<html><body class='a'><h1>NIB Anda telah terbit</h1></body></html>",
        attachments=(Attachment("nib.pdf", b"%PDF", "application/pdf"),),
    )


@contextmanager
def server(talk: Talk) -> Iterator[int]:
    """A server that says what ``talk`` says; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            with connection:
                try:
                    talk(connection)
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def again(words: bytes, pause: float = 0.02) -> Talk:
    """Say the same for ever."""

    def talk(connection: socket.socket) -> None:
        while True:
            connection.sendall(words)
            time.sleep(pause)

    return talk


def up_to(stage: bytes, then: Talk) -> Talk:
    """Be polite until a command comes, then go on otherwise."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        lines = connection.makefile("rb")
        for line in lines:
            if line.upper().startswith(stage):
                then(connection)
                return
            connection.sendall(b"354 go on\r\n" if line.upper().startswith(b"DATA") else b"250 fine\r\n")

    return talk


def silent(connection: socket.socket) -> None:
    """Say nothing more."""
    time.sleep(60)


def contents_taken(then: Talk) -> Talk:
    """Take the whole letter before going on otherwise."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"354 go on\r\n")
        taken = b""
        while not taken.endswith(b"\r\n.\r\n"):
            taken += connection.recv(65536)
        then(connection)

    return talk


DRIP = again(b"2", 0.05)
NEVER_SENT: dict[str, Talk] = {
    "an endless greeting": again(b"220-welcome\r\n"),
    "a greeting letter by letter": DRIP,
    "an endless answer to EHLO": up_to(b"EHLO", again(b"250-FEATURE\r\n")),
    "an endless answer to MAIL": up_to(b"MAIL", again(b"250-fine\r\n")),
    "a drip after RCPT": up_to(b"RCPT", DRIP),
    "silence at DATA": up_to(b"DATA", silent),
}
PERHAPS_SENT: dict[str, Talk] = {
    "an endless answer to the contents": up_to(b"DATA", contents_taken(again(b"250-queued\r\n"))),
    "a drip after the contents": up_to(b"DATA", contents_taken(DRIP)),
    "silence after the contents": up_to(b"DATA", contents_taken(silent)),
}


@pytest.mark.parametrize("how", NEVER_SENT)
def test_a_delivery_ends_at_its_deadline(letter: Message, how: str) -> None:
    """Before the contents went out nothing was sent: the letter is tried again later."""
    with server(NEVER_SENT[how]) as port:
        began = time.monotonic()
        with pytest.raises(TryLater):
            channel(port, timeout=5.0, deadline=0.4).send(letter)
        assert time.monotonic() - began < 3


@pytest.mark.parametrize("how", PERHAPS_SENT)
def test_a_deadline_after_the_contents_leaves_the_end_unknown(letter: Message, how: str) -> None:
    """The server has the letter, and perhaps delivers it."""
    with server(PERHAPS_SENT[how]) as port:
        began = time.monotonic()
        with pytest.raises(EndUnknown):
            channel(port, timeout=5.0, deadline=0.4).send(letter)
        assert time.monotonic() - began < 3


def test_contents_that_nobody_takes_end_at_the_deadline(letter: Message) -> None:
    """The server reads nothing more: a large letter does not leave."""
    large = letter.model_copy(update={"attachments": (Attachment("x.pdf", b"x" * 20_000_000, "application/pdf"),)})

    def hold(connection: socket.socket) -> None:
        connection.sendall(b"354 go on\r\n")
        time.sleep(60)

    with server(up_to(b"DATA", hold)) as port:
        began = time.monotonic()
        with pytest.raises(EndUnknown):
            channel(port, timeout=30.0, deadline=1.0).send(large)
        assert time.monotonic() - began < 6


@pytest.mark.parametrize("security", ["ssl", "starttls"])
def test_a_handshake_without_end_ends_at_the_deadline(letter: Message, security: str, tmp_path: Path) -> None:
    """TLS byte by byte, from the first byte or after STARTTLS."""
    trusted = ssl.create_default_context(cafile=str(certificate(tmp_path)[1]))

    def tls(connection: socket.socket) -> None:
        if security == "starttls":
            connection.sendall(GREETING)
            connection.recv(1000)
            connection.sendall(b"250-mail.example\r\n250 STARTTLS\r\n")
            connection.recv(1000)
            connection.sendall(b"220 go on\r\n")
        again(b"\x16", 0.05)(connection)

    with server(tls) as port:
        began = time.monotonic()
        with pytest.raises(TryLater):
            channel(port, timeout=5.0, deadline=0.5, security=security, tls=trusted).send(letter)
        assert time.monotonic() - began < 3


def test_a_server_that_floods_is_cut_off(letter: Message) -> None:
    """It is not listened to until the deadline: memory is not for it to fill."""
    with server(again(b"220-" + b"x" * 900 + b"\r\n", 0)) as port:
        began = time.monotonic()
        with pytest.raises(TryLater):
            channel(port, timeout=20.0, deadline=20.0).send(letter)
        assert time.monotonic() - began < 5


def test_the_deadline_is_shorter_than_a_lease() -> None:
    """Else a second worker would take the letter up while the first one hangs."""
    from engine.runtime.leases import FRESH, LEASE

    assert LEASE.total_seconds() - FRESH.total_seconds() > DEADLINE


def test_a_second_copy_says_so(letter: Message) -> None:
    """Under the same id, in both forms, in the reader's language, and in a header for programs."""
    for language, words in (("id", "mungkin sudah Anda terima"), ("en", "may have received this letter already")):
        once = letter.model_copy(update={"language": language})
        first, second = (
            message_from_bytes(as_mime(one), policy=MAIL)
            for one in (once, once.model_copy(update={"perhaps_sent": True}))
        )
        assert first["Message-ID"] == second["Message-ID"]
        assert (first["X-Jalur-Copy"], second["X-Jalur-Copy"]) == (None, "perhaps sent before")
        for kind in ("plain", "html"):
            bodies = [mail.get_body((kind,)) for mail in (first, second)]
            texts = [body.get_content() for body in bodies if body is not None]
            assert [words in text for text in texts] == [False, True]
            assert "NIB Anda telah terbit" in texts[1]
    html = second.get_body(("html",))
    assert html is not None and html.get_content().index("<body") < html.get_content().index("may have received")


def test_a_folder_knows_what_it_has(letter: Message, tmp_path: Path) -> None:
    """A letter that is not there was not delivered: nothing is marked."""
    FolderChannel(tmp_path).send(letter.model_copy(update={"perhaps_sent": True}))
    [file] = tmp_path.glob("*.eml")
    assert b"X-Jalur-Copy" not in file.read_bytes()


def copies(post: PostOffice) -> list[str | None]:
    """The mark of each letter that the server took, in order."""
    return [message_from_bytes(one.original_content or b"")["X-Jalur-Copy"] for one in post.taken]


def stored(office: Office) -> Letter:
    """The only letter of the office."""
    with office.db.reading() as session:
        return session.exec(select(Letter).order_by(col(Letter.seq))).one()


MARK = "perhaps sent before"
blank = pytest.mark.usefixtures("blank_papers")


@blank
@pytest.mark.both_databases
def test_whoever_restarts_after_a_death_marks_the_second_copy(
    nib: Nib, office: Office, post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker died between the server's "250" and our record: the letter goes again, marked; the record says so, too."""
    story = nib()
    with monkeypatch.context() as dying:
        dying.setattr(outbox, "end_attempt", lambda *_, **__: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            deliver(office)
    assert stored(office).end_unknown
    story.clock.turn(minutes=3)
    assert deliver(office)["sent"] == 1
    assert copies(post) == [None, MARK]
    assert (stored(office).status, stored(office).end_unknown) == ("sent", True)


@blank
@pytest.mark.both_databases
def test_an_answer_that_did_not_come_marks_the_second_copy(
    nib: Nib, office: Office, post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server took it and was too slow to say so; a refusal in between takes no mark away."""
    story = nib()
    good = office.adapters.mail
    assert isinstance(good, SmtpChannel)
    post.slow = True
    office.adapters.mail = channel(good._port, timeout=0.2)
    assert deliver(office)["later"] == 1
    post.slow, office.adapters.mail = False, good
    post.to_recipient = "451 4.7.1 greylisted"
    story.clock.turn(minutes=3)
    assert deliver(office)["later"] == 1
    assert stored(office).end_unknown
    post.to_recipient = ""
    story.clock.turn(minutes=30)
    assert deliver(office)["sent"] == 1
    assert copies(post) == [None, MARK]


@blank
@pytest.mark.both_databases
def test_what_surely_did_not_arrive_is_not_marked(nib: Nib, office: Office, post: PostOffice) -> None:
    """Refused for now, or dead before the letter was handed over: the one that arrives is the first."""
    story = nib()
    post.to_recipient = "451 4.7.1 greylisted"
    assert deliver(office)["later"] == 1
    assert not stored(office).end_unknown
    post.to_recipient = ""
    story.clock.turn(minutes=3)
    assert deliver(office)["sent"] == 1
    assert copies(post) == [None]
    assert not stored(office).end_unknown


@blank
def test_letters_leased_with_one_that_killed_the_worker_are_not_marked(
    nib: Nib, office: Office, post: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is leased at once; only the letter that was on its way has an unknown end."""
    story = nib()
    nib(national_id="3508166904956221")
    sent = SmtpChannel.send

    def dies_at_first(self: SmtpChannel, message: Message) -> Receipt:
        sent(self, message)
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(SmtpChannel, "send", dies_at_first)
        with pytest.raises(Killed):
            deliver(office)
    story.clock.turn(minutes=3)
    assert deliver(office)["sent"] == 2
    assert sorted(copies(post), key=str) == [None, None, MARK]


@blank
def test_an_officer_is_told_that_a_letter_may_have_arrived(nib: Nib, office: Office, post: PostOffice) -> None:
    """Given up after eight attempts, one of them with an unknown end: whoever prints it knows."""
    story = nib()
    good = office.adapters.mail
    assert isinstance(good, SmtpChannel)
    post.slow = True
    office.adapters.mail = channel(good._port, timeout=0.2)
    assert deliver(office)["later"] == 1
    office.adapters.mail, post.to_recipient = good, "451 not now"
    for _ in range(7):
        story.clock.turn(days=1)
        deliver(office)
    assert stored(office).status == "given_up"
    assert "may have reached them" in (stored(office).error or "")
