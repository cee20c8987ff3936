"""Evidence: a file that an account uploads for one field of one case, and used there alone.

A file that comes in with an act (`Attached`) is a new upload. A file that is only named was stored before: it is bound by its
first use, and serves again in that place alone, for the same account: when a question is asked anew. What was in use before
there were uploads serves on in the cases of that time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, insert, select

from engine.definition.forms import Form, evidence_in
from engine.errors import BadAnswer, Refused
from engine.runtime.file_store import Attached, Store
from models import CaseFile, Document, Upload

Reason = tuple[str, str]
NOT_KEPT: Reason = ("no kept file has this name; attach it", "berkas ini belum tersimpan; lampirkan")
OURS: Reason = (
    "this is a document of this office, and proves nothing to it; attach the other side's paper",
    "ini surat dari kantor ini sendiri dan bukan bukti; lampirkan berkas dari pihak lain",
)
USED: Reason = (
    "this file was uploaded for something else, or by somebody else; attach it anew",
    "berkas ini diunggah untuk hal lain atau oleh akun lain; lampirkan sendiri berkasnya",
)


@dataclass(frozen=True)
class Place:
    """The place of evidence: its case, the name of the question, the field.

    A mandate or a recorded certificate has no case; its table stands for the question.
    """

    case_id: int | None
    question: str
    field: str


@dataclass(frozen=True)
class Given:
    """A file that an account gives as evidence; a ``carried`` one was filled in by the office."""

    place: Place
    path: str
    sha256: str
    uploader: str
    attached: bool
    carried: bool = False


def given_in(
    form: Form, data: Mapping[str, Any], known: Mapping[str, Any], *, case_id: int | None, key: str, by: str
) -> list[Given]:
    """Return the files that a form names.

    ``data`` is what it was filled in with, ``known`` what the office had prefilled.
    """
    return [
        Given(
            Place(case_id, key.partition("#")[0], re.sub(r"\.\d+", "", path)),
            path,
            name.sha256,
            by,
            attached=isinstance(_at(data, path), Attached),
            carried=_at(known, path) == name,
        )
        for path, name in evidence_in(form)
    ]


def given_for(question: str, field: str, name: str, *, by: str, case_id: int | None = None) -> Given:
    """Return one file that is given beside any form; ``name`` is ``sha256:…``."""
    attached = isinstance(name, Attached)
    return Given(Place(case_id, question, field), field, name.removeprefix("sha256:"), by, attached)


def unfit(session: Session, store: Store, given: Iterable[Given]) -> Iterator[tuple[Given, Reason]]:
    """Yield each file that can't serve, with the reason in English and Indonesian.

    Ask when it is known that the account may act: only then is anything looked up.

    Locks: on PostgreSQL the table of uploads, where a file is only named, so that no two acts bind it.
    """
    claimed: dict[str, Given] = session.info.setdefault("claimed_files", {})
    for one in given:
        if why := _why_not(session, store, one, claimed):
            yield one, why


def must_fit(session: Session, store: Store, given: Iterable[Given], number: str, key: str) -> None:
    """Check the files of a form that was filled in.

    Raises:
        BadAnswer: some can't serve; each is named by its field.
    """
    faults = [{"field": one.path, "reason": indonesian} for one, (_, indonesian) in unfit(session, store, given)]
    if faults:
        raise BadAnswer(number, key, faults)


def must_serve(session: Session, store: Store, given: Given) -> None:
    """Check one file that is given beside any form.

    Raises:
        Refused: it can't serve; the message says why.
    """
    for one, (english, indonesian) in unfit(session, store, [given]):
        raise Refused(f"{one.path}: {english}", for_people=f"{one.path}: {indonesian}.", field=one.path)


def record_uploads(session: Session, given: Iterable[Given], *, at: datetime, run_id: str | None, used_by: int) -> None:
    """Record the files as used by a ledger entry, a mandate or a certificate."""
    rows = [
        {
            "sha256": one.sha256,
            "case_id": one.place.case_id,
            "question": one.place.question,
            "field": one.place.field,
            "uploader": one.uploader,
            "at": at,
            "run_id": run_id,
            "used_by": used_by,
        }
        for one in given
    ]
    if rows:
        session.execute(insert(Upload), rows)


def _why_not(session: Session, store: Store, given: Given, claimed: dict[str, Given]) -> Reason | None:
    if given.carried:
        return None
    if session.exec(select(Document.key).where(Document.sha256 == given.sha256)).first() is not None:
        return OURS
    if given.attached:
        return None
    if not session.info.get("uploads_locked") and session.get_bind().dialect.name != "sqlite":
        session.execute(text("LOCK TABLE upload IN SHARE ROW EXCLUSIVE MODE"))
        session.info["uploads_locked"] = True
    found = session.exec(select(Upload).where(Upload.sha256 == given.sha256)).all()
    taken_over = [one.taken_over_at for one in found if one.taken_over_at is not None]
    if taken_over and _is_older(session, given.place.case_id, min(taken_over)):
        return None
    earlier = {(Place(one.case_id, one.question, one.field), one.uploader) for one in found}
    if (taken := claimed.setdefault(given.sha256, given)) is not given:
        earlier.add((taken.place, taken.uploader))
        if taken.path != given.path:
            return USED
    if earlier:
        return None if (given.place, given.uploader) in earlier else USED
    return None if store.find(given.sha256) else NOT_KEPT


def _is_older(session: Session, case_id: int | None, moment: datetime) -> bool:
    """Return whether the case was opened before ``moment``."""
    case = session.get(CaseFile, case_id) if case_id is not None else None
    return case is not None and case.opened_at < moment


def _at(data: Any, path: str) -> Any:
    """Return what stands at a path such as ``proofs.0.file``; None where nothing does."""
    for part in path.split("."):
        if isinstance(data, Mapping):
            data = data.get(part)
        elif isinstance(data, list) and part.isdigit() and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    return data
