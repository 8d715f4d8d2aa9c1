"""A student's guardians: add, end, restrict by the document named (N-22)."""

from __future__ import annotations

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from authz import clock
from authz.admin import changes, names
from authz.admin.context import here
from authz.admin.opening import Screen, change, may
from authz.admin.viewing import viewer
from authz.service import families, people


def show(person: str) -> ResponseReturnValue:
    """Who is on file for the student, what stands against whom, and whom one may add."""
    now, point = clock.now(), here().point
    text = request.args.get("find", "").strip()
    found = people.find(here().own, viewer(), text, leave_out=person)
    links = families.guardians(point, person, now)
    restrictions = families.restrictions(point, person, now)
    names.shows((each.adult for each in (*links, *restrictions)), (ident for ident, _name in found))
    return render_template(
        "guardianships.html",
        person=person,
        name=names.people([person])[person],
        links=links,
        restrictions=restrictions,
        find=text,
        found=found,
        may=may("guardianship", "update", person),
        kinds=("parent", "guardian", "relative"),
    )


def _back(person: str) -> ResponseReturnValue:
    return redirect(url_for("guardianships", person=person))


def add(person: str) -> ResponseReturnValue:
    """Record a guardianship; somebody whom the reader may not look up is not there."""
    guardian = request.form.get("guardian", "")
    if guardian and not may("person", "read", guardian):
        abort(404)
    changes.done(
        lambda: families.add(
            here().point,
            person,
            guardian,
            request.form.get("kind", ""),
            since=changes.moment("since"),
            until=changes.moment("until"),
            by=changes.me(),
            why=changes.why(),
        ),
        _("The guardianship is on file."),
    )
    return _back(person)


def end(person: str) -> ResponseReturnValue:
    """End a guardianship now."""
    changes.done(
        lambda: families.end(
            here().point, person, changes.named(), by=changes.me(), why=changes.why()
        ),
        _("The guardianship has ended. It can be recorded again."),
    )
    return _back(person)


def restrict(person: str) -> ResponseReturnValue:
    """Keep an adult of the student's away, by the document named."""
    changes.done(lambda: _restrict(person), _("The restriction is in force."))
    return _back(person)


def _restrict(person: str) -> None:
    adult = changes.named()
    known = families.guardians(here().point, person, clock.now())
    if adult not in {each.adult for each in known} and not may("person", "read", adult):
        abort(404)
    families.restrict(
        here().point,
        person,
        adult,
        basis=request.form.get("basis", ""),
        until=changes.moment("until"),
        by=changes.me(),
        why=changes.why(),
    )


def lift(person: str) -> ResponseReturnValue:
    """End a restriction, by the document named."""
    changes.done(
        lambda: families.lift_restriction(
            here().point,
            person,
            changes.named(),
            basis=request.form.get("basis", ""),
            by=changes.me(),
            why=changes.why(),
        ),
        _("The restriction has ended."),
    )
    return _back(person)


SCREENS = (
    Screen(
        path="/guardianships/<path:person>",
        endpoint="guardianships",
        view=show,
        category="guardianship",
        person="person",
    ),
    *(
        change(
            f"/guardianships/<path:person>/{endpoint}",
            endpoint,
            view,
            "guardianship",
            person="person",
        )
        for endpoint, view in (
            ("add_guardianship", add),
            ("end_guardianship", end),
            ("restrict_guardian", restrict),
            ("lift_restriction", lift),
        )
    ),
)
