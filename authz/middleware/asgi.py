"""ASGI: routes declared as a table in front of any application, and what leaves it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final

from authz.errors import AuthzError, MalformedError, RefusedError
from authz.middleware.declare import Needs
from authz.middleware.exchange import Exchange, begun
from authz.middleware.gateway.forms import FORM, PARTS, Parts, look_at_form, media_type
from authz.middleware.guard import AsyncGuard, Guard
from authz.middleware.identity import Identity
from authz.middleware.outgoing import CONDITIONAL, LARGEST, Collect, Pass, begin, finish, refused
from authz.middleware.permitted import Permitted
from authz.middleware.statuses import too_large
from authz.middleware.table import Found, Route, Table, one_method
from authz.middleware.telling import Headers, Reply, told
from authz.middleware.values import LARGEST as LARGEST_BODY
from authz.middleware.values import RequestValues, reads_body

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Identify = Callable[[Mapping[str, Any]], Identity | Awaitable[Identity | None] | None]
"""Who is signed in, by the scope of a request; None where nobody is."""
WEBSOCKET: Final = "WEBSOCKET"
"""The method of a WebSocket in a table; it can only be public, as nothing in it is filtered."""
POLICY_VIOLATION: Final = 1008


class Guarded:
    """Any ASGI application behind a table of its routes; what is not in it is refused."""

    def __init__(
        self,
        app: Application,
        guard: Guard | AsyncGuard,
        identity: Identify,
        routes: Iterable[Route],
    ) -> None:
        """DeclarationError where two routes match the same path."""
        self._app = app
        self._guard = guard
        self._identity = identity
        self._table = Table(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        exchange = exchange_of(scope)
        outgoing = Outgoing(exchange, send)
        with begun(exchange):
            try:
                receive = await self._decide(exchange, scope, receive)
            except AuthzError as error:
                exchange.refuse(error)
                await outgoing.refuse(error)
                return
            try:
                await self._app(scope, receive, outgoing)
            except MalformedError as error:  # of a form, as the application reads it
                exchange.refuse(error)
                await outgoing.refuse(error)

    async def _decide(self, exchange: Exchange, scope: Scope, receive: Receive) -> Receive:
        found = self._found(scope)
        exchange.route = found.route.path
        receive = await _one_method_in_forms(scope, receive)
        declaration = found.route.declaration
        if not isinstance(declaration, Needs):
            exchange.open(declaration)
            return receive
        if scope["type"] != "http":
            raise RefusedError("Nothing that a WebSocket sends can be filtered.")
        body = await _body(receive) if reads_body(declaration) else None
        exchange.who = await identified(self._identity(scope))
        values = values_of(scope, found.values, body)
        exchange.open(declaration, await ask(self._guard, declaration, values, exchange.who))
        unconditional(exchange, scope)
        return receive if body is None else _again(body, receive)

    def _found(self, scope: Scope) -> Found:
        names = (name.decode("latin-1") for name, _ in scope["headers"])
        one_method(scope.get("query_string", b"").decode("latin-1"), names)
        method = scope["method"] if scope["type"] == "http" else WEBSOCKET
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        try:
            info = path.encode().decode("latin-1")
        except UnicodeError as error:
            raise MalformedError("It is not UTF-8.", where="path") from error
        return self._table.find(method, info, scope.get("raw_path", b"").decode("latin-1"))


class Outgoing:
    """Sends what an application answers, once it is settled (2.7)."""

    def __init__(self, exchange: Exchange, send: Send) -> None:
        self._exchange = exchange
        self._send = send
        self._fate: Pass | Collect | Reply | None = None
        self._status = 0
        self._headers: Headers = []
        self._held = bytearray()

    async def __call__(self, message: Message) -> None:
        """One message of the application's."""
        kind = message["type"]
        if kind == "http.response.start":
            await self._start(message)
        elif kind.startswith("websocket."):
            await self._socket(message)
        elif isinstance(self._fate, Pass):
            await self._send(message)
        elif isinstance(self._fate, Collect):
            await self._collect(message)

    async def refuse(self, error: AuthzError) -> None:
        """Answer by a refusal, unless an answer has begun; of a WebSocket, close it."""
        if self._fate is not None:
            return
        if self._exchange.method == WEBSOCKET:
            await self._send({"type": "websocket.close", "code": POLICY_VIOLATION})
            return
        await self._reply(told(error, self._exchange.accept, self._exchange.languages))

    async def _start(self, message: Message) -> None:
        self._status = message["status"]
        self._headers = [
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, value in message.get("headers", ())
        ]
        try:
            self._fate = begin(self._exchange, self._status, self._headers)
        except AuthzError as error:
            self._fate = refused(self._exchange, error)
        if isinstance(self._fate, Pass):
            await self._send({**message, "headers": _encoded(self._fate.headers)})
        elif isinstance(self._fate, Reply):
            await self._reply(self._fate)

    async def _collect(self, message: Message) -> None:
        if message["type"] != "http.response.body":  # a file sent by the server, or trailers
            await self._reply(refused(self._exchange, too_large()))
            return
        self._held += message.get("body", b"")
        if len(self._held) > LARGEST:
            await self._reply(refused(self._exchange, too_large()))
        elif not message.get("more_body", False):
            done = finish(self._exchange, self._status, self._headers, bytes(self._held))
            await self._reply(done)

    async def _socket(self, message: Message) -> None:
        opening = message["type"] in {"websocket.accept", "websocket.http.response.start"}
        if opening and not self._exchange.public:
            self._fate = Reply(403, [], b"")
            await self._send({"type": "websocket.close", "code": POLICY_VIOLATION})
        elif self._fate is None:
            await self._send(message)

    async def _reply(self, reply: Reply) -> None:
        self._fate = reply
        start = {"type": "http.response.start", "status": reply.status}
        await self._send({**start, "headers": _encoded(reply.headers)})
        await self._send({"type": "http.response.body", "body": reply.body})


async def ask(
    guard: Guard | AsyncGuard, needs: Needs, values: Mapping[str, Any], who: Identity | None
) -> Permitted:
    """What is permitted; a guard that waits does so in a thread of its own."""
    if isinstance(guard, AsyncGuard):
        return await guard.ask(needs, values, who)
    return await asyncio.to_thread(guard.ask, needs, values, who)


async def identified(found: Identity | Awaitable[Identity | None] | None) -> Identity | None:
    """Who is signed in, however the application finds it out."""
    return await found if inspect.isawaitable(found) else found


def authorization(scope: Mapping[str, Any]) -> str:
    """The header by which a token comes; of two, something that is none."""
    return ", ".join(headers_of(scope, "authorization"))


def headers_of(scope: Mapping[str, Any], name: str) -> list[str]:
    """All values of a header."""
    wanted = name.lower().encode("latin-1")
    return [value.decode("latin-1") for each, value in scope["headers"] if each.lower() == wanted]


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of a connection."""
    return Exchange(
        method=scope.get("method", WEBSOCKET),
        accept=",".join(headers_of(scope, "accept")),
        languages=",".join(headers_of(scope, "accept-language")),
    )


def values_of(scope: Scope, arguments: Mapping[str, Any], body: bytes | None) -> RequestValues:
    """The values of a request with these arguments of its route."""
    return RequestValues(
        arguments,
        raw_query=scope.get("query_string", b"").decode("latin-1"),
        headers=lambda name: headers_of(scope, name),
        body=lambda: body or b"",
    )


def unconditional(exchange: Exchange, scope: Scope) -> None:
    """Take away what would compare with, or cut, a body that is not yet filtered."""
    if exchange.filters:
        scope["headers"] = [
            (name, value)
            for name, value in scope["headers"]
            if name.lower().decode("latin-1") not in CONDITIONAL
        ]


async def _one_method_in_forms(scope: Scope, receive: Receive) -> Receive:
    """See that no form of the body makes this a request of another method."""
    kind = media_type(",".join(headers_of(scope, "content-type")))
    if kind == FORM:
        body = await _body(receive)
        look_at_form(body, LARGEST_BODY)
        return _again(body, receive)
    if kind != PARTS:
        return receive
    parts = Parts()

    async def looked_at() -> Message:
        message = await receive()
        parts.look(message.get("body", b""))
        return message

    return looked_at


async def _body(receive: Receive) -> bytes:
    held = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise MalformedError("The body ended early.", where="body")
        held += message.get("body", b"")
        if len(held) > LARGEST_BODY:
            raise MalformedError("The body is too large.", where="body")
        if not message.get("more_body", False):
            return bytes(held)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, for the application to read."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return left.pop() if left else await receive()

    return replayed


def _encoded(headers: Headers) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
