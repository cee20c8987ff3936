"""What another office answered by machine, kept as evidence: a file that shows it, and from where it is."""

from __future__ import annotations

from typing import Any

from engine.pipeline import calling
from outside.submission import Result


def recorded(result: Result) -> dict[str, Any]:
    """Return from where an answer is and the file that shows it: its PDF, or where none came what was answered."""
    return {
        "source": result.source,
        "evidence": calling().keep(result.pdf if result.pdf else result.model_dump_json().encode()),
    }
