"""What the screens of reviews share: the bench, the reach, and what is done with a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import Any

from flask import abort, flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from authz import clock
from authz.admin import names
from authz.admin.context import here
from authz.admin.opening import within
from authz.admin.reviews.words import WRONG, said
from authz.errors import MalformedError, NotFoundError
from authz.review.item import RefusedError
from authz.service.database import reading
from authz.service.reviews import reviewers, schools
from authz.service.reviews.campaigns import Bench, Reach
from authz.service.reviews.detail import Detail
from authz.service.reviews.records import Actor

View = Callable[..., ResponseReturnValue]
OVERSIGHT = "oversight"


def bench() -> Bench:
    """Where reviews are run: the store and the policy that applications are answered by."""
    point = here().point
    return Bench(point.store, point.policy, point.place)


def me() -> Actor:
    """Who is signed in, for the record."""
    return Actor(current_user.person, name=current_user.name)


def reach() -> Reach:
    """The organisations whose reviews are shown: all to those who oversee, else one's own."""
    if g.decided.decision.purpose == OVERSIGHT:
        return None
    with reading(here().store) as connection:
        return schools.read(connection, clock.now()).administered_by(current_user.person)


def page(template: str, **values: Any) -> str:
    """A page of reviews."""
    return render_template(f"reviews/{template}.html", w=said(), **values)


def offered(item: Detail | None = None) -> Sequence[Any]:
    """Who can be given an item, and that the page names them, and whom it names of the item."""
    with reading(here().store) as connection:
        found = reviewers.possible(connection, clock.now())
    names.shows(each.id for each in found)
    if item is not None:
        people = item.names.keys() - {item.item.organisation}
        names.shows(people, (each.id for each in (*item.peers, *item.others)))
    return found


def names_items(rows: Iterable[Any]) -> None:
    """That the page names those of a list of items: whose right each is, and over whom."""
    for row in rows:
        names.shows([row.holder, row.person])


def shown(view: View) -> View:
    """What is not there, or not for whoever asks, is not found; a place that is none likewise."""

    @wraps(view)
    def looked_up(**arguments: Any) -> ResponseReturnValue:
        try:
            return view(**arguments)
        except (NotFoundError, MalformedError):
            abort(404)

    return looked_up


def changed(back: str) -> Callable[[View], View]:
    """A change: what is refused is told where it was asked, and nothing was changed.

    ``back`` is the address to go back to, made of the view's arguments.
    """

    def around(view: View) -> View:
        @wraps(view)
        def asked(**arguments: Any) -> ResponseReturnValue:
            try:
                return view(**arguments)
            except RefusedError as error:
                flash(WRONG[error.wrong.value], "bad")
                target = request.form.get("back") or back.format(**arguments)
                return redirect(within(target))
            except (NotFoundError, MalformedError):
                abort(404)

        return asked

    return around


def why() -> str:
    """The reason that every change asks for."""
    return request.form.get("why", "").strip()
