"""Commands of the machine itself: database, servers, demonstration, preview of all papers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import opened, refusals_told, say, tell
from cli.language import _, language
from cli.options import Json

if TYPE_CHECKING:
    from engine.runtime.private_files import LaidOpen

app = typer.Typer()


@app.command("migrate")
def migrate_database(json: Json = False) -> None:
    """Create the database, or bring it to the newest revision."""
    from engine.runtime.migrations import migrate_schema
    from engine.runtime.private_files import close_to_others

    with opened(json, made=False) as here:
        revision = migrate_schema(here.office.db)
        _tell_what_lay_open(close_to_others(here.office.settings))
        here.tell({"revision": revision})


@app.command("serve")
def keep_serving(
    tls_key: Annotated[
        Path | None, typer.Option(help="PEM key with which the web app speaks HTTPS; none: JALUR_TLS_KEY.")
    ] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(help="PEM certificate of that key; none: JALUR_TLS_CERTIFICATE.")
    ] = None,
) -> None:
    """Start Prefect's server, the deployments and the web app, until Ctrl-C."""
    from engine.runtime.private_files import close_to_others
    from engine.runtime.settings import Settings
    from web.serving import serve

    given: dict[str, Any] = {"tls_key": tls_key, "tls_certificate": tls_certificate}
    with refusals_told(False):
        settings = Settings(**{name: file.absolute() for name, file in given.items() if file})
        _tell_what_lay_open(close_to_others(settings))
        serve(settings, say=say)


@app.command("demo")
def carry_demo() -> None:
    """Carry 300 made-up businesses through real flow runs to every end, and show where to look."""
    from demo import main

    with refusals_told(False):
        raise typer.Exit(main(_, language()))


def _tell_what_lay_open(found: list[LaidOpen]) -> None:
    for path, mode, closed in found:
        if closed:
            say("Others could read {path} ({mode}); now only its owner can.", path=path, mode=mode)
        else:
            say(
                "Others can read {path} ({mode}), and it is not ours: let its owner run chmod go= on it.",
                path=path,
                mode=mode,
            )


@app.command("preview")
def preview(
    folder: Annotated[Path, typer.Argument(help="Where to write the pages.")] = Path("var/preview"),
    json: Json = False,
) -> None:
    """Write every document and letter with sample facts, and one sheet that shows all."""
    from engine.reports.preview import CONTACT_SHEET, preview_all

    with refusals_told(json):
        files = [str(file) for file in preview_all(folder)]
        tell({"files": files}, json)
        if str(folder / CONTACT_SHEET) not in files:
            say("No {sheet}: pdftoppm is missing. Install poppler-utils and try again.", sheet=CONTACT_SHEET)
