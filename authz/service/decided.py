"""What a decision is asked with, and what comes of it (2.8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from authz.audit.log import Receipt
from authz.decision.combine import Decision
from authz.decision.request import Question, Request
from authz.directory.relations import Situation
from authz.errors import MalformedError
from authz.service.stands import Stands

MALFORMED = MalformedError.code


class Semantic(StrEnum):
    """When a batch stops (AuthZEN 7.1.2)."""

    EXECUTE_ALL = "execute_all"
    DENY_ON_FIRST_DENY = "deny_on_first_deny"
    PERMIT_ON_FIRST_PERMIT = "permit_on_first_permit"

    def stops_at(self, *, permit: bool) -> bool:
        """Whether no further item is looked at after this decision."""
        if self is Semantic.DENY_ON_FIRST_DENY:
            return not permit
        return self is Semantic.PERMIT_ON_FIRST_PERMIT and permit


@dataclass(frozen=True, slots=True)
class Caller:
    """The application that asks: its client name, and whether it may assert a second factor.

    ``token_id`` is the `jti` of the token that it asked with, where this service gave it.
    """

    client: str
    asserts_mfa: bool = False
    scopes: frozenset[str] = frozenset()
    token_id: str = ""


@dataclass(slots=True)  # frozen costs a microsecond in every decision
class Decided:
    """A decision with what it was about, and where its record stands.

    ``malformed`` is set instead for an item of a batch that was no question. A what-if
    has no ``receipt``. ``stands`` is there where the same question would be answered alike
    again; such a decision brings no duties, and its ``situation`` is left out.
    """

    decision: Decision
    question: Question | None = None
    situation: Situation | None = None
    malformed: MalformedError | None = None
    receipt: Receipt | None = None
    stands: Stands | None = None

    @property
    def revision(self) -> int | None:
        """The directory's, that it is of; none where the directory was not asked."""
        if self.stands is not None:
            return self.stands.revision
        return self.situation.facts.revision if self.situation else None


Items = Sequence[Request | MalformedError]
Found = tuple[list[Decided], datetime]
"""Decisions, and the moment that they are of."""
