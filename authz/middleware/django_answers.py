"""What leaves of the answers that a Django site makes."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from authz.errors import AuthzError
from authz.middleware.exchange import Exchange
from authz.middleware.outgoing import LARGEST, Pass, begin, finish, refused
from authz.middleware.statuses import too_large
from authz.middleware.telling import Reply


def settled(exchange: Exchange, response: Any) -> HttpResponse:
    """What leaves of the answer that the site makes."""
    fate = _fate(exchange, response)
    if isinstance(fate, Pass):
        return _with(response, fate)
    if isinstance(fate, Reply):
        return _in_place(response, fate)
    if response.streaming and response.is_async:
        return _in_place(response, refused(exchange, too_large()))
    held = bytearray()
    for chunk in response:
        held += chunk
        if len(held) > LARGEST:
            return _in_place(response, refused(exchange, too_large()))
    return _in_place(response, _finished(exchange, response, bytes(held)))


async def settled_async(exchange: Exchange, response: Any) -> HttpResponse:
    """The same of a stream that an event loop makes."""
    collects = not isinstance(_fate(exchange, response), Pass | Reply)
    if not (collects and response.streaming and response.is_async):
        return settled(exchange, response)
    held = bytearray()
    async for chunk in response:
        held += chunk
        if len(held) > LARGEST:
            return _in_place(response, refused(exchange, too_large()))
    return _in_place(response, _finished(exchange, response, bytes(held)))


def _fate(exchange: Exchange, response: Any) -> Any:
    try:
        return begin(exchange, response.status_code, list(response.items()))
    except AuthzError as error:
        return refused(exchange, error)


def _finished(exchange: Exchange, response: Any, body: bytes) -> Reply:
    return finish(exchange, response.status_code, list(response.items()), body)


def _with(response: Any, fate: Pass) -> HttpResponse:
    for name in [name for name, _ in response.items()]:
        del response[name]
    for name, value in fate.headers:
        response[name] = value
    same: HttpResponse = response
    return same


def _in_place(response: Any, reply: Reply) -> HttpResponse:
    """The reply, with the cookies that the site set; what it made is closed."""
    made = response_of(reply)
    made.cookies = response.cookies
    response.close()
    return made


def response_of(reply: Reply) -> HttpResponse:
    """A reply as Django sends it."""
    made = HttpResponse(reply.body, status=reply.status)
    del made["Content-Type"]
    for name, value in reply.headers:
        made[name] = value
    return made
