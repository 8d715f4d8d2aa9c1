"""The statements of searches, each made once and kept for all questions of its shape.

What a question says and what the directory holds at all of the one whom it names (its traces)
make a statement; ids, moments and all else are parameters of it. So a teacher's search has a
teacher's statement, short enough for a database to plan and run in the time of its answer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from authz.decision.request import Question
from authz.decision.search import Kind
from authz.directory.conditions import moments, traces
from authz.directory.conditions.listing import Listing, listing
from authz.directory.conditions.traces import Traces
from authz.directory.conditions.view import Given, shape
from authz.directory.facts import Place
from authz.engine.formula import Formula
from authz.engine.plan import plan
from authz.engine.policy import Policy

MOST: Final = 512
"""How many plans and statements are kept; beyond that all are made anew."""
Made = TypeVar("Made")


@dataclass(frozen=True)
class Asked:
    """What a question of one shape comes to, and the traces that matter to it."""

    formulas: tuple[Formula, ...]
    traces: Traces


@dataclass(frozen=True)
class Listings:
    """Made once, asked often, by any number of threads."""

    known: dict[Hashable, Any] = field(default_factory=dict)

    def find(
        self, connection: Connection, policy: Policy, place: Place, kind: Kind, given: Given
    ) -> Listing | None:
        """The statement for this question; None where nobody can be found."""
        question, people = given.question, kind is Kind.RESOURCE
        years = {purpose.clock.years for purpose in policy.catalogue.purposes.values()}
        windows = moments.count(given.now, years - {0}, place.local)
        asked_as = (kind, *shape(question), windows)
        asked = self._kept(asked_as, lambda: _asked(policy, question, people=people))
        if not asked.formulas:
            return None
        told = asked.traces.intersection(traces.found(connection, given, people=people))

        def make() -> Listing | None:
            left = traces.left(asked.formulas, told, question.request.subject.type, people=people)
            if not left:
                return None
            return listing(
                left, question, place, policy.catalogue, people=people, windows=windows, told=told
            )

        return self._kept((asked_as, told), make)

    def _kept(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What was made for this key; two threads may make the same at once."""
        kept: tuple[Made] | None = self.known.get(key)
        if kept is None:
            kept = (make(),)
            if len(self.known) >= MOST:
                self.known.clear()
            self.known[key] = kept
        return kept[0]


def _asked(policy: Policy, question: Question, *, people: bool) -> Asked:
    kind = question.request.subject.type
    formulas = plan(policy, question) if kind in policy.catalogue.subject_types else ()
    return Asked(formulas, traces.that_matter(formulas, kind, people=people))
