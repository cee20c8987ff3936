"""Lost runs: they died, or never wrote our own record; Prefect's server tells of them."""

from __future__ import annotations

import logging

from prefect import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from sqlmodel import col, select, update

from engine.definition.registry import all_versions
from engine.runtime.database import insert_new
from engine.runtime.office import NO_RUN, Office
from engine.runtime.office_ledger import record
from models import Run
from models.privacy import without_personal_numbers

log = logging.getLogger(__name__)

NEWEST = 200


async def record_lost_runs(office: Office) -> int:
    """Record as failed the deployed runs of which only Prefect knows it; return how many.

    Runs in a process of ours, the web's or a command's, are not among them: whoever began them has seen how they ended.
    Where the server can't be asked, return 0; the next delivery asks again.
    """
    ended = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.FAILED, StateType.CRASHED]))
    deployed = FlowRunFilterDeploymentId(is_null_=False)
    try:
        async with get_client() as client:
            found = await client.read_flow_runs(
                flow_run_filter=FlowRunFilter(state=ended, deployment_id=deployed),
                sort=FlowRunSort.END_TIME_DESC,
                limit=NEWEST,
            )
    except Exception as error:
        log.warning("Prefect's server was not asked for lost runs (%s)", type(error).__name__)
        return 0
    return sum(_record_as_failed(office, one) for one in found)


def _record_as_failed(office: Office, lost: FlowRun) -> bool:
    """Record one run as failed; return False where our own record says how it ended."""
    flow_run_id, state = str(lost.id), lost.state
    error = without_personal_numbers(
        f"{', '.join(lost.tags) or lost.name}: {state.name}: {state.message or ''}" if state else lost.name
    )[:2000]
    names = {pipeline.name for pipeline in all_versions()}
    with office.work(NO_RUN) as work:
        session = work.session
        known = session.exec(select(Run.state).where(Run.flow_run_id == flow_run_id)).first()
        if known is None:
            # Two deliveries may come upon it at the same moment.
            written = session.execute(
                insert_new(session, Run, "id")
                .values(
                    id=flow_run_id,
                    kind="flow",
                    by="prefect (schedule)" if lost.auto_scheduled else "prefect (unattributed)",
                    pipeline=next((tag for tag in lost.tags if tag in names), None),
                    flow_run_id=flow_run_id,
                    started_at=lost.start_time or lost.expected_start_time or office.clock.now(),
                    state="failed",
                    cases=0,
                    error=error,
                )
                .returning(col(Run.id))
            )
        else:
            died = update(Run).where(col(Run.flow_run_id) == flow_run_id, col(Run.state) == "running")
            written = session.execute(died.values(state="failed", error=error).returning(col(Run.id)))
        failed = [session.get_one(Run, run_id) for run_id in written.scalars()]
        if failed:
            record(work, "run lost", flow_run_id, rows=failed)
        return bool(failed)
