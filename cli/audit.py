"""Checks that anybody can repeat: of one document, and of the ledger."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.context import opened
from cli.labels import value_of
from cli.options import Json

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
def verify_ledger(case: Annotated[str | None, typer.Option(help="Only this case.")] = None, json: Json = False) -> None:
    """Check every chain of the ledger, or one; name the first bad entry."""
    from engine.cases.dossier import fetch_row
    from engine.cases.ledger import verify

    with opened(json) as here, here.reading() as session:
        if case is not None:
            fetch_row(session, case)
        audit = verify(session, None if case is None else [case])
        bad = audit.first_bad
        first = {"case": bad.case, "seq": bad.seq, "what": bad.what} if bad else None
        here.tell({"entries": audit.entries, "seals": 0, "intact": bad is None, "first_bad": first})
        if bad:
            raise typer.Exit(1)
