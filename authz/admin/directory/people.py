"""The directory: people and classes, and what is on file of one (N-02, N-42)."""

from __future__ import annotations

from typing import Final

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from authz.admin import names, opening
from authz.admin.context import here
from authz.admin.opening import Screen
from authz.admin.viewing import asked, category, purpose, viewer
from authz.errors import NotFoundError
from authz.service import classes as classes_
from authz.service import named
from authz.service import people as people_
from authz.service import person as person_
from authz.service.people import Wanted

FURTHER: Final = ("guardianship", "grant", "consent", "rights_request")
LINKED: Final = ("guardians", "children", "restrictions")
"""Sections whose rows are other people."""
VIEWS: Final = ("access", "rights", "usage")


def people() -> ResponseReturnValue:
    """The list of people, as far as the viewer may look."""
    own, me = here().own, viewer()
    wanted = asked("text", "school", "kind", "status", "after")
    found = people_.people(
        own, me,
        Wanted(wanted["text"], wanted["school"], wanted["kind"], wanted["status"]),
        wanted["after"],
    )  # fmt: skip
    schools = people_.schools(own, me)
    return render_template("people.html", found=found, wanted=wanted, schools=schools)


def person(person: str) -> ResponseReturnValue:
    """One person: what is on file, each section behind its own decision."""
    opens = [each for each in FURTHER if opening.may(each, "read", person)]
    found = person_.person(here().own, person, ["person", *opens])
    views = opening.would(VIEWS, person)
    grants, requests, store = found.get("grants", []), found.get("requests", []), here().store
    names.shows(row["id"] for name in LINKED for row in found.get(name, ()))
    who = [*(row["granted_by"] for row in grants), *(row["assignee"] for row in requests)]
    return render_template(
        "person.html",
        found=found,
        opens=opens,
        views=views,
        category=category,
        purpose=purpose,
        names=names.people(who),
        places_named=named.organisations(store, (row["organisation"] for row in grants)),
    )


def classes() -> ResponseReturnValue:
    """The list of classes."""
    own, me = here().own, viewer()
    wanted = asked("text", "school", "after")
    found = classes_.classes(own, me, **wanted)
    schools = people_.schools(own, me)
    return render_template("classes.html", found=found, wanted=wanted, schools=schools)


def class_page(ident: str) -> ResponseReturnValue:
    """One class, and those of its people whom the viewer may see."""
    try:
        found = classes_.one(here().own, viewer(), ident, asked("after")["after"])
    except NotFoundError:
        abort(404)
    return render_template("class.html", found=found)


SCREENS = (
    Screen(path="/people", endpoint="people", view=people, category="people"),
    Screen(
        path="/person/<path:person>",
        endpoint="person",
        view=person,
        category="person",
        person="person",
    ),
    Screen(path="/classes", endpoint="classes", view=classes, category="classes"),
    Screen(path="/class/<path:ident>", endpoint="class_page", view=class_page, category="classes"),
)
