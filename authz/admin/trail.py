"""The audit trail: search, one person's timeline, and where it stands (N-49)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from authz.admin import names, opening
from authz.admin.context import here
from authz.admin.opening import Screen
from authz.admin.viewing import asked, category, day, purpose, reason, viewer
from authz.service import person as person_
from authz.service import usage as usage_
from authz.vocabulary import Event

FILTERS = ("subject", "category", "purpose", "decision", "since", "until", "after")
SEARCHES = (*FILTERS, "person", "application", "rule", "request_id", "event")
VIEWS = ("person", "access", "rights", "usage")


def usage(person: str) -> ResponseReturnValue:
    """Who used this person's data: the trail of the person, filtered."""
    wanted = asked(*FILTERS)
    found = usage_.records(here().store, viewer().name, person=person, **_filters(wanted))
    names.shows(found.names.people)
    known = person_.person(here().own, person, [])["person"]
    views = opening.would(VIEWS, person)
    return render_template(
        "usage.html", found=found, known=known, wanted=wanted, views=views, view="usage",
        **_words(),
    )  # fmt: skip


def trail() -> ResponseReturnValue:
    """All records, searched."""
    wanted = asked(*SEARCHES)
    more = {name: wanted[name] for name in ("person", "application", "rule", "request_id")}
    found = usage_.records(
        here().store, viewer().name, **_filters(wanted), **more, event=wanted["event"]
    )
    names.shows(found.names.people)
    return render_template("trail.html", found=found, wanted=wanted, events=list(Event), **_words())


def state() -> ResponseReturnValue:
    """Where the trail stands, and how to verify and export it."""
    return render_template("trail_state.html", state=usage_.state(here().store))


def _filters(wanted: dict[str, str]) -> dict[str, Any]:
    """What the form asks, as the trail is asked; the last day is the whole of it."""
    until = day(wanted["until"])
    decision = {"permit": True, "refuse": False}.get(wanted["decision"])
    return {
        "subject": wanted["subject"],
        "category": wanted["category"],
        "purpose": wanted["purpose"],
        "decision": decision,
        "since": day(wanted["since"]),
        "until": until + timedelta(days=1) if until else None,
        "after": wanted["after"],
    }


def _words() -> dict[str, Any]:
    catalogue = here().point.policy.catalogue
    return {
        "category": category,
        "purpose": purpose,
        "reason": reason,
        "categories": list(catalogue.categories),
        "purposes": list(catalogue.purposes),
    }


SCREENS = (
    Screen(
        path="/usage/<path:person>",
        endpoint="usage",
        view=usage,
        category="usage",
        person="person",
    ),
    Screen(path="/trail", endpoint="trail", view=trail, category="trail"),
    Screen(path="/trail/state", endpoint="trail_state", view=state, category="trail"),
)
