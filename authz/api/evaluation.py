"""Access Evaluation and Access Evaluations (AuthZEN 6 and 7).

They are answered from the request as WSGI has it, in front of Flask
(:mod:`authz.api.front`); Flask knows their routes, for the sake of other methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Flask, Response, request

from authz import clock
from authz.api import batch, body, exchange, plain, revision
from authz.api.context import Service, service
from authz.api.plain import Answer, Environ, Exchange
from authz.api.timing import timed
from authz.decision.answer import outward
from authz.decision.request import parse
from authz.service.decide import Caller, Decided
from authz.service.tokens import authenticate

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"


def register(app: Flask) -> None:
    """Add the two routes."""
    app.add_url_rule(EVALUATION, "evaluation", lambda: _flask(evaluation), methods=["POST"])
    app.add_url_rule(EVALUATIONS, "evaluations", lambda: _flask(evaluations), methods=["POST"])


def _flask(answering: Answering) -> Response:
    return exchange.respond(answering(service(), exchange.here(), request.environ))


def evaluation(here: Service, asked: Exchange, environ: Environ) -> Answer:
    """One question, one answer (6)."""
    caller, sent = received(here, environ)
    return _single(here, asked, sent, caller)


def evaluations(here: Service, asked: Exchange, environ: Environ) -> Answer:
    """Several questions, answered in their order (7); without any, as a single one."""
    caller, sent = received(here, environ)
    several = batch.read(sent, here.settings.max_evaluations)
    if several is None:
        return _single(here, asked, sent, caller)
    decided = here.point.evaluate(
        several.items,
        caller,
        request_id=asked.request_id,
        semantic=several.semantic,
        path=batch.ITEMS,
    )
    answers = [_outward(here, one, asked.language) for one in decided]
    made = plain.answer({batch.ITEMS: answers}, spoken=asked.language)
    return revision.put(made, here.point, decided)


Answering = Callable[[Service, Exchange, Environ], Answer]
ANSWERS: Final[Mapping[str, Answering]] = timed({EVALUATION: evaluation, EVALUATIONS: evaluations})
"""What answers a ``POST`` to each path."""


def received(here: Service, environ: Environ) -> tuple[Caller, Mapping[str, Any]]:
    """Who asks, looked at first, and what they sent."""
    header = environ.get("HTTP_AUTHORIZATION")
    caller = authenticate(here.store, here.settings, header, clock.now())
    return caller, body.receive(environ, here.settings.max_body_bytes, here.settings.max_depth)


def _single(here: Service, asked: Exchange, sent: Mapping[str, Any], caller: Caller) -> Answer:
    (decided,) = here.point.evaluate([parse(sent)], caller, request_id=asked.request_id)
    made = plain.answer(_outward(here, decided, asked.language), spoken=asked.language)
    if decided.receipt is not None:
        place = f"{decided.receipt.chain}-{decided.receipt.sequence}"
        made.headers[plain.DECISION_ID] = place
    return revision.put(made, here.point, (decided,))


def _outward(here: Service, decided: Decided, spoken: str) -> dict[str, Any]:
    """What the caller is told; an item that was no question is refused without a word more."""
    if decided.malformed is not None:
        return {"decision": False}
    return outward(decided.decision, here.point.policy.catalogue, spoken)
