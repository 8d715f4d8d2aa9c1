"""One's own rights that end: seen, asked for, extended, given back (N-43)."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from authz import clock
from authz.admin import changes, names
from authz.admin.context import here
from authz.admin.opening import Screen, change, open_places
from authz.errors import MalformedError
from authz.review.rights import LONGEST_ROLE, Kind
from authz.service import own_rights, rights
from authz.vocabulary import GRANTABLE_ROLES

SOON = timedelta(days=14)


def show() -> ResponseReturnValue:
    """What I hold and what I asked for."""
    now, point = clock.now(), here().point
    asked = own_rights.requests(point, changes.me())
    held = own_rights.held(point, changes.me(), now)
    people = [vote.person for each in asked for vote in each["votes"]]
    return render_template(
        "rights.html",
        held=held,
        asked=asked,
        soon=now + SOON,
        names=names.people([*people, *(each.by for each in held)]),
        may_break="elevations" in open_places(["elevations"], "update"),
        now=now,
    )


def form() -> ResponseReturnValue:
    """The form of a request."""
    today = clock.now().astimezone(here().settings.local).date()
    return render_template(
        "rights_ask.html",
        schools=rights.schools(here().store),
        roles=sorted(GRANTABLE_ROLES),
        first=today + timedelta(days=1),
        last=today + LONGEST_ROLE,
        needed=here().settings.approvals,
    )


def ask() -> ResponseReturnValue:
    """Put a request; it waits for others."""
    if changes.done(_ask, _("Your request waits for an answer.")):
        return redirect(url_for("own_rights"))
    return redirect(url_for("ask_right"))


def _ask() -> None:
    said = request.form
    elevation = said.get("kind") == Kind.ELEVATION
    rights.ask_for(
        here().point,
        Kind.ELEVATION if elevation else Kind.ROLE,
        by=changes.me(),
        why=changes.why(),
        needed=here().settings.approvals,
        role=said.get("role", ""),
        organisation=said.get("organisation") or None,
        hours=changes.number("hours"),
        until=changes.moment("until"),
        begun=_begun(),
    )


def _begun() -> datetime | None:
    """The begin of the right to be extended, as the page wrote it."""
    text = request.form.get("begun", "")
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise MalformedError("This is no time.", where="begun") from error


def withdraw() -> ResponseReturnValue:
    """Take a request back."""
    changes.done(
        lambda: rights.withdraw(here().point, changes.named(), by=changes.me(), why=changes.why()),
        _("The request is taken back."),
    )
    return redirect(url_for("own_rights"))


def end() -> ResponseReturnValue:
    """Give a right back before its end."""
    kind = Kind.ELEVATION if request.form.get("kind") == Kind.ELEVATION else Kind.ROLE
    changes.done(
        lambda: rights.end(here().point, kind, changes.named(), by=changes.me(), why=changes.why()),
        _("The right has ended."),
    )
    return redirect(url_for("own_rights"))


SCREENS = (
    Screen(path="/rights", endpoint="own_rights", view=show, category="own_rights"),
    Screen(path="/rights/ask", endpoint="ask_right", view=form, category="own_rights"),
    change("/rights/ask", "right_asked", ask, "own_rights"),
    change("/rights/withdraw", "withdraw_right", withdraw, "own_rights"),
    change("/rights/end", "end_right", end, "own_rights"),
)
