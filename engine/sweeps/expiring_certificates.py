"""Find certificates, ours and other bodies', whose holder is to be told that they end soon.

A pipeline renews what its rule ``renewal`` names: {days: [180, 90, 30], standings: [...], subject?: {id, en}}. Each of the days
ahead is a stage. A certificate that a newer one of that name outlasts is left out, and so is that of an erased person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from engine.definition.registry import Pipeline, current
from engine.runtime.office import Office
from models import CaseFile, Person, PersonKey, RecordedCertificate, Renewal, Standing
from rules import RulesAt


@dataclass(frozen=True)
class DueCertificate:
    """A certificate at a stage not handled yet; ``case_id`` is None where another body gave it."""

    pipeline: Pipeline
    what: str
    subject_kind: str
    subject_id: int
    number: str | None
    until: date
    stage: int
    case_id: int | None = None
    case_number: str | None = None

    @property
    def named(self) -> str:
        """Return the number that people know: of the case that gave it, or of the certificate."""
        return self.case_number or f"sertifikat {self.number}"

    @property
    def key(self) -> str:
        """Return the name in `Renewal`: the standing, or the number that another body gave."""
        return self.what if self.case_id else self.number or ""


def due_certificates(office: Office) -> list[DueCertificate]:
    """Return the certificates that are due today, the earliest end first.

    The cost grows with the certificates that end within the longest of the days ahead.
    """
    today = office.clock.today()
    found: list[DueCertificate] = []
    with office.db.reading() as session:
        for pipeline in current():
            if rule := RulesAt(pipeline.rules, today).peek("renewal"):
                days = sorted(rule.value["days"], reverse=True)
                found += _of_ours(session, pipeline, rule.value["standings"], days, today)
                if pipeline.subject == "person":
                    found += _of_other_bodies(session, pipeline, rule.value["standings"], days, today)
    return sorted(found, key=lambda due: (due.until, due.case_id or 0, due.key))


def _of_ours(
    session: Session, pipeline: Pipeline, names: Sequence[str], days: Sequence[int], today: date
) -> Iterator[DueCertificate]:
    stage = _stage(col(Standing.until), days, today)
    done = (
        select(Renewal.case_id)
        .where(
            Renewal.case_id == Standing.case_id,
            Renewal.what == Standing.what,
            Renewal.until == Standing.until,
            col(Renewal.reminded) >= stage,
        )
        .exists()
    )
    wanted: Any = (
        select(Standing, CaseFile.number, stage)
        .join(CaseFile, col(CaseFile.id) == col(Standing.case_id))
        .join(Person, col(Person.id) == col(CaseFile.person_id))
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
        .where(
            *_ends_soon(Standing, names, days, today),
            Standing.subject_kind == pipeline.subject,
            ~done,
            *_not_outlasted(Standing, Standing.subject_kind, Standing.subject_id),
        )
    )
    for one, case_number, reached in session.exec(wanted):
        about = (one.what, one.subject_kind, one.subject_id, one.reference, one.until, reached)
        yield DueCertificate(pipeline, *about, case_id=one.case_id, case_number=case_number)


def _of_other_bodies(
    session: Session, pipeline: Pipeline, names: Sequence[str], days: Sequence[int], today: date
) -> Iterator[DueCertificate]:
    stage = _stage(col(RecordedCertificate.until), days, today)
    done = (
        select(Renewal.case_id)
        .join(CaseFile, col(CaseFile.id) == col(Renewal.case_id))
        .where(
            CaseFile.subject_kind == "person",
            CaseFile.subject_id == RecordedCertificate.person_id,
            CaseFile.pipeline == pipeline.name,
            Renewal.what == RecordedCertificate.number,
            Renewal.until == RecordedCertificate.until,
            col(Renewal.reminded) >= stage,
        )
        .exists()
    )
    wanted: Any = (
        select(RecordedCertificate, stage)
        .join(Person, col(Person.id) == col(RecordedCertificate.person_id))
        .join(PersonKey, col(PersonKey.id) == col(Person.key_id))
        .where(
            *_ends_soon(RecordedCertificate, names, days, today),
            ~done,
            *_not_outlasted(RecordedCertificate, "person", RecordedCertificate.person_id),
        )
    )
    for one, reached in session.exec(wanted):
        yield DueCertificate(pipeline, one.what, "person", one.person_id, one.number, one.until, reached)


def _stage(until: Any, days: Sequence[int], today: date) -> ColumnElement[int]:
    """Return how many of the days ahead are reached: 1 at the first."""
    stages = [(until <= today + timedelta(days=ahead), place) for place, ahead in enumerate(days, start=1)]
    return case(*reversed(stages), else_=0)


def _ends_soon(
    table: type[Standing | RecordedCertificate], names: Sequence[str], days: Sequence[int], today: date
) -> list[ColumnElement[bool]]:
    return [
        col(table.until).between(today, today + timedelta(days=days[0])),
        col(table.since) <= today,
        col(table.what).in_(names),
        col(Person.erased_at).is_(None),
    ]


def _not_outlasted(table: type[Standing | RecordedCertificate], kind: Any, subject: Any) -> list[ColumnElement[bool]]:
    """Return the conditions for a subject without a certificate of that name that ends later.

    A certificate without an end outlasts all.
    """
    ours, recorded = aliased(Standing), aliased(RecordedCertificate)

    def outlasts(other: Any) -> Any:
        return or_(col(other.until).is_(None), col(other.until) > col(table.until))

    later = select(ours.case_id).where(
        ours.subject_kind == kind, ours.subject_id == subject, ours.what == table.what, outlasts(ours)
    )
    elsewhere = select(recorded.id).where(
        recorded.person_id == subject, recorded.what == table.what, outlasts(recorded)
    )
    not_ours: ColumnElement[bool] = ~later.exists()
    return [not_ours, ~elsewhere.where(kind == "person").exists()]
