"""The API, version 1: the command line's JSON for accounts with a token.

Each accepted POST is recorded as a run of its caller.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, File, Query, Request, UploadFile
from pydantic import BaseModel, Field
from sqlmodel import Session

from engine.actions.answer import answer
from engine.actions.withdraw import withdraw
from engine.errors import NotAllowed
from engine.people.intake.importers import MAY_IMPORT
from engine.people.intake.importing import import_file
from engine.people.own_codes import proved
from engine.reports.case_views import case_history, case_view
from engine.reports.pipeline_views import pipeline_list
from engine.runtime.office import Office
from models import Role
from models.privacy import without_personal_numbers
from web.common.access import CallerDep, OfficeDep, address_of, authenticate, get_caller, inbox_of, require_visible
from web.common.bodies import LARGEST_JSON, bounded
from web.common.parameters import clean_parameters
from web.common.problems import MEDIA_TYPE, TooLarge

LARGEST_IMPORT = 10 * 2**20


class Problem(BaseModel):
    """Problem details (RFC 9457), with ``detail`` in Indonesian and further members as parts."""

    type: str
    title: str
    status: int
    detail: str


class Answered(BaseModel):
    """A recorded answer; ``entry`` is its number in the case's ledger."""

    case: str
    question: str
    entry: int


class Withdrawal(BaseModel):
    """The reason for taking an application back."""

    reason: str = Field(min_length=3, max_length=2000)


def _problems(*codes: int) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {code: {"description": "Problem", "content": content} for code in codes}


async def authenticate_importer(request: Request) -> None:
    """Find the account of a request that brings a file, and refuse one that may not.

    Raises:
        Unauthorized: the request has no token, or an unknown one.
        NotAllowed: the account may not import.
    """
    caller = await authenticate(request)
    if not caller.roles & MAY_IMPORT:
        raise NotAllowed(
            f"{caller.name} may not import; that is for: {', '.join(sorted(MAY_IMPORT))}",
            for_people="Impor data hanya untuk petugas, penyelia, dan administrator.",
        )


router = APIRouter(
    prefix="/api/v1",
    tags=["api"],
    dependencies=[Depends(get_caller), Depends(clean_parameters)],
    responses=_problems(400, 401, 408, 413, 422),
    route_class=bounded(LARGEST_JSON, first=authenticate),
)


@router.get("/pipelines")
def pipelines(office: OfficeDep) -> list[dict[str, Any]]:
    """List the pipelines, as ``jalur pipelines``."""
    return pipeline_list(office.clock.today())


@router.get("/cases/{number}", responses=_problems(404))
def show(number: str, office: OfficeDep, caller: CallerDep) -> dict[str, Any]:
    """Show a case, as ``jalur case show``, without the places of files."""
    with office.db.reading() as session:
        require_visible(office, session, caller, number)
        return _shown(office, session, number)


@router.get("/cases/{number}/history", responses=_problems(404))
def history(number: str, office: OfficeDep, caller: CallerDep) -> list[dict[str, Any]]:
    """Show a case's ledger, as ``jalur case history``."""
    with office.db.reading() as session:
        require_visible(office, session, caller, number)
        return case_history(session, number)


@router.get("/inbox", responses=_problems(404))
def inbox(
    office: OfficeDep, caller: CallerDep, role: Annotated[Role | None, Query()] = None, case: str | None = None
) -> list[dict[str, Any]]:
    """List the open questions that the caller may answer, as ``jalur inbox --for``."""
    with office.db.reading() as session:
        if case is not None:
            require_visible(office, session, caller, case)
        return inbox_of(office, session, caller, role=role, number=case)


@router.post("/cases/{number}/answers/{key}", status_code=201, responses=_problems(403, 404, 409, 422, 429))
def take_answer(
    number: str,
    key: str,
    data: Annotated[dict[str, Any], Body()],
    office: OfficeDep,
    caller: CallerDep,
    request: Request,
) -> Answered:
    """Answer a question; ``key`` is its name and count: ``dossier_check#1`` (``%23`` for #)."""
    with office.run("web", by=caller.name) as run:
        with office.db.reading() as session:
            require_visible(office, session, caller, number)
        data = proved(office, caller.name, data, run=run, address=address_of(request))
        taken = answer(office, run, number, key, by=caller.name, data=data)
    request.app.state.wake()
    return Answered(case=taken.case, question=taken.question, entry=taken.entry)


@router.post("/cases/{number}/withdrawal", responses=_problems(403, 404, 409, 422))
def take_back(
    number: str, withdrawal: Withdrawal, office: OfficeDep, caller: CallerDep, request: Request
) -> dict[str, Any]:
    """Withdraw an application, and show its case."""
    with office.run("web", by=caller.name) as run:
        with office.db.reading() as session:
            require_visible(office, session, caller, number)
        withdraw(office, run, number, by=caller.name, reason=withdrawal.reason)
    request.app.state.wake()
    with office.db.reading() as session:
        return _shown(office, session, number)


def _shown(office: Office, session: Session, number: str) -> dict[str, Any]:
    shown = case_view(office, session, number)
    for document in shown["documents"]:
        del document["path"]  # a path on this machine is of no use elsewhere
    return shown


def take_import(
    file: Annotated[UploadFile, File()], office: OfficeDep, caller: CallerDep, dry_run: bool = False
) -> dict[str, Any]:
    """Take a file of businesses over, as ``jalur import``; at most 10 MiB."""
    content = file.file.read(LARGEST_IMPORT + 1)
    if len(content) > LARGEST_IMPORT:
        raise TooLarge(LARGEST_IMPORT)
    with office.run("web", by=caller.name) as run:
        imported = import_file(office, run, name=_file_name(file.filename), content=content, dry_run=dry_run)
    return {"import": imported.import_id, **imported.as_json()}


router.add_api_route(
    "/imports",
    take_import,
    methods=["POST"],
    status_code=201,
    responses=_problems(403, 409, 422),
    # The form around a file has a few hundred bytes.
    route_class_override=bounded(LARGEST_IMPORT + 2**16, first=authenticate_importer, file=True),
)


def _file_name(given: str | None) -> str:
    name = re.split(r"[\\/]", given or "")[-1].strip()[:200]
    return without_personal_numbers(name) or "unggahan.csv"
