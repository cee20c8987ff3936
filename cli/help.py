"""Commands and groups whose help and usage are printed in the reader's language."""

from __future__ import annotations

from copy import copy
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

from cli.language import N_, _, in_context

# What typer prints beside our own words, by the name that it has in typer.rich_utils.
TITLES = {
    "ARGUMENTS_PANEL_TITLE": N_("Arguments"),
    "OPTIONS_PANEL_TITLE": N_("Options"),
    "COMMANDS_PANEL_TITLE": N_("Commands"),
    "ERRORS_PANEL_TITLE": N_("Error"),
    "ABORTED_TEXT": N_("Aborted."),
    "DEFAULT_STRING": N_("[default: {}]"),
    "REQUIRED_LONG_STRING": N_("[required]"),
    "RICH_HELP": N_("Try [blue]'{command_path} {help_option}'[/] for help."),
}
# Made by typer and click themselves: how usage is written, their own option, the names of types.
OF_TYPER = (N_("[OPTIONS]"), N_("COMMAND [ARGS]..."), N_("Show this message and exit."))
TYPES = (
    N_("<bool>"),
    N_("<str>"),
    N_("<int>"),
    N_("<int range>"),
    N_("<file>"),
    N_("<path>"),
    N_("<list[str]>"),
)


class InWords:
    """Translate a copy of a command for each page: in one process the language may change."""

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """Write the usage line."""
        said = translated(self)
        formatter.write_usage(ctx.command_path, " ".join(said.collect_usage_pieces(ctx)), prefix=_("Usage: "))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help page."""
        put_titles()
        super(InWords, translated(self)).format_help(ctx, formatter)  # type: ignore[misc]


class Command(InWords, TyperCommand):
    """A command with its help in the reader's language."""


class Group(InWords, TyperGroup):
    """A group of commands with its help in the reader's language."""


def put_titles() -> None:
    """Give typer its titles in the reader's language.

    Mutates: the fixed strings of ``typer.rich_utils``, which typer reads each time it prints.
    """
    from typer import rich_utils

    for name, words in TITLES.items():
        setattr(rich_utils, name, _(words))


def translated(command: Any) -> Any:
    """Return a copy of ``command`` with all that its help page shows in the reader's language."""
    said = copy(command)
    said.help = _(command.help)
    said.options_metavar = _(command.options_metavar)
    said.params = [_translated_parameter(one) for one in command.params]
    said.get_help_option = lambda ctx: _translated_parameter(command.get_help_option(ctx))
    if isinstance(command, TyperGroup):
        said.subcommand_metavar = _(command.subcommand_metavar)
        said.commands = {one.name: TyperCommand(one.name, help=_(one.help)) for one in command.commands.values()}
    return said


def argument(name: str) -> str:
    """Return how an argument is called on help pages."""
    return in_context("argument", name)


def _translated_parameter(parameter: Any) -> Any:
    said = copy(parameter)
    said.help = _(parameter.help)
    said.display_type_rich = lambda ctx: _(parameter.display_type_rich(ctx=ctx))
    if isinstance(parameter, TyperArgument):
        said.metavar = argument(parameter.display_name_raw)
    return said
