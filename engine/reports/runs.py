"""Our own record of runs, in the shape of the command line's JSON."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, select

from engine.deadlines.clock import JAKARTA
from engine.definition.registry import pipeline_named
from models import Run


def run_list(
    session: Session, *, pipeline: str | None = None, failed: bool = False, limit: int = 200
) -> list[dict[str, Any]]:
    """Return our own record of runs, the newest first, as ``jalur runs`` prints it.

    Raises:
        Refused: there is no such pipeline.
    """
    wanted = select(Run).order_by(col(Run.started_at).desc()).limit(limit)
    if pipeline is not None:
        wanted = wanted.where(Run.pipeline == pipeline_named(pipeline).name)
    if failed:
        wanted = wanted.where(Run.state == "failed")
    return [
        {
            "run": run.id,
            "kind": run.kind,
            "flow_run_id": run.flow_run_id,
            "started_at": run.started_at.astimezone(JAKARTA).isoformat(),
            "seconds": run.seconds,
            "state": run.state,
            "by": run.by,
            "cases": run.cases,
            "error": run.error,
        }
        for run in session.exec(wanted)
    ]
