"""The web app behind a real socket, in a thread of the test."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fastapi import FastAPI

from engine.runtime.office import Office
from web.app import create_app
from web.serving import Server, server_of

PATIENCE = 10.0


class Served:
    """A web app that listens on a port of this machine."""

    def __init__(self, app: FastAPI, server: Server, port: int) -> None:
        self.app, self.server, self.port = app, server, port

    def connect(self) -> socket.socket:
        """Open a connection, which waits 10 s for what it reads."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def status_of(self, request: bytes) -> int:
        """Send some bytes on a connection of their own; return the status of the answer."""
        with self.connect() as connection:
            connection.sendall(request)
            return status_in(read_all(connection))

    def is_well(self) -> bool:
        """Return whether an honest request is served."""
        return self.status_of(b"GET /static/page.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") == 200


@contextmanager
def served(office: Office, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Served]:
    """Serve an office's web app as `jalur serve` does; nobody advances cases by themselves."""
    app = create_app(office, advance=False)
    server = server_of(app, context)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.bind((host, 0))
        thread = threading.Thread(target=server.serve_on, args=[listener])
        thread.start()
        until = time.monotonic() + PATIENCE
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        try:
            yield Served(app, server, listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            assert not thread.is_alive()


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the other side ends the connection."""
    came = b""
    with suppress(ConnectionResetError):
        while more := connection.recv(65536):
            came += more
    return came


def status_in(answer: bytes) -> int:
    """Return the status of an HTTP answer; 0 where there is none."""
    words = answer.split(b" ", 2)
    return int(words[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def is_cut(connection: socket.socket) -> bool:
    """Return whether the other side ends the connection, without a word, while we wait for it."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
