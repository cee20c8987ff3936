"""Pipelines: what each asks and by which rules, and the versions that its cases follow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.context import acting, opened, refusals_told, say, tell
from cli.options import Json, Mover, ToVersion, WhyMoved, as_date_if_named, who_and_why
from cli.wrong_usage import wrong

app = typer.Typer()


@app.command("pipelines")
def list_pipelines(json: Json = False) -> None:
    """List the pipelines: steps, questions with their budgets, documents, outcomes."""
    from engine.deadlines.clock import Clock
    from engine.reports.pipeline_views import pipeline_list

    with refusals_told(json):
        columns = ("name", "version", "title", "questions", "documents", "outcomes")
        tell(pipeline_list(Clock().today()), json, columns)


@app.command("rules")
def list_rules(
    pipeline: Annotated[str | None, typer.Argument(help="Name of the pipeline; none: all.")] = None,
    on: Annotated[str | None, typer.Option(help="Only what is in force on that day, YYYY-MM-DD.")] = None,
    json: Json = False,
) -> None:
    """List the rules with their dates and standing: law, office policy, or unconfirmed."""
    from engine.reports.pipeline_views import rule_list

    with refusals_told(json):
        columns = ("name", "value", "unit", "since", "until", "standing", "citation")
        found = rule_list(pipeline, as_date_if_named(on, "--on"))
        tell(found, json, columns if pipeline else ("pipeline", *columns))


@app.command("migrate-cases")
def migrate_cases(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    by: Mover = None,
    reason: WhyMoved = None,
    to: ToVersion = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which fit, and change nothing.")] = False,
    undo: Annotated[str | None, typer.Option(help="Move back what that run moved.", metavar="RUN")] = None,
    json: Json = False,
) -> None:
    """Move the open cases of a pipeline to another version; name those that do not fit."""
    from engine.execution.versions import case_migration

    if undo and to:
        raise wrong("--undo goes back to where the cases were: leave out --to")
    with opened(json) if dry_run else acting(json, by, reason) as here:
        office = here.office
        if undo:
            plan = case_migration.plan_run_undo(office, pipeline, undo)
        else:
            plan = case_migration.plan_pipeline(office, pipeline, to=to)
        if dry_run:
            here.tell(case_migration.preview_migration(office, plan).as_json())
            return
        by, reason = who_and_why(by, reason)
        with here.run(plan.pipeline) as run:
            done = case_migration.migrate_cases(office, run, plan, by=by, reason=reason)
        here.tell(done.as_json())
        if done.moved and not undo:
            say("To move them back: {command}", command=_undo(plan.pipeline, run.id))
        if done.refused and not done.moved:
            raise typer.Exit(1)


def _undo(pipeline: str, run: str) -> str:
    """Return the command that moves cases back."""
    return f"jalur migrate-cases {pipeline} --undo {run} --by … --reason …"


@app.command("shadow")
def shadow_run(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    to: ToVersion = None,
    rules: Annotated[Path | None, typer.Option(help="A folder of rule files in place of rules/.")] = None,
    rules_on: Annotated[str | None, typer.Option(help="The rules of that day, not of each case's own.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many, the newest.")] = None,
    json: Json = False,
) -> None:
    """Replay closed cases under another version or other rules; list those that end otherwise."""
    from engine.execution.versions.shadow_run import run_shadow

    day = as_date_if_named(rules_on, "--rules-on")
    with opened(json) as here:
        here.tell(run_shadow(here.office, pipeline, to=to, rules=rules, rules_on=day, limit=limit))
