"""Reports: where the time goes, and what will be late."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.context import opened
from cli.options import Json
from cli.wrong_usage import wrong

app = typer.Typer()
report_app = typer.Typer(help="Report where the time goes, and what will be late.", no_args_is_help=True)
app.add_typer(report_app, name="report")


@report_app.command("time")
def report_time(
    pipeline: Annotated[str | None, typer.Option(help="Only this pipeline.")] = None,
    by_office: Annotated[bool, typer.Option("--by-office", help="By regency or city instead of by pipeline.")] = False,
    case: Annotated[str | None, typer.Option(help="Only this case, with its stretches.")] = None,
    json: Json = False,
) -> None:
    """Show how many working days each side held the cases, and what is late."""
    from engine.reports import time_report

    if case and (pipeline or by_office):
        raise wrong("--case stands alone")
    with opened(json) as here, here.reading() as session:
        if case:
            here.tell(time_report.of_case(here.office, session, case))
            return
        name, count = ("offices", time_report.by_office) if by_office else ("pipelines", time_report.by_pipeline)
        rows = count(here.office, session, pipeline)
        here.tell({name: rows} if json else rows, tuple(rows[0]) if rows else ())


@report_app.command("forecast")
def report_forecast(
    within: Annotated[
        int | None, typer.Option(min=0, help="Only dates that many days from now, and what is late.")
    ] = None,
    json: Json = False,
) -> None:
    """Forecast which open questions will be answered too late at the present pace."""
    from engine.reports.forecast import forecast

    with opened(json) as here, here.reading() as session:
        found = forecast(here.office, session, within=within)
        if not json:
            found["cases"] = [one for one in found["cases"] if one.pop("breaches")]
        here.tell(found)
