"""Connections of the web app: limits of the time for headers, and of their number without.

uvicorn limits how long a connection idles between two requests; it waits for ever for the headers of the first one, and takes in
a body that nobody reads for as long as it comes. It begins TLS before it knows the connection; here that is begun later.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection(H11Protocol):
    """uvicorn's connection, cut where its headers are late or its body is read by nobody.

    The limit holds for all connections of a process.
    """

    MOST_WITHOUT_HEADERS: ClassVar[int] = 200
    HEADERS_WITHIN: ClassVar[float] = 10.0  # seconds, the TLS handshake included
    READ_WITHIN: ClassVar[float] = 30.0  # seconds, in which the other side takes in some of a long answer
    # While the other side reads our answer, its body is thrown away: for so many seconds and bytes.
    LINGERS: ClassVar[float] = 2.0
    THROWN_AWAY: ClassVar[int] = 32 * 2**20
    context: ClassVar[ssl.SSLContext | None] = None

    # The oldest stands first.
    _without_headers: ClassVar[WeakKeyDictionary[Connection, None]] = WeakKeyDictionary()

    @classmethod
    def secured(cls, context: ssl.SSLContext) -> type[Connection]:
        """Return the class of connections that speak TLS."""
        return type("SecuredConnection", (cls,), {"context": context})

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._late: asyncio.TimerHandle | None = None
        self._handshake: asyncio.Task[None] | None = None
        self._early = b""  # what came with the end of the handshake
        self._unread: asyncio.TimerHandle | None = None
        self._lingers = False
        self._thrown_away = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the new connection its time for handshake and headers."""
        if self.context is None:
            self._open(transport)
        else:
            self.transport = transport
            transport.pause_reading()
            self._handshake = self.loop.create_task(self._begin_tls(transport, self.context))
        self._await_headers()

    def _open(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        # A socket for both kinds of addresses shows 192.0.2.1 as ::ffff:192.0.2.1, which no list of proxies has.
        if self.client and self.client[0].startswith("::ffff:"):
            self.client = (self.client[0].removeprefix("::ffff:"), self.client[1])

    async def _begin_tls(self, plain: asyncio.Transport, context: ssl.SSLContext) -> None:
        within = self.HEADERS_WITHIN
        try:
            secure = await self.loop.start_tls(plain, self, context, server_side=True, ssl_handshake_timeout=within)
        except OSError:  # of ssl, too: no handshake, or none in time
            secure = None
        if secure is None:
            self._headers_came()
            plain.abort()
            return
        self._open(secure)
        if self._early:
            self.data_received(self._early)

    def data_received(self, data: bytes) -> None:
        """Take in what came; throw it away where the answer was sent already."""
        if self.flow is None:
            self._early += data
            return
        if self._lingers:
            self._thrown_away += len(data)
            if self._thrown_away > self.THROWN_AWAY:
                self.transport.abort()
            return
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._await_headers()
        else:
            self._headers_came()

    def on_response_complete(self) -> None:
        """End the connection where a body is still to come that nobody will read."""
        if self.conn.their_state is not h11.SEND_BODY or self.transport.is_closing():
            super().on_response_complete()
            return
        # Closed at once, the system would reset the connection, and the answer be lost on the other side.
        self._lingers = True
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(self.LINGERS, self.transport.abort)

    def pause_writing(self) -> None:
        """Give the other side its time to take in what is written; then the connection is cut."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.READ_WITHIN, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on, since the other side has read."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection no longer."""
        self._headers_came()
        if self._unread is not None:
            self._unread.cancel()
        super().connection_lost(exc)

    def _await_headers(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.HEADERS_WITHIN, self._cut)
            self._without_headers[self] = None
            if len(self._without_headers) > self.MOST_WITHOUT_HEADERS:
                next(iter(self._without_headers))._cut()

    def _headers_came(self) -> None:
        self._without_headers.pop(self, None)
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _cut(self) -> None:
        self._headers_came()
        self.transport.abort()
