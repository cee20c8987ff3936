"""Intake of an uploaded file: its rows become businesses and, if a pipeline is named, cases."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from prefect import flow
from prefect.states import Completed
from pydantic import AfterValidator, Field
from sqlmodel import col, select

from engine.cases.opening import Opened, open_cases
from engine.definition.registry import current, pipeline_named
from engine.people.intake.importing import take_over
from engine.runtime.office import Office, RunHandle
from flows.deployed import flow_of
from models import Import, ImportLine
from scheduling.cohort_flow import own_run

PipelineName = Annotated[
    str,
    Field(json_schema_extra={"enum": [pipeline.name for pipeline in current()]}),
    AfterValidator(lambda name: pipeline_named(name).name),
]


@flow(name="intake", flow_run_name="intake: import {import_id}", persist_result=False, retries=0)
async def intake(import_id: int, pipeline: PipelineName | None = None) -> Any:
    """Take over the rows of an uploaded file.

    Args:
        import_id: Number of the upload.
        pipeline: The pipeline to open for each accepted business; leave it empty to register them only.
    """
    async with own_run(pipeline=pipeline) as (office, run):
        imported = await asyncio.to_thread(take_over, office, run, import_id)
        message = f"{imported.accepted} accepted, {imported.unchanged} unchanged, {imported.refused_lines} refused"
        if pipeline is None:
            return Completed(message=message)
        opened = await asyncio.to_thread(open_accepted, office, run, import_id, pipeline)
    await flow_of(pipeline)(return_state=True)
    return Completed(message=f"{message}; {len(opened.opened)} cases opened, {len(opened.refused)} not")


def open_accepted(office: Office, run: RunHandle, import_id: int, pipeline: str) -> Opened:
    """Open a case for each business of this import, in the name of its uploader."""
    with office.db.reading() as session:
        row = session.get_one(Import, import_id)
        found = session.exec(
            select(ImportLine.business_id)
            .where(ImportLine.import_id == import_id, ImportLine.status == "accepted")
            .order_by(col(ImportLine.line))
        )
        businesses = [business for business in found if business is not None]
    return open_cases(office, run, pipeline_named(pipeline), businesses, by=row.uploaded_by)
