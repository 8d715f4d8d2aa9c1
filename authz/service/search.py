"""Searches: who may, on whom, and what (AuthZEN 8; page 5, **Search**).

A search answers as an evaluation with the same context would, for each candidate of the
directory. It is no permit and no access: whoever uses a result evaluates first. Each page
leaves one record with the ids that it lists, durable before the answer leaves (N-49).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Connection, func, select, true

from authz import clock
from authz.audit import log
from authz.audit.log import Receipt
from authz.audit.record import Entry, Ref
from authz.decision.catalogue import About
from authz.decision.request import Question
from authz.decision.search import Kind, Search
from authz.directory import reader
from authz.directory import tables as t
from authz.errors import MalformedError
from authz.service import page_tokens
from authz.service.candidates import Candidates, Entities, People
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.decided import Caller
from authz.service.listings import Listings
from authz.service.page_tokens import Place
from authz.vocabulary import Event

LIMIT: Final = 100
MOST: Final = 1000
"""How many a page holds where the caller does not say, and at most."""
FIRST: Final = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What was found, in its order; ``next_token`` is empty where there is no more."""

    search: Search
    listed: tuple[str, ...]
    next_token: str
    receipt: Receipt | None = None

    def as_dict(self) -> dict[str, Any]:
        """The answer in AuthZEN's words, its members in the order that suites compare."""
        told: dict[str, Any] = {}
        if self.search.paged or self.next_token:
            told["page"] = {"next_token": self.next_token}
        return {**told, "results": [self._result(each) for each in self.listed]}

    def _result(self, ident: str) -> dict[str, str]:
        request = self.search.request
        if self.search.kind is Kind.ACTION:
            return {"name": ident}
        entity = request.subject if self.search.kind is Kind.SUBJECT else request.resource
        return {"type": entity.type, "id": ident}


@dataclass(frozen=True)
class SearchPoint:
    """A decision point, asked for all whom it says yes to; ``key`` gives the tokens' key."""

    point: DecisionPoint
    key: Callable[[], bytes]
    listings: Listings = field(default_factory=Listings)

    def search(self, search: Search, caller: Caller, *, request_id: str = "") -> Page:
        """One page of answers, recorded (N-49)."""
        return self._answered(search, caller, request_id, None)

    def what_if(self, search: Search, caller: Caller, at: datetime, *, fixed: bool = True) -> Page:
        """Ask today's facts about another moment; recorded as such.

        A page token is bound to a ``fixed`` moment; one that is merely now moves on.
        """
        return self._answered(search, caller, "", at, fixed=fixed)

    def _answered(
        self,
        search: Search,
        caller: Caller,
        request_id: str,
        at: datetime | None,
        *,
        fixed: bool = False,
    ) -> Page:
        asked_at = clock.now()
        asked = self.point.question(search.request, caller)
        bound = self._bound(search, caller, at if fixed else None)
        place = self._place(search, bound, asked_at)
        with reading(self.point.store) as connection:
            revision = begun(connection)
            now = at or clock.now()  # not before the snapshot: what ended meanwhile is over
            many = min(place.limit, MOST)
            found = self._candidates(search.kind).page(
                connection, asked, now, place.after, many + 1
            )
        listed = tuple(found[:many])
        token = ""
        if len(found) > many:
            following = Place(listed[-1] if listed else place.after, place.limit)
            token = page_tokens.seal(self.key(), following, bound, asked_at)
        page = Page(search, listed, token)
        entry = self._entry(page, asked, caller, asked_at, at)
        entry = replace(entry, request_id=request_id, directory_revision=revision)
        (receipt,) = log.record(self.point.store, [entry])
        return replace(page, receipt=receipt)

    @cached_property
    def _quiet(self) -> DecisionPoint:
        """The decision point without the rules that a search leaves out (page 5)."""
        point = self.point
        return DecisionPoint(point.store, point.policy.without_duties, point.place)

    def _candidates(self, kind: Kind) -> Candidates:
        people = self.point.policy.catalogue.about is About.PEOPLE
        if people:
            return People(self._quiet, kind, self.listings)
        return Entities(self._quiet, kind)

    def _place(self, search: Search, bound: Any, now: datetime) -> Place:
        """Where the page begins; a follow-up keeps the limit of the first page."""
        if search.token is None:
            return Place(FIRST, LIMIT if search.limit is None else search.limit)
        place = page_tokens.unseal(self.key(), search.token, bound, now)
        if search.limit not in (None, place.limit):
            raise MalformedError("The limit is another than before.", where="page.limit")
        return place

    def _bound(self, search: Search, caller: Caller, at: datetime | None) -> list[Any]:
        """All that a token must not be used beyond."""
        request = search.request
        parts = (request.subject, request.action, request.resource)
        return [
            search.kind.value,
            caller.client,
            caller.asserts_mfa,
            self.point.policy.digest,
            None if at is None else at.isoformat(),
            *([getattr(p, "type", p.__class__.__name__), _name(p), _said(p.properties)]
              for p in parts),
            _said(request.context),
        ]  # fmt: skip

    def _entry(
        self, page: Page, asked: Question, caller: Caller, now: datetime, at: datetime | None
    ) -> Entry:
        """One record of what was asked and which ids were listed: not of what was seen."""
        request, kind = page.search.request, page.search.kind
        people = self.point.policy.catalogue.about is About.PEOPLE
        return Entry(
            event=Event.SEARCH if at is None else Event.WHAT_IF,
            time=now,
            application=caller.client,
            subject=Ref(request.subject.type, request.subject.id),
            action=request.action.name,
            resource=Ref(request.resource.type, request.resource.id),
            properties=request.resource.properties if people else {},
            context={**request.context, "mfa": asked.mfa or None} if people else {},
            purpose=asked.purpose or "",
            policy=self.point.policy.digest,
            detail={
                "search": kind.value,
                "listed": list(page.listed),
                "more": bool(page.next_token),
            },
            what_if_at=at,
            token_id=caller.token_id,
            people=self._named(page) if people else (),
        )

    def _named(self, page: Page) -> Sequence[str]:
        """The people of the question and of the answer; an action is none."""
        request = page.search.request
        listed = () if page.search.kind is Kind.ACTION else page.listed
        return (request.subject.id, request.resource.id, *listed)


def _name(part: Any) -> str:
    return str(getattr(part, "id", None) or getattr(part, "name", ""))


def _said(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties without what is null, which is absent (page 5, "Values")."""
    return {name: value for name, value in properties.items() if value is not None}


def begun(connection: Connection) -> int:
    """The directory's revision, of which everything is that this search will read.

    On PostgreSQL the same round trip says that a statement is planned once for a connection:
    to plan it takes longer than to find a page by it.
    """
    if connection.dialect.name != "postgresql":
        return reader.revision(connection)
    return int(connection.execute(_PLANNED_ONCE).one()[0])


_PLANNED_ONCE = select(
    func.coalesce(select(t.Revision.revision).scalar_subquery(), 0),
    func.set_config("plan_cache_mode", "force_generic_plan", true()),
)
