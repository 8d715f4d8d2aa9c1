"""``POST /api/v1/explain``: why a question is answered so, and what would change it.

A what-if of today's facts, at another moment where ``at`` names one; recorded as such, and
never an access. It shows what a decision hides, so a token for decisions does not open it:
the scope is ``pdp:explain`` (page 5, "Reasons outward").
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from flask import Flask, Response, request

from authz import clock
from authz.api import body, exchange
from authz.api.context import service
from authz.decision.request import parse
from authz.errors import MalformedError
from authz.service.explain import explained
from authz.service.tokens import authenticate
from authz.vocabulary import Scope

EXPLAIN: Final = "/api/v1/explain"
AT: Final = "at"


def register(app: Flask) -> None:
    """Add the route."""
    app.add_url_rule(EXPLAIN, "explain", _explain, methods=["POST"])


def _explain() -> Response:
    here = service()
    header = request.headers.get("Authorization")
    now = clock.now()
    caller = authenticate(here.store, here.settings, header, now, Scope.PDP_EXPLAIN)
    sent = body.read(request, caller.client, here)
    asked, at = parse(sent), _moment(sent, now)
    spoken = exchange.language()
    ((decided, answer),) = explained(
        here.point, [asked], caller, at, spoken, request_id=exchange.request_id()
    )
    if decided.malformed is not None:
        raise decided.malformed
    return exchange.answer(answer, spoken=spoken)


def _moment(sent: Mapping[str, Any], now: datetime) -> datetime:
    """The moment to ask about: an ISO date or time, local without an offset (2.1)."""
    value = sent.get(AT)
    if value is None:
        return now
    if not isinstance(value, str):
        raise MalformedError("It must be a string.", where=AT)
    try:
        return clock.parse(value, service().settings.local)
    except ValueError as error:
        raise MalformedError("It must be an ISO date or time.", where=AT) from error
