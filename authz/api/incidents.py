"""``/api/v1/incidents``: the register of leaks, against its clock of 72 hours (E-07, N-50).

Reading needs ``audit:read``; changing needs ``directory:write``, since an incident that is
assigned opens a case in the directory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Flask, Response, request

from authz import clock
from authz.api import asked, body, exchange
from authz.api.context import service
from authz.errors import MalformedError
from authz.privacy.incidents import Incident
from authz.service import incident_register, incidents
from authz.service.decided import Caller
from authz.vocabulary import Scope

INCIDENTS: Final = "/api/v1/incidents"
INCIDENT: Final = f"{INCIDENTS}/<ident>"
MOMENTS: Final = ("known_at", "reported_at")
_LONGEST_ID: Final = 255
MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "incident_open": ("title", "id", "known_at", "persons", "because"),
    "incident_assign": ("assignee", "because"),
    "incident_update": (
        *("title", "cause", "effect", "remedy", "known_at", "reported_at"),
        *("persons", "because"),
    ),
    "incident_close": ("not_reported", "because"),
}
"""What each change may be told."""


def register(app: Flask) -> None:
    """Add the routes."""
    app.add_url_rule(INCIDENTS, "incidents", _list, methods=["GET"])
    app.add_url_rule(INCIDENTS, "incident_open", _open, methods=["POST"])
    app.add_url_rule(INCIDENT, "incident", _show, methods=["GET"])
    changes = {"assign": _assign, "update": _update, "close": _close}
    for name, change in changes.items():
        app.add_url_rule(f"{INCIDENT}/{name}", f"incident_{name}", change, methods=["POST"])


def _list() -> Response:
    asked.caller(Scope.AUDIT_READ)
    wanted = asked.query({"all": asked.truth})
    now = clock.now()
    found = incident_register.register(service().store, everything=wanted.get("all", False))
    return exchange.answer({"incidents": [incident_register.as_dict(each, now) for each in found]})


def _show(ident: str) -> Response:
    asked.caller(Scope.AUDIT_READ)
    store = service().store
    found = incident_register.get(store, asked.text(ident, "id"))
    steps = incident_register.history(store, found.id)
    return exchange.answer({**incident_register.as_dict(found, clock.now()), "history": steps})


def _open() -> Response:
    caller, sent = _sent("incident_open")
    ident, title = sent.pop("id", ""), sent.pop("title", "")
    made = incidents.open_incident(service().point, title, ident=ident, by=caller.client, **sent)
    return _told(made, 201)


def _assign(ident: str) -> Response:
    caller, sent = _sent("incident_assign")
    return _changed(incidents.assign, ident, sent.pop("assignee", ""), by=caller.client, **sent)


def _update(ident: str) -> Response:
    caller, sent = _sent("incident_update")
    more = {name: sent.pop(name) for name in ("persons", "because") if name in sent}
    return _changed(incidents.amend, ident, sent, by=caller.client, **more)


def _close(ident: str) -> Response:
    caller, sent = _sent("incident_close")
    return _changed(incidents.close, ident, by=caller.client, **sent)


def _changed(change: Callable[..., Incident], ident: str, *given: Any, **more: Any) -> Response:
    return _told(change(service().point, asked.text(ident, "id"), *given, **more), 200)


def _told(incident: Incident, status: int) -> Response:
    return exchange.answer(incident_register.as_dict(incident, clock.now()), status)


def _sent(name: str) -> tuple[Caller, dict[str, Any]]:
    """Who changes what; MalformedError of a member that is not known or not of its kind."""
    caller = asked.caller(Scope.DIRECTORY_WRITE)
    sent = body.read(request, caller.client, service())
    found: dict[str, Any] = {}
    for member, value in sent.items():
        if member not in MEMBERS[name]:
            raise MalformedError("There is no such parameter.", where=member[:100])
        if value is not None:
            found[member] = _read(member, value)
    return caller, found


def _read(member: str, value: Any) -> Any:
    if member == "persons":
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise MalformedError("It must be a list of strings.", where=member)
        return [asked.text(each, member) for each in value]
    if not isinstance(value, str):
        raise MalformedError("It must be a string.", where=member)
    if member in MOMENTS:
        return asked.moment(value, member)
    if "\0" in value or (member in ("id", "assignee") and not 0 < len(value) <= _LONGEST_ID):
        raise MalformedError("It must be a string.", where=member)
    return value
