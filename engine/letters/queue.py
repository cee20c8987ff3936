"""Queues letters and papers: those of a pipeline's steps, and the office's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from documents.letters import write_letter
from documents.templating import TEMPLATES
from engine.cases.dossier import Dossier
from engine.definition.case import Applicant, Case
from engine.definition.declarations import OFFICE, Paper
from engine.runtime.links import check_url
from engine.runtime.office import Office, Work
from models import Document, DocumentStatus, Letter, LetterStatus
from rules.regions import region_name


def queue_letter(
    work: Work,
    dossier: Dossier,
    at: datetime,
    *,
    key: str,
    folder: str,
    letter: str,
    whom: Applicant,
    facts: Mapping[str, Any],
    attach: Iterable[str] = (),
) -> None:
    """Queue a letter in this unit of work; it leaves when its attachments are ready.

    ``folder`` is the pipeline's template folder, or `OFFICE`; ``facts`` are JSON; ``attach`` holds the keys of documents.
    """
    row, attached = dossier.row, list(attach)
    written = write_letter(f"{folder}/letters/{letter}", facts, whom.language)
    work.rows.write(
        Letter,
        case_id=row.id,
        key=key,
        pipeline=row.pipeline,
        seq=row.last_seq + 1,
        letter=letter,
        to_person_id=whom.person_id,
        to_name=whom.name,
        language=whom.language,
        subject=written.subject,
        sealed=work.vault.encrypt(dossier.key, {"text": written.text, "html": written.html}),
        attachments=attached,
        status=LetterStatus.WAITING if attached else LetterStatus.QUEUED,
        at=at,
    )


def write_to_applicant(
    work: Work,
    dossier: Dossier,
    *,
    key: str,
    letter: str,
    facts: Mapping[str, Any],
    attach: Iterable[str] = (),
    whom: Applicant | None = None,
) -> None:
    """Queue a letter of the office itself to the applicant of a case.

    Its facts are those of `letter_facts` and ``facts``. ``whom`` is the applicant with a corrected name, where the case still
    has the old one.
    """
    queue_letter(
        work,
        dossier,
        work.now,
        key=key,
        folder=OFFICE,
        letter=letter,
        whom=whom or dossier.case.applicant,
        facts={**letter_facts(work.office, dossier.case), **facts},
        attach=attach,
    )


def queue_paper(work: Work, dossier: Dossier, at: datetime, *, key: str, kind: Paper, facts: Mapping[str, Any]) -> str:
    """Record the facts (JSON) of a paper, whose file is made later; return its key."""
    work.rows.write(
        Document,
        case_id=dossier.row.id,
        key=key,
        pipeline=dossier.row.pipeline,
        seq=dossier.row.last_seq + 1,
        kind=kind.name,
        language=dossier.case.applicant.language,
        facts=work.vault.encrypt(dossier.key, facts),
        at=at,
        status=DocumentStatus.PENDING,
    )
    return key


def is_of_the_office(letter: str) -> bool:
    """Return whether a kind of letter is the office's own, the same in every pipeline."""
    return (TEMPLATES / OFFICE / "letters" / letter).is_dir()


def letter_facts(office: Office, case: Case) -> dict[str, Any]:
    """Return the facts common to all letters and papers of the office itself."""
    return {
        "case_number": case.number,
        "applicant_name": case.applicant.name,
        "region_name": region_name(case.region_code),
        "office": case.rules.office.value,
        "official": case.rules.signing_official.value,
        "date": office.clock.today().isoformat(),
        "link": check_url(office, case.number),
    }
