"""Checks that anybody can repeat: of one document, and of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import opened
from cli.labels import value_of
from cli.language import _
from cli.options import Json

if TYPE_CHECKING:
    from engine.reports.audit.whole_audit import Audit

app = typer.Typer()
audit_app = typer.Typer(help="Check the ledger.", no_args_is_help=True)
app.add_typer(audit_app, name="audit")


@app.command("verify")
def verify_document(
    what: Annotated[str, typer.Argument(help="A PDF file, or the number of a document.", metavar="FILE.pdf|NUMBER")],
    json: Json = False,
) -> None:
    """Check whether a document is genuine."""
    from engine.reports.verification import check_document

    with opened(json) as here:
        verdict = check_document(here.office, what)
        shown = [{**one, "name": value_of("check", one["name"])} for one in verdict["checks"]]
        here.tell(verdict if json else {**verdict, "checks": shown})
        if not verdict["valid"]:
            raise typer.Exit(1)


@audit_app.command("verify")
def verify_ledger(
    case: Annotated[str | None, typer.Option(help="Only this case.")] = None,
    files: Annotated[bool, typer.Option("--files", help="Read the stored files, too.")] = False,
    json: Json = False,
) -> None:
    """Name all that was changed by hand, as far as the database can show it."""
    from engine.cases.dossier import fetch_row
    from engine.reports.audit.whole_audit import audit_records

    with opened(json) as here, here.reading() as session:
        if case is not None:
            fetch_row(session, case)
        audit = audit_records(here.office, session, None if case is None else [case], files=files)
        here.tell(audit.as_json() if json else _in_words(audit))
        if not audit.intact:
            raise typer.Exit(1)


def _in_words(audit: Audit) -> dict[str, Any]:
    """Return the result for people; the first bad entry is among the findings."""
    findings = [
        {"what": value_of("what", one.what), "case": one.case, "detail": _(one.words).format(**one.facts)}
        for one in audit.findings
    ]
    told = audit.as_json()
    return {"entries": told["entries"], "seals": told["seals"], "intact": told["intact"], "findings": findings}
