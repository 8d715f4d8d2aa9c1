"""Requests of people's own rights, with their 30 days (N-30 to N-37)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from authz import clock
from authz.admin import changes, names
from authz.admin.context import here
from authz.admin.days import of_the_common_era
from authz.admin.opening import Screen, change, may
from authz.errors import MalformedError
from authz.privacy.requests import RECTIFIED, Kind
from authz.service import rights_request_lists, rights_requests

KINDS: Final[dict[str, Any]] = {
    Kind.ACCESS: _l("Access and a copy"),
    Kind.PORTABILITY: _l("Data to take along"),
    Kind.OBJECTION: _l("Objection to a purpose"),
    Kind.RECTIFICATION: _l("Put right what is wrong"),
    Kind.ERASURE: _l("Erase or anonymise"),
    Kind.RESTRICTION: _l("Restrict the use"),
    Kind.WITHDRAWAL: _l("Take a consent back"),
}
URGENT: Final = timedelta(days=7)


def waiting() -> ResponseReturnValue:
    """The open requests within my reach, the next to fall due first."""
    found, after = rights_request_lists.waiting(
        here().point,
        here().own,
        changes.me(),
        mfa=bool(current_user.mfa),
        after=request.args.get("after", ""),
    )
    names.shows(each.person for each in found)
    return render_template(
        "requests.html",
        found=found,
        after=after,
        names=names.people(each.assignee for each in found),
        kinds=KINDS,
        **_clock(),
    )


def _clock() -> dict[str, Any]:
    now = clock.now()
    return {"now": now, "urgent": now + URGENT}


def show(person: str) -> ResponseReturnValue:
    """All requests of one person, and the form of a new one."""
    point = here().point
    found = rights_request_lists.of(point, person)
    told = [person, changes.me(), *(each.assignee for each in found)]
    told += [each.request.answered_by or "" for each in found if each.request]
    handlers = rights_request_lists.handlers(point, person)
    names.shows(ident for ident, _name in handlers)
    return render_template(
        "rights_requests.html",
        handlers=handlers,
        person=person,
        found=found,
        names=names.people(told),
        me_id=changes.me(),
        kinds=KINDS,
        purposes=point.policy.catalogue.purposes,
        may=may("rights_request", "update", person),
        **_clock(),
    )


def open_one(person: str) -> ResponseReturnValue:
    """Open a request."""
    changes.done(lambda: _open(person), _("The request is open. Its 30 days run."))
    return redirect(url_for("rights_requests", person=person))


def _open(person: str) -> None:
    said = request.form
    if said.get("kind") not in tuple(Kind):
        raise MalformedError("There is no such kind of request.", where="kind")
    rights_requests.open_request(
        here().point,
        person,
        Kind(said["kind"]),
        asked=said.get("asked", ""),
        details=_details(Kind(said["kind"])),
        assignee=_assignee(),
        opened_at=changes.moment("opened_at"),
        by=changes.me(),
        why=changes.why(),
    )


def _details(kind: Kind) -> dict[str, str]:
    if kind in {Kind.OBJECTION, Kind.WITHDRAWAL}:
        return {"purpose": request.form.get("purpose", "")}
    if kind is Kind.RECTIFICATION:
        said = {name: request.form.get(name, "").strip() for name in RECTIFIED}
        return said | {"birth_date": of_the_common_era(said["birth_date"])}
    return {}


def _assignee() -> str:
    """Whoever is named, or the one who writes it down."""
    return request.form.get("assignee", "").strip() or changes.me()


def assign(person: str) -> ResponseReturnValue:
    """Hand a request on."""
    changes.done(
        lambda: rights_requests.assign(
            here().point, person, changes.named(), _assignee(), by=changes.me(), why=changes.why()
        ),
        _("The request is in other hands."),
    )
    return redirect(url_for("rights_requests", person=person))


def answer(person: str) -> ResponseReturnValue:
    """Answer a request; what is granted counts on the next decision."""
    changes.done(lambda: _answer(person), _("The request is answered."))
    return redirect(url_for("rights_requests", person=person))


def _answer(person: str) -> None:
    outcome = request.form.get("outcome")
    if outcome not in {"granted", "refused"}:
        raise MalformedError("Say whether it is granted.", where="outcome")
    rights_requests.answer_request(
        here().point,
        person,
        changes.named(),
        granted=outcome == "granted",
        text=request.form.get("answer", ""),
        by=changes.me(),
        why=changes.why(),
    )


def close(person: str) -> ResponseReturnValue:
    """Close a request that is answered."""
    changes.done(
        lambda: rights_requests.close(
            here().point, person, changes.named(), by=changes.me(), why=changes.why()
        ),
        _("The request is closed."),
    )
    return redirect(url_for("rights_requests", person=person))


SCREENS = (
    Screen(path="/requests", endpoint="requests", view=waiting, category="requests"),
    Screen(
        path="/requests/<path:person>",
        endpoint="rights_requests",
        view=show,
        category="rights_request",
        person="person",
    ),
    *(
        change(
            f"/requests/<path:person>/{endpoint}", endpoint, view, "rights_request", person="person"
        )
        for endpoint, view in (
            ("open_request", open_one),
            ("assign_request", assign),
            ("answer_request", answer),
            ("close_request", close),
        )
    ),
)
