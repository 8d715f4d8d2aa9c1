"""Checkpoints and public keys for everybody, proofs for whoever may read the trail (N-49).

A checkpoint holds a size, a hash and a moment, so that it needs no token: the more people
have a copy, the more it binds us. A proof holds a record, and asking for one is recorded.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final

from flask import Flask, Response, request

from authz import clock
from authz.api import exchange, plain
from authz.api.context import service
from authz.audit.record import Ref
from authz.errors import MalformedError
from authz.service import audit_keys, checkpoints, proofs
from authz.service.tokens import authenticate
from authz.vocabulary import Scope

CHECKPOINT: Final = "/api/v1/audit/checkpoint"
CHECKPOINTS: Final = "/api/v1/audit/checkpoints"
KEY: Final = "/api/v1/audit/key"
INCLUSION: Final = "/api/v1/audit/proof/inclusion"
CONSISTENCY: Final = "/api/v1/audit/proof/consistency"
PLAIN: Final = "text/plain; charset=utf-8"
_DIGITS: Final = 18
_LISTED: Final = 100


def register(app: Flask) -> None:
    """Add the routes."""
    app.add_url_rule(CHECKPOINT, "checkpoint", _checkpoint, methods=["GET"])
    app.add_url_rule(CHECKPOINTS, "checkpoints", _checkpoints, methods=["GET"])
    app.add_url_rule(KEY, "audit_key", _key, methods=["GET"])
    app.add_url_rule(INCLUSION, "inclusion", _inclusion, methods=["GET"])
    app.add_url_rule(CONSISTENCY, "consistency", _consistency, methods=["GET"])


def _checkpoint() -> Response:
    return _text(checkpoints.newest(service().store))


def _checkpoints() -> Response:
    limit = _number("limit", _LISTED, least=1, most=checkpoints.MOST_LISTED)
    page = checkpoints.listed(service().store, limit=limit, after=request.args.get("after", ""))
    shown = [{**row, "root": b64encode(row["root"]).decode()} for row in page.rows]
    return exchange.answer({"checkpoints": shown, **({"after": page.after} if page.after else {})})


def _key() -> Response:
    """The public keys, the newest first, a line each."""
    return _text("".join(f"{key.vkey}\n" for key in audit_keys.verifiers(service().settings)))


def _inclusion() -> Response:
    asked = _asking()
    size = _number("size") if "size" in request.args else None
    record = request.args.get("record")
    if record is None:
        raise MalformedError("It is required.", where="record")
    return exchange.answer(proofs.inclusion(service().store, record, size, **asked))


def _consistency() -> Response:
    asked = _asking()
    second = _number("second") if "second" in request.args else None
    return exchange.answer(proofs.consistency(service().store, _number("first"), second, **asked))


def _asking() -> dict[str, Any]:
    """Who asks, for the record; 401 or 403 where nobody may who did."""
    here = service()
    header = request.headers.get("Authorization")
    caller = authenticate(here.store, here.settings, header, clock.now(), Scope.AUDIT_READ)
    return {"by": Ref("client", caller.client), "request_id": exchange.request_id()}


def _number(name: str, default: int | None = None, *, least: int = 0, most: int = 2**62) -> int:
    """The number of the query; MalformedError where it is none."""
    given = request.args.get(name)
    if given is None and default is not None:
        return default
    if given is None:
        raise MalformedError("It is required.", where=name)
    number = int(given) if given.isascii() and given.isdecimal() and len(given) <= _DIGITS else -1
    if not least <= number <= most:
        raise MalformedError("It must be a whole number, 0 or more.", where=name)
    return number


def _text(content: str) -> Response:
    headers = {"Content-Type": PLAIN, "Cache-Control": "no-cache"}
    return exchange.respond(plain.Answer(200, content.encode(), headers))
