"""What leaves: nothing of a body before every obligation is carried out on it.

A framework shows status and headers to :func:`begin`. It is told to let the answer pass, to
collect the body and have it filtered by :func:`finish`, or what to send in its place.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from authz.errors import AuthzError, ObligationError, RefusedError, http_status
from authz.middleware.exchange import ANSWERED, UNROUTED, Exchange
from authz.middleware.telling import NO_STORE, Headers, Reply, caching, told

_log = logging.getLogger("authz.middleware")
LARGEST: Final = 16 * 1024 * 1024
"""Bytes of JSON that are held while they are filtered; a larger body is refused."""
CONDITIONAL: Final = frozenset(
    {"if-none-match", "if-modified-since", "if-range", "range"}
)  # fmt: skip
"""Headers that would compare with, or cut, what is not yet filtered: the route never sees them."""
_TELLING: Final = frozenset(
    {
        "etag", "last-modified", "accept-ranges", "content-range", "content-length",
        "content-md5", "digest", "content-digest", "repr-digest", "transfer-encoding", "trailer",
        "x-accel-redirect", "x-sendfile", "x-lighttpd-send-file",
    }
)  # fmt: skip
"""Headers that tell of the body as it was before it was filtered, or put a file in its place."""
_HARMLESS: Final = frozenset({400, 405, 413, 414, 415, 422, 429})
"""Statuses by which a server or router answers before a route is reached."""


@dataclass(frozen=True, slots=True)
class Pass:
    """The answer leaves as it is, with these headers."""

    headers: Headers


@dataclass(frozen=True, slots=True)
class Collect:
    """The body is to be collected, and :func:`finish` says what leaves."""


def begin(
    exchange: Exchange, status: int, headers: Sequence[tuple[str, str]]
) -> Pass | Collect | Reply:
    """What becomes of an answer with this status and these headers."""
    if exchange.error is not None:
        return _refusal(exchange, exchange.error, status, headers)
    if _unasked(exchange, status):
        return _undecided(exchange, status, headers)
    if exchange.public:
        return Pass(list(headers))
    if exchange.permit is None:
        return _undecided(exchange, status, headers)
    if not exchange.filters:
        exchange.permit.require_settled()
        return Pass(_private(headers))
    return _limited(exchange, status, headers)


def finish(
    exchange: Exchange, status: int, headers: Sequence[tuple[str, str]], body: bytes
) -> Reply:
    """The answer with a collected body, filtered; a refusal where that cannot be done."""
    permit = exchange.permit
    if permit is None:  # only a permit is collected
        return refused(exchange, ObligationError("There is no permit."))
    try:
        made = permit.filter_json(body)
        permit.require_settled()
    except RefusedError as error:
        return refused(exchange, error) if status < HTTPStatus.BAD_REQUEST else bare(status)
    kept = _plain(headers) or _private(_without(headers, _TELLING))
    return Reply(status, [*kept, ("Content-Length", str(len(made)))], made)


def refused(exchange: Exchange, error: AuthzError) -> Reply:
    """A refusal in place of what the route made, which is logged."""
    _log.error("%s: what it answered does not leave: %s", exchange.route or "a route", error)
    exchange.refuse(error)
    return told(error, exchange.accept, exchange.languages)


def bare(status: int) -> Reply:
    """An error of the application without its body, which cannot be filtered."""
    return Reply(status, [*NO_STORE, ("Content-Length", "0")], b"")


def _refusal(
    exchange: Exchange, error: AuthzError, status: int, headers: Sequence[tuple[str, str]]
) -> Pass | Reply:
    """A refusal may have a page of the application's own, but never looks like a success."""
    elsewhere = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    if status == http_status(error) or (elsewhere and status != HTTPStatus.NOT_MODIFIED):
        return Pass(_stored_nowhere(headers))
    return told(error, exchange.accept, exchange.languages)


def _unasked(exchange: Exchange, status: int) -> bool:
    """Whether this looks like data though no route ran, as of a hook that answers by itself."""
    automatic = exchange.declaration is ANSWERED and exchange.method == "OPTIONS"
    return status < HTTPStatus.MULTIPLE_CHOICES and (automatic or exchange.declaration is UNROUTED)


def _undecided(exchange: Exchange, status: int, headers: Sequence[tuple[str, str]]) -> Pass | Reply:
    """Nobody decided: the framework's own answers leave without a body, and nothing else."""
    if status in _HARMLESS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return bare(status)
    preflight = exchange.method == "OPTIONS" and status < HTTPStatus.MULTIPLE_CHOICES
    if preflight or status in {HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}:
        return Reply(status, [*_without(headers, _BODY), ("Content-Length", "0")], b"")
    error = RefusedError("The route was answered before anything was decided.")
    return refused(exchange, error)


_BODY: Final = _TELLING | {"content-type", "content-encoding", "set-cookie"}


def _limited(
    exchange: Exchange, status: int, headers: Sequence[tuple[str, str]]
) -> Collect | Reply:
    """What becomes of a body with a limit that only the filter can keep."""
    if _bodiless(exchange, status):
        return Reply(status, _private(_without(headers, _TELLING)), b"")
    if _is_json(headers) and status != HTTPStatus.PARTIAL_CONTENT:
        return Collect()
    if status >= HTTPStatus.BAD_REQUEST:
        return bare(status)
    if status >= HTTPStatus.MULTIPLE_CHOICES:
        kept = _private(_without(headers, _BODY - {"set-cookie"}))
        return Reply(status, [*kept, ("Content-Length", "0")], b"")
    return refused(
        exchange,
        ObligationError("The body is no JSON, and the route does not declare that it carries "
                        "the obligations out."),
    )  # fmt: skip


def _bodiless(exchange: Exchange, status: int) -> bool:
    return exchange.method == "HEAD" or status in {
        HTTPStatus.NO_CONTENT,
        HTTPStatus.RESET_CONTENT,
        HTTPStatus.NOT_MODIFIED,
    }


def _is_json(headers: Sequence[tuple[str, str]]) -> bool:
    """Whether the body is JSON in the clear, and says so once."""
    kinds = []
    for name, value in headers:
        word = name.lower()
        if word == "content-type":
            kinds.append(value)
        elif word == "content-encoding" and value.strip().lower() != "identity":
            return False
    if len(kinds) != 1:
        return False
    kind = kinds[0].partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def _plain(headers: Sequence[tuple[str, str]]) -> Headers | None:
    """Of a filtered body what stays, and that nobody keeps it; None where something is said of it.

    Nearly all answers say nothing of it, and are looked at once.
    """
    kept = []
    for each in headers:
        word = each[0].lower()
        if caching(word):
            return None
        if word not in _TELLING:
            kept.append(each)
    kept += NO_STORE
    return kept


def _private(headers: Sequence[tuple[str, str]]) -> Headers:
    """Kept by nobody, or by the one browser alone if it asks anew before each use."""
    said = ",".join(value for name, value in headers if name.lower() == "cache-control").lower()
    words = {word.strip() for word in said.split(",")}
    if "no-store" in words or ({"private", "no-cache"} <= words and "public" not in words):
        return [each for each in headers if each[0].lower() == _CACHE or not caching(each[0])]
    return _stored_nowhere(headers)


def _stored_nowhere(headers: Sequence[tuple[str, str]]) -> Headers:
    kept = _without(headers, frozenset({"etag", "last-modified"}))
    return [*(each for each in kept if not caching(each[0])), *NO_STORE]


_CACHE: Final = "cache-control"


def _without(headers: Sequence[tuple[str, str]], names: frozenset[str]) -> Headers:
    return [(name, value) for name, value in headers if name.lower() not in names]
