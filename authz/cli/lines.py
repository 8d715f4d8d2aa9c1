"""Files of requests, one a line, read as strictly as the HTTP API reads a body (page 5)."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from typing import Any

from authz.decision.strict import WHOLE, parse
from authz.errors import MalformedError

Sent = dict[str, Any] | MalformedError
"""A request's members, or why the line is none."""


def numbered(lines: Iterable[bytes], depth: int) -> Iterator[tuple[int, Sent]]:
    """Each line that is not blank with its number; at most ``depth`` levels are taken."""
    for number, line in enumerate(lines, 1):
        text = line.removeprefix(BOM_UTF8) if number == 1 else line
        if text.strip():
            yield number, _sent(text, depth)


def _sent(line: bytes, depth: int) -> Sent:
    try:
        return parse(line, depth)
    except MalformedError as error:
        if error.where != WHOLE:
            return error
        # There is no body here, and a place within it would be taken for one of the file's.
        return MalformedError(error.message.replace("The body", "The line"))
