"""One case: what it shows, and what a person does to it beside answering."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.context import acting, opened
from cli.options import (
    Behalf,
    By,
    Json,
    Mover,
    Number,
    OneQuestion,
    Reason,
    ToVersion,
    WhoActs,
    WhyMoved,
    as_date,
    as_date_if_named,
    as_json_or_read,
    who_and_why,
)
from cli.wrong_usage import wrong

app = typer.Typer()
case_app = typer.Typer(help="Show a case or its history; withdraw, extend, contest or move it.", no_args_is_help=True)
app.add_typer(case_app, name="case")


@case_app.command("show")
def show_case(number: Number, json: Json = False) -> None:
    """Show a case: where it stands, whom it waits for, its documents and letters."""
    with opened(json) as here:
        here.show(number)


@case_app.command("history")
def show_history(number: Number, json: Json = False) -> None:
    """Show the ledger of a case: who did what, when, in which role, under which rules."""
    from cli.titles import history_in_words
    from engine.cases.dossier import fetch_row
    from engine.reports.case_views import case_history

    with opened(json) as here, here.reading() as session:
        entries = case_history(session, number)
        if not json:
            entries = history_in_words(fetch_row(session, number).pipeline, entries)
        here.tell(entries, ("seq", "at", "key", "actor", "role", "on_behalf_of", "outcome", "reason"))


@case_app.command("retry")
def retry_case(number: Number, by: WhoActs = None, reason: Behalf = None, json: Json = False) -> None:
    """Free a parked case, so that the next run tries it again."""
    from engine.execution.parking import retry

    with acting(json, by, reason) as here:
        with here.run() as run:
            retry(here.office, run, number, by=here.by)
        here.show(number)


@case_app.command("withdraw")
def withdraw_case(number: Number, by: By, reason: Reason = "", json: Json = False) -> None:
    """Withdraw an application, whatever it waits for."""
    from engine.actions.withdraw import withdraw

    with acting(json, by, reason) as here:
        with here.run() as run:
            withdraw(here.office, run, number, by=by, reason=reason)
        here.show(number)


@case_app.command("reassign")
def reassign_question(
    number: Number,
    by: By,
    to: Annotated[str, typer.Option(help="The account that answers instead; nobody: the whole role.")],
    reason: Reason,
    question: OneQuestion = None,
    json: Json = False,
) -> None:
    """Give an open question to somebody else, or back to the whole role."""
    from engine.actions.reassign import reassign

    with acting(json, by, reason) as here:
        with here.run() as run:
            reassign(here.office, run, number, question, to=None if to == "nobody" else to, by=by, reason=reason)
        here.show(number)


@case_app.command("delegate")
def delegate_case(
    number: Number,
    by: By,
    away: Annotated[str, typer.Option("--from", help="Who is away.")],
    to: Annotated[str, typer.Option(help="Who answers for them.")],
    until: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD.")],
    reason: Reason,
    since: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD; none: today.")] = None,
    json: Json = False,
) -> None:
    """Delegate the answers of somebody who is away, in this case alone."""
    from engine.actions.delegate import delegate

    first, last = as_date_if_named(since, "--since"), as_date(until, "--until")
    with acting(json, by, reason) as here:
        with here.run() as run:
            delegate(here.office, run, away, to, since=first, until=last, reason=reason, by=by, number=number)
        here.show(number)


@case_app.command("extend")
def extend_date(
    number: Number,
    by: By,
    until: Annotated[str, typer.Option(help="The new date, YYYY-MM-DD.")],
    reason: Reason,
    agreed_with: Annotated[str, typer.Option(help="The other side: the account that is asked, or the applicant's.")],
    question: OneQuestion = None,
    json: Json = False,
) -> None:
    """Extend the due date of an open question, as agreed with the other side."""
    from engine.actions.extend import extend

    last = as_date(until, "--until")
    with acting(json, by, reason) as here:
        with here.run() as run:
            extend(here.office, run, number, question, until=last, reason=reason, by=by, agreed_with=agreed_with)
        here.show(number)


@case_app.command("appeal")
def lodge_appeal(
    number: Number,
    by: By,
    reason: Annotated[str, typer.Option(help="Why the decision is contested, in words.")],
    evidence: Annotated[str | None, typer.Option(help="A file that shows it: @path/to/file.")] = None,
    json: Json = False,
) -> None:
    """Contest the ending of a case; others rule on the objection in the same ledger."""
    from engine.actions.lodge_appeal import lodge_appeal
    from engine.runtime.file_store import attach_named_files

    with acting(json, by, reason) as here:
        with here.run() as run:
            lodge_appeal(
                here.office, run, number, by=by, reason=reason, evidence=attach_named_files(here.office.store, evidence)
            )
        here.show(number)


@case_app.command("migrate")
def migrate_case(
    number: Number,
    by: Mover = None,
    reason: WhyMoved = None,
    to: ToVersion = None,
    rules_on: Annotated[str | None, typer.Option(help="Also by the rules of that day, YYYY-MM-DD.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say whether it fits, and change nothing.")] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Move the case back to where it was before its last move.")
    ] = False,
    json: Json = False,
) -> None:
    """Move an open case to another version of its process, or to the rules of another day."""
    from engine.execution.versions import case_migration

    if undo and (to or rules_on):
        raise wrong("--undo goes back to where the case was: leave out --to and --rules-on")
    day = as_date_if_named(rules_on, "--rules-on")
    with opened(json) if dry_run else acting(json, by, reason) as here:
        office = here.office
        if undo:
            plan = case_migration.plan_case_undo(office, number)
        else:
            plan = case_migration.plan_case(office, number, to=to, rules_on=day)
        if dry_run:
            here.tell(case_migration.preview_migration(office, plan).as_json())
            return
        by, reason = who_and_why(by, reason)
        with here.run(plan.pipeline) as run:
            case_migration.migrate_case(office, run, plan, by=by, reason=reason)
        here.show(number)


@case_app.command("recall")
def recall_answer(number: Number, by: By, reason: Reason, json: Json = False) -> None:
    """Take back the last answer and ask again, unless something irreversible followed from it."""
    from engine.actions.recall import recall

    with acting(json, by, reason) as here:
        with here.run() as run:
            recall(here.office, run, number, by=by, reason=reason)
        here.show(number)


@case_app.command("correct")
def correct_register(
    number: Number,
    by: By,
    reason: Reason,
    data: Annotated[str, typer.Option(help='The right values, as JSON: {"owner.name": …}. - reads it, @FILE a file.')],
    evidence: Annotated[str | None, typer.Option(help="@path/to/file that shows what is right.")] = None,
    json: Json = False,
) -> None:
    """Correct a name or number that was registered wrong; its documents are made anew."""
    from engine.actions.correction.correct import correct
    from engine.runtime.file_store import attach_named_files

    right = as_json_or_read(data, "--data")
    with acting(json, by, reason) as here:
        with here.run() as run:
            kept = attach_named_files(here.office.store, evidence) if evidence else None
            correct(here.office, run, number, by=by, reason=reason, data=right, evidence=kept)
        here.show(number)
