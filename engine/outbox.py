"""Letters and papers that the office hands out by itself, beside the process: reminders, moved dates, corrections.

What a pipeline tells goes through `engine.words.tell` and `paper`; both end here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from engine.book import Book
from engine.case import Applicant, Case
from engine.declared import OFFICE, Paper
from engine.documents.letters import write
from engine.documents.templating import TEMPLATES
from engine.office import Office
from engine.papers import check_url
from engine.vault import Key
from models import Case as CaseRow
from models import Document, DocumentStatus, LetterStatus, SealingKey
from models import Letter as LetterRow
from rules.regions import region_name


def queue_letter(
    book: Book,
    row: CaseRow,
    seal: Callable[[Any], bytes],
    now: datetime,
    *,
    key: str,
    folder: str,
    letter: str,
    whom: Applicant,
    facts: Mapping[str, Any],
    attach: Iterable[str] = (),
) -> None:
    """Queue a letter in the caller's transaction; it leaves when what it attaches (keys of documents) is ready.

    ``folder`` is the pipeline's template folder, or `OFFICE`; ``facts`` are JSON.
    """
    attached = list(attach)
    written = write(f"{folder}/letters/{letter}", facts, whom.language)
    book.write(
        LetterRow,
        case_id=row.id,
        key=key,
        pipeline=row.pipeline,
        seq=row.last_seq + 1,
        letter=letter,
        to_person_id=whom.person_id,
        to_name=whom.name,
        language=whom.language,
        subject=written.subject,
        sealed=seal({"text": written.text, "html": written.html}),
        attachments=attached,
        status=LetterStatus.WAITING if attached else LetterStatus.QUEUED,
        at=now,
    )


def write_to_applicant(
    office: Office,
    book: Book,
    row: CaseRow,
    case: Case,
    under: Key | SealingKey,
    *,
    key: str,
    letter: str,
    facts: Mapping[str, Any],
    attach: Iterable[str] = (),
    whom: Applicant | None = None,
) -> None:
    """Queue a letter of the office itself to the applicant of ``case``, with the facts that all of these bear.

    ``under`` seals it; ``whom`` is the applicant where the case still calls them otherwise.
    """
    queue_letter(
        book,
        row,
        lambda plain: office.vault.seal(under, plain),
        office.clock.now(),
        key=key,
        folder=OFFICE,
        letter=letter,
        whom=whom or case.applicant,
        facts={**letter_facts(office, case), **facts},
        attach=attach,
    )


def queue_paper(
    book: Book,
    row: CaseRow,
    seal: Callable[[Any], bytes],
    now: datetime,
    *,
    key: str,
    kind: Paper,
    language: str,
    facts: Mapping[str, Any],
    replaces: str | None = None,
) -> str:
    """Record the facts (JSON) of a paper in the caller's transaction; its file is made afterwards. Return its key."""
    book.write(
        Document,
        case_id=row.id,
        key=key,
        pipeline=row.pipeline,
        seq=row.last_seq + 1,
        kind=kind.name,
        language=language,
        facts=seal(facts),
        at=now,
        status=DocumentStatus.PENDING,
        replaces=replaces,
    )
    return key


def is_of_the_office(letter: str) -> bool:
    """Return whether a kind of letter is one that the office writes by itself, in every pipeline."""
    return (TEMPLATES / OFFICE / "letters" / letter).is_dir()


def letter_facts(office: Office, case: Case) -> dict[str, Any]:
    """Return what every letter and paper of the office itself bears."""
    return {
        "case_number": case.number,
        "applicant_name": case.applicant.name,
        "region_name": region_name(case.region_code),
        "office": case.rules.office.value,
        "official": case.rules.signing_official.value,
        "date": office.clock.today().isoformat(),
        "link": check_url(office, case.number),
    }
