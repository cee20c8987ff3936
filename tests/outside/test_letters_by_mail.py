"""Stories of letters on their way to a real mail server on loopback."""

from __future__ import annotations

import asyncio
import email
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP as MAIL
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from engine.runtime.office import Office
from outside.channels import Bounced, Message, message_id_for
from outside.errors import EndUnknown, TryLater
from outside.mail import SmtpChannel, as_mime


class PostOffice:
    """A mail server's manners, in aiosmtpd's terms: what it answers at each stage, and what it took."""

    def __init__(self) -> None:
        self.to_sender = self.to_recipient = self.to_contents = ""
        self.slow = False
        self.taken: list[Envelope] = []

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.to_sender or "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self.to_recipient:
            envelope.rcpt_tos.append(address)
        return self.to_recipient or "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if not self.to_contents:
            self.taken.append(envelope)
        if self.slow:
            await asyncio.sleep(0.5)
        return self.to_contents or "250 2.0.0 queued as 4XyZ for siti@example.com"

    def last(self) -> EmailMessage:
        """The letter taken last, read as a mail program reads it."""
        contents = self.taken[-1].content
        assert isinstance(contents, bytes)
        mail = email.message_from_bytes(contents, policy=MAIL)
        assert isinstance(mail, EmailMessage)
        return mail


def opened(office: PostOffice, **options: Any) -> Controller:
    """Start a mail server on a free port; the caller stops it."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    controller = Controller(office, hostname="127.0.0.1", port=port, **options)
    controller.start()
    return controller


def channel(port: int, **options: Any) -> SmtpChannel:
    """Our adapter to a server on this machine; where patience is not the story, it is long."""
    return SmtpChannel("127.0.0.1", port, **{"security": "none", "timeout": 5.0, **options})


@pytest.fixture
def post(office: Office) -> Iterator[PostOffice]:
    """A mail server with good manners, to which the office hands its letters."""
    post = PostOffice()
    controller = opened(post)
    office.adapters.mail = channel(controller.port)
    yield post
    controller.stop()


@pytest.fixture
def office() -> PostOffice:
    """A mail server's manners, good ones."""
    return PostOffice()


@pytest.fixture
def smtp(office: PostOffice) -> Iterator[SmtpChannel]:
    """Our adapter to a running server with those manners."""
    controller = opened(office)
    yield channel(controller.port)
    controller.stop()


def test_a_letter_arrives_as_it_was_written(smtp: SmtpChannel, office: PostOffice, letter: Message) -> None:
    """Subject, both forms of the text and the attachment survive the way, beyond ASCII and with lone dots."""
    receipt = smtp.send(letter)

    mail = office.last()
    assert mail["Subject"] == letter.subject
    assert mail["To"].addresses[0].display_name == letter.to_name
    assert mail["From"].addresses[0].addr_spec == "surat@diskopukm.example"
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == (letter.message_id, "auto-generated")
    assert (mail["Content-Language"], mail["Date"].datetime) == ("id", letter.written_at)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == letter.text
    assert html.get_content().strip() == letter.html
    [attachment] = mail.iter_attachments()
    assert attachment.get_filename() == letter.attachments[0].filename
    assert (attachment.get_content(), attachment.get_content_type()) == (
        letter.attachments[0].content,
        "application/pdf",
    )
    assert (office.taken[0].mail_from, office.taken[0].rcpt_tos) == ("surat@diskopukm.example", ["siti@example.com"])
    assert (receipt.channel, receipt.message_id) == ("smtp", letter.message_id)
    assert receipt.reply == "250 2.0.0 queued as 4XyZ for s***@example.com"


def test_a_second_sending_is_recognised(smtp: SmtpChannel, office: PostOffice, letter: Message) -> None:
    """The same letter is the same bytes under the same id, today and in another process."""
    smtp.send(letter)
    smtp.send(letter)
    first, second = (one.content for one in office.taken)
    assert first == second
    assert as_mime(letter) == as_mime(letter)
    assert letter.message_id == "<nib.2026.000123.nib.issued.1.h9915e96006f7deb2@diskopukm.example>"
    assert message_id_for("NIB-2026-000123/nib_issued#2", "diskopukm.example") != letter.message_id


def test_a_letter_without_html_or_files_is_plain_text(smtp: SmtpChannel, office: PostOffice, letter: Message) -> None:
    """A short notice needs no envelope of parts; without a date of its own it bears that of its sending."""
    smtp.send(letter.model_copy(update={"html": None, "attachments": (), "written_at": None}))
    assert office.last().get_content_type() == "text/plain"
    assert office.last().get_content().replace("\r\n", "\n") == letter.text
    assert office.last()["Date"] is not None


@pytest.mark.parametrize("stage", ["to_sender", "to_recipient", "to_contents"])
def test_a_temporary_refusal_is_tried_again(smtp: SmtpChannel, office: PostOffice, letter: Message, stage: str) -> None:
    """4xx at any stage means "not now": the letter waits, and the next attempt delivers it."""
    setattr(office, stage, "451 4.7.1 greylisted, siti@example.com, try again")
    with pytest.raises(TryLater, match="greylisted") as caught:
        smtp.send(letter)
    assert "siti@" not in f"{caught.value} {caught.value.for_people}"
    setattr(office, stage, "")
    smtp.send(letter)
    assert len(office.taken) == 1


@pytest.mark.parametrize(
    ("stage", "reply"),
    [("to_recipient", "550 5.1.1 <siti@example.com> no such user"), ("to_contents", "554 5.6.0 not wanted here")],
)
def test_a_permanent_refusal_bounces(
    smtp: SmtpChannel, office: PostOffice, letter: Message, stage: str, reply: str
) -> None:
    """5xx to the recipient or the contents: it will never arrive, and people are asked for another address."""
    setattr(office, stage, reply)
    with pytest.raises(Bounced, match=reply[:9]) as caught:
        smtp.send(letter)
    assert "perbarui alamat" in caught.value.for_people
    assert "siti@" not in str(caught.value)
    assert caught.value.__context__ is None
    assert office.taken == []


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        ("to_sender", "550 5.7.60 you may not send as this"),
        ("to_sender", "530 5.7.0 authentication required"),
        ("to_recipient", "554 5.7.1 <siti@example.com>: Relay access denied"),
    ],
)
def test_a_refusal_of_ourselves_bounces_nobody(
    smtp: SmtpChannel, office: PostOffice, letter: Message, stage: str, reply: str
) -> None:
    """A wrong setting of ours must not make every letter of the day undeliverable: the administrator is asked."""
    setattr(office, stage, reply)
    with pytest.raises(TryLater) as caught:
        smtp.send(letter)
    assert (caught.value.after, caught.value.note) == (
        timedelta(hours=1),
        "the administrator must check the mail settings",
    )


def test_a_server_that_is_down_is_tried_again(letter: Message) -> None:
    """Nobody listens: the letter surely did not leave."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(TryLater, match="ConnectionRefusedError"):
        channel(port).send(letter)


def test_a_server_that_never_greets_is_tried_again(letter: Message) -> None:
    """Somebody listens and says nothing: we lose patience before anything left."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TryLater):
        channel(silent.getsockname()[1], timeout=0.1).send(letter)


def test_a_line_that_breaks_after_the_contents_leaves_the_end_unknown(
    smtp: SmtpChannel, office: PostOffice, letter: Message
) -> None:
    """The server took the letter, its "OK" came too late: the end is unknown, and the second bears the same id."""
    office.slow = True
    with pytest.raises(EndUnknown):
        channel(smtp._port, timeout=0.2).send(letter)
    office.slow = False
    smtp.send(letter)
    assert office.last()["Message-ID"] == letter.message_id


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for 127.0.0.1: the server's side of TLS, and the file to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    since = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, since, since + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def test_a_letter_goes_over_tls_to_a_server_that_proves_itself(
    office: PostOffice, letter: Message, tmp_path: Path
) -> None:
    """With STARTTLS and a log-in it arrives; a wrong password or an unknown certificate is the administrator's."""
    theirs, trusted = certificate(tmp_path)

    def known(server: Any, session: Any, envelope: Any, mechanism: str, login: Any) -> AuthResult:
        return AuthResult(success=login.password == b"right", handled=False)

    controller = opened(office, tls_context=theirs, require_starttls=True, authenticator=known, auth_required=True)
    ours = ssl.create_default_context(cafile=str(trusted))
    try:
        options: dict[str, Any] = {"security": "starttls", "tls": ours, "username": "surat"}
        channel(controller.port, password="right", **options).send(letter)
        with pytest.raises(TryLater, match="535") as wrong_password:
            channel(controller.port, password="wrong", **options).send(letter)
        with pytest.raises(TryLater, match="TLS") as unknown_server:
            channel(controller.port, password="right", **{**options, "tls": None}).send(letter)
    finally:
        controller.stop()
    assert len(office.taken) == 1
    assert wrong_password.value.note == unknown_server.value.note == "the administrator must check the mail settings"


def test_a_letter_never_goes_in_the_clear_unasked(smtp: SmtpChannel, office: PostOffice, letter: Message) -> None:
    """Where the server offers no STARTTLS, nothing is sent; and a password never crosses the net in the clear."""
    with pytest.raises(TryLater, match="no STARTTLS"):
        channel(smtp._port, security="starttls").send(letter)
    assert office.taken == []
    with pytest.raises(ValueError, match="TLS only"):
        SmtpChannel("mail.example", 25, "surat", "word", security="none")
    assert "word" not in repr(SmtpChannel("mail.example", 587, "surat", "word"))


@pytest.mark.parametrize(
    "address", ["siti", "siti@", "@example.com", "a b@example.com", "a,b@x.id", "siti@-x-.id", "a..b@x.id", "<a@b.id>"]
)
def test_what_is_no_address_bounces_at_once(letter: Message, address: str) -> None:
    """An intake form holds anything; what can't be an address is told to people before a server sees it."""
    with pytest.raises(Bounced, match="no mail address"):
        channel(9).send(letter.model_copy(update={"to_address": address}))
