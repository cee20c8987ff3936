"""Letters by mail: the MIME form of a message, and SMTP.

SMTP's 4xx means "not now", 5xx for recipient or contents "never" (RFC 5321, 4.2.1). A 5xx about our log-in, relaying or
sender is our misconfiguration: TryLater with a note, else every letter would count as bounced. A connection that breaks
after the contents went out has an unknown end; the letter is sent again, and says so.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Literal

from outside.channels import Bounced, Message, Receipt
from outside.errors import EndUnknown, OutsideError, TryLater, without_personal_data
from outside.smtp_session import EncryptedSession, PlainSession

# Shorter than the lease of a letter, so that no other worker takes it up meanwhile.
DEADLINE = 60.0
_ADMINISTRATOR_PAUSE = timedelta(hours=1)
_LOG_IN_FIRST = frozenset({530, 534, 535, 538})
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_PERHAPS_SENT = {
    "id": "Surat ini mungkin sudah Anda terima. Isinya sama; bila sudah, abaikan yang kedua ini.",
    "en": "You may have received this letter already. It says the same; if so, ignore this second copy.",
}


def as_mime(message: Message) -> bytes:
    """Return a letter as RFC 5322 in 7 bits with CRLF; equal messages give equal bytes.

    Text and HTML are alternatives, attachments stand beside them; Auto-Submitted (RFC 3834) suppresses
    automatic replies. A letter that was perhaps sent bears a header and a first line that say so.

    Raises:
        Bounced: `to_address` is no mail address.
        TryLater: the sender is no mail address.
    """
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    mail["Message-ID"] = message.message_id
    if message.written_at is not None:
        mail["Date"] = format_datetime(message.written_at)
    mail["From"] = _sender(message)
    mail["To"] = Address(display_name=message.to_name, addr_spec=_recipient(message))
    mail["Subject"] = message.subject
    mail["Auto-Submitted"] = "auto-generated"
    text, html = message.text, message.html
    if message.perhaps_sent:
        mail["X-Jalur-Copy"] = "perhaps sent before"
        text, html = _with_remark(_PERHAPS_SENT.get(message.language, _PERHAPS_SENT["en"]), text, html)
    mail.set_content(text, cte="quoted-printable")
    if html is not None:
        mail.add_alternative(html, subtype="html", cte="quoted-printable")
    for attachment in message.attachments:
        kind, _, subtype = attachment.mime.partition("/")
        mail.add_attachment(attachment.content, maintype=kind, subtype=subtype, filename=attachment.filename)
    # Set last: the library moves Content-* headers into the first part when it makes parts.
    mail["Content-Language"] = message.language
    stem = hashlib.sha256(message.message_id.encode()).hexdigest()[:24]
    for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
        # "=_" occurs in neither quoted-printable nor base64, so no content can hold the boundary.
        part.set_boundary(f"=_jalur_{stem}_{number}")
    contents = mail.as_bytes()
    return contents if contents.endswith(b"\r\n") else contents + b"\r\n"


def _with_remark(remark: str, text: str, html: str | None) -> tuple[str, str | None]:
    """Return both forms of a letter with a remark before their first words."""
    if html is None:
        return f"{remark}\n\n{text}", None
    body = re.search(r"<body[^>]*>", html, re.IGNORECASE)
    place = body.end() if body else 0
    return f"{remark}\n\n{text}", f"{html[:place]}<p>{escape(remark)}</p>{html[place:]}"


class SmtpChannel:
    """A channel by SMTP (RFC 5321), one connection per letter; certificates are always verified."""

    name = "smtp"
    may_repeat = True

    def __init__(
        self,
        host: str,
        port: int,
        username: str | None = None,
        password: str | None = None,
        *,
        security: Literal["starttls", "ssl", "none"] = "starttls",
        timeout: float = 20.0,
        deadline: float = DEADLINE,
        tls: ssl.SSLContext | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the server's address and our log-in there.

        `security` is 'starttls' (refused where the server lacks it), 'ssl', or 'none'. `timeout` is in seconds,
        for each wait; `deadline` for a letter, from the look-up of the server to its last answer. A message without
        `written_at` is dated by `now`.

        Raises:
            ValueError: a password would leave this machine unencrypted, or `tls` does not verify certificates.
        """
        if username and security == "none" and host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError("a password is sent over TLS only")
        if tls is not None and tls.verify_mode is not ssl.CERT_REQUIRED:
            raise ValueError("TLS certificates of the mail server are always verified")
        self._host, self._port, self._security = host, port, security
        self._timeout, self._deadline = timeout, deadline
        self._username, self._password = username, password
        self._tls = tls or ssl.create_default_context()
        self._now = now

    def __repr__(self) -> str:
        """Return class and server, without the log-in."""
        return f"SmtpChannel({self._host!r}, {self._port}, security={self._security!r})"

    def send(self, message: Message) -> Receipt:
        """Send a letter through the mail server.

        Raises:
            TryLater, EndUnknown, Bounced: see `Channel.send`.
        """
        at = self._now()
        if message.written_at is None:
            message = message.model_copy(update={"written_at": at})
        contents, recipient = as_mime(message), _recipient(message)
        trouble: OutsideError
        handed_over = False
        try:
            server = self._connected()
            try:
                self._expect(server.mail(_sender(message).addr_spec), "sender")
                self._expect(server.rcpt(recipient), "recipient")
                self._expect(server.docmd("DATA"), "contents", good=354)
                handed_over = True
                server.send(re.sub(rb"(?m)^\.", b"..", contents) + b".\r\n")
                reply = server.getreply()
                self._expect(reply, "contents")
                return Receipt(self.name, message.message_id, _words(reply), at)
            finally:
                # Without QUIT: its answer could change nothing.
                server.close()
        except smtplib.SMTPResponseException as error:
            trouble = self._error_of((-1 if handed_over else error.smtp_code, error.smtp_error), "greeting")
        except smtplib.SMTPNotSupportedError:
            trouble = self._administrator("offers no STARTTLS or no log-in that we know")
        except ssl.SSLError as error:
            trouble = self._administrator(f"could not be reached over TLS ({error.reason or 'cut off'})")
        except (smtplib.SMTPException, OSError) as error:
            lost = f"the mail server {self._host} broke off: {type(error).__name__}"
            trouble = EndUnknown(lost) if handed_over else TryLater(lost)
        # Raised outside of the except clause: smtplib's exceptions quote addresses.
        raise trouble

    def _connected(self) -> smtplib.SMTP:
        server: PlainSession | EncryptedSession
        if self._security == "ssl":
            server = EncryptedSession(self._timeout, self._deadline, self._tls)
        else:
            server = PlainSession(self._timeout, self._deadline)
        try:
            server.greet(self._host, self._port)
            server.ehlo_or_helo_if_needed()
            if self._security == "starttls":
                server.starttls(context=self._tls)
                server.ehlo()
            if self._username:
                server.login(self._username, self._password or "")
        except BaseException:
            server.close()
            raise
        return server

    def _expect(
        self, reply: tuple[int, bytes], stage: Literal["sender", "recipient", "contents"], good: int = 0
    ) -> None:
        if (reply[0] != good) if good else (reply[0] not in (250, 251)):
            raise self._error_of(reply, stage)

    def _error_of(
        self, reply: tuple[int, bytes | str], stage: Literal["greeting", "sender", "recipient", "contents"]
    ) -> OutsideError:
        code, words = reply[0], _words(reply)
        if code == -1:
            return EndUnknown(f"the mail server {self._host} answered in a form that is not understood")
        if not 500 <= code <= 599:
            return TryLater(f"the mail server {self._host} refuses for now: {words}")
        ours = code in _LOG_IN_FIRST or "relay" in words.lower()
        if stage in ("greeting", "sender") or ours:
            return self._administrator(f"refuses us, not the recipient: {words}")
        return Bounced(f"the mail server {self._host} refused the {stage} for good: {words}")

    def _administrator(self, what: str) -> TryLater:
        return TryLater(
            f"the mail server {self._host} {what}",
            _ADMINISTRATOR_PAUSE,
            for_people="Surat belum dapat dikirim. Administrator perlu memeriksa server surel; surat tetap tersimpan.",
            note="the administrator must check the mail settings",
        )


def _words(reply: tuple[int, bytes | str]) -> str:
    text = reply[1].decode("utf-8", "replace") if isinstance(reply[1], bytes) else reply[1]
    return without_personal_data(f"{reply[0]} {text}")


def _sender(message: Message) -> Address:
    name, address = parseaddr(message.sender)
    if not _ADDRESS.fullmatch(address):
        raise TryLater(
            "the office's own sender address is not a mail address",
            _ADMINISTRATOR_PAUSE,
            note="check the mail settings",
        )
    return Address(display_name=name, addr_spec=address)


def _recipient(message: Message) -> str:
    """Return the address for the envelope, its domain in ASCII.

    Raises:
        Bounced: `to_address` is no mail address.
    """
    local, _, domain = message.to_address.strip().rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        address = ""
    if not _ADDRESS.fullmatch(address):
        raise Bounced("what is recorded as the recipient's address is no mail address")
    return address
