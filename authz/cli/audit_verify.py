"""``authz audit verify`` and ``export``: is the trail whole, and a copy that others can check."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from authz import clock
from authz.audit.trail import Verdict
from authz.cli.output import as_json, opened, operator, progress, say, settings
from authz.config import Settings
from authz.errors import AuditUnavailableError, MalformedError
from authz.service import trail, verification, verified

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--chain", help="Only this chain, with --first and --last a range of it.")
@click.option("--first", type=click.IntRange(1), default=1, help="First record of the chain.")
@click.option("--last", type=click.IntRange(1), help="Last record of the chain.")
@click.option("--since", type=_FILE, help="A checkpoint: only what came after it is read.")
@click.option(
    "--against",
    type=_FILE,
    multiple=True,
    help="A checkpoint kept elsewhere, which the trail must agree with; may be given again.",
)
@click.option("--bundle", type=_FILE, help="Check an exported file instead of the database.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    help="A public key (vkey, or a file of them) that must have signed; else our own.",
)
@click.option("--json", "json_", is_flag=True)
def verify(*, json_: bool, keys: tuple[str, ...], **asked: Any) -> None:
    """Check that no record was changed, removed, added or reordered."""
    with progress() as advance:
        verdict = _verdict(_vkeys(keys), lambda done, of: advance("records", done, of), **asked)
    if not asked["bundle"]:
        _note(verdict, asked)
    _tell(verdict, json_=json_)
    sys.exit(0 if verdict.whole else 1)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--chain", help="Only records of this chain.")
@click.option("--first", type=click.IntRange(1), help="First record of the chain.")
@click.option("--last", type=click.IntRange(1), help="Last record of the chain.")
@click.option("--person", help="Whose data, or what was changed.")
@click.option("--subject", help="Who asked.")
@click.option("--application", help="Which application asked.")
@click.option("--since", help="ISO date or time.")
@click.option("--until", help="ISO date or time.")
@click.option("--event")
def export(file: Path, **asked: Any) -> None:
    """Write a bundle that `authz audit verify --bundle` checks with the public key alone.

    All of the trail, or the records that fit, each with its proof. Exporting is recorded.
    """
    found = settings()
    if not asked["chain"] and (asked["first"] or asked["last"]):
        raise click.UsageError("--first and --last need --chain.")
    for name in ("since", "until"):
        asked[name] = _moment(asked[name], found, name)
    with progress() as advance:
        number = trail.export(
            opened(found),
            found,
            file,
            by=operator(),
            asked=asked,
            progress=lambda done, of: advance("records", done, of),
        )
    say(f"{number} records written to {file}.")


def _verdict(
    keys: list[str],
    done: Callable[[int, int], None],
    *,
    chain: str | None,
    first: int,
    last: int | None,
    since: Path | None,
    against: tuple[Path, ...],
    bundle: Path | None,
) -> Verdict:
    if bundle:
        if not keys:
            raise click.UsageError("--bundle needs --key: the public key of the log.")
        return verification.verify_bundle(bundle, keys=keys, against=against, progress=done)
    found = settings()
    store = opened(found)
    if chain:
        return verification.verify_range(
            store, chain, first=first, last=last, progress=done, processes=_cores()
        )
    return verification.verify(
        store,
        found,
        since=since,
        against=against,
        keys=keys,
        progress=done,
        processes=_cores(),
    )


def _note(verdict: Verdict, asked: dict[str, Any]) -> None:
    """Leave a record of the verification; a trail that takes none is verified all the same."""
    names = ("chain", "first", "last") if asked["chain"] else ("since",)
    wanted = {name: asked[name] for name in names}
    wanted["since"] = wanted.get("since") and str(wanted["since"])
    try:
        verified.note(opened(settings()), verdict, by=operator(), asked=wanted)
    except AuditUnavailableError as error:
        say(f"That it was verified could not be recorded: {error}")


def _tell(verdict: Verdict, *, json_: bool) -> None:
    damage = verdict.damage
    if json_:
        told = damage and {
            "kind": damage.kind,
            "chain": damage.chain,
            "sequence": damage.sequence,
            "detail": damage.text,
        }
        as_json(
            {
                "whole": verdict.whole,
                "records": verdict.records,
                "leaves": verdict.leaves,
                "checkpoints": verdict.checkpoints,
                "damage": told,
            }
        )
    elif damage is None:
        click.echo(
            f"The trail is whole: {verdict.records} records; the tree of {verdict.leaves} leaves "
            f"agrees with {verdict.checkpoints} checkpoints."
        )
    else:
        where = f" at record {damage.chain}-{damage.sequence}" if damage.chain else ""
        click.echo(f"The trail is damaged{where}: {damage.kind}. {damage.text}")


def _vkeys(keys: tuple[str, ...]) -> list[str]:
    """The keys that are given as they are, or as files of a line each."""
    found: list[str] = []
    for key in keys:
        path = Path(key)
        try:
            lines = path.read_text("utf-8").splitlines() if path.is_file() else [key]
        except (OSError, ValueError) as error:
            raise MalformedError("It is no file of keys.", where=key) from error
        found.extend(line.strip() for line in lines if line.strip())
    return found


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


def _moment(text: str | None, found: Settings, name: str) -> Any:
    try:
        return clock.parse(text, found.local) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=f"--{name}") from error


COMMANDS = (verify, export)
"""What the group ``authz audit`` has of these."""
