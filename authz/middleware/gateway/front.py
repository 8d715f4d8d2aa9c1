"""The way of one request through the gateway: WSGI, in front of Flask and in its process.

What a request is, is found out once, from what the server read; it is decided on that, and that
is what is sent on. Nothing is sent before it is permitted, but for a list, whose people only the
upstream can name (:mod:`authz.middleware.gateway.listing`); and nothing of an answer leaves before
the permit's obligations are carried out on it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from random import getrandbits
from tempfile import SpooledTemporaryFile
from threading import BoundedSemaphore
from typing import Any, Final

from authz import clock
from authz.errors import (
    AuthzError,
    MethodNotAllowedError,
    NotFoundError,
    ObligationError,
    UnauthenticatedError,
)
from authz.middleware.declare import Needs
from authz.middleware.gateway import headers, onward, query, tally
from authz.middleware.gateway.body import Body
from authz.middleware.gateway.config import METHODS, GatewayTable
from authz.middleware.gateway.filtering import HEAD, filtered, filtered_list
from authz.middleware.gateway.listing import Listing
from authz.middleware.gateway.onward import Assertions
from authz.middleware.gateway.pool import Pool
from authz.middleware.gateway.proxy import Incoming, Outgoing, send
from authz.middleware.gateway.reader import PIECE
from authz.middleware.gateway.routes import Match, Table
from authz.middleware.gateway.tally import FILTERED, PERMITTED, PUBLIC
from authz.middleware.gateway.values import Sent, values
from authz.middleware.gateway.ways import Way, Ways
from authz.middleware.guard import Guard
from authz.middleware.identity import Identity
from authz.middleware.permitted import Permitted
from authz.middleware.statuses import line
from authz.middleware.telling import Headers, Reply, told

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Permit = Permitted | Listing | None
Verify = Callable[[str], Identity | None]
"""Who an ``Authorization`` header names, nobody if it is empty; UnauthenticatedError if not so."""
COOKIES: Final = frozenset({"cookie", "set-cookie"})
REQUEST_ID: Final = "X-Request-ID"
_METHODS: Final = frozenset(METHODS)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body leaves in pieces."""

    status: int
    headers: Headers
    body: Iterable[bytes]


@dataclass(frozen=True)
class Gateway:
    """Everything that a request needs, shared by all threads."""

    settings: GatewayTable
    table: Table
    guard: Guard
    verify: Verify
    pools: Mapping[str, Pool]
    assertions: Assertions | None = None
    drop: frozenset[str] = field(default=frozenset(), init=False)
    places: BoundedSemaphore = field(init=False)
    ways: Ways = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ways", Ways(self.table))
        object.__setattr__(self, "places", BoundedSemaphore(self.settings.bodies))
        drop = set(self.settings.strip)
        if not self.settings.pass_authorization:
            drop.add("authorization")
        if not self.settings.pass_cookies:
            drop.add("cookie")
        object.__setattr__(self, "drop", frozenset(drop))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """One request (PEP 3333)."""
        request_id = f"{clock.microseconds():016x}{getrandbits(64):016x}"
        try:
            made = self._answer(environ, request_id)
        except AuthzError as error:
            _logged(error, request_id)
            tally.refused(error)
            made = _told(error, environ)
        except Exception as error:  # noqa: BLE001 (told as 500, and nothing of it leaves)
            _log.error("request %s failed: %s", request_id, type(error).__name__, exc_info=error)
            tally.refused(error)
            made = _told(AuthzError("Something went wrong here."), environ)
        start_response(line(made.status), [*made.headers, (REQUEST_ID, request_id)])
        return [made.body] if isinstance(made.body, bytes) else made.body

    def close(self) -> None:
        """Let go of all connections."""
        for pool in self.pools.values():
            pool.close()
        self.guard.point.close()

    def _answer(self, environ: Environ, request_id: str) -> Reply | Stream:
        method, sent = environ["REQUEST_METHOD"], headers.incoming(environ)
        if method not in _METHODS:
            raise MethodNotAllowedError("There is no such method here.", where="method")
        headers.check(sent)
        self._check_host(sent.get("host", ""))
        raw = environ.get("QUERY_STRING", "")
        query.pairs(raw)
        way = self.ways.find(method, environ["PATH_INFO"])
        most, read = self.settings.max_body, self.settings.max_json
        body = Body(environ, way.match.declared.route, most, read, self.places)
        who = self._who(way, sent)
        body.take()
        try:
            permit = self._permit(way, Sent(raw, sent, body.whole), who)
            limited = isinstance(permit, Listing) or (permit is not None and permit.must_filter)
            target = f"{way.target}?{raw}" if raw else way.target
            said = {
                **headers.onward(sent, drop=self.drop, filtered=limited),
                **onward.forwarded(environ, request_id),
                **self._told(permit, method, target),
            }
            length = body.length if body.declared else None
            out = Outgoing(method, target, said, body.onward(), length)
            pool = self.pools[way.match.declared.route.upstream or self.settings.upstream]
            incoming = send(pool, out)
        finally:
            body.leave()
        made: Reply | Stream
        if permit is not None and limited:
            made = self._filtered(incoming, permit, way.match, method)
        else:
            made = self._whole(incoming, way.match, method, guarded=permit is not None)
        tally.passed(FILTERED if limited else PUBLIC if permit is None else PERMITTED)
        return made

    def _check_host(self, host: str) -> None:
        hosts = self.settings.hosts
        if "," in host or (hosts and host.lower() not in hosts):
            raise NotFoundError("There is no such host here.", where="Host")

    def _who(self, way: Way, sent: Mapping[str, str]) -> Identity | None:
        """Whose token it is; nobody without one, or where the route is public."""
        if not isinstance(way.match.declared.declaration, Needs):
            return None
        return self.verify(headers.once(sent, "authorization"))

    def _permit(self, way: Way, sent: Sent, who: Identity | None) -> Permit:
        """The permit; None of a public route. Whoever is refused is refused here.

        Of a list, nobody is asked about before its people are known.
        """
        declared = way.match.declared
        needs = declared.declaration
        if not isinstance(needs, Needs):
            return None
        if who is None:
            raise UnauthenticatedError("Nobody is signed in.")
        if (rows := declared.route.list_) is not None:
            return Listing(self.guard, needs, values(way.match, sent, who), who, rows)
        return self.guard.put(needs, self.ways.question(way, needs, sent, who))

    def _told(self, permit: Permit, method: str, target: str) -> dict[str, str]:
        found: dict[str, str] = {}
        if isinstance(permit, Listing):
            found = onward.asks(permit.needs, permit.who)
        elif permit is not None:
            found = onward.told(permit)
        if self.assertions is not None:
            found[onward.ASSERTION] = onward.asserted(self.assertions, method, target, found)
        return found

    def _filtered(
        self, incoming: Incoming, permit: Permitted | Listing, match: Match, method: str
    ) -> Reply:
        more = frozenset(match.declared.route.response_headers)
        limit, seconds = self.settings.max_json, self.settings.read_seconds
        if isinstance(permit, Listing):
            done = permit.carry_out
            made = filtered_list(incoming, done, limit=limit, seconds=seconds, more=more)
        else:
            made = filtered(
                incoming, permit, method=method, limit=limit, seconds=seconds, more=more
            )
        return Reply(made.status, self._without_cookies(made.headers), made.body)

    def _whole(
        self, incoming: Incoming, match: Match, method: str, *, guarded: bool
    ) -> Reply | Stream:
        """The upstream's answer as it is, in which nothing is limited."""
        kept = headers.back(incoming.headers, filtered=False)
        if guarded:
            kept = headers.private(kept)
        kept, status = self._without_cookies(kept), incoming.status
        if incoming.length is not None:
            kept.append(("content-length", str(incoming.declared)))
            if method == HEAD or incoming.length <= PIECE:
                return Reply(status, kept, b"".join(incoming.pieces()))
            return Stream(status, kept, tally.watched(incoming.pieces()))
        if match.declared.route.stream:
            return Stream(status, kept, tally.watched(incoming.pieces()))
        spool, size = _spooled(incoming, self.settings.max_json)
        return Stream(status, [*kept, ("content-length", str(size))], spool)

    def _without_cookies(self, kept: list[tuple[str, str]]) -> list[tuple[str, str]]:
        if self.settings.pass_cookies:
            return kept
        return [(name, value) for name, value in kept if name not in COOKIES]


def _logged(error: AuthzError, request_id: str) -> None:
    """What a route or its upstream does wrong is told with why; no such sentence has data in it."""
    if isinstance(error, ObligationError):
        _log.warning("request %s: refused: %s: %s", request_id, error.code, error.message)
    else:
        _log.info("request %s: refused: %s", request_id, error.code)


def _told(error: AuthzError, environ: Environ) -> Reply:
    return told(error, environ.get("HTTP_ACCEPT", ""), environ.get("HTTP_ACCEPT_LANGUAGE", ""))


def _spooled(incoming: Incoming, memory: int) -> tuple[Iterable[bytes], int]:
    """All of an answer that does not say its length, so that what breaks off is never sent."""
    spool = SpooledTemporaryFile(max_size=memory)  # noqa: SIM115 (closed once it is sent)
    try:
        for piece in incoming.pieces():
            spool.write(piece)
    except BaseException:
        spool.close()
        raise
    size = spool.tell()
    spool.seek(0)
    return _read(spool), size


def _read(spool: SpooledTemporaryFile[bytes]) -> Iterable[bytes]:
    with spool:
        while piece := spool.read(PIECE):
            yield piece
