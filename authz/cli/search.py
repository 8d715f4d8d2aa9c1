"""``authz search``: who may, on whom, and what; a what-if, recorded as such (page 4.2)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

import click

from authz.cli.evaluate import moment_of
from authz.cli.lines import Sent, numbered
from authz.cli.output import operator, progress, say, settings
from authz.decision.search import Kind, parse_search
from authz.errors import MalformedError
from authz.service.database import require
from authz.service.decided import Caller
from authz.service.page_tokens import page_key
from authz.service.point import open_point
from authz.service.search import SearchPoint


@click.command()
@click.argument("kind", type=click.Choice([kind.value for kind in Kind]))
@click.argument("file", type=click.File("rb"))
@click.option("--at", "moment", help="ISO date or time to ask about; now, if not given.")
def search(kind: str, file: BinaryIO, moment: str | None) -> None:
    """Answer AuthZEN searches, one a line; `-` is standard input.

    KIND is what is looked for. Each line is answered with one page: ask for the next one
    with its `next_token` in `page.token`. A line that is no search is answered with an
    error, and the exit status is 2 at the end.
    """
    found = settings()
    at = moment_of(moment, found.local)
    point = open_point(found)
    require(point.store)
    caller = Caller(f"what-if:{operator()}", asserts_mfa=True)
    searching = SearchPoint(point, lambda: page_key(found.key_folder))

    def answer(sent: Sent) -> dict[str, Any]:
        if isinstance(sent, MalformedError):
            raise sent
        asked = parse_search(Kind(kind), sent)
        return searching.what_if(asked, caller, at, fixed=moment is not None).as_dict()

    if bad := _each(numbered(file, found.max_depth), answer):
        say(f"{bad} lines were no search.")
        sys.exit(2)


def _each(lines: Iterable[tuple[int, Sent]], answer: Callable[[Sent], dict[str, Any]]) -> int:
    """Answer each line in its order; how many were malformed."""
    bad = 0
    with progress() as advance:
        for number, sent in lines:
            try:
                told = answer(sent)
            except MalformedError as error:
                say(f"line {number}: {error}")
                told, bad = {"error": "malformed", "line": number}, bad + 1
            click.echo(json.dumps(told, ensure_ascii=False))
            advance("requests", number, None)
    return bad
