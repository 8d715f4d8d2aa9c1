"""``GET /api/v1/audit/search``: records of the trail, newest first (N-49)."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response

from authz.api import asked, exchange
from authz.api.context import service
from authz.audit.search import MOST
from authz.service import trail
from authz.vocabulary import Scope

SEARCH: Final = "/api/v1/audit/search"
PARAMETERS: Final = {
    "person": asked.text,
    "subject": asked.text,
    "application": asked.text,
    "since": asked.moment,
    "until": asked.moment,
    "decision": asked.truth,
    "rule": asked.text,
    "purpose": asked.text,
    "request_id": asked.text,
    "event": asked.text,
    "limit": asked.number,
    "after": asked.text,
}


def register(app: Flask) -> None:
    """Add the route."""
    app.add_url_rule(SEARCH, "audit_search", _search, methods=["GET"])


def _search() -> Response:
    caller = asked.caller(Scope.AUDIT_READ)
    wanted = asked.query(PARAMETERS)
    wanted["limit"] = min(wanted.get("limit") or 100, MOST)
    page = trail.search(
        service().store, by=caller.client, client=True, asked_as=exchange.request_id(), **wanted
    )
    records = [
        {"chain": each.chain, "sequence": each.sequence, "hash": each.hash, "record": each.record}
        for each in page.records
    ]
    return exchange.answer({"records": records, "after": page.after})
