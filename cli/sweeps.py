"""Commands that time calls for: escalate, deliver, renew."""

from __future__ import annotations

import typer

from cli.context import opened, say
from cli.language import language
from cli.options import Json

app = typer.Typer()


@app.command("escalate")
def escalate(json: Json = False) -> None:
    """Remind, escalate and end what is due; a second run at the same moment does nothing."""
    from documents.formats import moment_in_words
    from engine.letters.sweep_health import stale_since
    from engine.sweeps.sweep import sweep

    with opened(json) as here, here.run() as run:
        with here.reading() as session:
            since = stale_since(here.office, session)
        if since:
            moment = moment_in_words(since, language())
            say("Nobody has swept since {moment}: is the schedule running? See: jalur serve", moment=moment)
        here.tell(sweep(here.office, run).as_json())


@app.command("deliver")
def deliver_letters(json: Json = False) -> None:
    """Send due letters, alerts to administrators, and each officer's morning digest."""
    from engine.letters.letter_delivery import deliver

    with opened(json) as here, here.run():
        here.tell(deliver(here.office))


@app.command("renew")
def renew_certificates(json: Json = False) -> None:
    """Open renewals of certificates that end soon; remind holders 180, 90 and 30 days ahead."""
    from engine.sweeps.renew import renew

    with opened(json) as here, here.run() as run:
        here.tell(renew(here.office, run).as_json())
