"""Runs pipelines' flows in this process, against the Prefect server that it finds or starts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from engine.definition.registry import Pipeline
from engine.execution.versions.fingerprints import must_have_code
from engine.runtime.office import Office
from scheduling.server import prefect_api


def advance_here(
    office: Office,
    pipelines: Iterable[Pipeline],
    cases: list[str] | None,
    *,
    by: str,
    say: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the flow of each pipeline once; return counts of cases by their end, and flow runs.

    Raises:
        Refused: the code of an open case is missing, or a configured Prefect server does not answer.
    """
    counts: dict[str, Any] = {"advanced": 0, "waiting": 0, "closed": 0, "failed": 0, "flow_runs": []}
    with office.db.reading() as session:
        must_have_code(session)
    with prefect_api(office.settings, say=say):
        from scheduling.cohort_flow import cohort_flow, run_in_process  # Prefect takes seconds to import

        for pipeline in pipelines:
            result, flow_run_id = asyncio.run(
                run_in_process(cohort_flow(pipeline), office, kind="flow", by=by, cases=cases)
            )
            for name in ("advanced", "waiting", "closed", "failed"):
                counts[name] += len(getattr(result, name))
            counts["flow_runs"].append(flow_run_id)
    return counts
