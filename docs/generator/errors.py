"""The table of errors, from ``authz/errors.py``."""

from __future__ import annotations

from collections.abc import Iterator

from authz.errors import HTTP_STATUS, AuthzError
from docs.generator.markdown import plain, table, tick

INTRO = """\
# Errors

An error over HTTP is a problem document (RFC 9457) with a stable `code`. On the command
line it is one sentence on standard error and an exit status. A code never changes its
meaning. No error carries a decision: read it as a refusal.
"""


def kinds(base: type[AuthzError] = AuthzError) -> Iterator[type[AuthzError]]:
    """Every kind of error, a kind before what is special about it."""
    yield base
    for kind in base.__subclasses__():
        if kind.__module__ == "authz.errors":
            yield from kinds(kind)


def status(kind: type[AuthzError]) -> int:
    """The HTTP status of a kind."""
    return next(HTTP_STATUS[base] for base in kind.__mro__ if base in HTTP_STATUS)


def page() -> str:
    """The page of all errors."""
    rows = [
        (tick(kind.code), status(kind), kind.exit_status, plain(kind.__doc__))
        for kind in sorted(kinds(), key=lambda kind: (status(kind), kind.code))
    ]
    return INTRO + "\n" + table(["code", "HTTP", "exit", "what it means"], rows)
