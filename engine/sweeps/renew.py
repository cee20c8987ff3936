"""Certificates that will end are renewed ahead of time: a case is opened with what is known, and its holder told.

At the first of the days ahead (180) a case is opened, or the one that is open there is named; at the later ones (90, 30) its
holder is reminded. Of each certificate in one transaction:
1. its case and the renewal's are locked, in the order of their ids, and then its subject where a case is opened;
2. the stage is won by one conditional update of its `Renewal`: two workers, a crash or a schedule that did not run change nothing;
3. one letter, of the latest stage alone, and a remark in each ledger.
One that can't be done is passed over, reported, and tried again by the next run.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sqlalchemy import or_
from sqlmodel import Session, col, select, update

from engine.cases.dossier import Dossier, Past, frozen_case, lock_rows
from engine.cases.ledger import SYSTEM, write_remark
from engine.cases.opening import open_in
from engine.definition.case import Applicant, Expiring, HandedOn
from engine.letters.queue import write_to_applicant
from engine.runtime.database import insert_new
from engine.runtime.encryption import Key
from engine.runtime.office import Office, RunHandle, Work
from engine.sweeps.expiring_certificates import Due, due_certificates
from models import Answer, Case, CaseStatus, Person, PersonKey, RecordedCertificate, Renewal, Role, Standing, Wait
from models.privacy import without_personal_numbers
from rules import RulesAt

log = logging.getLogger(__name__)


@dataclass
class Renewed:
    """What a run did: certificates of which a stage had come, and what became of them."""

    due: int = 0
    opened: int = 0
    reminded: int = 0
    skipped: int = 0
    failed: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as ``jalur renew`` prints it."""
        counts = {"due": self.due, "opened": self.opened, "reminded": self.reminded, "skipped": self.skipped}
        return {**counts, "failed": self.failed}


class _Meanwhile(Exception):
    """Somebody opened a case for the same subject between our look and our lock. Nothing is kept; look again."""


class _Before(NamedTuple):
    """What was done about a certificate: the case of its `Renewal`, the stage, and the number of the case opened for it."""

    case_id: int
    stage: int
    opened: str | None


def renew(office: Office, run: RunHandle) -> Renewed:
    """Open and tell whatever is due today. Run again on the same day it does nothing."""
    done = Renewed()
    for due in due_certificates(office):
        try:
            try:
                end = _renew(office, run, due)
            except _Meanwhile:
                end = _renew(office, run, due)
        except Exception as error:  # one that is broken must not hide the others
            log.exception("%s could not be renewed", due.named)
            reason = without_personal_numbers(f"{type(error).__name__}: {error}")
            done.due += 1
            done.failed.append({"case": due.named, "reason": reason})
            continue
        done.due += end is not None
        done.opened += end == "opened"
        done.reminded += end == "reminded"
        done.skipped += end == "skipped"
    run.cases += done.opened + done.reminded
    return done


def _renew(office: Office, run: RunHandle, due: Due) -> str | None:
    """Return what became of the certificate; None where another worker was first."""
    with office.work(run) as work:
        running = _running(work.session, due, _before(work.session, due))
        rows = lock_rows(work, [one for one in (due.case_id, running) if one])
        before = _before(work.session, due)
        if before and before.stage >= due.stage:
            return None
        old, case = rows.get(due.case_id or 0), rows.get(running or 0)
        opened = None if case else _opened(work, due)
        told = opened or case or old
        if told is None:
            raise LookupError(f"There is no {due.subject_kind} {due.subject_id}, and no case to write to")
        taken_back = case is not None and _taken_back(work.session, case)
        ours = opened.number if opened else before.opened if before else None
        refused = f"{told.number} was withdrawn" if taken_back else None if ours else _why_not(due, case)
        _win(work, due, before.case_id if before else (old or told).id, ours, refused)
        if taken_back:
            return "skipped"
        _tell(work, due, told, opened is not None, ours is not None)
        if opened and old:
            write_remark(work, old, "renewal_opened", SYSTEM, f"dilanjutkan sebagai {opened.number}")
        return "opened" if opened else "reminded"


def _why_not(due: Due, case: Case | None) -> str:
    return f"{case.number} was open already" if case else f"there is no {due.subject_kind} {due.subject_id} any more"


def _before(session: Session, due: Due) -> _Before | None:
    wanted = select(Renewal.case_id, Renewal.reminded, Renewal.opened).where(
        Renewal.what == due.key, Renewal.until == due.until
    )
    if due.case_id:
        wanted = wanted.where(Renewal.case_id == due.case_id)
    else:
        wanted = wanted.join(Case, col(Case.id) == col(Renewal.case_id)).where(*_same_way(due))
    found = session.exec(wanted.order_by(col(Renewal.reminded).desc())).first()
    return _Before(*found) if found else None


def _running(session: Session, due: Due, before: _Before | None) -> int | None:
    """Return the case that was opened for it; without one, that which the subject has open in this pipeline."""
    wanted = select(Case.id)
    if before and before.opened:
        wanted = wanted.where(Case.number == before.opened)
    else:
        wanted = wanted.where(*_same_way(due), Case.status != CaseStatus.CLOSED)
    return session.exec(wanted).first()


def _same_way(due: Due) -> tuple[Any, ...]:
    return (
        Case.subject_kind == due.subject_kind,
        Case.subject_id == due.subject_id,
        Case.pipeline == due.pipeline.name,
    )


def _opened(work: Work, due: Due) -> Case | None:
    """Open the case with what is known; None where the subject is gone. Raises `_Meanwhile`."""
    origin = HandedOn(due.named, _known(work.office, work.session, due))
    handed_on = {due.subject_id: origin}
    [opening] = open_in(work, due.pipeline, [due.subject_id], SYSTEM, handed_on=handed_on)
    if opening.number and not opening.opened:
        raise _Meanwhile
    return work.session.exec(select(Case).where(Case.number == opening.number)).first()


def _known(office: Office, session: Session, due: Due) -> dict[str, Any]:
    """Return what the pipeline makes of the certificate, and of what was answered for it where it gave it itself."""
    if due.pipeline.renews is None:
        return {}
    stands = select(Standing.what).where(Standing.case_id == due.case_id, Standing.until == due.until)
    if due.case_id is None:
        stands = select(RecordedCertificate.what).where(
            RecordedCertificate.person_id == due.subject_id, RecordedCertificate.number == due.number
        )
    given = (
        select(Answer, PersonKey)
        .join(Case, col(Case.id) == col(Answer.case_id))
        .join(Person, col(Person.id) == col(Case.person_id))
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
        .where(Answer.case_id == due.case_id, Case.pipeline == due.pipeline.name)
        .order_by(col(Answer.at), col(Answer.key))
    )
    answers = {one.key.split("#")[0]: office.vault.decrypt(key, one.sealed) for one, key in session.exec(given)}
    rules = RulesAt(due.pipeline.rules, office.clock.today())
    return due.pipeline.renews(Expiring(tuple(sorted(session.exec(stands))), due.number, due.until, rules, answers))


def _taken_back(session: Session, case: Case) -> bool:
    """Return whether the applicant ended the case: who does not want to renew is not asked again."""
    wanted = select(Wait.key).where(Wait.case_id == case.id, Wait.settled_as == "withdrawn")
    return bool(case.withdrawal) or session.exec(wanted).first() is not None


def _win(work: Work, due: Due, case_id: int | None, opened: str | None, refused: str | None) -> None:
    """Write down that this stage is done. Raises `_Meanwhile` where it was."""
    row = {"case_id": case_id, "what": due.key, "until": due.until, "reminded": 0, "at": work.now}
    work.session.execute(insert_new(work.session, Renewal).values(**row))
    won = work.session.execute(
        update(Renewal)
        .where(
            col(Renewal.case_id) == case_id,
            col(Renewal.what) == due.key,
            or_(col(Renewal.reminded) < due.stage, col(Renewal.until) != due.until),
        )
        .values(until=due.until, reminded=due.stage, opened=opened, refused=refused, at=work.now)
        .returning(col(Renewal.case_id))
        .execution_options(synchronize_session=False)
    )
    if won.first() is None:
        raise _Meanwhile


def _tell(work: Work, due: Due, row: Case, opened: bool, ours: bool) -> None:
    """Queue the letter of this stage with ``row``, the renewal's case or else the old one, and say so in its ledger.

    A case that is open and not ``ours``, opened for this certificate, may be about another one: its holder alone knows.
    """
    person, key = work.session.exec(
        select(Person, PersonKey)
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
        .where(Person.id == row.person_id)
    ).one()
    whom = Applicant(row.person_id, person.name, person.language)
    rules = RulesAt(due.pipeline.rules, work.today)
    yours, over = _yours(work.session, due, row), row.status == CaseStatus.CLOSED
    subject = rules["renewal"].value.get("subject") if opened or yours or over else None
    under = Key(key.id, key.wrapped)
    case = replace(frozen_case(work.office, row, due.pipeline, whom, under), rules=rules)
    facts = {
        "subject": (subject or rules["renewal_subject"].value)[whom.language],
        "process": due.pipeline.title,
        "certificate_number": due.number or "-",
        "valid_until": due.until.isoformat(),
    }
    letter = "renewal_opened" if opened else "renewal_reminder"
    if not opened:
        facts |= {"yours": yours, "in_progress": not (yours or over), "not_running": over}
        facts["perhaps_for_another"] = not (ours or over)
    place = f"renewal-{row.last_seq + 1}/{letter}"
    dossier = Dossier(row, case, due.pipeline, under, Past({}, {}, {}))
    write_to_applicant(work, dossier, key=place, letter=letter, facts=facts)
    about = f"sertifikat {due.number or due.what} berlaku sampai {due.until.isoformat()}"
    write_remark(work, row, letter, SYSTEM, about)


def _yours(session: Session, due: Due, row: Case) -> list[str]:
    """Return the titles of what a case waits for from its applicant."""
    wanted = select(Wait.question).where(
        Wait.case_id == row.id, col(Wait.settled_at).is_(None), Wait.role == Role.APPLICANT
    )
    questions = due.pipeline.questions
    names = [name for name in session.exec(wanted.order_by(col(Wait.key))) if name]
    return [questions[name].title if name in questions else name for name in names]
