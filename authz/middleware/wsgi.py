"""WSGI: routes declared as a table in front of any application, and what leaves it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from itertools import chain
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from authz.errors import AuthzError, MalformedError
from authz.middleware.declare import Needs
from authz.middleware.exchange import Exchange, begun
from authz.middleware.gateway.forms import FORM, PARTS, PartsFile, look_at_form, media_type
from authz.middleware.guard import Guard
from authz.middleware.identity import Identity
from authz.middleware.outgoing import CONDITIONAL, LARGEST, Pass, begin, finish, refused
from authz.middleware.statuses import line, too_large
from authz.middleware.table import Route, Table, one_method
from authz.middleware.telling import Headers, Reply, told
from authz.middleware.values import LARGEST as LARGEST_BODY
from authz.middleware.values import RequestValues, reads_body

KEY: Final = "authz.exchange"
_CONDITIONAL: Final = [f"HTTP_{name.upper().replace('-', '_')}" for name in CONDITIONAL]
Identify = Callable[[WSGIEnvironment], Identity | None]
"""Who is signed in, by the environment of a request; None where nobody is."""


class Settled:
    """An application of which nothing leaves that was not decided and carried out (2.7)."""

    def __init__(self, app: WSGIApplication, before: Callable[[], object] | None = None) -> None:
        """``before`` is called at the start of each request, and may raise."""
        self._app = app
        self._before = before

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One request (PEP 3333)."""
        if self._before is not None:
            self._before()
        exchange = exchange_of(environ)
        with begun(exchange):
            return settled(self._app, exchange, environ, start_response)


class Guarded:
    """Any WSGI application behind a table of its routes; what is not in it is refused."""

    def __init__(
        self,
        app: WSGIApplication,
        guard: Guard,
        identity: Identify,
        routes: Iterable[Route],
    ) -> None:
        """DeclarationError where two routes match the same path."""
        self._app = app
        self._guard = guard
        self._identity = identity
        self._table = Table(routes)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One request (PEP 3333)."""
        exchange = exchange_of(environ)
        with begun(exchange):
            try:
                self._decide(exchange, environ)
            except AuthzError as error:
                exchange.refuse(error)
                return _sent(told(error, exchange.accept, exchange.languages), start_response)
            try:
                return settled(self._app, exchange, environ, start_response)
            except MalformedError as error:  # of a form, as the application reads it
                return _sent(refused(exchange, error), start_response)

    def _decide(self, exchange: Exchange, environ: WSGIEnvironment) -> None:
        one_method(
            environ.get("QUERY_STRING", ""),
            (name[5:].replace("_", "-") for name in environ if name.startswith("HTTP_")),
        )
        _one_method_in_forms(environ)
        target = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
        found = self._table.find(environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""), target)
        exchange.route = found.route.path
        declaration = found.route.declaration
        if not isinstance(declaration, Needs):
            exchange.open(declaration)
            return
        if reads_body(declaration):
            _kept(environ)
        exchange.who = self._identity(environ)
        values = values_of(environ, found.values, lambda: _kept(environ))
        exchange.open(declaration, self._guard.ask(declaration, values, exchange.who))
        unconditional(exchange, environ)


def _one_method_in_forms(environ: WSGIEnvironment) -> None:
    """See that no form of the body makes this a request of another method."""
    kind = media_type(environ.get("CONTENT_TYPE", ""))
    if kind == FORM:
        look_at_form(_kept(environ), LARGEST_BODY)
    elif kind == PARTS:
        environ["wsgi.input"] = PartsFile(environ["wsgi.input"])


def exchange_of(environ: WSGIEnvironment) -> Exchange:
    """The exchange of a request, which is kept in its environment too."""
    exchange = Exchange(
        method=environ["REQUEST_METHOD"],
        accept=environ.get("HTTP_ACCEPT", ""),
        languages=environ.get("HTTP_ACCEPT_LANGUAGE", ""),
    )
    environ[KEY] = exchange
    return exchange


def values_of(environ: WSGIEnvironment, arguments: Any, body: Callable[[], bytes]) -> RequestValues:
    """The values of a request with these arguments of its route."""

    def headers(name: str) -> list[str]:
        value = environ.get(f"HTTP_{name.upper().replace('-', '_')}")
        return [] if value is None else [value]

    return RequestValues(
        arguments, raw_query=environ.get("QUERY_STRING", ""), headers=headers, body=body
    )


def unconditional(exchange: Exchange, environ: WSGIEnvironment) -> None:
    """Take away what would compare with, or cut, a body that is not yet filtered."""
    if exchange.filters:
        for name in _CONDITIONAL:
            environ.pop(name, None)


def settled(
    app: WSGIApplication,
    exchange: Exchange,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Iterable[bytes]:
    """What leaves of the answer that the application makes."""
    start = _Start()
    body = app(environ, start)
    chunks, early = body, start.written
    if not start.headers_given:
        iterator = iter(body)
        early += _until_started(iterator, start)
        chunks = iterator
    try:
        fate = begin(exchange, start.status, start.headers)
    except AuthzError as error:
        fate = refused(exchange, error)
    if isinstance(fate, Pass):
        start_response(start.line, fate.headers)
        return body if chunks is body and not early else _Chain(early, chunks, body)
    try:
        reply = fate if isinstance(fate, Reply) else _filtered(exchange, start, early, chunks)
    finally:
        _close(body)
    return _sent(reply, start_response)


def _filtered(
    exchange: Exchange, start: _Start, early: list[bytes], chunks: Iterable[bytes]
) -> Reply:
    held, size = [], 0
    for chunk in chain(early, chunks):
        held.append(chunk)
        size += len(chunk)
        if size > LARGEST:
            return refused(exchange, too_large())
    return finish(exchange, start.status, start.headers, b"".join(held))


def _sent(reply: Reply, start_response: StartResponse) -> Iterable[bytes]:
    start_response(line(reply.status), reply.headers)
    return [reply.body]


class _Start:
    """What the application said by ``start_response``, held until it may leave."""

    def __init__(self) -> None:
        self.line = ""
        self.headers: Headers = []
        self.headers_given = False
        self.written: list[bytes] = []

    @property
    def status(self) -> int:
        return int(self.line[:3])

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        if self.headers_given and exc_info is None:
            raise AssertionError("the application answered twice")
        self.line, self.headers, self.headers_given = status, headers, True
        return self.written.append


class _Chain:
    """What was taken from an iterable, and the rest of it; closes what it came from."""

    def __init__(self, early: list[bytes], rest: Iterable[bytes], body: Iterable[bytes]) -> None:
        self._all = chain(early, rest)
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self._all

    def close(self) -> None:
        _close(self._body)


def _until_started(chunks: Iterator[bytes], start: _Start) -> list[bytes]:
    """The chunks up to the one by which the application had begun to answer."""
    early: list[bytes] = []
    while not start.headers_given:
        chunk = next(chunks, None)
        if chunk is None:
            break
        early.append(chunk)
    if not start.headers_given:
        raise AssertionError("the application made no answer")
    return early


def _close(body: object) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()


def _kept(environ: WSGIEnvironment) -> bytes:
    """The body of a request, put back for the application to read."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LARGEST_BODY:
        raise MalformedError("The body has no length, or is too large.", where="body")
    data: bytes = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = BytesIO(data)
    return data
