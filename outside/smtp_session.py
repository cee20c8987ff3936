"""A connection to a mail server that ends at a deadline, and reads no endless answer.

`smtplib` knows a time limit for each wait alone, which a server that says a word now and then never passes.
"""

from __future__ import annotations

import io
import smtplib
import socket
import ssl
import time

# All that a server says in one session: greeting, features, an answer a command.
MOST_READ = 64 * 1024


class OutOfPatience(TimeoutError):
    """The deadline has passed, or the server has said too much."""


class _Bounded(io.RawIOBase):
    """The words of a server, up to the deadline and to `MOST_READ`."""

    def __init__(self, session: _Session) -> None:
        self._session = session

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        session = self._session
        assert session.sock is not None
        session.sock.settimeout(session.left())
        count = session.sock.recv_into(buffer)
        session.read += count
        if session.read > MOST_READ:
            raise OutOfPatience(f"the server has said more than {MOST_READ} bytes")
        return count


class _Session(smtplib.SMTP):
    """SMTP whose every wait ends at the session's deadline at the latest."""

    def __init__(self, timeout: float, deadline: float) -> None:
        self._each, self._until, self.read = timeout, time.monotonic() + deadline, 0
        super().__init__(timeout=timeout)

    def greet(self, host: str, port: int) -> None:
        """Connect and hear the greeting.

        Raises:
            smtplib.SMTPConnectError: the greeting is none.
            OSError: the server can't be reached, or the deadline has passed.
        """
        self._host = host  # whose certificate is verified
        code, words = self.connect(host, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, words)

    def left(self) -> float:
        """Return how many seconds the next wait may take.

        Raises:
            OutOfPatience: none is left.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise OutOfPatience("the deadline of the letter has passed")
        return min(self._each, left)

    def getreply(self) -> tuple[int, bytes]:
        """Return the server's next answer."""
        if self.file is None:
            self.file = io.BufferedReader(_Bounded(self))
        return super().getreply()

    def send(self, s: bytes | str) -> None:  # type: ignore[override]
        """Send words or contents, whole and before the deadline."""
        if self.sock is not None:
            self.sock.settimeout(self.left())
        super().send(s)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connect to one of the server's addresses; each gets its part of the time that is left."""
        addresses = max(len(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)), 1)
        return socket.create_connection((host, port), min(self._each, self.left() / addresses))


class PlainSession(_Session):
    """A session that begins in the clear."""

    def starttls(self, *, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:  # type: ignore[override]
        """Go on encrypted; the handshake, too, ends at the deadline."""
        if self.sock is not None:
            self.sock.settimeout(self.left())
        return super().starttls(context=context)


class EncryptedSession(_Session):
    """A session that is encrypted from its first word."""

    def __init__(self, timeout: float, deadline: float, context: ssl.SSLContext) -> None:
        super().__init__(timeout, deadline)
        self._context = context

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = super()._get_socket(host, port, timeout)
        plain.settimeout(self.left())
        return self._context.wrap_socket(plain, server_hostname=host)
