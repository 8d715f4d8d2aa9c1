"""What a review is about, who reviews it, and by when (N-46)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from authz.review.item import RefusedError
from authz.review.words import Kind, NoAnswer, Reviewers, Wrong

LONGEST_STAGE: Final = 365
LONGEST_UNDO: Final = 90
MOST_STAGES: Final = 3


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rights: all that every filled member lets through.

    ``organisation`` means it and all below it. ``unused_days``: not used for so long;
    ``new``: on file since the last review of this definition.
    """

    kinds: tuple[Kind, ...]
    organisation: str = ""
    roles: tuple[str, ...] = ()
    contract: str = ""
    unused_days: int = 0
    new: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One round: by what rule the reviewer is found, and how many days they have."""

    reviewers: Reviewers
    days: int
    named: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A review that can be started, and started again."""

    name: str
    scope: Scope
    stages: tuple[Stage, ...]
    fallbacks: tuple[str, ...]
    no_answer: NoAnswer = NoAnswer.ESCALATE
    reminders: tuple[int, ...] = (7, 1)
    undo_days: int = 7

    def as_dict(self) -> dict[str, Any]:
        """Its members as JSON values."""
        return asdict(self)


def from_dict(sent: Mapping[str, Any]) -> Definition:
    """The definition of those members, as :meth:`Definition.as_dict` gives them."""
    scope = dict(sent["scope"])
    scope["kinds"] = tuple(Kind(each) for each in scope["kinds"])
    scope["roles"] = tuple(scope["roles"])
    stages = tuple(
        Stage(Reviewers(each["reviewers"]), int(each["days"]), each["named"])
        for each in sent["stages"]
    )
    return Definition(
        name=sent["name"],
        scope=Scope(**scope),
        stages=stages,
        fallbacks=tuple(sent["fallbacks"]),
        no_answer=NoAnswer(sent["no_answer"]),
        reminders=tuple(sent["reminders"]),
        undo_days=int(sent["undo_days"]),
    )


def check(definition: Definition) -> None:
    """RefusedError where something is missing or cannot be."""
    if not definition.name.strip():
        raise RefusedError(Wrong.EMPTY)
    if not definition.scope.kinds or Kind.USE in definition.scope.kinds:
        raise RefusedError(Wrong.NOTHING_CHOSEN)
    if not definition.fallbacks or not all(definition.fallbacks):
        raise RefusedError(Wrong.NO_FALLBACK)
    days = [stage.days for stage in definition.stages]
    sane = 1 <= len(days) <= MOST_STAGES and all(1 <= each <= LONGEST_STAGE for each in days)
    if not sane or not 0 <= definition.undo_days <= LONGEST_UNDO:
        raise RefusedError(Wrong.DATES)
    if any(stage.reviewers is Reviewers.NAMED and not stage.named for stage in definition.stages):
        raise RefusedError(Wrong.NOT_A_REVIEWER)
