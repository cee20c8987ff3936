"""The audit of a whole office, or of some cases: all that is wrong, not the first thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from engine.cases.ledger import Broken, breaks
from engine.reports.audit import sentences
from engine.reports.audit.case_audit import audit_case
from engine.reports.audit.case_records import read_cases
from engine.reports.audit.file_audit import audit_files
from engine.reports.audit.findings import Finding, found
from engine.reports.audit.office_audit import audit_office, audit_orphans, audit_triggers
from engine.reports.audit.series_audit import audit_series
from engine.runtime.office import Office
from models import Run


@dataclass
class Audit:
    """The result: how many entries of cases were read, the first bad one, all findings."""

    entries: int = 0
    first_bad: tuple[str, Broken] | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.findings

    def as_json(self) -> dict[str, Any]:
        """Return the result as ``jalur audit verify`` prints it."""
        bad = None
        if self.first_bad:
            number, broken = self.first_bad
            bad = {"case": number, "seq": broken.seq, "what": broken.what}
        findings = [finding.as_json() for finding in self.findings]
        return {"entries": self.entries, "seals": 0, "intact": self.intact, "first_bad": bad, "findings": findings}


def audit_records(
    office: Office, session: Session, numbers: Sequence[str] | None = None, *, files: bool = False
) -> Audit:
    """Check all cases and what belongs to the office, or the given cases alone.

    ``files`` reads the stored bytes, too.
    """
    audit, evidence, runs = Audit(), set[tuple[str | None, str]](), set[str]()
    for records in read_cases(session, numbers):
        audit.entries += len(records.entries)
        runs.update(entry["run_id"] for entry in records.entries)
        for broken in breaks(records.number, records.entries, records.case["last_seq"], records.case["head"]):
            audit.first_bad = audit.first_bad or (records.number, broken)
            audit.findings.append(Finding("entry", records.number, broken.words, broken.facts))
        named = set[str]()
        audit.findings += audit_case(office.vault, records, named)
        evidence.update((records.number, one) for one in named)
    audit.findings += _lost_runs(session, runs)
    if numbers is None:
        for part in (audit_series, audit_orphans, audit_office, audit_triggers):
            audit.findings += part(session)
    if files:
        audit.findings += audit_files(office.store, session, evidence, numbers)
    return audit


def _lost_runs(session: Session, named: set[str]) -> Iterator[Finding]:
    """Yield the runs that entries name and that are gone."""
    known = set(session.exec(select(col(Run.id))))
    for run_id in sorted(named - known):
        yield found("run", None, sentences.RUN_GONE, run=run_id)
