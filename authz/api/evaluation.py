"""Access Evaluation and Access Evaluations (AuthZEN 6 and 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, request

from authz import clock
from authz.api import batch, body, exchange
from authz.api.context import service
from authz.decision.answer import outward
from authz.decision.request import parse
from authz.service.decide import Caller, Decided
from authz.service.tokens import authenticate

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"


def register(app: Flask) -> None:
    """Add the two routes."""
    app.add_url_rule(EVALUATION, "evaluation", _evaluation, methods=["POST"])
    app.add_url_rule(EVALUATIONS, "evaluations", _evaluations, methods=["POST"])


def _evaluation() -> Response:
    """One question, one answer (6)."""
    caller, sent = _received()
    return _single(sent, caller)


def _evaluations() -> Response:
    """Several questions, answered in their order (7); without any, as a single one."""
    here = service()
    caller, sent = _received()
    asked = batch.read(sent, here.settings.max_evaluations)
    if asked is None:
        return _single(sent, caller)
    decided = here.point.evaluate(
        asked.items,
        caller,
        request_id=exchange.request_id(),
        semantic=asked.semantic,
        path=batch.ITEMS,
    )
    spoken = exchange.language()
    answers = [_outward(one, spoken) for one in decided]
    return exchange.answer({batch.ITEMS: answers}, spoken=spoken)


def _received() -> tuple[Caller, Mapping[str, Any]]:
    """Who asks, looked at first, and what they sent."""
    here = service()
    header = request.headers.get("Authorization")
    caller = authenticate(here.store, here.settings, header, clock.now())
    return caller, body.read(request, here.settings.max_body_bytes, here.settings.max_depth)


def _single(sent: Mapping[str, Any], caller: Caller) -> Response:
    (decided,) = service().point.evaluate([parse(sent)], caller, request_id=exchange.request_id())
    spoken = exchange.language()
    response = exchange.answer(_outward(decided, spoken), spoken=spoken)
    if decided.receipt is not None:
        place = f"{decided.receipt.chain}-{decided.receipt.sequence}"
        response.headers[exchange.DECISION_ID] = place
    return response


def _outward(decided: Decided, spoken: str) -> dict[str, Any]:
    """What the caller is told; an item that was no question is refused without a word more."""
    if decided.malformed is not None:
        return {"decision": False}
    return outward(decided.decision, service().point.policy.catalogue, spoken)
