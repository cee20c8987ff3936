"""Renew ending certificates: open a prefilled case at the first stage, remind later.

1. Lock the old case and the renewal's in the order of their ids, then the subject where a case is opened;
2. win the stage by one conditional update of its `Renewal`: two workers, a crash or a missed schedule change nothing;
3. send one letter, of the latest stage, and write a remark into each ledger. A failing certificate waits for the next run.
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
from engine.sweeps.expiring_certificates import DueCertificate, due_certificates
from models import Answer, CaseFile, CaseStatus, Person, PersonKey, RecordedCertificate, Renewal, Role, Standing, Wait
from models.privacy import without_personal_numbers
from rules import RulesAt

log = logging.getLogger(__name__)


@dataclass
class Renewed:
    """The result of a run: certificates that had reached a stage, and how each was handled."""

    due: int = 0
    opened: int = 0
    reminded: int = 0
    skipped: int = 0
    failed: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the counts as ``jalur renew`` prints them."""
        counts = {"due": self.due, "opened": self.opened, "reminded": self.reminded, "skipped": self.skipped}
        return {**counts, "failed": self.failed}


class _LostRace(Exception):
    """A race lost to another worker between the look and the lock; nothing is kept."""


class _Earlier(NamedTuple):
    """The earlier stage of a certificate: the case of its `Renewal`, the stage, the opened case."""

    case_id: int
    stage: int
    opened: str | None


def renew(office: Office, run: RunHandle) -> Renewed:
    """Open and remind whatever is due today. Running it again on the same day changes nothing."""
    done = Renewed()
    for due in due_certificates(office):
        try:
            try:
                end = _renew(office, run, due)
            except _LostRace:
                end = _renew(office, run, due)
        except Exception as error:  # a failing certificate must not stop the others
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


def _renew(office: Office, run: RunHandle, due: DueCertificate) -> str | None:
    """Renew one certificate; return how it ended, or None where another worker was first."""
    with office.work(run) as work:
        running = _running(work.session, due, _earlier(work.session, due))
        rows = lock_rows(work, [one for one in (due.case_id, running) if one])
        earlier = _earlier(work.session, due)
        if earlier and earlier.stage >= due.stage:
            return None
        old, case = rows.get(due.case_id or 0), rows.get(running or 0)
        opened = None if case else _opened(work, due)
        told = opened or case or old
        if told is None:
            raise LookupError(f"There is no {due.subject_kind} {due.subject_id}, and no case to write to")
        withdrawn = case is not None and _is_withdrawn(work.session, case)
        ours = opened.number if opened else earlier.opened if earlier else None
        refused = f"{told.number} was withdrawn" if withdrawn else None if ours else _why_not(due, case)
        _win(work, due, earlier.case_id if earlier else (old or told).id, ours, refused)
        if withdrawn:
            return "skipped"
        _tell(work, due, told, opened is not None, ours is not None)
        if opened and old:
            write_remark(work, old, "renewal_opened", SYSTEM, f"dilanjutkan sebagai {opened.number}")
        return "opened" if opened else "reminded"


def _why_not(due: DueCertificate, case: CaseFile | None) -> str:
    return f"{case.number} was open already" if case else f"there is no {due.subject_kind} {due.subject_id} any more"


def _earlier(session: Session, due: DueCertificate) -> _Earlier | None:
    wanted = select(Renewal.case_id, Renewal.reminded, Renewal.opened).where(
        Renewal.what == due.key, Renewal.until == due.until
    )
    if due.case_id:
        wanted = wanted.where(Renewal.case_id == due.case_id)
    else:
        wanted = wanted.join(CaseFile, col(CaseFile.id) == col(Renewal.case_id)).where(*_same_way(due))
    found = session.exec(wanted.order_by(col(Renewal.reminded).desc())).first()
    return _Earlier(*found) if found else None


def _running(session: Session, due: DueCertificate, earlier: _Earlier | None) -> int | None:
    """Return the case opened for the certificate, else the subject's open case in this pipeline."""
    wanted = select(CaseFile.id)
    if earlier and earlier.opened:
        wanted = wanted.where(CaseFile.number == earlier.opened)
    else:
        wanted = wanted.where(*_same_way(due), CaseFile.status != CaseStatus.CLOSED)
    return session.exec(wanted).first()


def _same_way(due: DueCertificate) -> tuple[Any, ...]:
    return (
        CaseFile.subject_kind == due.subject_kind,
        CaseFile.subject_id == due.subject_id,
        CaseFile.pipeline == due.pipeline.name,
    )


def _opened(work: Work, due: DueCertificate) -> CaseFile | None:
    """Open the case, prefilled; return None where the subject is gone.

    Raises:
        _LostRace: The subject has an open case by now.
    """
    origin = HandedOn(due.named, _known(work.office, work.session, due))
    handed_on = {due.subject_id: origin}
    [opening] = open_in(work, due.pipeline, [due.subject_id], SYSTEM, handed_on=handed_on)
    if opening.number and not opening.opened:
        raise _LostRace
    return work.session.exec(select(CaseFile).where(CaseFile.number == opening.number)).first()


def _known(office: Office, session: Session, due: DueCertificate) -> dict[str, Any]:
    """Return the facts that the pipeline prefills from the certificate and its case's answers."""
    if due.pipeline.renews is None:
        return {}
    stands = select(Standing.what).where(Standing.case_id == due.case_id, Standing.until == due.until)
    if due.case_id is None:
        stands = select(RecordedCertificate.what).where(
            RecordedCertificate.person_id == due.subject_id, RecordedCertificate.number == due.number
        )
    given = (
        select(Answer, PersonKey)
        .join(CaseFile, col(CaseFile.id) == col(Answer.case_id))
        .join(Person, col(Person.id) == col(CaseFile.person_id))
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
        .where(Answer.case_id == due.case_id, CaseFile.pipeline == due.pipeline.name)
        .order_by(col(Answer.at), col(Answer.key))
    )
    answers = {one.key.split("#")[0]: office.vault.decrypt(key, one.sealed) for one, key in session.exec(given)}
    rules = RulesAt(due.pipeline.rules, office.clock.today())
    return due.pipeline.renews(Expiring(tuple(sorted(session.exec(stands))), due.number, due.until, rules, answers))


def _is_withdrawn(session: Session, case: CaseFile) -> bool:
    """Return whether the applicant withdrew the case: they are not asked to renew again."""
    wanted = select(Wait.key).where(Wait.case_id == case.id, Wait.settled_as == "withdrawn")
    return bool(case.withdrawal) or session.exec(wanted).first() is not None


def _win(work: Work, due: DueCertificate, case_id: int | None, opened: str | None, refused: str | None) -> None:
    """Record that this stage is done.

    Raises:
        _LostRace: Another worker recorded it first.
    """
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
        raise _LostRace


def _tell(work: Work, due: DueCertificate, row: CaseFile, opened: bool, ours: bool) -> None:
    """Queue the letter of this stage with ``row``, and write a remark into its ledger.

    ``row`` is the renewal's case, or else the old one. An open case that is not ``ours``, opened for this certificate, may be about
    another one: its holder alone knows.
    """
    person, key = work.session.exec(
        select(Person, PersonKey)
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
        .where(Person.id == row.person_id)
    ).one()
    whom = Applicant(row.person_id, person.name, person.language)
    rules = RulesAt(due.pipeline.rules, work.today)
    yours, over = _waiting_for_holder(work.session, due, row), row.status == CaseStatus.CLOSED
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


def _waiting_for_holder(session: Session, due: DueCertificate, row: CaseFile) -> list[str]:
    """Return the titles of the questions that a case asks its applicant."""
    wanted = select(Wait.question).where(
        Wait.case_id == row.id, col(Wait.settled_at).is_(None), Wait.role == Role.APPLICANT
    )
    questions = due.pipeline.questions
    names = [name for name in session.exec(wanted.order_by(col(Wait.key))) if name]
    return [questions[name].title if name in questions else name for name in names]
