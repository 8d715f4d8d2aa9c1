"""The command line, from click's own help."""

from __future__ import annotations

from collections.abc import Iterator

import click

from authz.cli import cli
from docs.generator.markdown import code

INTRO = """\
# Command line

Messages go to standard error, results to standard output. Exit status: 0 done, 1 refused
or failed check, 2 wrong usage or bad input.
"""


def commands(
    command: click.Command = cli, parent: click.Context | None = None, name: str = "authz"
) -> Iterator[tuple[str, str]]:
    """Each command's full name and its help, groups before what is in them."""
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=88, **command.context_settings
    )
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None and not found.hidden:
                yield from commands(found, context, child)


def page() -> str:
    """The page of all commands."""
    parts = [f"## `{path}`\n\n{code(text)}" for path, text in commands()]
    return INTRO + "\n" + "\n".join(parts)
