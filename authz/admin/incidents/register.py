"""The register of incidents: opened, assigned, written down, closed, against the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from authz import clock
from authz.admin import changes, names
from authz.admin.context import here
from authz.admin.opening import Screen, allowed, change
from authz.errors import MalformedError, NotFoundError
from authz.privacy import incidents as life
from authz.privacy.incidents import Incident
from authz.service import incident_register, incidents
from authz.vocabulary import Event

STATES: Final[dict[str, Any]] = {
    "open": _l("not assigned yet"),
    "assigned": _l("being handled"),
    "closed": _l("closed"),
}
STEPS: Final[dict[str, Any]] = {
    Event.INCIDENT_OPENED: _l("Opened"),
    Event.INCIDENT_ASSIGNED: _l("Assigned"),
    Event.INCIDENT_UPDATED: _l("Written down"),
    Event.INCIDENT_CLOSED: _l("Closed"),
}
MEMBERS: Final[dict[str, Any]] = {
    "title": _l("What happened"),
    "cause": _l("Cause"),
    "effect": _l("Effect"),
    "remedy": _l("Remedy"),
    "known_at": _l("Known since"),
    "reported_at": _l("Told to those concerned"),
    "not_reported": _l("Why no report was owed"),
    "assignee": _l("In the hands of"),
    "persons": _l("People concerned"),
}
TEXTS: Final = ("title", "cause", "effect", "remedy")
MOMENTS: Final = ("known_at", "reported_at")
SHOWN: Final = 50


def show_list() -> ResponseReturnValue:
    """The incidents, the next whose time runs out first."""
    everything = request.args.get("all") == "yes"
    found, after = incident_register.page(
        here().store, everything=everything, after=request.args.get("after", "")
    )
    return render_template(
        "incidents.html",
        found=found,
        after=after,
        everything=everything,
        names=names.people(each.assignee for each in found),
        may=allowed("incidents", "update"),
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {"states": STATES, "steps": STEPS, "members": MEMBERS, "now": clock.now()}


def show_form() -> ResponseReturnValue:
    """The form of a new incident."""
    return render_template("incident_new.html", typed={}, now=_field(clock.now()))


def _field(moment: datetime | None) -> str:
    """A moment as a field of a form has it: local, to the minute."""
    local = here().settings.local
    return moment.astimezone(local).strftime("%Y-%m-%dT%H:%M") if moment else ""


def open_one() -> ResponseReturnValue:
    """Open an incident; what was typed stays where that fails."""
    made: list[Incident] = []
    if changes.done(lambda: made.append(_open()), _("The incident is open. Its 72 hours run.")):
        return redirect(url_for("incident", incident=made[0].id))
    return render_template("incident_new.html", typed=request.form, now=_field(clock.now())), 400


def _open() -> Incident:
    return incidents.open_incident(
        here().point,
        _text("title"),
        known_at=_moment("known_at"),
        persons=_persons(),
        by=changes.me(),
        because=_why(),
    )


def show(incident: str) -> ResponseReturnValue:
    """One incident: its clock, what is known, whom it concerns, and its history."""
    return _page(incident, {})


def _page(ident: str, typed: Mapping[str, Any]) -> str:
    store = here().store
    try:
        found = incident_register.get(store, ident)
    except NotFoundError:
        abort(404)
    sees_people = allowed("breach", "read")
    people, number = incident_register.concerned(store, ident, SHOWN)
    history = [{**each, "told": _told(each)} for each in incident_register.history(store, ident)]
    told = [*(people if sees_people else ()), found.assignee or ""]
    told += [each["by"] for each in history]
    officers = incident_register.officers(store, clock.now())
    names.shows(each for each, _name in officers)
    return render_template(
        "incident.html",
        found=found,
        typed=typed,
        missing=[MEMBERS[name] for name in life.missing(found)],
        fields={name: _field(getattr(found, name)) for name in MOMENTS},
        people=people if sees_people else (),
        number=number,
        history=history,
        officers=officers,
        names=names.people(told),
        may=allowed("incidents", "update"),
        sees_people=sees_people,
        **_words(),
    )


def _told(step: Mapping[str, Any]) -> list[Any]:
    """The names of what a step wrote down, whose words stand above."""
    return [MEMBERS[name] for name in step["members"] if name in MEMBERS and name != "persons"]


def _change(change: Callable[[str], object], text: str, ident: str) -> ResponseReturnValue:
    """Make a change; where it fails, what was typed stays."""
    if changes.done(lambda: change(ident), text):
        return redirect(url_for("incident", incident=ident))
    return _page(ident, request.form), 400


def assign(incident: str) -> ResponseReturnValue:
    """Put it into an officer's hands."""
    return _change(_assign, _("The incident is in these hands now."), incident)


def _assign(ident: str) -> None:
    to, store = request.form.get("assignee", ""), here().store
    if to not in {each for each, _name in incident_register.officers(store, clock.now())}:
        raise MalformedError("Choose an officer.", where="assignee")
    incidents.assign(here().point, ident, to, by=changes.me(), because=_why())


def update(incident: str) -> ResponseReturnValue:
    """Write down what became known."""
    return _change(_update, _("It is written down."), incident)


def _update(ident: str) -> None:
    before = incident_register.get(here().store, ident)
    known: dict[str, Any] = {name: _text(name) for name in TEXTS}
    differs = {name: value for name, value in known.items() if value != getattr(before, name)}
    for name in MOMENTS:
        if request.form.get(name, "") != _field(getattr(before, name)):
            differs[name] = _moment(name)
    incidents.amend(
        here().point, ident, differs, persons=_persons(), by=changes.me(), because=_why()
    )


def close(incident: str) -> ResponseReturnValue:
    """Close it, once nothing is missing."""
    return _change(_close, _("The incident is closed."), incident)


def _close(ident: str) -> None:
    not_reported = _text("not_reported")
    if life.missing(incident_register.get(here().store, ident), not_reported):
        raise MalformedError("Something is missing.", where="missing")
    incidents.close(here().point, ident, by=changes.me(), not_reported=not_reported, because=_why())


def _text(name: str) -> str:
    """A text of the form; a browser ends its lines in two signs."""
    return request.form.get(name, "").replace("\r\n", "\n").strip()


def _moment(name: str) -> Any:
    try:
        return changes.moment(name)
    except MalformedError as error:
        raise MalformedError(error.message, where=name) from error


def _persons() -> list[str]:
    return _text("persons").split()


def _why() -> str:
    why = changes.why().strip()
    if not why:
        raise MalformedError("Say why.", where="why")
    return why


SCREENS = (
    Screen(path="/incidents", endpoint="incidents", view=show_list, category="incidents"),
    Screen(
        path="/incidents/new",
        endpoint="incident_new",
        view=show_form,
        category="incidents",
        action="update",
    ),
    change("/incidents/new", "incident_open", open_one, "incidents"),
    Screen(path="/incident/<path:incident>", endpoint="incident", view=show, category="incidents"),
    change("/incident/<path:incident>/assign", "incident_assign", assign, "incidents"),
    change("/incident/<path:incident>/update", "incident_update", update, "incidents"),
    change("/incident/<path:incident>/close", "incident_close", close, "incidents"),
)
