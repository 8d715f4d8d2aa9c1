"""A permit and what is still owed for it, while one request is answered."""

from __future__ import annotations

from typing import Any, Final

from msgspec.json import decode, encode

from authz.errors import ObligationError, RefusedError
from authz.middleware.answer import CLASSES, FIELDS, PSEUDONYMISE, Answer
from authz.middleware.declare import Needs
from authz.middleware.obligations import reading
from authz.middleware.obligations.fields import DROPPED, Orders, carry_out
from authz.middleware.obligations.pseudonyms import PseudonymKey
from authz.middleware.question import Question

BY_FILTER: Final = frozenset({FIELDS, CLASSES, PSEUDONYMISE})
"""The obligations that :meth:`Permitted.filter` carries out."""
_NAMES: Final = frozenset({FIELDS})
NOTHING: Final[frozenset[str]] = frozenset()


class Permitted:
    """What the point permitted. Nothing may leave before :attr:`settled`."""

    def __init__(
        self,
        needs: Needs,
        question: Question,
        answer: Answer,
        *,
        done: frozenset[str] = frozenset(),
        pseudonyms: PseudonymKey | None = None,
    ) -> None:
        """``done`` are obligations that are carried out already."""
        self.needs = needs
        self.question = question
        self.answer = answer
        self.done = done
        self.limits = not (answer.obliges & BY_FILTER) <= needs.carries
        """Whether it sets a limit that the route does not keep by itself."""
        self._pseudonyms = pseudonyms
        self._given: set[str] = set()

    @property
    def owed(self) -> frozenset[str]:
        """The obligations that nobody has carried out yet."""
        return self.answer.obliges - self.done

    @property
    def settled(self) -> bool:
        """Whether every obligation is carried out."""
        return not self.owed

    @property
    def must_filter(self) -> bool:
        """Whether the data have to pass :meth:`filter` before they leave."""
        return bool(self.owed & BY_FILTER)

    @property
    def fields(self) -> frozenset[str] | None:
        """The fields of the catalogue that may be used; None where there is no limit."""
        return self.answer.fields

    @property
    def classes(self) -> frozenset[str] | None:
        """The classes whose records may be used; None where there is no limit."""
        return self.answer.classes

    def may(self, field: str) -> bool:
        """Whether this field may be used, for code that reads fields one by one."""
        return self.answer.fields is None or field in self.answer.fields

    def filter(self, value: object) -> Any:
        """The value as JSON, with only what is allowed in it; filtering again changes nothing.

        Code that carries obligations out by itself does so by calling this: what the route
        declares that it carries is done here as well, as far as its shape says how.
        ObligationError where it holds what cannot be filtered, RefusedError where it is a
        record of a class that is not allowed.
        """
        return self._filtered(value, self._orders(frozenset()))

    def filter_json(self, body: bytes) -> bytes:
        """The same for a body of JSON, without what the route carries out by itself.

        ObligationError where it is no JSON.
        """
        answer, needs = self.answer, self.needs
        try:
            if answer.obliges & BY_FILTER == _NAMES and not needs.carries:
                made = reading.filtered(body, needs.shape, answer.fields or NOTHING)
                if made is not None:
                    self.done |= BY_FILTER
                    return made
            value = decode(body)
        except (ValueError, RecursionError) as error:
            raise ObligationError("The body is no JSON, so it cannot be filtered.") from error
        return encode(self._filtered(value, self._orders(needs.carries)))

    def carried_out(self, *obligations: str) -> None:
        """Say that code of the application has carried these out by itself."""
        self.done |= frozenset(obligations)

    def require_settled(self) -> None:
        """ObligationError while something is owed."""
        if self.owed:
            raise ObligationError(f"Not carried out: {', '.join(sorted(self.owed))}.")

    def _filtered(self, value: object, orders: Orders) -> Any:
        done = carry_out(value, orders)
        if done is DROPPED:
            raise RefusedError("The record is of a class that is not permitted.")
        self.done |= BY_FILTER
        return done

    def _orders(self, by_hand: frozenset[str]) -> Orders:
        answer, shape = self.answer, self.needs.shape
        left_to_code = self.needs.carries if shape.identifiers is None else by_hand
        renames = answer.pseudonymise and PSEUDONYMISE not in left_to_code
        of_classes = CLASSES not in (by_hand if shape.class_of else self.needs.carries)
        return Orders(
            shape,
            fields=None if FIELDS in by_hand else answer.fields,
            classes=answer.classes if of_classes else None,
            renamed=self._renamed if renames else None,
        )

    def _renamed(self, person: str) -> str:
        if person in self._given:
            return person
        if self._pseudonyms is None:
            raise ObligationError("There is no key for pseudonyms.")
        made = self._pseudonyms.pseudonym(person)
        self._given.add(made)
        return made
