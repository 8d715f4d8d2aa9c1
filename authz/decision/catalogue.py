"""What a pack is about, as frozen values: categories, purposes, roles, obligations.

``policy`` reads them from ``catalogue.toml``; here they are only compared (2.2, 2.3, 2.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Texts = Mapping[str, str]
"""A text by language: ``th`` and ``en``."""


class About(StrEnum):
    """Whom the resources of a pack are: people of the directory, or generic entities (3.3)."""

    PEOPLE = "people"
    ENTITIES = "entities"


@dataclass(frozen=True, slots=True)
class Clock:
    """When a purpose ends: so many years or days after a moment of the directory (N-12).

    ``starts`` is ``cancelled``, ``received``, ``last_used`` or ``project_ended``; where
    it is empty the purpose never ends by age.
    """

    starts: str = ""
    years: int = 0
    days: int = 0


@dataclass(frozen=True, slots=True)
class Category:
    """A group of personal data and its fields, in the order they are listed (2.2).

    What is shown of all schools at once is of ``everywhere``: a role that is held at one
    organisation does not open it.
    """

    id: str
    fields: tuple[str, ...] = ()
    title: Texts = field(default_factory=dict)
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why data may be used: its legal basis, its clock, and what it needs (2.3, E-01).

    ``needs`` maps a category to the fields needed; an empty tuple is all of them.
    """

    id: str
    basis: str
    clock: Clock
    needs: Mapping[str, tuple[str, ...]]
    title: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Obligations:
    """Which rules bring which obligations; fields come with every permit (2.7)."""

    classes: frozenset[str] = frozenset()
    pseudonymise: frozenset[str] = frozenset()
    review: frozenset[str] = frozenset()
    notify: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    some: frozenset[str] = field(init=False, repr=False)
    """The rules that bring any of these; the others are done with one look."""

    def __post_init__(self) -> None:
        some = self.classes.union(self.pseudonymise, self.review, self.notify)
        object.__setattr__(self, "some", some)


@dataclass(frozen=True, slots=True)
class Separation:
    """Roles of which one person must hold one at most at a time, and why (N-44)."""

    id: str
    roles: tuple[str, ...]
    title: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The closed lists of a pack."""

    name: str
    about: About
    subject_types: frozenset[str]
    actions: tuple[str, ...]
    categories: Mapping[str, Category]
    purposes: Mapping[str, Purpose]
    roles: tuple[str, ...]
    obligations: Obligations
    reasons: Mapping[str, Texts]
    plain_answers: bool = False
    separation: tuple[Separation, ...] = ()

    def fields_of(self, category: str) -> tuple[str, ...]:
        """The fields of a category, in the order of the catalogue."""
        return self.categories[category].fields

    def everywhere(self, category: str) -> bool:
        """Whether it is shown of all schools at once; no for one that is not known."""
        found = self.categories.get(category)
        return found is not None and found.everywhere
