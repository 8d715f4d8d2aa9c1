"""Whose names a page shows: one record lists them, written before the page leaves (N-30, N-49).

A view names people by :func:`people`, or says with :func:`shows` whose names a service gave it.
Lists of people that a service records itself, with what was asked for, are said by nobody again.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import g

from authz.admin.context import here
from authz.admin.viewing import viewer
from authz.service import named, shown

_SHOWN = "names_shown"


def shows(*some: Iterable[str | None]) -> None:
    """Say that the page shows the names of all these people; who is nobody's id is left out."""
    known: set[str] = g.setdefault(_SHOWN, set())
    known |= {each for people in some for each in people if each}


def people(ids: Iterable[str | None]) -> dict[str, str]:
    """The names of these people, to be shown; who has none on file is called by the id."""
    found = named.people(here().store, (each for each in ids if each))
    shows(ident for ident, name in found.items() if name != ident)
    return found


def record(category: str, person: str | None) -> None:
    """Record whom the page names, besides the viewer and whom the page is about.

    Those two stand in the decision that opened it. AuditUnavailableError where it cannot be
    written: then the page does not leave.
    """
    me = viewer()
    listed = g.pop(_SHOWN, set()) - {me.person, person}
    if listed:
        shown.record(here().store, me, category, person or me.person, sorted(listed))
