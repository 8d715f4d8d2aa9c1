"""A change from a form: done and told, or not done and told why, in the reader's language.

The view sends the browser on afterwards (a reload repeats nothing).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from flask import abort, flash, g, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from authz import clock
from authz.admin.context import here
from authz.admin.days import of_the_common_era
from authz.admin.languages import spoken
from authz.errors import (
    AuthzError,
    ConflictError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    PolicyError,
    SeparationError,
)
from authz.service.reach import Reach

FIELDS: Final[dict[str, Any]] = {
    "why": _l("Say why: the reason is kept with the change."),
    "reason": _l("Say why: the reason is kept with the change."),
    "hours": _l("It lasts from 1 to 24 hours."),
    "until": _l("The end must lie ahead, and within a year."),
    "organisation": _l("Choose a school."),
    "role": _l("Choose a role."),
    "verdict": _l("Say whether it was justified."),
    "basis": _l("Name the document that the restriction stands on."),
    "day": _l("A day is written as year-month-day."),
    "answer": _l("Write the answer that the person gets."),
    "outcome": _l("Say whether the request is granted."),
    "text": _l("Write the notice in Thai and in English."),
    "title": _l("Say in a few words what happened."),
    "known_at": _l("It was known at a time that is past, written as year-month-day and hour."),
    "reported_at": _l("It was told after it was known, and not later than now."),
    "update": _l("Nothing was changed."),
    "assignee": _l("Choose the officer who handles it."),
    "missing": _l("It cannot be closed yet: something is missing."),
    "persons": _l("There is nobody to add, or more than can be added at once."),
}
TOLD: Final[dict[str, Any]] = {
    "Nobody approves what they asked for themselves.": _l(
        "Nobody approves what they asked for themselves."
    ),
    "Nobody approves a way in to their own sign-in.": _l(
        "Nobody approves a way in to their own sign-in."
    ),
    "This request was taken back.": _l("This request was taken back."),
    "This request has ended: nobody answered it in time.": _l(
        "This request has ended: nobody answered it in time."
    ),
    "The sign-in is not in force any more.": _l("The sign-in is not in force any more."),
    "You have answered this request.": _l("You have answered this request."),
    "This request was answered already.": _l("This request was answered already."),
    "You administer this school already.": _l("You administer this school already."),
    "You have this right already.": _l("You have this right already."),
    "Nobody records a guardianship of their own.": _l(
        "Nobody records a guardianship of their own."
    ),
    "Nobody reviews their own emergency.": _l("Nobody reviews their own emergency."),
    "This emergency is reviewed already.": _l("This emergency is reviewed already."),
    "Only who administers a school opens another one in an emergency.": _l(
        "Only who administers a school opens another one in an emergency."
    ),
    "This role came with a roster, and ends there.": _l(
        "This role came with a roster, and ends there."
    ),
}
"""What the service says, in words that are translated."""


def me() -> str:
    """The person who makes the change."""
    return str(current_user.person)


def why() -> str:
    """The reason given in the form."""
    return request.form.get("why", "")


def reach() -> Reach:
    """How far the decision that opened this screen reaches: a school's administrator's schools."""
    return Reach(me(), everywhere=g.decided.decision.purpose == "oversight")


def done(change: Callable[[], object], text: str) -> bool:
    """Make the change and tell; what is not there, or not for this reader, is 404."""
    try:
        change()
    except NotFoundError:
        abort(404)
    except (MalformedError, ConflictError, ForbiddenError, PolicyError) as error:
        flash(told(error), "bad")
        return False
    flash(text, "good")
    return True


def told(error: AuthzError) -> str:
    """Why not, for the reader."""
    if isinstance(error, SeparationError):
        return _apart(error)
    if error.message in TOLD:
        return str(TOLD[error.message])
    if isinstance(error, MalformedError) and error.where in FIELDS:
        return str(FIELDS[error.where])
    if isinstance(error, ConflictError):
        return str(_("It does not fit what is on file; perhaps somebody changed it meanwhile."))
    return str(_("It was not put on file: %(what)s", what=error.message))


def _apart(error: SeparationError) -> str:
    rules = here().point.policy.catalogue.separation
    title = next((rule.title for rule in rules if rule.id == error.where), {})
    return str(_("These roles must not be held together: %(why)s", why=title.get(spoken(), "")))


def named() -> str:
    """The id that the form is about; MalformedError where it names none."""
    found = request.form.get("id", "")
    if not found:
        raise MalformedError("The form names nothing.", where="id")
    return found


def moment(name: str) -> datetime | None:
    """A day of the form as its local midnight; MalformedError where it is none."""
    return day_of(request.form.get(name, "").strip())


def day_of(text: str) -> datetime | None:
    """The same of a text; MalformedError where it is none."""
    if not text:
        return None
    try:
        return clock.parse(of_the_common_era(text), here().settings.local)
    except ValueError as error:
        raise MalformedError("This is no day.", where="day") from error


def number(name: str) -> int | None:
    """A whole number of the form; None where it is none."""
    return whole(request.form.get(name, ""))


def whole(text: str) -> int | None:
    """The whole number that this text is; None where it is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None  # noqa: PLR2004 (digits of a small number)
