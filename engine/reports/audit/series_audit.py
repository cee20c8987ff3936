"""The audit of number series: no gap, no double, and no number that was never drawn."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from sqlmodel import Session, col, select

from engine.reports.audit import sentences
from engine.reports.audit.findings import Finding, found
from models import CaseFile, Document, Series

NUMBERED = re.compile(r"(?P<series>[A-Z]+(?:-[A-Z]+)*-\d{4})-(?P<place>\d+)")
# A register is locked by a row of `Series`, too; its name is no series of numbers.
A_SERIES = re.compile(r"[A-Z]+(?:-[A-Z]+)*-\d{4}")


def audit_series(session: Session) -> Iterator[Finding]:
    """Yield the gaps and doubles of every series; a case or document that is gone leaves one."""
    drawn: dict[str, Counter[int]] = defaultdict(Counter)
    for wanted in (select(CaseFile.number), select(Document.number).where(col(Document.number).is_not(None))):
        for number in session.exec(wanted):
            if named := NUMBERED.fullmatch(number or ""):
                drawn[named["series"]][int(named["place"])] += 1
            else:
                yield found("number", None, sentences.NUMBER_ODD, number=number)
    last = {one.name: one.last for one in session.exec(select(Series)) if A_SERIES.fullmatch(one.name)}
    for series in sorted({*drawn, *last}):
        counts, count = drawn[series], last.get(series, 0)
        for place in range(1, count + 1):
            if place not in counts:
                yield found("number", None, sentences.NUMBER_GAP, number=_named(series, place))
        for place, times in sorted(counts.items()):
            if times > 1:
                yield found("number", None, sentences.NUMBER_TWICE, number=_named(series, place), times=times)
            if not 1 <= place <= count:
                yield found("number", None, sentences.NUMBER_UNDRAWN, number=_named(series, place))


def _named(series: str, place: int) -> str:
    return f"{series}-{place:06d}"
