"""Processes that `jalur serve` starts: they end with it however it ends, and are told politely when it may tell them."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from scheduling import children
from scheduling.children import Child
from tests.scheduling.conftest import eventually, running

PARENT = """
import os, sys, time
from pathlib import Path
from scheduling.children import Child
child = Child(["sleep", "600"], env=dict(os.environ), log=Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(600)
"""
# Writes its niceness, and the first signal that reaches it; on that it ends.
WRITES = """
import os, signal, sys
def told(number, _):
    print(signal.Signals(number).name, flush=True)
    os._exit(0)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, told)
print(os.nice(0), flush=True)
while True:
    signal.pause()
"""


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """With SIGKILL, which leaves the parent no time to tell anybody."""
    with running([sys.executable, "-c", PARENT, str(tmp_path / "child.log")], {}, tmp_path / "parent.log") as parent:
        child = int(eventually((tmp_path / "parent.log").read_text, 60, "the parent starts a child"))
        eventually(lambda: command_of(child).startswith("sleep"), 60, "the child runs its own program")
        parent.send_signal(signal.SIGKILL)
        eventually(lambda: not command_of(child), 60, "the child has ended")


def test_a_child_that_was_started_again_is_asked_to_end_by_sigint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever keeps it starts it in a thread of its own, at whose end Linux would send SIGTERM."""
    monkeypatch.setattr(children, "LOOK_AFTER_CHILDREN_EVERY", 0.05)
    words = tmp_path / "child.log"
    child = Child([sys.executable, "-c", WRITES], env=dict(os.environ), log=words, niceness=3)
    child.keep()
    first = child.pid
    niceness = str(os.nice(0) + 3)
    eventually(lambda: words.read_text().split() == [niceness], 60, "the child is there")
    os.kill(first, signal.SIGKILL)
    eventually(lambda: words.read_text().split() == [niceness, niceness], 60, "the child is there again")
    assert child.pid != first
    child.stop()
    assert words.read_text().split() == [niceness, niceness, "SIGINT"]


def command_of(process: int) -> str:
    """The words of its command line; none when it is gone, or dead and not yet missed."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
