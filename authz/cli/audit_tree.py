"""``authz audit checkpoint``, ``prove`` and ``key``: the trail as somebody else can check it."""

from __future__ import annotations

import click

from authz.audit.record import Ref
from authz.cli.output import as_json, opened, operator, say, settings
from authz.service import audit_keys, checkpoints, proofs


@click.command()
def checkpoint() -> None:
    """Sign where the trail stands, publish it and print it; keep a copy elsewhere."""
    found = settings()
    click.echo(str(checkpoints.keep(opened(found), found)), nl=False)


@click.command()
@click.argument("record")
@click.option("--size", type=click.IntRange(0), help="Size of the tree; else the newest signed.")
def prove(record: str, size: int | None) -> None:
    """Prove that RECORD (<chain>-<sequence>, such as main-12) is in the trail, as JSON."""
    as_json(proofs.inclusion(opened(settings()), record, size, by=Ref("operator", operator())))


@click.group()
def key() -> None:
    """The keys that checkpoints are signed with."""


@key.command()
def show() -> None:
    """Print the public keys, the newest first, as verifiers want them (vkey)."""
    for each in audit_keys.verifiers(settings()):
        click.echo(each.vkey)


@key.command()
def rotate() -> None:
    """Make a new key and print its public half; the next checkpoint has both signatures."""
    found = settings()
    made = audit_keys.rotate(opened(found), found, by=operator())
    click.echo(made.vkey)
    say("Give it to whoever verifies; the next checkpoint is signed with the old key too.")


COMMANDS = (checkpoint, prove, key)
"""What the group ``authz audit`` has of these."""
