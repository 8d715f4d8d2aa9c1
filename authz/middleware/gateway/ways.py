"""What a method and a path are, and what they ask of whom: worked out once, and kept.

Only what follows from the path, the file of routes and who asks is kept. Whether it is permitted is
asked each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from authz.middleware.declare import Needs
from authz.middleware.gateway import path
from authz.middleware.gateway.routes import Match, Table
from authz.middleware.gateway.values import Sent, values
from authz.middleware.identity import Identity
from authz.middleware.question import Question
from authz.recent import Recent

KEPT: Final = 4096
"""Paths that are routes, and questions, that are kept; some kilobytes each."""
Written = tuple[str, str]
"""A method and a path as WSGI has them."""
Asking = tuple[Written, str, str, bool]
"""The same, with the type, the id and the second factor of who asks."""


@dataclass(frozen=True, slots=True)
class Way:
    """What a method and a path are: the route, and the path as an upstream is sent it."""

    written: Written
    match: Match
    target: str


class Ways:
    """All ways of a table; asked by many threads."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._ways: Recent[Written, Way] = Recent(KEPT)
        self._questions: Recent[Asking, Question] = Recent(KEPT)

    def find(self, method: str, path_info: str) -> Way:
        """The way; MalformedError, NotFoundError or MethodNotAllowedError where there is none."""
        written = method, path_info
        found = self._ways.get(written)
        if found is None:
            segments = path.decoded(path_info)
            match = self._table.find(method, segments)
            found = Way(written, match, path.canonical(segments))
            self._ways.keep(written, found)
        return found

    def question(self, way: Way, needs: Needs, sent: Sent, who: Identity) -> Question:
        """What is asked; MalformedError where a value is missing, or has two readings."""
        if not way.match.declared.by_path:
            return needs.question(values(way.match, sent, who), who)
        asking = way.written, who.type, who.id, who.mfa
        found = self._questions.get(asking)
        if found is None:
            found = needs.question(values(way.match, sent, who), who)
            self._questions.keep(asking, found)
        return found
