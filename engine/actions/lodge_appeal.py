"""Lodge an objection against the ending of a case.

The case goes on in its own ledger, where the process of the appeal begins after the recorded ending.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.actions.form_filling import filled_in
from engine.cases import case_state, ledger
from engine.cases.dossier import Dossier, lock_by_number
from engine.cases.evidence import given_in, must_fit, record_uploads
from engine.cases.ledger import LODGED
from engine.deadlines.clock import local_date
from engine.definition.forms import Evidence, Form, Question
from engine.definition.registry import Appeal, NoAppeal, appeal_options, appeals_inside
from engine.errors import Refused
from engine.people.permissions import authorize_for_applicant, user_named
from engine.runtime.office import Office, RunHandle
from models import Answer, CaseStatus, EntryKind, Role
from models.privacy import without_personal_numbers


class AppealLodged(Form):
    """The reason why an ending is contested, and the evidence for it."""

    reason: Annotated[str, Field(min_length=3, max_length=4000)]
    evidence: Evidence | None = None


APPEAL_LODGED = Question(AppealLodged, of=Role.APPLICANT, title="Ajukan keberatan")


def lodge_appeal(
    office: Office, run: RunHandle, number: str, *, by: str, reason: str, evidence: str | None = None
) -> None:
    """Contest the ending of a case: UU 30/2014 art. 77, or the way its pipeline has instead.

    flows/appeals.py declares the way for each ending of each pipeline.

    Raises:
        UnknownCase: No case has this number.
        NotAllowed: ``by`` is neither the applicant nor somebody who acts for them.
        BadAnswer: The reason or the evidence is faulty.
        Refused: The case is open or parked, its ending can't be contested or was contested before, or the time is up.
    """
    data = {"reason": reason, **({"evidence": evidence} if evidence else {})}
    form = filled_in(number, LODGED, APPEAL_LODGED, data)
    with office.work(run) as work:
        dossier = lock_by_number(work, number)
        row, today = dossier.row, work.today
        actor = authorize_for_applicant(work.session, user_named(work.session, by), dossier.case, today)
        appeal = _may_be_contested(office, dossier)
        files = given_in(form, data, {}, case_id=row.id, key=LODGED, by=actor.name)
        must_fit(work.session, office.store, files, number, LODGED)
        words = form.model_dump(mode="json")
        now = work.now
        encrypted = work.vault.encrypt(dossier.key, words)
        work.rows.write(Answer, case_id=row.id, key=LODGED, sealed=encrypted, at=now)
        ledger.write_entry(
            work,
            row,
            at=now,
            kind=EntryKind.ANSWER,
            key=LODGED,
            actor=actor.name,
            role=actor.role,
            on_behalf_of=actor.on_behalf_of,
            outcome="lodged",
            reason=without_personal_numbers(words["reason"]),
            result={
                "appeal": appeal.name,
                "version": appeal.version,
                "evidence": words["evidence"],
                "answer": ledger.salted_hash(row.salt, words),
            },
            rule_versions=dossier.case.rules.take_used(),
        )
        record_uploads(work.session, files, at=now, run_id=run.id, used_by=row.last_seq)
        case_state.contest(row)
        work.session.add(row)
    run.cases += 1


def _may_be_contested(office: Office, dossier: Dossier) -> Appeal:
    """Return the appeal process for the ending.

    Raises:
        Refused: The ending can't be contested now; the refusal says why, and what can be done.
    """
    row, number = dossier.row, dossier.case.number
    if row.status == CaseStatus.PARKED:
        raise Refused(
            f"Case {number} is parked: its code or data failed. Free it first: jalur case retry {number}",
            for_people=f"Perkara {number} sedang diperbaiki kantor; ajukan keberatan setelah itu.",
            case=number,
        )
    if lodged := dossier.past.entries.get(LODGED):
        on = local_date(lodged.at)
        raise Refused(
            f"The ending of {number} was contested on {on} already, and can be only once. See: jalur case show {number}",
            for_people=f"Keberatan atas {number} sudah diajukan pada {on.isoformat()}; hanya dapat diajukan satu kali.",
            case=number,
        )
    if row.status != CaseStatus.CLOSED or row.closed_at is None:
        waiting = {key: wait.question or "" for key, wait in dossier.past.waits.items() if wait.settled_at is None}
        here = [key for key, question in sorted(waiting.items()) if question in appeals_inside(dossier.pipeline.name)]
        raise Refused(
            f"Case {number} is not closed; it is waiting for: {', '.join(sorted(waiting)) or 'the machine'}. "
            + (f"Answer {here[0]} to object" if here else "There is no ending to contest yet"),
            for_people=f"Perkara {number} masih berjalan. Jawab pertanyaan {here[0]} untuk mengajukan keberatan."
            if here
            else f"Perkara {number} belum diputus, jadi belum ada keputusan yang dapat ditentang.",
            case=number,
        )
    way = appeal_options(dossier.pipeline.name).get(row.outcome or "") or NoAppeal(
        "no way is declared", "Hubungi petugas kami."
    )
    if isinstance(way, NoAppeal):
        raise Refused(
            f"{number} ended in {row.outcome}, which can't be contested here: {way.why}",
            for_people=way.for_people,
            case=number,
            outcome=row.outcome,
        )
    rule = dossier.case.rules[way.window]
    last = office.calendar.due_date(local_date(row.closed_at), rule)
    if office.clock.today() > last and rule.standing != "unconfirmed":
        raise Refused(
            f"The time to contest {number} ended on {last}: {rule.value} {rule.unit.replace('_', ' ')} after "
            f"{local_date(row.closed_at)} ({rule.citation}). A new application is open at any time",
            for_people=f"Batas waktu keberatan atas {number} adalah {last.isoformat()} ({rule.citation}) dan sudah lewat. "
            "Anda boleh mengajukan permohonan baru kapan saja.",
            case=number,
            last_day=last.isoformat(),
        )
    return way
