"""What time does: the ladder, the letters that are due, the renewals."""

from __future__ import annotations

import typer

from cli.context import opened, say
from cli.options import Json

app = typer.Typer()


@app.command("escalate")
def escalate(json: Json = False) -> None:
    """Do what is due: remind, hand upwards, end what the time ends. Run twice at the same moment, the second does nothing."""
    from engine.deadlines.clock import JAKARTA
    from engine.letters.sweep_health import stale_since, stale_warning
    from engine.sweeps.sweep import sweep

    with opened(json) as here, here.run() as run:
        with here.reading() as session:
            words, since = stale_warning(here.office, session), stale_since(here.office, session)
        if words and since:
            day = since.astimezone(JAKARTA).isoformat(sep=" ", timespec="minutes")
            say(f"{words} Periksa jadwalnya.\n(Nobody has swept since {day}: is the schedule running? jalur serve)")
        here.tell(sweep(here.office, run).as_json())


@app.command("deliver")
def deliver_letters(json: Json = False) -> None:
    """Send the letters that are due, what broke to the administrators, and on a working day's morning each officer's digest."""
    from engine.letters.letter_delivery import deliver

    with opened(json) as here, here.run():
        here.tell(deliver(here.office))


@app.command("renew")
def renew_certificates(json: Json = False) -> None:
    """Open the renewal of certificates that will end, and tell their holders: 180, 90 and 30 days ahead, each once."""
    from engine.sweeps.renew import renew

    with opened(json) as here, here.run() as run:
        here.tell(renew(here.office, run).as_json())
