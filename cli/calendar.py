"""Commands about the office's days off: those of the law, and those that the office decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import Here, acting, opened, say
from cli.options import Behalf, Json, as_date

if TYPE_CHECKING:
    from engine.sweeps.recalculate import Moved

app = typer.Typer()
calendar_app = typer.Typer(help="List the office's days off; add or cancel one.", invoke_without_command=True)
app.add_typer(calendar_app, name="calendar")

Day = Annotated[str, typer.Argument(help="The day, YYYY-MM-DD.")]
Decider = Annotated[str | None, typer.Option(help="The head or administrator who decided it; none: who runs this.")]


@calendar_app.callback()
def list_days_off(
    context: typer.Context,
    year: Annotated[int | None, typer.Option(min=1, max=9999, help="The year.")] = None,
    json: Json = False,
) -> None:
    """List the days off of a year: national holidays, joint leave, the office's own."""
    if context.invoked_subcommand is None:
        from engine.deadlines.calendar import Calendar
        from engine.runtime.migrations import is_migrated
        from engine.sweeps.calendar_decisions import must_know

        with opened(json, made=False) as here:
            known = here.office.calendar if is_migrated(here.office.db) else Calendar()
            wanted = year or here.office.clock.today().year
            must_know(known, wanted)
            days = known.days_off(wanted)
            rows = [{"date": day.isoformat(), "name": name, "kind": kind} for day, (name, kind) in days.items()]
            provisional = not json and any(known.is_provisional(day) for day in days)
            if provisional:
                say("There is no joint decree (SKB) for this year yet: its dates are provisional.")
                rows = [{**row, "standing": "" if row["kind"] == "office" else "provisional"} for row in rows]
            here.tell(rows, ("date", "name", "kind", *(["standing"] if provisional else [])))


@calendar_app.command("add")
def add_day(
    day: Day,
    name: Annotated[str, typer.Argument(help="Why the office does not work then.")],
    by: Decider = None,
    because: Behalf = None,
    json: Json = False,
) -> None:
    """Add a day off of the office's own; open clocks that run over it are derived again."""
    from engine.sweeps.calendar_decisions import add_day_off

    with acting(json, by, because) as here, here.run() as run:
        _tell_moved(here, add_day_off(here.office, run, as_date(day, "DATE"), name, by=here.account))


@calendar_app.command("cancel")
def cancel_day(
    day: Day,
    reason: Annotated[str, typer.Argument(help="Why the office works then all the same.")],
    by: Decider = None,
    because: Behalf = None,
    json: Json = False,
) -> None:
    """Cancel a listed day off; open clocks that run over it are derived again."""
    from engine.sweeps.calendar_decisions import cancel_day_off

    with acting(json, by, because) as here, here.run() as run:
        _tell_moved(here, cancel_day_off(here.office, run, as_date(day, "DATE"), reason, by=here.account))


def _tell_moved(here: Here, moved: Sequence[Moved]) -> None:
    """Print the clocks that a decision moved; mark for people the new dates without a decree."""
    rows = [one.as_json() for one in moved]
    years = here.office.calendar.provisional_years
    if not here.json and any(years(one.after) for one in moved):
        marks = ["provisional" if years(one.after) else "" for one in moved]
        rows = [{**row, "standing": mark} for row, mark in zip(rows, marks, strict=True)]
    here.tell({"moved": rows})
