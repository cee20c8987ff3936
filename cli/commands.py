"""Find each command in its file. A call imports and makes the commands of that file alone.

``jalur --help`` reads only names and docstrings: making all commands with their options takes longer than all else.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, cast

import typer
import typer.main
from typer.core import TyperCommand

from cli.help import Command, Group
from cli.wrong_usage import must_be_clean_words, told_in_words

# In the order of `jalur --help`. A test holds the names against what each file registers.
FILES = {
    "cli.system": ("migrate", "serve", "demo", "preview"),
    "cli.work": ("import", "open", "advance", "inbox", "answer", "reassign", "delegate", "runs"),
    "cli.cases": ("case",),
    "cli.sweeps": ("escalate", "deliver", "renew"),
    "cli.pipelines": ("pipelines", "rules", "migrate-cases", "shadow"),
    "cli.people": ("user", "mandate", "person", "product", "conflict"),
    "cli.calendar": ("calendar",),
    "cli.reports": ("report",),
    "cli.audit": ("verify", "audit"),
}
FILE_OF = {name: file for file, names in FILES.items() for name in names}


class Commands(Group):
    """All commands, each made when it is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = cast("MutableMapping[str, Any]", Made())

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the words before the command's name; refuse words with letters that can't be kept."""
        with told_in_words():
            must_be_clean_words(args[1])
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Read the words of the command, and run it."""
        with told_in_words():
            return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """List the commands with their help alone; no option is made."""
        made, self.commands = self.commands, {name: TyperCommand(name, help=words) for name, words in listed()}
        try:
            super().format_help(ctx, formatter)
        finally:
            self.commands = made


class Made(Mapping[str, Any]):
    """The commands by name; the first look at one makes those of its file."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made.update(typer.main.get_group(app_in(FILE_OF[name])).commands)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(FILE_OF)

    def __len__(self) -> int:
        return len(FILE_OF)


def app_in(file: str) -> typer.Typer:
    """Import a file of commands; return where they are registered."""
    return _in_words(import_module(file).app)


def _in_words(app: typer.Typer) -> typer.Typer:
    """Let the commands of an app print their help in the reader's language."""
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            group.typer_instance.info.cls = Group
            _in_words(group.typer_instance)
    return app


def listed() -> Iterator[tuple[str, str]]:
    """Return each command's name and help, in the order of ``FILES``."""
    for file, names in FILES.items():
        registered = app_in(file)
        help_of = {one.name: inspect.getdoc(one.callback) for one in registered.registered_commands}
        for group in registered.registered_groups:
            help_of[group.name] = group.typer_instance.info.help if group.typer_instance else None
        yield from ((name, help_of[name] or "") for name in names)
