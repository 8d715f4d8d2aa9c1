"""What a route says of itself: which data of whom it uses and why, or that it is public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authz.errors import DeclarationError, MalformedError
from authz.middleware.answer import CLASSES, FIELDS, NOTIFY, PSEUDONYMISE, REVIEW
from authz.middleware.identity import Identity
from authz.middleware.question import Question
from authz.middleware.shape import Shape

_OBLIGATIONS = frozenset({FIELDS, CLASSES, PSEUDONYMISE, NOTIFY, REVIEW})


@dataclass(frozen=True, slots=True)
class Public:
    """A route that uses nobody's data; ``why`` is for whoever reviews the application."""

    why: str

    def __post_init__(self) -> None:
        if not self.why.strip():
            raise DeclarationError("A public route says why it is public.", where="why")


@dataclass(frozen=True, slots=True)
class Needs:
    """What a route asks the point before anything of it runs.

    ``action``, ``category`` and ``purpose`` are the words of the policy. ``person``,
    ``class_``, ``record`` and those of ``context`` (``{"ticket": "ticket_id"}``) name values of
    the request, such as arguments of the view. ``fields`` are those asked for, all if None.
    ``carries`` are obligations that the code of the route carries out by itself, and answers
    for.
    """

    action: str
    category: str
    person: str
    class_: str = ""
    record: str = ""
    purpose: str = ""
    fields: tuple[str, ...] | None = None
    context: Mapping[str, str] = field(default_factory=dict)
    shape: Shape = field(default_factory=Shape)
    carries: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in ("action", "category", "person"):
            if not getattr(self, name):
                raise DeclarationError("It is required.", where=name)
        if self.fields is not None and not self.fields:
            raise DeclarationError("It must name at least one field.", where="fields")
        if strange := self.carries - _OBLIGATIONS:
            raise DeclarationError(f"{min(strange)!r} is no obligation.", where="carries")

    @property
    def values(self) -> frozenset[str]:
        """The names of the request's values that must be there."""
        named = (self.person, self.class_, self.record, *self.context.values())
        return frozenset(name for name in named if name)

    def question(self, values: Mapping[str, Any], who: Identity) -> Question:
        """The question that this request is; MalformedError where a value is missing."""
        properties = {
            "class": self._text(values, self.class_),
            "record": self._text(values, self.record),
            "fields": list(self.fields) if self.fields is not None else None,
        }
        context = {name: self._text(values, source) for name, source in self.context.items()}
        context["purpose"] = self.purpose or context.get("purpose")
        return Question(
            subject=who.id,
            subject_type=who.type,
            action=self.action,
            category=self.category,
            person=self._text(values, self.person) or "",
            properties=properties,
            context={**context, "mfa": True} if who.mfa else context,
        )

    @staticmethod
    def _text(values: Mapping[str, Any], name: str) -> str | None:
        """The value of that name as text; a number is written, nothing else is."""
        if not name:
            return None
        value = values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value:
            raise MalformedError("It is required.", where=name)
        return value


Declaration = Needs | Public
"""Every route has one; an application with a route that has none does not start."""
