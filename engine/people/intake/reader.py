"""Reading of a file, in a process of its own where it could take long, which can be ended.

The process knows no key and no database: its order and the file come in, its rows go out. It ends with the one that started it.
"""

from __future__ import annotations

import ctypes
import io
import logging
import os
import signal
import subprocess
import sys
import zipfile
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

import engine
from engine.people.intake.cleaned import FILE, Note
from engine.people.intake.reading import read_table
from engine.people.intake.rows import Limits, Row, check_rows

log = logging.getLogger(__name__)

# Up to here a file is read in this process: it can hold nothing that takes longer than starting another one.
SMALL, SMALL_UNPACKED, FEW_PARTS = 64 * 1024, 128 * 1024, 12
# Of the processor: 100,000 rows of XLSX take 27. A busy machine may give it out in three times as many seconds.
SECONDS = 90
MEMORY = 2 * 1024**3
OUT_OF_MEMORY = 3  # the exit code of a reader that was refused more
STOPPED = (-signal.SIGKILL, -signal.SIGXCPU, OUT_OF_MEMORY)
# What the process gets of our environment: nothing that is secret.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")


@dataclass
class Checked:
    """A file as read and checked without the register; ``fault`` is that of the whole file."""

    header: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)
    fault: Note | None = None


def read_rows(content: bytes, limits: Limits) -> Checked:
    """Read and check a file; one that takes too long or too much memory has that as its fault."""
    return _read(content, limits) if _is_small(content) else _read_apart(content, limits)


def _is_small(content: bytes) -> bool:
    if len(content) > SMALL:
        return False
    if not content.startswith(b"PK\x03\x04"):
        return True
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
    except Exception:  # whatever it is, it is refused at once
        return True
    return len(parts) <= FEW_PARTS and sum(part.file_size for part in parts) <= SMALL_UNPACKED


def _read(content: bytes, limits: Limits, reached: Any = lambda line: None) -> Checked:
    table = read_table(content, reached)
    rows = [] if table.fault else check_rows(table, limits)
    return Checked(table.header, rows, table.warnings, table.fault)


def _read_apart(content: bytes, limits: Limits) -> Checked:
    order = {"limits": asdict(limits), "parent": os.getpid(), "seconds": SECONDS, "memory": MEMORY}
    reader = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ}
        | {"PYTHONPATH": str(Path(engine.__file__).parents[1])},
    )
    try:
        said, words = reader.communicate(orjson.dumps(order) + b"\n" + content, timeout=3 * SECONDS)
    except subprocess.TimeoutExpired:
        reader.kill()
        said, words = reader.communicate()
    except BaseException:
        reader.kill()
        reader.wait()
        raise
    if reader.returncode == 0:
        return _told(said)
    log.warning("The reader of an intake file ended with %d", reader.returncode)
    line, stopped = _last_line(words), reader.returncode in STOPPED or words.rstrip().endswith(b"MemoryError")
    return Checked(fault=_stopped(line) if stopped else _failed(line))


def _told(said: bytes) -> Checked:
    told = orjson.loads(said)
    rows = [
        Row(
            one["line"],
            one["cells"],
            one["values"],
            [Note(**note) for note in one["faults"]],
            [Note(**note) for note in one["cautions"]],
        )
        for one in told["rows"]
    ]
    warnings = [Note(**note) for note in told["warnings"]]
    return Checked(told["header"], rows, warnings, Note(**told["fault"]) if told["fault"] else None)


def _last_line(words: bytes) -> int:
    """Return the line that the reader said it had reached; 0 for none."""
    return max((int(word) for word in words.split() if word.isdigit() and len(word) < 10), default=0)


def _stopped(line: int) -> Note:
    where, where_en = _where(line)
    return Note(
        FILE,
        f"Membaca berkas ini memakan waktu atau memori terlalu banyak dan dihentikan (di {where}). Tidak ada baris yang "
        f"diambil. Salin datanya saja ke berkas baru, atau bagi menjadi beberapa berkas, lalu unggah lagi.",
        f"Reading the file took too much time or memory and was stopped (at {where_en}). No row was taken over. Copy the "
        f"data alone to a new file, or split it into several, and upload them.",
    )


def _failed(line: int) -> Note:
    where, where_en = _where(line)
    return Note(
        FILE,
        f"Berkas ini tidak dapat dibaca: pembacanya berhenti (di {where}). Tidak ada baris yang diambil. Simpan sebagai "
        f"berkas XLSX atau CSV yang baru, lalu unggah lagi; bila tetap begitu, beri tahu administrator.",
        f"The file can't be read: its reader failed (at {where_en}). No row was taken over. Save it as a new XLSX or CSV "
        f"and upload that; if it stays so, tell the administrator.",
    )


def _where(line: int) -> tuple[str, str]:
    return (f"sekitar baris {line}", f"about line {line}") if line else ("awal berkas", "its beginning")


def main() -> None:
    """Read the file after its order, within the limits that this sets; write the rows as JSON."""
    order = orjson.loads(sys.stdin.buffer.readline())
    _end_with(order["parent"])
    _confine(order["seconds"], order["memory"])
    try:
        said = orjson.dumps(_read(sys.stdin.buffer.read(), Limits(**order["limits"]), _reached))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)  # an orderly end would ask for more
    sys.stdout.buffer.write(said)


def _reached(line: int) -> None:
    print(line, file=sys.stderr, flush=True)


def _end_with(parent: int) -> None:
    """Let Linux kill this process when the one that wants it has ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        sys.exit("the process that wanted this one has ended")


def _confine(seconds: int, memory: int) -> None:
    """Limit time and memory, and write no file, not even of memory: it holds personal data."""
    import resource

    for what, limit in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        with suppress(OSError, ValueError):  # the system may have no such limit, or a lower one
            resource.setrlimit(what, (limit, limit))


if __name__ == "__main__":
    main()
