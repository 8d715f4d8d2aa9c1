"""``authz evaluate``: what-if questions, one a line; recorded as such, never an access."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import click

from authz import clock
from authz.cli.lines import Sent, numbered
from authz.cli.output import operator, progress, ready, say, settings
from authz.decision.answer import inward
from authz.decision.request import Request, parse
from authz.errors import MalformedError
from authz.service.decide import DecisionPoint
from authz.service.decided import Caller, Decided
from authz.service.explain import explained
from authz.service.point import open_point

CHUNK = 500


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--at", "moment", help="ISO date or time to ask about; now, if not given.")
@click.option("--policy", type=click.Path(path_type=Path), help="Folder of the policy pack.")
@click.option(
    "--explain", "explains", is_flag=True, help="Say why, and what would change the answer."
)
@click.option("--language", type=click.Choice(["th", "en"]), default="en", show_default=True)
def evaluate(
    file: BinaryIO,
    moment: str | None,
    policy: Path | None,
    explains: bool,  # noqa: FBT001 (an option)
    language: str,
) -> None:
    """Answer AuthZEN evaluation requests, one a line; `-` is standard input.

    A second factor that a request states is believed. A line that is no request is
    answered with an error, and the exit status is 2 at the end.
    """
    found = settings()
    at = moment_of(moment, found.local)
    point = open_point(found, policy)
    ready(point.store)
    caller = Caller(f"what-if:{operator()}", asserts_mfa=True)
    bad, done = 0, 0
    with progress() as advance:
        for chunk in _chunks(file, found.max_depth):
            items = [item for _, item in chunk]
            answers = _answers(point, items, caller, at, language, explains=explains)
            for (number, _), (decided, answer) in zip(chunk, answers, strict=True):
                bad += decided.malformed is not None
                told = _malformed(decided, number) if decided.malformed else answer
                click.echo(json.dumps(told, ensure_ascii=False))
            done += len(chunk)
            advance("requests", done, None)
    if bad:
        say(f"{bad} lines were no evaluation request.")
        sys.exit(2)


def moment_of(text: str | None, local: Any) -> datetime:
    """The moment of `--at`; now, where none is given."""
    if text is None:
        return clock.now()
    try:
        return clock.parse(text, local)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at") from error


def _chunks(file: BinaryIO, depth: int) -> Iterator[list[tuple[int, Request | MalformedError]]]:
    lines = ((number, _request(sent)) for number, sent in numbered(file, depth))
    while chunk := list(islice(lines, CHUNK)):
        yield chunk


def _request(sent: Sent) -> Request | MalformedError:
    try:
        return sent if isinstance(sent, MalformedError) else parse(sent)
    except MalformedError as error:
        return error


def _answers(
    point: DecisionPoint,
    items: Sequence[Request | MalformedError],
    caller: Caller,
    at: datetime,
    language: str,
    *,
    explains: bool,
) -> list[tuple[Decided, dict[str, Any]]]:
    if explains:
        return explained(point, items, caller, at, language)
    catalogue = point.policy.catalogue
    found = point.what_if(items, caller, at)
    return [(decided, inward(decided.decision, catalogue, language)) for decided in found]


def _malformed(decided: Decided, number: int) -> dict[str, Any]:
    say(f"line {number}: {decided.malformed}")
    return {"error": "malformed", "line": number}
