"""Django: each view says what it uses, and is decided before anything of it runs.

::

    MIDDLEWARE = [..., "django.contrib.auth.middleware.AuthenticationMiddleware",
                  "authz.middleware.django.AuthzMiddleware", ...]
    AUTHZ_MIDDLEWARE = "results.guarding.options"   # an Options, or a function that makes one

    @needs("read", "assessment_result", person="student", purpose="service")
    def results(request, student): ...

The middleware resolves the path itself, so that what stands below it, as a cache of whole pages,
does not answer first. Whatever compresses or compares answers stands above it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.urls import Resolver404, ResolverMatch, get_resolver
from django.utils.module_loading import import_string

from authz.errors import AuthzError, DeclarationError, MalformedError, MethodNotAllowedError
from authz.middleware import frontend, marks
from authz.middleware.declare import Declaration, Needs
from authz.middleware.django_answers import response_of, settled, settled_async
from authz.middleware.django_views import declaration_of, faults
from authz.middleware.exchange import ANSWERED, UNROUTED, Exchange, begun, permitted
from authz.middleware.guard import Guard
from authz.middleware.identity import Identity
from authz.middleware.marks import declared, needs, public
from authz.middleware.pages import Page
from authz.middleware.telling import told
from authz.middleware.values import RequestValues
from authz.middleware.wsgi import unconditional

__all__ = [
    "AuthzMiddleware", "Options", "declared", "django_user", "may", "may_view", "needs",
    "permitted", "public",
]  # fmt: skip
KEY: Final = "authz_exchange"
VALUES: Final = "authz_values"
"""What the path said when it was decided: whatever rewrites it afterwards is found out."""


@dataclass(frozen=True, slots=True)
class Options:
    """How this site is guarded.

    ``identity`` says who is signed in to a request. ``declared`` are declarations of views that
    carry none: by the name of a route (``"login"``), or of everything in a namespace
    (``"admin:"``). A ``Needs`` by name is for the one method of its view, of a function for
    reading.
    """

    guard: Guard
    identity: Callable[[HttpRequest], Identity | None]
    declared: Mapping[str, Declaration] = field(default_factory=dict)


class AuthzMiddleware:
    """Decides each request before its view, and settles each answer."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        """DeclarationError that names each route without a right declaration."""
        self._get_response = get_response
        self._options = options()
        marks.require(faults(self._options.declared))
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """One request; a coroutine where the server is ASGI."""
        if iscoroutinefunction(self):
            return self._async(request)
        exchange = exchange_of(request)
        with begun(exchange):
            if (refusal := self._decided(exchange, request)) is not None:
                return refusal
            return settled(exchange, self._get_response(request))

    async def _async(self, request: HttpRequest) -> HttpResponse:
        exchange = exchange_of(request)
        with begun(exchange):
            refusal = await sync_to_async(self._decided)(exchange, request)
            if refusal is not None:
                return refusal
            return await settled_async(exchange, await self._get_response(request))

    def process_view(
        self, request: HttpRequest, view: Any, _arguments: object, named: Mapping[str, Any]
    ) -> HttpResponse | None:
        """The view that runs is the one that was decided for, of the same person, or none is."""
        exchange: Exchange = getattr(request, KEY)
        same = exchange.permit is None or named == getattr(request, VALUES)
        known = (ANSWERED, self._of(request, request.resolver_match, view))
        if same and exchange.declaration is not None and exchange.declaration in known:
            return None
        error = DeclarationError("Another view runs than the one that was decided for.")
        exchange.refuse(error)
        return response_of(told(error, exchange.accept, exchange.languages))

    def _decided(self, exchange: Exchange, request: HttpRequest) -> HttpResponse | None:
        """None where the view may run."""
        try:
            self._decide(exchange, request)
        except AuthzError as error:
            exchange.refuse(error)
            return response_of(told(error, exchange.accept, exchange.languages))
        return None

    def _decide(self, exchange: Exchange, request: HttpRequest) -> None:
        try:
            match = get_resolver(getattr(request, "urlconf", None)).resolve(request.path_info)
        except Resolver404:
            exchange.open(UNROUTED)
            return
        exchange.route = match.route
        declaration = self._of(request, match, match.func)
        if declaration is None:
            raise MethodNotAllowedError("The view declares nothing for this method.")
        if not isinstance(declaration, Needs):
            exchange.open(declaration)
            return
        values = RequestValues(
            match.kwargs,
            raw_query=request.META.get("QUERY_STRING", ""),
            headers=lambda name: _header(request, name),
            body=lambda: _body(request),
        )
        permit = self._options.guard.ask(declaration, values, who(request))
        setattr(request, VALUES, dict(match.kwargs))
        exchange.open(declaration, permit)
        unconditional(exchange, request.META)

    def _of(
        self, request: HttpRequest, match: ResolverMatch | None, view: Any
    ) -> Declaration | None:
        if match is None:
            return None
        return declaration_of(self._options.declared, match, view, request.method or "GET")


def options() -> Options:
    """The site's options; DeclarationError where the setting names none."""
    told_setting = getattr(settings, "AUTHZ_MIDDLEWARE", None)
    found = import_string(told_setting) if isinstance(told_setting, str) else told_setting
    made = found() if callable(found) and not isinstance(found, Options) else found
    if not isinstance(made, Options):
        raise DeclarationError(
            "It names no options.", where="AUTHZ_MIDDLEWARE",
            hint="Set it to the dotted path of an Options, or of a function that makes one.",
        )  # fmt: skip
    return made


def django_user(request: HttpRequest) -> Identity | None:
    """Who is signed in by ``django.contrib.auth``: the user's name in it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    return Identity(user.get_username())


def who(request: HttpRequest) -> Identity | None:
    """Who is signed in, asked once in a request."""
    exchange: Exchange = getattr(request, KEY)
    if exchange.who is None:
        exchange.who = options().identity(request)
    return exchange.who


def may(request: HttpRequest) -> dict[str, Page]:
    """A context processor: what templates ask, by ``{% may %}``."""
    return {"may": Page(options().guard, lambda: who(request))}


@public("it answers for whoever is signed in, about what a page may show", methods=["POST"])
def may_view(request: HttpRequest) -> HttpResponse:
    """The endpoint of single-page applications; put it at ``authz/may``."""
    exchange: Exchange = getattr(request, KEY)
    kind, wishes = request.content_type or "", (exchange.accept, exchange.languages)
    body = request.body
    return response_of(frontend.answer(options().guard, lambda: who(request), kind, body, wishes))


may_view.csrf_exempt = True  # type: ignore[attr-defined]  # it changes nothing, and reads JSON alone


def exchange_of(request: HttpRequest) -> Exchange:
    """The exchange of a request, which is kept on it too."""
    exchange = Exchange(
        method=request.method or "GET",
        accept=request.META.get("HTTP_ACCEPT", ""),
        languages=request.META.get("HTTP_ACCEPT_LANGUAGE", ""),
    )
    setattr(request, KEY, exchange)
    return exchange


def _header(request: HttpRequest, name: str) -> list[str]:
    value = request.headers.get(name)
    return [] if value is None else [value]


def _body(request: HttpRequest) -> bytes:
    try:
        body: bytes = request.body
    except RawPostDataException as error:
        raise MalformedError("The body was read before.", where="body") from error
    return body
