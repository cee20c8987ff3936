"""What the documents say is so: the drawing, every file, symbol and command that they name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_drawing_of_the_rooms_is_what_the_imports_say() -> None:
    """`scripts/draw-rooms` draws docs/architecture.svg anew when a room, a module or an import between rooms came or went."""
    drawing = [sys.executable, str(ROOT / "scripts" / "draw-rooms"), "--check"]
    done = subprocess.run(drawing, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
