"""Output of the demo: bars while it runs, and a summary at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlmodel import Session, col, func, select

from engine.definition.registry import Pipeline, current
from engine.people.intake.importing import Imported
from engine.runtime.office import Office
from engine.runtime.settings import PROJECT_ROOT, is_checkout
from models import CaseFile, CaseStatus, Document, DocumentStatus, Letter


@contextmanager
def progress(office: Office, console: Console, pipeline: Pipeline, cases: int, made_so_far: str) -> Iterator[None]:
    """Show bars that follow the database while a pipeline's cases are carried.

    ``made_so_far`` names the second bar.
    """
    columns = (TextColumn("{task.description:<42}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn())
    done = Event()
    with Progress(*columns, console=console) as bars:
        ended = bars.add_task(pipeline.title, total=cases)
        made = bars.add_task(made_so_far, total=None)

        here = Document.pipeline == pipeline.name
        closed = CaseFile.status == CaseStatus.CLOSED, CaseFile.pipeline == pipeline.name

        def update() -> None:
            with office.db.reading() as session:
                bars.update(
                    ended,
                    completed=_count(session, CaseFile, *closed),
                )
                ready = _count(session, Document, Document.status == DocumentStatus.READY, here)
                bars.update(made, completed=ready, total=_count(session, Document, here))

        def follow() -> None:
            while not done.wait(0.5):
                update()

        watcher = Thread(target=follow, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
            update()


def summary(
    office: Office,
    console: Console,
    home: Path,
    imported: Imported,
    posted: dict[str, int],
    seconds: float,
    _: Callable[[str], str],
) -> None:
    """Print the ends by pipeline, what was made and sent, and where to look."""
    with office.db.reading() as session:
        ends = Counter(session.exec(select(CaseFile.pipeline, CaseFile.outcome)).all())
        parked = _count(session, CaseFile, CaseFile.status == CaseStatus.PARKED)
        documents = Counter(session.exec(select(Document.kind).where(Document.status == DocumentStatus.READY)).all())
        letters = Counter(session.exec(select(Letter.letter)).all())
        certificate = _first(session, "certificate_of_legalization")
        curator, portfolio, pack = (
            _first(session, kind) for kind in ("certificate_of_competence", "export_portfolio", "handover_pack")
        )
    titles = {(one.name, str(end)): (one.title, end.title_id) for one in current() for end in one.outcomes}
    table = Table(_("pipeline"), _("how it ended"), _("cases"), title=_("How the cases ended"), title_justify="left")
    for end, count in sorted(ends.items(), key=lambda item: (item[0][0] != "nib-legalization", -item[1])):
        table.add_row(*titles[end], str(count))  # type: ignore[index]
    console.print(table)
    console.print(
        _(
            "accepted [bold]{accepted}[/bold] · refused [bold]{refused}[/bold] rows · "
            "ends [bold]{ends}[/bold] · parked [bold]{parked}[/bold] · "
            "documents [bold]{documents}[/bold] of {kinds_of_documents} kinds · "
            "letters [bold]{letters}[/bold] of {kinds_of_letters} kinds "
            "({sent} sent, {by_hand} to print or telephone) · [bold]{seconds}[/bold] seconds"
        ).format(
            accepted=imported.accepted,
            refused=imported.refused_lines,
            ends=len(ends),
            parked=parked,
            documents=sum(documents.values()),
            kinds_of_documents=len(documents),
            letters=sum(letters.values()),
            kinds_of_letters=len(letters),
            sent=posted["sent"],
            by_hand=posted["by_hand"],
            seconds=f"{seconds:.0f}",
        )
        + "\n"
    )
    if certificate is not None and certificate[0].path:
        at, jalur = (home.relative_to(PROJECT_ROOT), ".venv/bin/jalur") if is_checkout() else (home, "jalur")
        where = f"JALUR_ENV=demo JALUR_HOME={at} {jalur}"
        head = _("Where to look")
        console.print(f"[bold]{head}[/bold]", highlight=False)
        for what, place in (
            (_("a certificate"), office.store.location(certificate[0].path)),
            *(
                (what, office.store.location(one[0].path or ""))
                for what, one in (
                    (_("a curator's"), curator),
                    (_("an export portfolio"), portfolio),
                    (_("… as one ZIP"), pack),
                )
                if one
            ),
            (_("the letters"), str(office.settings.path("var/letters"))),
            (_("the refused rows"), str(home / "refused.csv")),
            (_("a case's history"), f"{where} case history {certificate[1]}"),
            (_("the whole ledger"), f"{where} audit verify"),
            (_("its authenticity"), f"{where} verify {certificate[0].number}"),
        ):
            console.print(f"  {what:<22} {place}", highlight=False, soft_wrap=True)


def _first(session: Session, kind: str) -> tuple[Document, str] | None:
    """Return the first document of that kind, with the number of its case."""
    wanted = select(Document, CaseFile.number).join(CaseFile, col(CaseFile.id) == col(Document.case_id))
    found = session.exec(wanted.where(Document.kind == kind, Document.status == DocumentStatus.READY).limit(1)).first()
    return (found[0], found[1]) if found else None


def _count(session: Session, table: Any, *conditions: Any) -> int:
    return session.exec(select(func.count()).select_from(table).where(*conditions)).one()
