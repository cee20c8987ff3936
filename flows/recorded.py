"""Evidence of another office's answer by machine: its source, and the file that shows it."""

from __future__ import annotations

from typing import Any

from engine.pipeline import calling
from outside.submission import Result


def recorded(result: Result) -> dict[str, Any]:
    """Return the source of an answer and its file: its PDF, or else the answer itself as JSON."""
    return {
        "source": result.source,
        "evidence": calling().keep(result.pdf if result.pdf else result.model_dump_json().encode()),
    }
