"""The children in somebody's care, page by page, and which of their screens open (N-22).

Which these are is a condition of the console's decision point, one statement for each screen:
their number does not grow with the children.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import Select, select

from authz.directory import tables as t
from authz.service import shown
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.permitted import permitted
from authz.service.shown import Viewer

PAGE: Final = 24


@dataclass(frozen=True, slots=True)
class Child:
    """A child, and the screens about them that open to whoever looks."""

    id: str
    name: str
    opens: frozenset[str]


@dataclass(frozen=True, slots=True)
class Children:
    """A page of them. ``after`` asks for those that follow, and is empty after the last."""

    children: tuple[Child, ...]
    after: str


def children(
    own: DecisionPoint, viewer: Viewer, screens: Sequence[str], after: str = ""
) -> Children:
    """The children on file as the viewer's of whom one of these screens opens, by their names.

    MalformedError where ``after`` is no place.
    """
    p, g = t.Person, t.Guardianship
    query = cast("Select[Any]", select(p.id, p.given_name, p.family_name, p.name_order))
    query = query.where(
        p.id.in_(select(g.student).where(g.guardian == viewer.person)),
        shown.following(p.name_order, p.id, shown.place(after)),
    )
    query = query.order_by(p.name_order, p.id).limit(PAGE + 1)
    opens: dict[tuple[str, str], set[str]] = {}
    names: dict[str, str] = {}
    with reading(own.store) as connection:
        for screen in screens:
            for ident, given, family, order in connection.execute(
                _open(own, viewer, query, screen)
            ):
                opens.setdefault((order, ident), set()).add(screen)
                names[ident] = f"{given} {family}".strip() or ident
    found = sorted(opens)
    page = tuple(Child(key[1], names[key[1]], frozenset(opens[key])) for key in found[:PAGE])
    return Children(page, shown.after(found[PAGE - 1] if len(found) > PAGE else None))


def _open(own: DecisionPoint, viewer: Viewer, query: Select[Any], screen: str) -> Select[Any]:
    return permitted(
        query,
        viewer.person,
        "read",
        screen,
        person=t.Person.id,
        context={"mfa": True} if viewer.mfa else {},
        policy=own.policy,
        place=own.place,
    )
