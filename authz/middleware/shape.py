"""How the data of a route are shaped, so that obligations can be carried out on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """What the names in a response mean. Whatever is not named here is a field by that name.

    ``names`` gives the field of the catalogue for a name in JSON that is called otherwise
    (``{"points": "score"}``). ``keep`` are names that are no personal data and always stay, as
    ``results`` or ``next``; what they hold is looked at in turn. ``whole`` are names of fields
    that stay with all that they hold, where they are allowed. ``class_of`` is the name that
    holds the class of a record; it stays only if it is kept or allowed. ``identifiers`` are the
    names that identify the person, replaced where the answer says so; None where nobody has
    said which, an empty set where there are none.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    keep: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    class_of: str = ""
    identifiers: frozenset[str] | None = None
    readers: dict[frozenset[str], Any] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """What reads only these fields of it (:mod:`authz.middleware.obligations.reading`)."""
