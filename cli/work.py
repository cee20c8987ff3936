"""Commands of every day: import, open, advance, answer, reassign, delegate, list runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.context import acting, opened, say
from cli.labels import subject_in_words
from cli.language import language
from cli.options import Behalf, By, Json, LastDay, Number, Reason, WhoActs, as_date_if_named, as_json_or_read
from cli.wrong_usage import said_again, wrong

app = typer.Typer()


@app.command("import")
def import_businesses(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX.", exists=True, dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file and change nothing.")] = False,
    refused_to: Annotated[Path | None, typer.Option(help="Where to write the refused rows with their reasons.")] = None,
    by: WhoActs = None,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Import businesses from a file; a bad row is refused alone, with its reason."""
    from engine.people.intake.bounds import LARGEST_FILE
    from engine.people.intake.importing import import_file
    from engine.people.intake.refused_rows import refused_rows
    from engine.runtime.private_files import write_private

    with acting(json, by, reason) as here, here.run() as run:
        with file.open("rb") as whole:
            content = whole.read(LARGEST_FILE + 1)  # one byte too many is refused, as a file without end is
        imported = import_file(here.office, run, name=file.name, content=content, by=here.by, dry_run=dry_run)
        if refused_to and imported.import_id is not None:
            write_private(refused_to, refused_rows(here.office, imported.import_id))
        here.tell(imported.as_json("id" if json else language()))
        if imported.file_refused:
            raise typer.Exit(1)


@app.command("open")
def open_new(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    business: Annotated[int | None, typer.Option(help="Id of a business.")] = None,
    person: Annotated[int | None, typer.Option(help="Id of a person.")] = None,
    product: Annotated[int | None, typer.Option(help="Id of a product.")] = None,
    imported: Annotated[bool, typer.Option("--imported", help="Every imported subject without a case yet.")] = False,
    facts: Annotated[str | None, typer.Option(help="More facts, as JSON; - reads it, @FILE a file.")] = None,
    by: WhoActs = None,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Open cases of a pipeline for businesses, persons or products."""
    from engine.cases.opening import open_cases, subjects_without_case
    from engine.definition.registry import pipeline_named

    given = {"business": business, "person": person, "product": product}
    named = {kind: number for kind, number in given.items() if number is not None}
    if len(named) + imported != 1:
        raise wrong("name one of --business, --person, --product or --imported")
    more = as_json_or_read(facts, "--facts") if facts else None
    with acting(json, by, reason) as here:
        wanted = pipeline_named(pipeline)
        if named and wanted.subject not in named:
            raise wrong("{pipeline} needs --{subject} ID", pipeline=wanted.name, subject=wanted.subject)
        with here.run(wanted.name) as run:
            subjects = subjects_without_case(here.office, wanted) if imported else list(named.values())
            result = open_cases(here.office, run, wanted, subjects, by=here.by, facts=more)
        refused = result.refused
        if not json:
            refused = [
                {"subject": subject_in_words(one["subject"]), "reason": said_again(one["reason"])} for one in refused
            ]
        here.tell({"opened": result.opened, "refused": refused})
        if result.refused and not result.opened:
            raise typer.Exit(1)


@app.command("advance")
def advance(
    pipeline: Annotated[str | None, typer.Argument(help="Name of the pipeline; none: all.")] = None,
    case: Annotated[str | None, typer.Option(help="Only this case.")] = None,
    by: WhoActs = None,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Run the Prefect flow of a pipeline here and now, over all ready cases or one."""
    from engine.cases.dossier import fetch_row
    from engine.definition.registry import current, pipeline_named
    from scheduling.run_here import advance_here

    with acting(json, by, reason) as here:
        if case:
            with here.reading() as session:
                pipeline = fetch_row(session, case).pipeline
        wanted = [pipeline_named(pipeline)] if pipeline else current()
        here.tell(advance_here(here.office, wanted, [case] if case else None, by=here.by, say=say))


@app.command("inbox")
def list_inbox(
    role: Annotated[str | None, typer.Option(help="Only what this role answers.")] = None,
    case: Annotated[str | None, typer.Option(help="Only this case.")] = None,
    whom: Annotated[str | None, typer.Option("--for", help="Only what this account may answer.")] = None,
    json: Json = False,
) -> None:
    """List the questions that wait for people, the most urgent first."""
    from engine.reports.inbox import inbox

    with opened(json) as here, here.reading() as session:
        found = inbox(here.office, session, role=role, number=case, whom=whom)
        columns = ["case", "question", "title", "role", "holder", "due_on"]
        if not json and any(one["provisional"] for one in found):
            found = [{**one, "standing": "provisional" if one["provisional"] else ""} for one in found]
            columns.append("standing")
        here.tell(found, tuple(columns))


@app.command("answer")
def give_answer(
    number: Number,
    question: Annotated[str, typer.Argument(help="The question as the inbox names it, e.g. dossier_check#1.")],
    by: By,
    data: Annotated[
        str, typer.Option(help="The form, as JSON; - reads it, @FILE a file. In it @path attaches evidence.")
    ],
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Answer a question of a case."""
    from engine.actions.answer import answer
    from engine.people.own_codes import proved
    from engine.runtime.file_store import attach_named_files

    words = as_json_or_read(data, "--data")
    with acting(json, by, reason) as here, here.run() as run:
        given = proved(here.office, by, attach_named_files(here.office.store, words), run=run)
        done = answer(here.office, run, number, question, by=by, data=given)
        here.tell({"case": done.case, "question": done.question, "entry": done.entry})


@app.command("reassign")
def reassign_held(
    by: By,
    holder: Annotated[str, typer.Option("--from", help="Whose open questions are given to others.")],
    to: Annotated[list[str], typer.Option(help="Who gets them; repeat to spread them.")],
    reason: Reason,
    role: Annotated[str | None, typer.Option(help="Only what they hold in this role.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Only cases of this pipeline.")] = None,
    json: Json = False,
) -> None:
    """Give all open questions of an account to others, the least loaded first."""
    from engine.actions.reassign_many import reassign_many
    from engine.definition.registry import pipeline_named

    with acting(json, by, reason) as here:
        only = pipeline_named(pipeline).name if pipeline is not None else None
        with here.run(only) as run:
            done = reassign_many(here.office, run, holder=holder, to=to, by=by, reason=reason, role=role, pipeline=only)
        here.tell(vars(done))
        if done.refused and not done.reassigned:
            raise typer.Exit(1)


@app.command("delegate")
def delegate_or_revoke(
    away: Annotated[str, typer.Argument(help="Who is away.", metavar="FROM")],
    to: Annotated[str, typer.Argument(help="Who answers for them.")],
    by: By,
    until: LastDay = None,
    since: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD; none: today.")] = None,
    role: Annotated[
        str | None,
        typer.Option(help="Only what they answer in this role; with --revoke, only what is delegated for it alone."),
    ] = None,
    reason: Reason = "",
    end: Annotated[bool, typer.Option("--revoke", help="End it from this moment.")] = False,
    json: Json = False,
) -> None:
    """Delegate the answers of somebody who is away; the ledger keeps both names."""
    from engine.actions.delegate import delegate, revoke

    if (until is None) != end:
        raise wrong("name the last day with --until, or end it with --revoke")
    if end and since:
        raise wrong("--since is for a new one; --revoke ends it from this moment")
    first, last = as_date_if_named(since, "--since"), as_date_if_named(until, "--until")
    with acting(json, by, reason) as here, here.run() as run:
        if last is None:
            ended = revoke(here.office, run, away, to, by=by, role=role, reason=reason)
            here.tell({"from": away, "to": to, "role": role, "revoked": ended})
            return
        made = delegate(here.office, run, away, to, since=first, until=last, reason=reason, by=by, role=role)
        begins = (first or here.office.clock.today()).isoformat()
        here.tell({"delegation": made, "from": away, "to": to, "role": role, "since": begins, "until": until})


@app.command("runs")
def list_runs(
    pipeline: Annotated[str | None, typer.Option(help="Only runs of this pipeline.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only runs that failed.")] = False,
    json: Json = False,
) -> None:
    """List the recorded runs, the newest first."""
    from engine.reports.runs import run_list

    with opened(json) as here, here.reading() as session:
        found = run_list(session, pipeline=pipeline, failed=failed)
        here.tell(found, ("run", "started_at", "kind", "by", "state", "cases", "seconds", "flow_run_id", "error"))
