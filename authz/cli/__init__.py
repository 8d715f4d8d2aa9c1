"""The ``authz`` command (page 4.2).

Results go to standard output, everything else to standard error. Exit status: 0 done, 1
refused or a failed check, 2 wrong usage or bad input. Settings come from the environment.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from authz import __version__
from authz.cli.output import fail, say
from authz.errors import AuthzError

COMMANDS = {
    "serve": "authz.cli.serve:serve",
    "gateway": "authz.cli.gateway:gateway",
    "db": "authz.cli.database:db",
    "import": "authz.cli.importing:import_",
    "evaluate": "authz.cli.evaluate:evaluate",
    "search": "authz.cli.search:search",
    "policy": "authz.cli.policy:policy",
    "audit": "authz.cli.audit:audit",
    "report": "authz.cli.report:report",
    "incident": "authz.cli.incident:incident",
    "token": "authz.cli.access:token",
    "user": "authz.cli.access:user",
    "erase": "authz.cli.access:erase",
    "review": "authz.cli.review:review",
    "doctor": "authz.cli.doctor:doctor",
    "demo": "authz.cli.demo.command:demo",
}
"""Each command and where it lives; only the one that is asked for is imported."""


class Commands(click.Group):
    """The commands of :data:`COMMANDS`, imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's)
        """Their names, in the order of the table."""
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's)
        cmd_name: str,
    ) -> click.Command | None:
        """The command of that name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        __import__(module)
        command: click.Command = getattr(sys.modules[module], name)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="authz")
def cli() -> None:
    """Role-based and need-to-know authorization for education platforms."""


def main() -> None:
    """Run the command; an error of ours is a sentence, not a traceback."""
    try:
        if sys.stdout is None:
            say("authz: Standard output is closed: nobody would see the result.")
            sys.exit(2)
        if sys.stdin is None:
            # else the next file that is opened would take its place
            sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 (open until the process ends)
        cli()
    except AuthzError as error:
        fail(error)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        say(f"authz: {error.strerror or error}.")
        sys.exit(1)
