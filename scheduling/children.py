"""Child processes: each ends with the process that started it, however that one ends."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from weakref import WeakSet

log = logging.getLogger(__name__)

LOOK_AFTER_CHILDREN_EVERY = 2.0
# How long a child may take to end when it is asked to; then it is killed with all that it started.
ENDS_WITHIN = 2.0

# What a child runs before its own program: our process has threads, between whose fork and exec no Python may run. It asks
# Linux for a SIGTERM when the thread that started it ends (1 is PR_SET_PDEATHSIG), and is not born where that has ended.
LAUNCH = """
import ctypes, os, signal, sys
os.umask(0o077)
parent, niceness, *command = sys.argv[1:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(parent):
    sys.exit("the process that wanted this child has ended")
os.nice(int(niceness))
os.execvp(command[0], command)
"""

_children: WeakSet[Child] = WeakSet()


def ask_all_to_end() -> None:
    """Ask every child to end, at once."""
    for child in list(_children):
        child.ask_to_end()


def kill_all() -> None:
    """Kill every child with all that it started; whatever they were doing survives that."""
    for child in list(_children):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


class Child:
    """A process that ends with the one that started it; it has its own session, its words a log."""

    def __init__(self, command: list[str], *, env: dict[str, str], log: Path, niceness: int = 0) -> None:
        """Start it; with a ``niceness`` above 0 it leaves the processor to others."""
        self.command, self.env, self.log, self.niceness = command, env, log, niceness
        log.parent.mkdir(parents=True, exist_ok=True)
        self._ending = threading.Event()
        self._starting = threading.Lock()
        self._asked_at: float | None = None
        self._keeper: threading.Thread | None = None
        self._process = self._start()
        _children.add(self)

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        return self._process.pid

    def ended(self) -> bool:
        """Return whether the process has ended by itself."""
        return self._process.poll() is not None

    def keep(self) -> None:
        """Start it again, from now on, whenever it ends by itself."""
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._keeper.start()

    def ask_to_end(self) -> None:
        """Ask it to end, and don't wait: several children may end at the same time."""
        with self._starting:
            self._ending.set()
        if self._asked_at is None and not self.ended():
            self._asked_at = time.monotonic()
            self._process.send_signal(signal.SIGINT)

    def stop(self) -> None:
        """End it and what it started: ask, then kill. Whatever it was doing survives that."""
        self.ask_to_end()
        left = (self._asked_at or 0) + ENDS_WITHIN - time.monotonic()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(left, 0.1))
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._keeper is not None:
            self._keeper.join()

    def _keep(self) -> None:
        while not self._ending.wait(LOOK_AFTER_CHILDREN_EVERY):
            with self._starting:
                if self.ended() and not self._ending.is_set():
                    words = "%s ended by itself; starting it again. Its words are in %s"
                    log.warning(words, " ".join(self.command[1:5]), self.log)
                    self._process = self._start()
        self._process.wait()  # a child that this thread started is told to end when the thread ends: SIGINT comes first

    def _start(self) -> subprocess.Popen[bytes]:
        launcher = [sys.executable, "-I", "-S", "-c", LAUNCH, str(os.getpid()), str(self.niceness)]
        with open(self.log, "ab") as words:
            return subprocess.Popen(
                [*launcher, *self.command], env=self.env, stdout=words, stderr=subprocess.STDOUT, start_new_session=True
            )
