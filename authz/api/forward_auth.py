"""``/forward-auth``: a proxy asks whether it may hand a request on (4.3, issue 6).

nginx ``auth_request``, Traefik ForwardAuth, Caddy ``forward_auth`` and Envoy ``ext_authz`` over
HTTP. What the first request was is told by headers (Envoy: by the path), which are believed only
from a proxy that the file names, by its network and a shared secret. The routes are those of the
gateway; a proxy hands on the path as it was written, so that here it must be written in the one
canonical way.

Nobody filters what a proxy hands on. So a permit that limits something is a refusal, unless the
route declares that the upstream carries the limit out, which it is told in ``X-Authz-…`` headers.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, current_app, request

from authz.api import exchange, forward_tally
from authz.api.context import Service, service
from authz.api.forward_tally import ProxyError
from authz.decision.answer import outward
from authz.decision.request import parse
from authz.errors import (
    AuthzError,
    MalformedError,
    NotFoundError,
    ObligationError,
    RefusedError,
    RoutesError,
    UnauthenticatedError,
    http_status,
)
from authz.middleware.answer import NOTIFY, REVIEW, Answer
from authz.middleware.declare import Needs
from authz.middleware.gateway import headers, onward, path, query
from authz.middleware.gateway.body import BODILESS
from authz.middleware.gateway.forms import media_type
from authz.middleware.gateway.lint import load
from authz.middleware.gateway.parties import ForwardTable
from authz.middleware.gateway.parts import Verifier, verifier
from authz.middleware.gateway.routes import Match, Table
from authz.middleware.gateway.values import Sent, values
from authz.middleware.identity import Identity
from authz.middleware.permitted import Permitted
from authz.service.decided import Caller

FORWARD: Final = "/forward-auth"
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
TOKEN: Final = "x-authz-proxy-token"  # noqa: S105 (a header's name)
NAME: Final = "authz_forward_auth"
CLIENT: Final = "forward-auth"
"""The application that the trail names."""
_FORWARDED: Final = ("x-forwarded-method", "x-forwarded-uri")
_JOINED: Final = re.compile(r",\s*(?:/|https?:)")
"""Two addresses in one header: a caller's before the proxy's."""
_BY_SERVICE: Final = frozenset({NOTIFY, REVIEW})
_UNAUTHENTICATED, _UNAVAILABLE = 401, 503


@dataclass(frozen=True)
class Forward:
    """What the file says, ready to be asked."""

    table: Table
    proxy: ForwardTable
    verify: Verifier
    secret: bytes

    @classmethod
    def read(cls, file: Path) -> Forward:
        """The file; RoutesError where it has a defect."""
        config, table = load(file, forward=True)
        proxy = config.forward_auth
        if proxy is None:
            raise RoutesError("There is no table forward_auth.", where=str(file))
        secret = b"" if proxy.token is None else onward.secret(file.parent / proxy.token)
        return cls(table, proxy, verifier(config.identity, file.parent), secret)

    def trusts(self, address: str, token: str) -> bool:
        """Whether this is the proxy: by where it is, and by the secret if there is one."""
        try:
            here = ip_address(address)
        except ValueError:
            return False
        near = any(here in ip_network(network) for network in self.proxy.networks)
        return near and (
            not self.secret or hmac.compare_digest(token.encode("latin-1"), self.secret)
        )


def register(app: Flask, file: Path | None) -> None:
    """Add the paths; without a file they answer 404, as what is not there does."""
    app.extensions[NAME] = None if file is None else Forward.read(file)
    app.add_url_rule(FORWARD, "forward_auth", _answer, methods=["GET"])
    app.add_url_rule(f"{FORWARD}/", "forward_auth_root", _answer, methods=[*METHODS])
    app.add_url_rule(f"{FORWARD}/<path:path>", "forward_auth_path", _answer, methods=[*METHODS])


def _answer(path: str = "") -> Response:  # noqa: ARG001 (looked at as WSGI has it)
    forward: Forward | None = current_app.extensions[NAME]
    if forward is None:
        raise NotFoundError("There is nothing here.")
    try:
        with forward_tally.refusals():
            told = _told(forward, request.environ)
    except AuthzError as error:
        raise _neutral(error) from error
    forward_tally.passed(public=told is onward.NOBODY)
    return Response(b"", 200, told)


def _neutral(error: AuthzError) -> AuthzError:
    """401, 403 or 503, whatever was wrong: nginx takes any other status for a fault of ours."""
    status = http_status(error)
    if status in (_UNAUTHENTICATED, _UNAVAILABLE) or isinstance(error, RefusedError):
        return error
    return RefusedError("This request is not permitted.")


def _told(forward: Forward, environ: dict[str, Any]) -> dict[str, str]:
    """The headers of a permit, empty where the route is public. Whatever else is an error."""
    sent = headers.incoming(environ)
    if not forward.trusts(str(environ.get("REMOTE_ADDR", "")), sent.get(TOKEN, "")):
        raise ProxyError("Only the proxy may ask this.")
    headers.check(sent)
    method, target = _original(forward.proxy, environ, sent)
    written, _, raw = target.partition("?")
    query.pairs(raw)
    match = forward.table.find(method, path.written(written))
    _typed(match, method, sent)
    if not isinstance(match.declared.declaration, Needs):
        return onward.NOBODY
    who = forward.verify(headers.once(sent, "authorization"))
    if who is None:
        raise UnauthenticatedError("Nobody is signed in.")
    permitted = _permitted(
        service(), match, match.declared.declaration, Sent(raw, sent, _no_body), who
    )
    return onward.NOBODY | onward.told(permitted)


def _original(
    proxy: ForwardTable, environ: dict[str, Any], sent: dict[str, str]
) -> tuple[str, str]:
    """Method and address of the first request, as this proxy tells them."""
    if proxy.told == "path":
        raw = environ.get("QUERY_STRING", "")
        segments = path.decoded(environ["PATH_INFO"].removeprefix(FORWARD))
        return environ["REQUEST_METHOD"], path.canonical(segments) + (f"?{raw}" if raw else "")
    method, target = (sent.get(name, "") for name in _FORWARDED)
    if not method or not target or _JOINED.search(target):
        raise MalformedError("The proxy does not say what it was asked.", where=_FORWARDED[1])
    return method, target


def _typed(match: Match, method: str, sent: dict[str, str]) -> None:
    """MalformedError of a type that the route does not take: a form may be another method."""
    kind = media_type(sent.get("content-type", ""))
    if kind and method not in BODILESS and kind not in match.declared.route.accepts:
        raise MalformedError("The route takes no body of this type.", where="Content-Type")


def _permitted(here: Service, match: Match, needs: Needs, sent: Sent, who: Identity) -> Permitted:
    """The permit, with its record on disk; RefusedError where there is none to be kept."""
    asked = needs.question(values(match, sent, who), who)
    caller = Caller(CLIENT, asserts_mfa=True)
    (decided,) = here.point.evaluate(
        [parse(asked.to_wire())], caller, request_id=exchange.request_id()
    )
    place = decided.receipt
    answer = Answer.from_wire(
        outward(decided.decision, here.point.policy.catalogue, exchange.language()),
        by_point=_BY_SERVICE,
        decision_id="" if place is None else f"{place.chain}-{place.sequence}",
    )
    if not answer.permit:
        raise RefusedError("This use is not permitted.", text=answer.text)
    if owed := answer.obliges - needs.carries - answer.by_point:
        raise ObligationError(f"Nobody carries out: {', '.join(sorted(owed))}.")
    return Permitted(needs, asked, answer, done=needs.carries | answer.by_point)


def _no_body() -> bytes:
    raise MalformedError("A proxy shows no body.", where="body")
