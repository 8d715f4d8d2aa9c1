"""``authz policy``: a pack's lint, tests, matrix, and what a new version would change."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import click

from authz import clock
from authz.cli.output import as_json, say, settings
from authz.policy import diff as differences
from authz.policy import matrix, testing
from authz.policy.load import load
from authz.policy.uncompiled import uncompiled

folder = click.argument("folder", required=False, type=click.Path(path_type=Path))
json_option = click.option("--json", "json_", is_flag=True)


@click.group()
def policy() -> None:
    """Policy packs."""


@policy.command()
@folder
@click.option(
    "--casbin", "casbin_", is_flag=True, help="A Casbin model and policy for CompiledEnforcer."
)
@json_option
def lint(folder: Path | None, casbin_: bool, json_: bool) -> None:  # noqa: FBT001 (options)
    """Check a pack: everything that is checked before a start.

    What of its model and policy is not compiled, and left to Casbin's own evaluation, is
    listed too; that is no defect.
    """
    found = folder or settings().policy
    told: dict[str, Any] = {"folder": str(found)}
    if not casbin_:
        loaded = load(found)
        told["permits"], told["refusals"] = len(loaded.permits), len(loaded.refusals)
        told["digest"] = loaded.digest
    # What the enforcer says in the log is what is listed here.
    logging.getLogger("authz.engine.enforcer").setLevel(logging.ERROR)
    notes = uncompiled(found)
    if json_:
        as_json({**told, "uncompiled": [note.as_dict() for note in notes]})
        return
    if not casbin_:
        click.echo(
            f"{found}: {told['permits']} permits, {told['refusals']} refusals, "
            f"digest {told['digest'][:16]}"
        )
    for note in notes:
        click.echo(str(note))
    if casbin_ and not notes:
        click.echo(f"{found}: everything is compiled")


@policy.command()
@folder
def test(folder: Path | None) -> None:
    """Run the tests beside a pack; exit status 1 where one fails or a rule has none."""
    found = folder or settings().policy
    results = testing.run(load(found), found)
    for line in results.lines():
        click.echo(line)
    sys.exit(0 if results.passed else 1)


@policy.command()
@folder
@click.option("--language", type=click.Choice(["th", "en"]), default="en", show_default=True)
@json_option
def show(folder: Path | None, language: str, json_: bool) -> None:  # noqa: FBT001 (an option)
    """Print the matrix of roles, categories and actions, the purposes and their clocks."""
    loaded = load(folder or settings().policy)
    if json_:
        as_json(matrix.as_dict(loaded))
        return
    for line in matrix.lines(loaded, language):
        click.echo(line)


@policy.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--replay", metavar="SINCE", help="Ask again what was asked since this ISO date.")
@json_option
def diff(old: Path, new: Path, replay: str | None, json_: bool) -> None:  # noqa: FBT001 (as click calls it)
    """Compare two packs; exit status 1 where a recorded decision would change."""
    before, after = load(old), load(new)
    changes = differences.diff(before, after)
    changed = []
    if replay is not None:
        from authz.service.replay import replayed  # noqa: PLC0415 (only with --replay)

        found = settings()
        try:
            since = clock.parse(replay, found.local)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--replay") from error
        changed = replayed(found, before, after, since)
    if json_:
        flips = [{"id": c.id, "opens": c.opens, "closes": c.closes} for c in changed]
        as_json({"changes": differences.as_dict(changes), "decisions": flips})
    else:
        for line in differences.lines(changes):
            click.echo(line)
        for flip in changed:
            click.echo(flip.line())
        if replay is not None:
            say(f"{len(changed)} recorded decisions would change.")
    sys.exit(1 if changed else 0)
