"""Correct a wrong name or number in the register, the case, and every document with it.

UU 27/2022 Pasal 6 gives everybody the right to have wrong data about them corrected. The old value stays, encrypted with the facts;
the ledger keeps field names and salted hashes. Entries from before it are fitted by key: engine/execution/replay.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, func, select

from engine.actions.correction.fields import changes_of, corrected_facts
from engine.actions.correction.reissue import Reissued, reissue, rewrite_encrypted
from engine.cases.dossier import Dossier, fetch_dossiers
from engine.cases.evidence import given_for, must_serve, record_uploads
from engine.cases.ledger import CORRECTED, salted_hash, valid_reason, write_remark
from engine.cases.replaced_documents import Change, Rewriting
from engine.cases.waits import MACHINE_KINDS, open_waits, overwrite
from engine.deadlines.clock import local_date
from engine.definition.case import Applicant
from engine.definition.incoming import must_be_clean
from engine.errors import NotAllowed, Refused, UnknownCase
from engine.execution.document_files import make_pending_files
from engine.execution.versions.fit_check import what_stops
from engine.letters.queue import write_to_applicant
from engine.people.impartiality import must_not_be_concerned
from engine.people.permissions import Actor, must_be_in_region, must_not_concern_the_stand_in, user_named
from engine.people.persons import NUMBER_CLEANERS
from engine.people.roles import roles_of
from engine.runtime.office import Office, RunHandle, Work
from models import Business, CaseFile, CaseStatus, LedgerEntry, Person, PersonIndex, Product, Role, WaitKind

MAY_CORRECT = (Role.OFFICER, Role.DIVISION_HEAD, Role.ADMINISTRATOR)
LETTER = "document_corrected"
TITLES = {
    "id": {"name": "nama", "national_id": "NIK", "tax_id": "NPWP", "phone": "nomor telepon", "email": "alamat surel",
           "address": "alamat", "business_id_number": "NIB", "main_product": "produk utama"},
    "en": {"name": "name", "national_id": "national id (NIK)", "tax_id": "tax id (NPWP)", "phone": "telephone number",
           "email": "e-mail address", "address": "address", "business_id_number": "NIB", "main_product": "main product"},
}  # fmt: skip
OWNERS = {
    "id": {"person": "pemohon", "business": "usaha", "product": "produk"},
    "en": {"person": "the applicant", "business": "the business", "product": "the product"},
}


def correct(
    office: Office,
    run: RunHandle,
    number: str,
    *,
    by: str,
    reason: str,
    data: dict[str, Any],
    evidence: str | None = None,
) -> None:
    """Correct names and numbers of a case, open or closed; reissue its documents and send them.

    ``data`` names fields by their path (``owner.name``) or shortly (``phone``); ``evidence`` is a kept file (``sha256:…``).

    Raises:
        UnknownCase: No case has this number.
        NotAllowed: ``by`` is no officer, head of division or administrator of the region, or is concerned.
        Refused: A field or value can't be taken, a machine is at work for the case, or the case would go another way with it.
            Nothing was changed.

    Locks: all cases of the person, in the order of their ids.
    """
    reason = valid_reason(reason)
    must_be_clean(data=data)
    try:
        with office.work(run) as work:
            dossier = _lock(work, number)
            actor = _may_correct(work, dossier, by)
            must_not_concern_the_stand_in(work, dossier.case)
            _correct(work, dossier, actor, reason, data, evidence)
            pipeline, case_id = dossier.pipeline.name, dossier.row.id or 0
    except IntegrityError:
        raise Refused(
            f"Case {number} stays as it is: that number or name is registered already for somebody else",
            for_people="Nomor atau nama itu sudah terdaftar untuk pihak lain. Periksa kembali pada dokumen aslinya.",
            case=number,
        ) from None
    run.cases += 1
    while make_pending_files(office, run, pipeline, [case_id]):
        pass


def _lock(work: Work, number: str) -> Dossier:
    """Return the case.

    Locks: the case and the other cases of the same person, in the order of all workers.
    """
    found = work.session.exec(select(CaseFile.id, CaseFile.person_id).where(CaseFile.number == number)).first()
    if found is None:
        raise UnknownCase(number)
    case_id, person_id = found
    theirs = select(CaseFile).where(CaseFile.person_id == person_id)
    work.session.exec(theirs.order_by(col(CaseFile.id)).with_for_update()).all()
    return fetch_dossiers(work.office, work.session, [case_id or 0])[0]


def _may_correct(work: Work, dossier: Dossier, by: str) -> Actor:
    user, case = user_named(work.session, by), dossier.case
    roles = roles_of(work.session, user, work.today)
    role = next((one for one in MAY_CORRECT if one in roles), None)
    if role is None:
        raise NotAllowed(
            f"{by} may not correct {case.number}: that takes an officer, a head of division or an administrator",
            for_people="Hanya petugas, kepala bidang atau administrator yang dapat memperbaiki data permohonan.",
            user=by,
        )
    must_not_be_concerned(work.session, user, case, local_date(work.now))
    must_be_in_region(user, case)
    return Actor(by, role)


def _correct(
    work: Work,
    dossier: Dossier,
    actor: Actor,
    reason: str,
    data: dict[str, Any],
    evidence: str | None,
) -> None:
    row, now = dossier.row, work.now
    number = row.number
    if row.status != CaseStatus.PARKED and (busy := [wait.key for wait in open_waits(dossier, *MACHINE_KINDS)]):
        raise Refused(
            f"{busy[0]} of case {number} is under way. Correct it once that is done: jalur advance --case {number}",
            for_people=f"{busy[0]} pada {number} sedang diproses. Ulangi perbaikan setelah selesai.",
            case=number,
        )
    files = [given_for("corrected", "evidence", evidence, by=actor.name, case_id=row.id)] if evidence else []
    for one in files:
        must_serve(work.session, work.office.store, one)
    stuck = what_stops(work.office, work.session, _copy(dossier)) if row.status == CaseStatus.PARKED else ""
    facts = work.vault.decrypt(dossier.key, row.facts)
    changes = changes_of(number, row.subject_kind, facts, data)
    write_to_register(work, dossier, facts, changes)
    rewriting = Rewriting(facts, changes)
    reissued = reissue(work, dossier, rewriting)
    for wait in open_waits(dossier, *WaitKind):
        request = rewrite_encrypted(work, dossier, wait.request, rewriting)
        overwrite(work, wait, request=request, note=rewriting(wait.note))
    said = [
        {"at": now.isoformat(), "by": actor.name, "reason": reason, "field": one.path, "old": one.old}
        for one in changes
    ]
    row.facts = work.vault.encrypt(
        dossier.key, {**corrected_facts(facts, changes), "corrected": [*facts.get("corrected", []), *said]}
    )
    work.rows.note(CaseFile, row.model_dump())
    key = _remark(
        work,
        row,
        actor,
        reason,
        {
            "fields": {one.path: [salted_hash(row.salt, one.old), salted_hash(row.salt, one.new)] for one in changes},
            "replaced": reissued.names,
            "evidence": evidence,
        },
    )
    if any((one.kind, one.field) == ("person", "name") for one in changes):
        _remark_other_cases(work, row, actor)
    record_uploads(work.session, files, at=now, run_id=work.run.id, used_by=row.last_seq)
    _tell(work, dossier, key, changes, reissued)
    work.flush()
    anew = fetch_dossiers(work.office, work.session, [row.id or 0])[0]
    if (why_not := what_stops(work.office, work.session, _copy(anew))) and why_not != stuck:
        raise Refused(
            f"Case {number} can't go on with that: {why_not}. Withdraw it and open it anew",
            for_people=f"Dengan data itu permohonan {number} akan berjalan lain. Tarik, lalu ajukan kembali.",
            case=number,
        )


def _copy(dossier: Dossier) -> Dossier:
    """Return the dossier with a copy of its row, for a trial replay that changes the row."""
    return replace(dossier, row=CaseFile(**dossier.row.model_dump()))


def write_to_register(work: Work, dossier: Dossier, facts: dict[str, Any], changes: Iterable[Change]) -> None:
    """Write the new values to the person, the business or the product.

    Mutates: the person's encrypted data and look-up digests.
    """
    case = dossier.case
    person_id = case.applicant.person_id
    person = work.session.get_one(Person, person_id)
    business: Any = facts if case.subject_kind == "business" else facts.get("business")
    for one in changes:
        if one.kind == "business":
            setattr(work.session.get_one(Business, business["business_id"]), one.field, one.new)
        elif one.kind == "product":
            work.session.get_one(Product, case.subject_id).name = one.new or ""
        elif one.field == "name":
            person.name = one.new or ""
        else:
            kept = work.vault.decrypt(dossier.key, person.sealed)
            person.sealed = work.vault.encrypt(dossier.key, {**kept, one.field: one.new})
            if one.field in NUMBER_CLEANERS:
                work.session.execute(
                    delete(PersonIndex).where(
                        col(PersonIndex.kind) == one.field, col(PersonIndex.person_id) == person_id
                    )
                )
                if one.new:
                    digest = work.vault.digest(one.field, one.new.lower())
                    work.session.add(PersonIndex(kind=one.field, digest=digest, person_id=person_id))
    work.session.flush()


def _remark(work: Work, row: CaseFile, actor: Actor, reason: str, result: dict[str, Any]) -> str:
    """Write the remark of the correction; return its key. Earlier entries are fitted by key."""
    earlier = select(func.count()).where(LedgerEntry.case_id == row.id, LedgerEntry.outcome == CORRECTED)
    key = f"corrected#{work.session.exec(earlier).one() + 1}"
    write_remark(work, row, key, actor.name, reason, role=actor.role, outcome=CORRECTED, result=result)
    row.corrected_seq = row.last_seq
    work.session.add(row)
    return key


def _remark_other_cases(work: Work, row: CaseFile, actor: Actor) -> None:
    """Write a remark into the applicant's other cases, whose facts keep the old name.

    Closed cases get it as well: an appeal, or a shadow run, replays them.
    """
    others = select(CaseFile).where(CaseFile.person_id == row.person_id, col(CaseFile.id) != row.id)
    for other in work.session.exec(others.order_by(col(CaseFile.id))):
        _remark(work, other, actor, f"nama pemohon diperbaiki pada {row.number}", {"fields": {}})


def _tell(
    work: Work,
    dossier: Dossier,
    key: str,
    changes: list[Change],
    reissued: Reissued,
) -> None:
    applicant = dossier.case.applicant
    name = work.session.get_one(Person, applicant.person_id).name
    language = applicant.language
    whom = Applicant(applicant.person_id, name, language)
    write_to_applicant(
        work,
        dossier,
        key=f"{key}/{LETTER}",
        letter=LETTER,
        whom=whom,
        facts={
            "applicant_name": name,
            "fields": [f"{TITLES[language][one.field]} ({OWNERS[language][one.kind]})" for one in changes],
            "replaced": [{"old": old, "new": new} for old, new in reissued.names.items() if "#" not in old],
            "attached": [str(len(reissued.keys))] if reissued.keys else [],
        },
        attach=reissued.keys,
    )
