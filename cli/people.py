"""Accounts and whom they belong to: users, mandates, persons, products, declared conflicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.context import acting, opened
from cli.options import Behalf, By, Json, LastDay, Reason, WhoActs, as_date, as_date_if_named, as_json_or_read
from cli.wrong_usage import wrong

app = typer.Typer()
user_app = typer.Typer(help="Add, list and end accounts; give them codes and tokens.", no_args_is_help=True)
mandate_app = typer.Typer(help="Record, list or revoke mandates: who may act for an owner.", no_args_is_help=True)
person_app = typer.Typer(help="Register persons, their certificates, and how they are told.", no_args_is_help=True)
product_app = typer.Typer(help="Register products of a business.", no_args_is_help=True)
conflict_app = typer.Typer(help="Declare conflicts of interest.", no_args_is_help=True)
app.add_typer(user_app, name="user")
app.add_typer(mandate_app, name="mandate")
app.add_typer(person_app, name="person")
app.add_typer(product_app, name="product")
app.add_typer(conflict_app, name="conflict")


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="The name under which the ledger will know them.")],
    role: Annotated[list[str], typer.Option(help="A role; repeat for several.")],
    region: Annotated[str | None, typer.Option(help="Region code; only cases of it are theirs.")] = None,
    institution: Annotated[str | None, typer.Option(help="Code of their institution.")] = None,
    unit: Annotated[str | None, typer.Option(help="Code of their unit.")] = None,
    reports_to: Annotated[str | None, typer.Option(help="The account of their superior.")] = None,
    person: Annotated[int | None, typer.Option(help="Id of the person whose account this is.")] = None,
    until: LastDay = None,
    by: WhoActs = None,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Add an account, or give an existing one another role."""
    from engine.people.accounts import add_user

    last = as_date_if_named(until, "--until")
    with acting(json, by, reason, first=True) as here, here.run() as run:
        roles = add_user(
            here.office,
            name,
            role,
            run=run,
            region=region,
            institution=institution,
            unit=unit,
            reports_to=reports_to,
            person=person,
            until=last,
        )
        here.tell({"name": name, "roles": roles})


@user_app.command("list")
def user_list(json: Json = False) -> None:
    """List all accounts with their roles, dates and ends."""
    from engine.reports.account_list import list_accounts

    with opened(json) as here, here.reading() as session:
        columns = ("name", "roles", "region", "reports_to", "since", "token_until", "ended_at", "reason")
        here.tell(list_accounts(session, here.office.clock.today()), columns)


@user_app.command("end")
def user_end(
    name: Annotated[str, typer.Argument(help="The account.")],
    reason: Reason,
    role: Annotated[str | None, typer.Option(help="Only this role of it.")] = None,
    by: WhoActs = None,
    json: Json = False,
) -> None:
    """End an account at once, or one role of it; what it holds goes back to its whole role."""
    from engine.actions.end_account import end_account

    with acting(json, by, reason) as here, here.run() as run:
        done = end_account(here.office, run, name, reason=reason, role=role)
        here.tell({"name": name, "role": role, "freed": done.freed, "failed": done.failed})
        if done.failed:
            raise typer.Exit(1)


@user_app.command("code")
def user_code(
    name: Annotated[str, typer.Argument(help="The account.")],
    end: Annotated[bool, typer.Option("--end", help="End the code that it has, and make none.")] = False,
    by: WhoActs = None,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Make a new own code, with which an owner signs; it is shown this once."""
    from engine.people.accounts import end_own_code, give_own_code

    with acting(json, by, reason) as here, here.run() as run:
        if end:
            end_own_code(here.office, name, run=run)
            here.tell({"name": name, "own_code": None})
            return
        here.tell({"name": name, "own_code": give_own_code(here.office, name, run=run)})


@user_app.command("token")
def user_token(
    name: Annotated[str, typer.Argument(help="The account.")],
    until: LastDay = None,
    end: Annotated[bool, typer.Option("--end", help="End the token that it has, and make none.")] = False,
    by: WhoActs = None,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Make a new token for the API; it is shown this once."""
    from engine.people.accounts import end_token, give_token

    last = as_date_if_named(until, "--until")
    if end and last:
        raise wrong("--until is for a new one; --end ends it from this moment")
    with acting(json, by, reason, first=True) as here, here.run() as run:
        if end:
            end_token(here.office, name, run=run)
            here.tell({"name": name, "token": None})
            return
        here.tell({"name": name, "token": give_token(here.office, name, run=run, until=last)})


@mandate_app.command("add")
def mandate_add(
    owner: Annotated[str, typer.Argument(help="The owner's account, e.g. owner-12.")],
    name: Annotated[str, typer.Argument(help="Who may act for them.")],
    paper: Annotated[Path, typer.Option(help="The scanned mandate.")],
    by: By,
    until: LastDay = None,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Record a mandate with its dates and its scanned paper."""
    from engine.people.mandates import add_mandate
    from engine.runtime.file_store import attach_named_files

    last = as_date_if_named(until, "--until")
    with acting(json, by, reason) as here, here.run() as run:
        office = here.office
        kept = attach_named_files(office.store, f"@{paper}")
        made = add_mandate(office, owner, name, paper=kept, by=by, since=office.clock.today(), until=last, run=run)
        here.tell({"mandate": made, "owner": owner, "name": name})


@mandate_app.command("list")
def mandate_list(json: Json = False) -> None:
    """List all mandates with their dates and ends."""
    from engine.reports.account_list import list_mandates

    with opened(json) as here, here.reading() as session:
        columns = ("mandate", "owner", "name", "since", "until", "by", "revoked_at")
        here.tell(list_mandates(session), columns)


@mandate_app.command("revoke")
def mandate_revoke(
    owner: Annotated[str, typer.Argument(help="The owner's account.")],
    name: Annotated[str, typer.Argument(help="Who may act for them no longer.")],
    by: WhoActs = None,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Revoke a mandate from this moment on."""
    from engine.people.mandates import revoke_mandates

    with acting(json, by, reason) as here, here.run() as run:
        here.tell({"revoked": revoke_mandates(here.office, owner, name, by=here.account, run=run)})


@person_app.command("add")
def person_add(
    name: Annotated[
        str, typer.Argument(help="The person's name, as on the identity card; a dash: it stands in the data.")
    ],
    data: Annotated[
        str,
        typer.Option(help="JSON: national_id, and phone, email, address, region, name; - reads it, @FILE a file."),
    ],
    by: WhoActs = None,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Register a person with an account; one who is known already is not made twice."""
    from engine.definition.case import handle_of
    from engine.people.persons import add_person

    about = as_json_or_read(data, "--data")
    name = about.pop("name", "") if name == "-" else name
    if unknown := set(about) - {"national_id", "phone", "email", "address", "tax_id", "region", "language"}:
        raise wrong("--data: unknown field {fields}", fields=", ".join(sorted(unknown)))
    if not name:
        raise wrong("--data: the name is missing")
    with acting(json, by, reason) as here, here.run() as run:
        person = add_person(here.office, name, run=run, **{"national_id": "", **about})
        here.tell({"person": person, "name": name, "account": handle_of(person)})


@person_app.command("channel")
def person_channel(
    person: Annotated[int, typer.Argument(help="Id of the person.")],
    channel: Annotated[str, typer.Argument(help="mail, sms or whatsapp; any: the first that reaches them.")],
    by: By,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Choose how a person is told: mail, SMS or WhatsApp; what bounces goes another way."""
    from engine.people.persons import choose_channel

    with acting(json, by, reason) as here, here.run():
        chosen = choose_channel(here.office, person, None if channel == "any" else channel, by=by)
        here.tell({"person": person, "channel": chosen})


@person_app.command("certificate")
def person_certificate(
    person: Annotated[int, typer.Argument(help="Id of the person who holds it.")],
    what: Annotated[str, typer.Argument(help="The standing that it gives: assessor, curator, curator:makanan …")],
    number: Annotated[str, typer.Option(help="Its number, as its issuer printed it.")],
    since: Annotated[str, typer.Option(help="First day, YYYY-MM-DD.")],
    source: Annotated[str, typer.Option(help="Who issued it, and from where it is known.")],
    evidence: Annotated[Path, typer.Option(help="The scanned certificate.")],
    by: By,
    until: LastDay = None,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Record a certificate that another body gave a person, with its scan."""
    from engine.people.persons import record_certificate
    from engine.runtime.file_store import attach_named_files

    first, last = as_date(since, "--since"), as_date_if_named(until, "--until")
    with acting(json, by, reason) as here, here.run() as run:
        made = record_certificate(
            here.office,
            person,
            what,
            number,
            since=first,
            until=last,
            source=source,
            evidence=attach_named_files(here.office.store, f"@{evidence}"),
            by=by,
            run=run,
        )
        here.tell({"certificate": made, "person": person, "what": what, "number": number})


@product_app.command("add")
def product_add(
    business: Annotated[int, typer.Argument(help="Id of the business that makes it.")],
    name: Annotated[str, typer.Argument(help="The product's name.")],
    cluster: Annotated[str, typer.Option(help="Its cluster: makanan, minuman, fesyen, kerajinan …")],
    by: WhoActs = None,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Register a product of a business; one of that name is not registered twice."""
    from engine.people.persons import add_product

    with acting(json, by, reason) as here, here.run() as run:
        made = add_product(here.office, business, name, cluster, run=run)
        here.tell({"product": made, "name": name, "cluster": cluster})


@conflict_app.command("declare")
def conflict_declare(
    name: Annotated[str, typer.Argument(help="The account that is not impartial.")],
    kind: Annotated[str, typer.Option(help="family, employer, trainer, consultant, association or other.")],
    by: By,
    business: Annotated[int | None, typer.Option(help="Towards this business.")] = None,
    person: Annotated[int | None, typer.Option(help="Towards this person.")] = None,
    institution: Annotated[str | None, typer.Option(help="Towards this institution (its code).")] = None,
    until: LastDay = None,
    reason: Behalf = None,
    json: Json = False,
) -> None:
    """Declare a conflict of interest; that account decides nothing there from now on."""
    from engine.people.persons import declare_conflict

    last = as_date_if_named(until, "--until")
    with acting(json, by, reason) as here, here.run() as run:
        made = declare_conflict(
            here.office,
            name,
            kind,
            by=by,
            business=business,
            person=person,
            institution=institution,
            until=last,
            run=run,
        )
        here.tell({"conflict": made, "name": name, "kind": kind})
