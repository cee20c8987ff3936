"""The ``jalur`` command. Each command opens the office, does one thing of the engine's, and prints it.

Longer than 300 lines because every command stands here once, with its help: it is the table of what one can do.

Nothing heavy is imported before a command needs it: ``jalur --help`` answers at once, and only commands that run a flow
pay for Prefect. With ``--json`` standard output holds one JSON value; the shapes are a contract.
"""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from engine.office import Office
    from engine.rederiving import Moved

app = typer.Typer(
    help="Jalur: certification and curation pipelines of the Cooperatives and SME office.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
user_app = typer.Typer(help="Accounts: who may act here.", no_args_is_help=True)
mandate_app = typer.Typer(help="Mandates: who may act for an owner.", no_args_is_help=True)
person_app = typer.Typer(help="Persons: candidates, curators, assessors.", no_args_is_help=True)
product_app = typer.Typer(help="Products of a business.", no_args_is_help=True)
conflict_app = typer.Typer(help="Conflicts of interest that people declare.", no_args_is_help=True)
case_app = typer.Typer(
    help="One case: show it, its history, retry it, withdraw it, contest its end.", no_args_is_help=True
)
calendar_app = typer.Typer(help="Days on which the office does not work.", invoke_without_command=True)
report_app = typer.Typer(help="Where the time goes, and what will be late.", no_args_is_help=True)
audit_app = typer.Typer(help="Check the ledger.", no_args_is_help=True)
for name, group in (
    ("user", user_app),
    ("mandate", mandate_app),
    ("person", person_app),
    ("product", product_app),
    ("conflict", conflict_app),
    ("case", case_app),
    ("calendar", calendar_app),
    ("report", report_app),
    ("audit", audit_app),
):
    app.add_typer(group, name=name)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
By = Annotated[str, typer.Option("--by", help="The account on which this is done.")]
Number = Annotated[str, typer.Argument(help="The case's number, e.g. NIB-2026-000001.")]
Reason = Annotated[str, typer.Option(help="Why, in words.")]
Mover = Annotated[str | None, typer.Option("--by", help="The administrator that moves them; a dry run needs none.")]
WhyMoved = Annotated[str | None, typer.Option(help="Why, in words; a dry run needs none.")]
OneQuestion = Annotated[
    str | None, typer.Argument(help="The question as the inbox names it; none: the only one that waits.")
]


@app.command()
def migrate(json: Json = False) -> None:
    """Create the database, or bring it to the newest revision."""
    from engine.migrating import migrate as to_newest

    with the_office(made=False) as office:
        tell({"revision": to_newest(office.db)}, json)


@app.command()
def pipelines(json: Json = False) -> None:
    """List the pipelines: steps, questions with their budgets, documents, outcomes."""
    from engine.clock import Clock
    from engine.showing import pipelines as listed

    with errors_told(json):
        found = listed(Clock().today())
        tell(found, json, columns=("name", "version", "title", "questions", "documents", "outcomes"))


@app.command()
def rules(
    pipeline: Annotated[str | None, typer.Argument(help="Name of the pipeline; none: all.")] = None,
    on: Annotated[str | None, typer.Option(help="Only what is in force on that day, YYYY-MM-DD.")] = None,
    json: Json = False,
) -> None:
    """List the rules with their dates: whether each is law, policy of the office, or unconfirmed."""
    from engine.showing import rules as listed

    with errors_told(json):
        columns = ("name", "value", "unit", "since", "until", "standing", "citation")
        found = listed(pipeline, as_date(on, "--on") if on else None)
        tell(found, json, columns=columns if pipeline else ("pipeline", *columns))


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="The name under which the ledger will know them.")],
    role: Annotated[list[str], typer.Option(help="A role; repeat for several.")],
    region: Annotated[str | None, typer.Option(help="Region code; only cases of it are theirs.")] = None,
    institution: Annotated[str | None, typer.Option(help="Code of their institution.")] = None,
    unit: Annotated[str | None, typer.Option(help="Code of their unit.")] = None,
    reports_to: Annotated[str | None, typer.Option(help="The account of their superior.")] = None,
    person: Annotated[int | None, typer.Option(help="Id of the person whose account this is.")] = None,
    json: Json = False,
) -> None:
    """Add an account, or give an existing one another role."""
    from engine.accounts import add_user

    with the_office(json) as office:
        roles = add_user(
            office,
            name,
            role,
            region=region,
            institution=institution,
            unit=unit,
            reports_to=reports_to,
            person=person,
        )
        tell({"name": name, "roles": roles}, json)


@user_app.command("code")
def user_code(name: Annotated[str, typer.Argument(help="The account.")], json: Json = False) -> None:
    """Make a new own code, with which an owner signs. It is shown this once."""
    from engine.accounts import give_own_code

    with the_office(json) as office:
        tell({"name": name, "own_code": give_own_code(office, name)}, json)


@user_app.command("token")
def user_token(name: Annotated[str, typer.Argument(help="The account.")], json: Json = False) -> None:
    """Make a new token for the API. It is shown this once."""
    from engine.accounts import give_token

    with the_office(json) as office:
        tell({"name": name, "token": give_token(office, name)}, json)


@mandate_app.command("add")
def mandate_add(
    owner: Annotated[str, typer.Argument(help="The owner's account, e.g. owner-12.")],
    name: Annotated[str, typer.Argument(help="Who may act for them.")],
    paper: Annotated[Path, typer.Option(help="The scanned mandate.")],
    by: By,
    until: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    json: Json = False,
) -> None:
    """Record a mandate: dated, on paper, revocable."""
    from engine.accounts import add_mandate
    from engine.evidence import take_in

    last = as_date(until, "--until") if until else None
    with the_office(json) as office:
        kept = take_in(office, f"@{paper}")
        made = add_mandate(office, owner, name, paper=kept, by=by, since=office.clock.today(), until=last)
        tell({"mandate": made, "owner": owner, "name": name}, json)


@mandate_app.command("revoke")
def mandate_revoke(
    owner: Annotated[str, typer.Argument(help="The owner's account.")],
    name: Annotated[str, typer.Argument(help="Who may act for them no longer.")],
    json: Json = False,
) -> None:
    """Revoke a mandate from this moment on."""
    from engine.accounts import revoke_mandates

    with the_office(json) as office:
        tell({"revoked": revoke_mandates(office, owner, name)}, json)


@person_app.command("add")
def person_add(
    name: Annotated[str, typer.Argument(help="The person's name, as on the identity card.")],
    data: Annotated[str, typer.Option(help="JSON: national_id, and phone, email, address, region. A dash reads it.")],
    json: Json = False,
) -> None:
    """Register a person with an account to answer from; one who is known already is named."""
    from engine.case import handle_of
    from engine.people import add_person

    about = as_json(sys.stdin.read() if data == "-" else data, "--data")
    if unknown := set(about) - {"national_id", "phone", "email", "address", "tax_id", "region", "language"}:
        raise typer.BadParameter(f"--data: unknown field {', '.join(sorted(unknown))}")
    with the_office(json) as office:
        person = add_person(office, name, **{"national_id": "", **about})
        tell({"person": person, "name": name, "account": handle_of(person)}, json)


@person_app.command("channel")
def person_channel(
    person: Annotated[int, typer.Argument(help="Id of the person.")],
    channel: Annotated[str, typer.Argument(help="mail, sms or whatsapp; any: the first that reaches them.")],
    by: By,
    json: Json = False,
) -> None:
    """Choose how a person is told: by mail, SMS or WhatsApp; what bounces there goes the other ways."""
    from engine.people import choose_channel

    with the_office(json) as office, office.run("cli", by=by):
        chosen = choose_channel(office, person, None if channel == "any" else channel, by=by)
        tell({"person": person, "channel": chosen}, json)


@person_app.command("certificate")
def person_certificate(
    person: Annotated[int, typer.Argument(help="Id of the person who holds it.")],
    what: Annotated[str, typer.Argument(help="The standing that it gives: assessor, curator, curator:makanan …")],
    number: Annotated[str, typer.Option(help="Its number, as its issuer printed it.")],
    since: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")],
    source: Annotated[str, typer.Option(help="Who issued it, and from where it is known.")],
    evidence: Annotated[Path, typer.Option(help="The scanned certificate.")],
    by: By,
    until: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    json: Json = False,
) -> None:
    """Record a certificate that another body gave a person: with its evidence, never made up."""
    from engine.evidence import take_in
    from engine.people import record_certificate

    first, last = as_date(since, "--since"), as_date(until, "--until") if until else None
    with the_office(json) as office:
        made = record_certificate(
            office,
            person,
            what,
            number,
            since=first,
            until=last,
            source=source,
            evidence=take_in(office, f"@{evidence}"),
            by=by,
        )
        tell({"certificate": made, "person": person, "what": what, "number": number}, json)


@product_app.command("add")
def product_add(
    business: Annotated[int, typer.Argument(help="Id of the business that makes it.")],
    name: Annotated[str, typer.Argument(help="The product's name.")],
    cluster: Annotated[str, typer.Option(help="Its cluster: makanan, minuman, fesyen, kerajinan …")],
    json: Json = False,
) -> None:
    """Register a product of a business; one of that name is not registered twice."""
    from engine.people import add_product

    with the_office(json) as office:
        tell({"product": add_product(office, business, name, cluster), "name": name, "cluster": cluster}, json)


@conflict_app.command("declare")
def conflict_declare(
    name: Annotated[str, typer.Argument(help="The account that is not impartial.")],
    kind: Annotated[str, typer.Option(help="family, employer, trainer, consultant, association or other.")],
    by: By,
    business: Annotated[int | None, typer.Option(help="Towards this business.")] = None,
    person: Annotated[int | None, typer.Option(help="Towards this person.")] = None,
    institution: Annotated[str | None, typer.Option(help="Towards this institution (its code).")] = None,
    until: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    json: Json = False,
) -> None:
    """Declare a conflict of interest: from now on that account decides nothing there."""
    from engine.people import declare_conflict

    last = as_date(until, "--until") if until else None
    with the_office(json) as office:
        made = declare_conflict(
            office, name, kind, by=by, business=business, person=person, institution=institution, until=last
        )
        tell({"conflict": made, "name": name, "kind": kind}, json)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX.", exists=True, dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file and change nothing.")] = False,
    refused_to: Annotated[Path | None, typer.Option(help="Where to write the refused rows with their reasons.")] = None,
    json: Json = False,
) -> None:
    """Import businesses as people send them. A bad row never stops the file."""
    from engine.intake.importing import import_file as take
    from engine.intake.refused import refused_rows

    with the_office(json) as office, office.run("cli", by=account()) as run:
        imported = take(office, run, name=file.name, content=file.read_bytes(), by=account(), dry_run=dry_run)
        if refused_to and imported.import_id is not None:
            refused_to.write_bytes(refused_rows(office, imported.import_id))
        tell(imported.as_json(), json)
        if imported.file_refused:
            raise typer.Exit(1)


@app.command("open")
def open_command(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    business: Annotated[int | None, typer.Option(help="Id of a business.")] = None,
    person: Annotated[int | None, typer.Option(help="Id of a person.")] = None,
    product: Annotated[int | None, typer.Option(help="Id of a product.")] = None,
    imported: Annotated[bool, typer.Option("--imported", help="Every imported subject without a case yet.")] = False,
    facts: Annotated[str | None, typer.Option(help="More facts, as JSON.")] = None,
    json: Json = False,
) -> None:
    """Open cases."""
    from engine.opening import open_cases, without_case
    from engine.registry import pipeline_named

    given = {"business": business, "person": person, "product": product}
    named = {kind: number for kind, number in given.items() if number is not None}
    if len(named) + imported != 1:
        raise typer.BadParameter("name one of --business, --person, --product or --imported")
    more = as_json(facts, "--facts") if facts else None
    with the_office(json) as office:
        wanted = pipeline_named(pipeline)
        if named and wanted.subject not in named:
            raise typer.BadParameter(f"{wanted.name} is about a {wanted.subject}: name it with --{wanted.subject} ID")
        with office.run("cli", by=account(), pipeline=wanted.name) as run:
            subjects = without_case(office, wanted) if imported else list(named.values())
            result = open_cases(office, run, wanted, subjects, by=account(), facts=more)
        tell({"opened": result.opened, "refused": result.refused}, json)
        if result.refused and not result.opened:
            raise typer.Exit(1)


@app.command()
def advance(
    pipeline: Annotated[str | None, typer.Argument(help="Name of the pipeline; none: all.")] = None,
    case: Annotated[str | None, typer.Option(help="Only this case.")] = None,
    json: Json = False,
) -> None:
    """Run the Prefect flow of a pipeline here and now, over all ready cases or one."""
    from engine.advancing import advance_here
    from engine.dossiers import case_numbered
    from engine.registry import current, pipeline_named

    with the_office(json) as office:
        if case:
            with office.db.reading() as session:
                pipeline = case_numbered(session, case).pipeline
        wanted = [pipeline_named(pipeline)] if pipeline else current()
        tell(advance_here(office, wanted, [case] if case else None, by=account(), say=say), json)


@app.command()
def inbox(
    role: Annotated[str | None, typer.Option(help="Only what this role answers.")] = None,
    case: Annotated[str | None, typer.Option(help="Only this case.")] = None,
    whom: Annotated[str | None, typer.Option("--for", help="Only what this account may answer.")] = None,
    json: Json = False,
) -> None:
    """List what waits for people, the most urgent first."""
    from engine.showing import inbox as waiting

    with the_office(json) as office, office.db.reading() as session:
        found = waiting(office, session, role=role, number=case, whom=whom)
        columns = ["case", "question", "title", "role", "holder", "due_on"]
        if not json and any(one["provisional"] for one in found):
            found = [{**one, "standing": "sementara" if one["provisional"] else ""} for one in found]
            columns.append("standing")
        tell(found, json, columns=tuple(columns))


@app.command()
def answer(
    number: Number,
    question: Annotated[str, typer.Argument(help="The question as the inbox names it, e.g. dossier_check#1.")],
    by: By,
    data: Annotated[str, typer.Option(help="The filled-in form, as JSON; @path/to/file attaches evidence.")],
    json: Json = False,
) -> None:
    """Answer a question of a case."""
    from engine.answering import answer as record
    from engine.evidence import take_in

    words = as_json(data, "--data")
    with the_office(json) as office, office.run("cli", by=by) as run:
        done = record(office, run, number, question, by=by, data=take_in(office, words))
        tell({"case": done.case, "question": done.question, "entry": done.entry}, json)


@case_app.command("show")
def case_show(number: Number, json: Json = False) -> None:
    """Show a case: where it stands, whom it waits for, its documents and letters."""
    with the_office(json) as office:
        shown(office, number, json)


@case_app.command("history")
def case_history(number: Number, json: Json = False) -> None:
    """Show the ledger of a case: who did what, when, in which role, under which rules."""
    from engine.showing import history

    with the_office(json) as office, office.db.reading() as session:
        entries = history(session, number)
        tell(entries, json, columns=("seq", "at", "key", "actor", "role", "on_behalf_of", "outcome", "reason"))


@case_app.command("retry")
def case_retry(number: Number, by: By = "administrator", json: Json = False) -> None:
    """Free a parked case, so that the next run tries it again."""
    from engine.parking import retry

    with the_office(json) as office:
        with office.run("cli", by=by) as run:
            retry(office, run, number, by=by)
        shown(office, number, json)


@case_app.command("withdraw")
def case_withdraw(
    number: Number, by: By, reason: Annotated[str, typer.Option(help="Why, in words.")] = "", json: Json = False
) -> None:
    """Take an application back, at any wait."""
    from engine.withdrawing import withdraw

    with the_office(json) as office:
        with office.run("cli", by=by) as run:
            withdraw(office, run, number, by=by, reason=reason)
        shown(office, number, json)


@case_app.command("reassign")
def case_reassign(
    number: Number,
    by: By,
    to: Annotated[str, typer.Option(help="The account that answers instead; nobody: the whole role.")],
    reason: Reason,
    question: OneQuestion = None,
    json: Json = False,
) -> None:
    """Give an open question to somebody else, or back to the whole role."""
    from engine.reassigning import reassign as give

    with the_office(json) as office:
        with office.run("cli", by=by) as run:
            give(office, run, number, question, to=None if to == "nobody" else to, by=by, reason=reason)
        shown(office, number, json)


@case_app.command("delegate")
def case_delegate(
    number: Number,
    by: By,
    away: Annotated[str, typer.Option("--from", help="Who is away.")],
    to: Annotated[str, typer.Option(help="Who answers for them.")],
    until: Annotated[str, typer.Option(help="Last day, YYYY-MM-DD.")],
    reason: Reason,
    since: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD; none: today.")] = None,
    json: Json = False,
) -> None:
    """Let another answer for somebody who is away, in this case alone."""
    from engine.delegating import delegate as let

    first, last = as_date(since, "--since") if since else None, as_date(until, "--until")
    with the_office(json) as office:
        with office.run("cli", by=by) as run:
            let(office, run, away, to, since=first, until=last, reason=reason, by=by, number=number)
        shown(office, number, json)


@case_app.command("extend")
def case_extend(
    number: Number,
    by: By,
    until: Annotated[str, typer.Option(help="The new date, YYYY-MM-DD.")],
    reason: Reason,
    agreed_with: Annotated[str, typer.Option(help="The other side: the account that is asked, or the applicant's.")],
    question: OneQuestion = None,
    json: Json = False,
) -> None:
    """Move the date of an open question, as agreed with the other side."""
    from engine.extending import extend

    last = as_date(until, "--until")
    with the_office(json) as office:
        with office.run("cli", by=by) as run:
            extend(office, run, number, question, until=last, reason=reason, by=by, agreed_with=agreed_with)
        shown(office, number, json)


@case_app.command("appeal")
def case_appeal(
    number: Number,
    by: By,
    reason: Annotated[str, typer.Option(help="Why the decision is contested, in words.")],
    evidence: Annotated[str | None, typer.Option(help="A file that shows it: @path/to/file.")] = None,
    json: Json = False,
) -> None:
    """Contest the ending of a case: its objection is ruled on by others, in the same ledger."""
    from engine.appealing import lodge
    from engine.evidence import take_in

    with the_office(json) as office:
        with office.run("cli", by=by) as run:
            lodge(office, run, number, by=by, reason=reason, evidence=take_in(office, evidence))
        shown(office, number, json)


@case_app.command("migrate")
def case_migrate(
    number: Number,
    by: Mover = None,
    reason: WhyMoved = None,
    to: Annotated[int | None, typer.Option(help="The version; none: the newest.")] = None,
    rules_on: Annotated[str | None, typer.Option(help="Also by the rules of that day, YYYY-MM-DD.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say whether it fits, and change nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Back to where the case was before its last move.")] = False,
    json: Json = False,
) -> None:
    """Move an open case to another version of its process, or to the rules of another day."""
    from engine.moving import look, move_one, plan_back, plan_for

    if undo and (to or rules_on):
        raise typer.BadParameter("--undo goes back to where the case was: leave out --to and --rules-on")
    day = as_date(rules_on, "--rules-on") if rules_on else None
    with the_office(json) as office:
        plan = plan_back(office, number) if undo else plan_for(office, number, to=to, rules_on=day)
        if dry_run:
            tell(look(office, plan).as_json(), json)
            return
        by, reason = who_and_why(by, reason)
        with office.run("cli", by=by, pipeline=plan.pipeline) as run:
            move_one(office, run, plan, by=by, reason=reason)
        shown(office, number, json)


@app.command("migrate-cases")
def migrate_cases(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    by: Mover = None,
    reason: WhyMoved = None,
    to: Annotated[int | None, typer.Option(help="The version; none: the newest.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which fit, and change nothing.")] = False,
    undo: Annotated[str | None, typer.Option(help="Move back what that run moved.", metavar="RUN")] = None,
    json: Json = False,
) -> None:
    """Move all open cases of a pipeline that fit; each of the others is named with the reason. See: jalur runs."""
    from engine.moving import look, move, plan_all_back, plan_for_all

    if undo and to:
        raise typer.BadParameter("--undo goes back to where the cases were: leave out --to")
    with the_office(json) as office:
        plan = plan_all_back(office, pipeline, undo) if undo else plan_for_all(office, pipeline, to=to)
        if dry_run:
            tell(look(office, plan).as_json(), json)
            return
        by, reason = who_and_why(by, reason)
        with office.run("cli", by=by, pipeline=plan.pipeline) as run:
            done = move(office, run, plan, by=by, reason=reason)
        tell(done.as_json(), json)
        if done.moved and not undo:
            say(f"To move them back: jalur migrate-cases {plan.pipeline} --undo {run.id} --by … --reason …")
        if done.refused and not done.moved:
            raise typer.Exit(1)


@app.command()
def shadow(
    pipeline: Annotated[str, typer.Argument(help="Name of the pipeline.")],
    to: Annotated[int | None, typer.Option(help="The version; none: the newest.")] = None,
    rules: Annotated[Path | None, typer.Option(help="A folder of rule files in place of rules/.")] = None,
    rules_on: Annotated[str | None, typer.Option(help="The rules of that day, not of each case's own.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many, the newest.")] = None,
    json: Json = False,
) -> None:
    """Play closed cases through another version or other rules: which would have ended otherwise. Nothing is changed."""
    from engine.shadowing import shadow as play

    day = as_date(rules_on, "--rules-on") if rules_on else None
    with the_office(json) as office:
        tell(play(office, pipeline, to=to, rules=rules, rules_on=day, limit=limit), json)


@case_app.command("recall")
def case_recall(
    number: Number, by: By, reason: Annotated[str, typer.Option(help="Why, in words.")], json: Json = False
) -> None:
    """Take the last answer back, before anything that can't be undone was built on it: its question is asked again."""
    from engine.recalling import recall

    with the_office(json) as office:
        with office.run("cli", by=by) as run:
            recall(office, run, number, by=by, reason=reason)
        shown(office, number, json)


@case_app.command("correct")
def case_correct(
    number: Number,
    by: By,
    reason: Annotated[str, typer.Option(help="Why, in words.")],
    data: Annotated[str, typer.Option(help='The right values, as JSON: {"owner.name": …}. A dash reads it.')],
    evidence: Annotated[str | None, typer.Option(help="@path/to/file that shows what is right.")] = None,
    json: Json = False,
) -> None:
    """Correct a name or number that was registered wrong; documents that bear it are made anew."""
    from engine.correcting import correct
    from engine.evidence import take_in

    right = as_json(sys.stdin.read() if data == "-" else data, "--data")
    with the_office(json) as office:
        with office.run("cli", by=by) as run:
            kept = take_in(office, evidence) if evidence else None
            correct(office, run, number, by=by, reason=reason, data=right, evidence=kept)
        shown(office, number, json)


@app.command()
def reassign(
    by: By,
    holder: Annotated[str, typer.Option("--from", help="Whose open questions are given to others.")],
    to: Annotated[list[str], typer.Option(help="Who gets them; repeat to spread them.")],
    reason: Reason,
    role: Annotated[str | None, typer.Option(help="Only what they hold in this role.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Only cases of this pipeline.")] = None,
    json: Json = False,
) -> None:
    """Give all that somebody holds to others, the least loaded first; each question with its result."""
    from engine.registry import pipeline_named
    from engine.spreading import reassign_all

    with the_office(json) as office:
        only = pipeline_named(pipeline).name if pipeline is not None else None
        with office.run("cli", by=by, pipeline=only) as run:
            done = reassign_all(office, run, holder=holder, to=to, by=by, reason=reason, role=role, pipeline=only)
        tell(vars(done), json)
        if done.refused and not done.reassigned:
            raise typer.Exit(1)


@app.command()
def delegate(
    away: Annotated[str, typer.Argument(help="Who is away.", metavar="FROM")],
    to: Annotated[str, typer.Argument(help="Who answers for them.")],
    by: By,
    until: Annotated[str | None, typer.Option(help="Last day, YYYY-MM-DD.")] = None,
    since: Annotated[str | None, typer.Option(help="First day, YYYY-MM-DD; none: today.")] = None,
    role: Annotated[
        str | None,
        typer.Option(help="Only what they answer in this role; with --revoke, only what is delegated for it alone."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    end: Annotated[bool, typer.Option("--revoke", help="End it from this moment.")] = False,
    json: Json = False,
) -> None:
    """Let another answer for somebody who is away; both names stand in the ledger."""
    from engine.delegating import delegate as let
    from engine.delegating import revoke

    if (until is None) != end:
        raise typer.BadParameter("name the last day with --until, or end it with --revoke")
    if end and since:
        raise typer.BadParameter("--since is for a new one; --revoke ends it from this moment")
    first, last = (as_date(day, option) if day else None for day, option in ((since, "--since"), (until, "--until")))
    with the_office(json) as office, office.run("cli", by=by) as run:
        if last is None:
            ended = revoke(office, run, away, to, by=by, role=role, reason=reason)
            tell({"from": away, "to": to, "role": role, "revoked": ended}, json)
            return
        made = let(office, run, away, to, since=first, until=last, reason=reason, by=by, role=role)
        begins = (first or office.clock.today()).isoformat()
        tell({"delegation": made, "from": away, "to": to, "role": role, "since": begins, "until": until}, json)


@app.command()
def runs(
    pipeline: Annotated[str | None, typer.Option(help="Only runs of this pipeline.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only runs that failed.")] = False,
    json: Json = False,
) -> None:
    """List our own record of runs, the newest first."""
    from engine.showing import runs as recorded

    with the_office(json) as office, office.db.reading() as session:
        found = recorded(session, pipeline=pipeline, failed=failed)
        tell(
            found,
            json,
            columns=("run", "started_at", "kind", "by", "state", "cases", "seconds", "flow_run_id", "error"),
        )


@app.command()
def escalate(json: Json = False) -> None:
    """Do what is due: remind, hand upwards, end what the time ends. Run twice at the same moment, the second does nothing."""
    from engine.clock import JAKARTA
    from engine.sweep_health import standstill, sweep_is_stale
    from engine.sweeping import sweep

    with the_office(json) as office, office.run("cli", by=account()) as run:
        with office.db.reading() as session:
            words, since = standstill(office, session), sweep_is_stale(office, session)
        if words and since:
            day = since.astimezone(JAKARTA).isoformat(sep=" ", timespec="minutes")
            say(f"{words} Periksa jadwalnya.\n(Nobody has swept since {day}: is the schedule running? jalur serve)")
        tell(sweep(office, run).as_json(), json)


@app.command()
def deliver(json: Json = False) -> None:
    """Send the letters that are due, what broke to the administrators, and on a working day's morning each officer's digest."""
    from engine.delivering import deliver as send

    with the_office(json) as office, office.run("cli", by=account()):
        tell(send(office), json)


@app.command()
def renew(json: Json = False) -> None:
    """Open the renewal of certificates that will end, and tell their holders: 180, 90 and 30 days ahead, each once."""
    from engine.renewing import renew as ahead_of_time

    with the_office(json) as office, office.run("cli", by=account()) as run:
        tell(ahead_of_time(office, run).as_json(), json)


@calendar_app.callback()
def calendar(
    context: typer.Context,
    year: Annotated[int | None, typer.Option(min=1, max=9999, help="The year.")] = None,
    json: Json = False,
) -> None:
    """List the days on which the office does not work in a year: national holidays, joint leave, its own."""
    if context.invoked_subcommand is None:
        from engine.calendar import Calendar
        from engine.migrating import is_migrated
        from engine.office_days import must_know

        with the_office(json, made=False) as office:
            known, wanted = office.calendar if is_migrated(office.db) else Calendar(), year or office.clock.today().year
            must_know(known, wanted)
            days = known.days_off(wanted)
            rows = [{"date": day.isoformat(), "name": name, "kind": kind} for day, (name, kind) in days.items()]
            provisional = not json and any(known.is_provisional(day) for day in days)
            if provisional:
                say("Belum ada SKB untuk tahun ini: tanggalnya sementara.")
                rows = [{**row, "standing": "" if row["kind"] == "office" else "sementara"} for row in rows]
            tell(rows, json, columns=("date", "name", "kind", *(["standing"] if provisional else [])))


@calendar_app.command("add")
def calendar_add(
    day: Annotated[str, typer.Argument(help="The day, YYYY-MM-DD.")],
    name: Annotated[str, typer.Argument(help="Why the office does not work then.")],
    by: Annotated[
        str | None, typer.Option(help="The head or administrator that decided it; none: who runs this.")
    ] = None,
    json: Json = False,
) -> None:
    """Add a day off of the office's own; every open clock that runs over it is derived again."""
    from engine.office_days import add_day_off

    with the_office(json) as office, office.run("cli", by=by or account()) as run:
        tell_moved(office, add_day_off(office, run, as_date(day, "DATE"), name, by=by), json)


@calendar_app.command("cancel")
def calendar_cancel(
    day: Annotated[str, typer.Argument(help="The day, YYYY-MM-DD.")],
    reason: Annotated[str, typer.Argument(help="Why the office works then all the same.")],
    by: Annotated[
        str | None, typer.Option(help="The head or administrator that decided it; none: who runs this.")
    ] = None,
    json: Json = False,
) -> None:
    """Cancel a listed day off; every open clock that runs over it is derived again."""
    from engine.office_days import cancel_day_off

    with the_office(json) as office, office.run("cli", by=by or account()) as run:
        tell_moved(office, cancel_day_off(office, run, as_date(day, "DATE"), reason, by=by), json)


@report_app.command("time")
def report_time(
    pipeline: Annotated[str | None, typer.Option(help="Only this pipeline.")] = None,
    by_office: Annotated[bool, typer.Option("--by-office", help="By regency or city instead of by pipeline.")] = False,
    case: Annotated[str | None, typer.Option(help="Only this case, with its stretches.")] = None,
    json: Json = False,
) -> None:
    """Show how many working days office, applicants and outside bodies held the cases, open and closed, and what is late."""
    from engine import timekeeping

    if case and (pipeline or by_office):
        raise typer.BadParameter("--case stands alone")
    with the_office(json) as office, office.db.reading() as session:
        if case:
            tell(timekeeping.of_case(office, session, case), json)
            return
        name, count = ("offices", timekeeping.by_office) if by_office else ("pipelines", timekeeping.by_pipeline)
        rows = count(office, session, pipeline)
        tell({name: rows} if json else rows, json, columns=tuple(rows[0]) if rows else ())


@report_app.command("forecast")
def report_forecast(
    within: Annotated[
        int | None, typer.Option(min=0, help="Only dates that many days from now, and what is late.")
    ] = None,
    json: Json = False,
) -> None:
    """Forecast which open questions will be answered too late at the present pace, by office and officer."""
    from engine.forecasting import forecast

    with the_office(json) as office, office.db.reading() as session:
        found = forecast(office, session, within=within)
        if not json:
            found["cases"] = [one for one in found["cases"] if one.pop("breaches")]
        tell(found, json)


@app.command()
def serve() -> None:
    """Start Prefect's server, the deployments and the web app, until Ctrl-C."""
    from engine.settings import Settings
    from web.serving import serve as keep_serving

    with errors_told(False):
        keep_serving(Settings(), say=say)


@app.command()
def verify(
    what: Annotated[str, typer.Argument(help="A PDF file, or the number of a document.", metavar="FILE.pdf|NUMBER")],
    json: Json = False,
) -> None:
    """Check whether a document is genuine."""
    from engine.checking import check

    with the_office(json) as office:
        verdict = check(office, what)
        tell(verdict, json)
        if not verdict["valid"]:
            raise typer.Exit(1)


@audit_app.command("verify")
def audit_verify(case: Annotated[str | None, typer.Option(help="Only this case.")] = None, json: Json = False) -> None:
    """Check every chain of the ledger, or one; name the first bad entry."""
    from engine.dossiers import case_numbered
    from engine.ledger import verify as verify_chains

    with the_office(json) as office, office.db.reading() as session:
        if case is not None:
            case_numbered(session, case)
        audit = verify_chains(session, None if case is None else [case])
        bad = audit.first_bad
        first = {"case": bad.case, "seq": bad.seq, "what": bad.what} if bad else None
        tell({"entries": audit.entries, "seals": 0, "intact": bad is None, "first_bad": first}, json)
        if bad:
            raise typer.Exit(1)


@app.command()
def demo() -> None:
    """Carry 300 made-up businesses through real flow runs to every end, and show where to look."""
    from demo import main as carry

    raise typer.Exit(carry())


@app.command()
def preview(
    folder: Annotated[Path, typer.Argument(help="Where to write the pages.")] = Path("var/preview"),
    json: Json = False,
) -> None:
    """Write every document and letter, filled with its sample facts, in both languages, and one sheet that shows all."""
    from engine.previewing import CONTACT_SHEET, preview_all

    with errors_told(json):
        files = [str(file) for file in preview_all(folder)]
        tell({"files": files}, json)
        if str(folder / CONTACT_SHEET) not in files:
            say(f"No {CONTACT_SHEET}: pdftoppm is missing, which draws its pages. Install poppler-utils and try again.")


# -- what the commands share -------------------------------------------------------------------------------------------


@contextmanager
def the_office(json: bool = False, made: bool = True) -> Iterator[Office]:
    """Open the office for a command; refuse in words, with exit code 1, what is refused."""
    from engine.migrating import must_be_migrated
    from engine.office import Office

    with errors_told(json):
        office = Office.open()
        try:
            if made:
                must_be_migrated(office.db)
            yield office
        finally:
            office.close()


@contextmanager
def errors_told(json: bool) -> Iterator[None]:
    """Print what was refused: as JSON where JSON was asked for, in words on standard error always."""
    from pydantic import ValidationError

    from engine.errors import Refused

    try:
        yield
    except (Refused, ValidationError) as error:
        # What was set stays unsaid: a database's password may be among it.
        english = str(error) if isinstance(error, Refused) else "; ".join(map(_wrong_setting, error.errors()))
        people = error.for_people if isinstance(error, Refused) else english
        if json:
            print(jsonlib.dumps({"error": english, "for_people": people}, ensure_ascii=False))
        say(english if people == english else f"{people}\n({english})")
        raise typer.Exit(1) from None


def _wrong_setting(error: Mapping[str, Any]) -> str:
    """Return which setting is wrong, and why."""
    return ": ".join([*(f"JALUR_{part}".upper() for part in error["loc"]), error["msg"]])


def who_and_why(by: str | None, reason: str | None) -> tuple[str, str]:
    """Return who moves cases and why; without both, and without --dry-run, it is wrong usage."""
    if by is None or reason is None:
        raise typer.BadParameter("name --by and --reason; only a --dry-run needs neither")
    return by, reason


def account() -> str:
    """Return the name under which the command line acts where no --by is asked for: the machine's own user."""
    import getpass

    return f"cli:{getpass.getuser()}"


def shown(office: Office, number: str, json: bool) -> None:
    """Print a case as it stands now."""
    from engine.showing import show

    with office.db.reading() as session:
        tell(show(office, session, number), json)


def tell_moved(office: Office, moved: Sequence[Moved], json: bool) -> None:
    """Print the clocks that a decision about a day moved; people read which of the new dates no decree fixes yet."""
    rows = [one.as_json() for one in moved]
    if not json and any(office.calendar.provisional_years(one.after) for one in moved):
        marks = ["sementara" if office.calendar.provisional_years(one.after) else "" for one in moved]
        rows = [{**row, "standing": mark} for row, mark in zip(rows, marks, strict=True)]
    tell({"moved": rows}, json)


def as_json(text: str, option: str) -> dict[str, Any]:
    """Return the JSON object in ``text``; a wrong one is wrong usage."""
    try:
        value = jsonlib.loads(text)
    except jsonlib.JSONDecodeError as error:
        raise typer.BadParameter(f"{option} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise typer.BadParameter(f"{option} must be a JSON object")
    return value


def as_date(text: str, option: str) -> date:
    """Return the day in ``text``; a wrong one is wrong usage."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # a week's day and a row of digits are dates to Python, and slips here
        raise typer.BadParameter(f"{option} is no date: write YYYY-MM-DD, not {text}")
    return day


def say(words: str) -> None:
    """Speak to the person at the terminal; standard output stays clean."""
    print(words, file=sys.stderr)


def tell(value: Any, json: bool, columns: tuple[str, ...] = ()) -> None:
    """Print a result: one JSON value, or a table for people."""
    if json:
        print(jsonlib.dumps(value, ensure_ascii=False, indent=2, default=str))
        return
    from printing import as_table

    as_table(value, columns)


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
