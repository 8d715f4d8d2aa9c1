"""Somebody who is named in a form by their name, or by their id where no name is found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from authz.admin import names
from authz.admin.context import here
from authz.admin.viewing import viewer
from authz.service import people


class Picked(NamedTuple):
    """Whom a text means: one person, or those among whom to choose.

    What is no name of anybody whom the viewer may open is taken as an id: of an application, of
    who left, of somebody whose name the viewer reads elsewhere.
    """

    id: str = ""
    name: str = ""
    among: Sequence[tuple[str, str]] = ()


def picked(text: str) -> Picked:
    """Whom the text means; those whose names are shown are recorded with the page."""
    found = people.find(here().own, viewer(), text)
    exact = [each for each in found if each[0] == text] or found
    names.shows(ident for ident, _name in exact)
    if len(exact) > 1:
        return Picked(among=exact)
    return Picked(*exact[0]) if exact else Picked(text)
