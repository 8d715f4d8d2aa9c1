"""A permit and what is still owed for it, while one request is answered."""

from __future__ import annotations

import json
from typing import Any, Final

from authz.errors import ObligationError, RefusedError
from authz.middleware.answer import CLASSES, FIELDS, PSEUDONYMISE, Answer
from authz.middleware.declare import Needs
from authz.middleware.obligations.fields import DROPPED, Orders, carry_out
from authz.middleware.obligations.pseudonyms import PseudonymKey
from authz.middleware.question import Question

BY_FILTER: Final = frozenset({FIELDS, CLASSES, PSEUDONYMISE})
"""The obligations that :meth:`Permitted.filter` carries out."""


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

        ObligationError where it holds what cannot be filtered, RefusedError where it is a
        record of a class that is not allowed.
        """
        done = carry_out(value, self._orders())
        if done is DROPPED:
            raise RefusedError("The record is of a class that is not permitted.")
        self.done |= BY_FILTER
        return done

    def filter_json(self, body: bytes) -> bytes:
        """The same for a body of JSON; ObligationError where it is none."""
        try:
            value = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise ObligationError("The body is no JSON, so it cannot be filtered.") from error
        return json.dumps(self.filter(value), ensure_ascii=False, separators=(",", ":")).encode()

    def carried_out(self, *obligations: str) -> None:
        """Say that code of the application has carried these out by itself."""
        self.done |= frozenset(obligations)

    def require_settled(self) -> None:
        """ObligationError while something is owed."""
        if self.owed:
            raise ObligationError(f"Not carried out: {', '.join(sorted(self.owed))}.")

    def _orders(self) -> Orders:
        answer = self.answer
        by_hand = self.needs.carries
        return Orders(
            self.needs.shape,
            fields=None if FIELDS in by_hand else answer.fields,
            classes=None if CLASSES in by_hand else answer.classes,
            renamed=self._renamed if answer.pseudonymise and PSEUDONYMISE not in by_hand else None,
        )

    def _renamed(self, person: str) -> str:
        if person in self._given:
            return person
        if self._pseudonyms is None:
            raise ObligationError("There is no key for pseudonyms.")
        made = self._pseudonyms.pseudonym(person)
        self._given.add(made)
        return made
