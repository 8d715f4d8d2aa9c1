"""Access Evaluation and Access Evaluations (AuthZEN 6 and 7).

They are answered from the request as WSGI has it, in front of Flask
(:mod:`authz.api.front`); Flask knows their routes, for the sake of other methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flask import Flask, Response, request

from authz import clock
from authz.api import batch, body, exchange, plain, revision
from authz.api.context import Service, service
from authz.api.plain import Answer, Environ, Exchange
from authz.api.timing import timed
from authz.decision.answer import outward
from authz.decision.request import Request, parse
from authz.service.decided import Caller, Decided
from authz.service.tokens import authenticate

EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
LONGEST_KEPT: Final = 2048
"""Bytes of a body that is not read again when it is sent again."""
_REFUSED: Final = plain.encode({"decision": False})


def register(app: Flask) -> None:
    """Add the two routes."""
    app.add_url_rule(EVALUATION, "evaluation", lambda: _flask(evaluation), methods=["POST"])
    app.add_url_rule(EVALUATIONS, "evaluations", lambda: _flask(evaluations), methods=["POST"])


def _flask(answering: Answering) -> Response:
    return exchange.respond(answering(service(), exchange.here(), request.environ))


def evaluation(here: Service, asked: Exchange, environ: Environ) -> Answer:
    """One question, one answer (6)."""
    caller, data = received(here, environ)
    request = here.sent.get(data)
    if request is None:
        request = parse(body.parse(data, here.settings.max_depth))
        if len(data) <= LONGEST_KEPT:
            here.sent.keep(data, request)
    return _single(here, asked, request, caller)


def evaluations(here: Service, asked: Exchange, environ: Environ) -> Answer:
    """Several questions, answered in their order (7); without any, as a single one."""
    caller, data = received(here, environ)
    sent = body.parse(data, here.settings.max_depth)
    several = batch.read(sent, here.settings.max_evaluations)
    if several is None:
        return _single(here, asked, parse(sent), caller)
    decided = here.point.evaluate(
        several.items,
        caller,
        request_id=asked.request_id,
        semantic=several.semantic,
        path=batch.ITEMS,
    )
    told = b",".join([_told(here, one, asked.language) for one in decided])
    made = plain.spelt(b'{"%s":[%s]}' % (batch.ITEMS.encode(), told), spoken=asked.language)
    return revision.put(made, here.point, decided)


Answering = Callable[[Service, Exchange, Environ], Answer]
ANSWERS: Final[Mapping[str, Answering]] = timed({EVALUATION: evaluation, EVALUATIONS: evaluations})
"""What answers a ``POST`` to each path."""


def received(here: Service, environ: Environ) -> tuple[Caller, bytes]:
    """Who asks, looked at first, and what they sent."""
    header = environ.get("HTTP_AUTHORIZATION")
    caller = authenticate(here.store, here.settings, header, clock.now())
    return caller, body.receive(environ, caller.client, here.settings.max_body_bytes, here.arriving)


def _single(here: Service, asked: Exchange, sent: Request, caller: Caller) -> Answer:
    (decided,) = here.point.evaluate([sent], caller, request_id=asked.request_id)
    made = plain.spelt(_told(here, decided, asked.language), spoken=asked.language)
    if decided.receipt is not None:
        place = f"{decided.receipt.chain}-{decided.receipt.sequence}"
        made.headers[plain.DECISION_ID] = place
    return revision.put(made, here.point, (decided,))


def _told(here: Service, decided: Decided, spoken: str) -> bytes:
    """What the caller is told; an item that was no question is refused without a word more."""
    if decided.malformed is not None:
        return _REFUSED
    told = decided.stands.told if decided.stands else {}
    found = told.get(spoken)
    if found is None:
        answered = outward(decided.decision, here.point.policy.catalogue, spoken)
        found = told[spoken] = plain.encode(answered)
    return found
