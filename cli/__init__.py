"""Run the ``jalur`` command. With ``--json`` it prints one JSON value of a fixed shape."""

from __future__ import annotations

import typer

from cli.commands import Commands

app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def jalur() -> None:
    """Jalur: certification and curation pipelines of the Cooperatives and SME office."""


def main() -> None:
    """Run the command line; what it writes is for its own account alone."""
    from engine.runtime.private_files import keep_private

    keep_private()
    app()
