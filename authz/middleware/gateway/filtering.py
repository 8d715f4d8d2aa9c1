"""An upstream's answer with nothing in it but what is allowed; what cannot be read is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from authz.errors import MalformedError, ObligationError, UpstreamError
from authz.middleware.gateway import headers, strict
from authz.middleware.gateway.proxy import NO_CONTENT, NOT_MODIFIED, OK, PARTIAL, Incoming
from authz.middleware.outgoing import bare
from authz.middleware.permitted import Permitted
from authz.middleware.telling import Headers, Reply

HEAD: Final = "HEAD"
_DELTA: Final = 226
_REDIRECT, _ERROR = 300, 400


def filtered(
    incoming: Incoming,
    permitted: Permitted,
    *,
    method: str,
    limit: int,
    seconds: float,
    more: frozenset[str],
) -> Reply:
    """The answer as it may leave: all of it was read, and nothing of it is left that may not.

    ObligationError where it is of a kind that cannot be filtered, UpstreamError where it is not
    what it says it is.
    """
    status = incoming.status
    if status in (PARTIAL, NOT_MODIFIED, _DELTA):
        incoming.drop()
        raise UpstreamError("The upstream answers a part where the whole was asked for.")
    if status >= _ERROR:
        incoming.drop()
        return bare(status)
    kept = headers.back(incoming.headers, filtered=True, more=more)
    kept.append(("cache-control", "no-store"))
    if method == HEAD or status == NO_CONTENT or status >= _REDIRECT:
        incoming.drop()
        permitted.filter({})
        return _empty(status, kept, method)
    _readable(incoming)
    data = incoming.whole(limit, seconds)
    if not data and status != OK:
        permitted.filter({})
        return _empty(status, kept, method)
    body = _carried_out(data, permitted)
    kept += [("content-type", "application/json"), ("content-length", str(len(body)))]
    return Reply(status, kept, body)


def filtered_list(
    incoming: Incoming,
    carry_out: Callable[[Any], Any],
    *,
    limit: int,
    seconds: float,
    more: frozenset[str],
) -> Reply:
    """A list as it may leave, by what ``carry_out`` makes of its JSON; errors as above.

    Without rows nobody is asked about, so that no other status than 200 has an answer.
    """
    if incoming.status >= _ERROR:
        incoming.drop()
        return bare(incoming.status)
    if incoming.status != OK or incoming.bodiless:
        incoming.drop()
        raise UpstreamError("The upstream answers no list.")
    _readable(incoming)
    kept = headers.back(incoming.headers, filtered=True, more=more)
    kept.append(("cache-control", "no-store"))
    body = _made(incoming.whole(limit, seconds), carry_out)
    kept += [("content-type", "application/json"), ("content-length", str(len(body)))]
    return Reply(OK, kept, body)


def _readable(incoming: Incoming) -> None:
    kind = incoming.type.partition(";")[0].strip().lower()
    json = kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )
    if incoming.bodiless or (json and incoming.encoding.lower() == "identity"):
        return
    incoming.drop()
    raise ObligationError("The upstream's answer cannot be filtered.")


def _carried_out(data: bytes, permitted: Permitted) -> bytes:
    done = _made(data, permitted.filter)
    permitted.require_settled()
    return done


def _made(data: bytes, carry_out: Callable[[Any], Any]) -> bytes:
    try:
        value = strict.parse(data)
    except MalformedError as error:
        raise UpstreamError("The upstream's answer is no JSON.") from error
    try:
        return strict.spell(carry_out(value))
    except MalformedError as error:
        raise UpstreamError("The upstream's answer has no spelling in JSON.") from error


def _empty(status: int, kept: Headers, method: str) -> Reply:
    if status == NO_CONTENT or method == HEAD:
        return Reply(status, kept, b"")
    return Reply(status, [*kept, ("content-length", "0")], b"")
