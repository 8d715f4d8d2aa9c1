"""One item of a review: who may answer it how, and what follows (N-46, N-47).

Frozen values in, frozen values out; :class:`RefusedError` where a step is not taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from authz.errors import ConflictError
from authz.review.words import (
    SENTENCES,
    Flag,
    ItemState,
    Kind,
    NoAnswer,
    Remediation,
    Verdict,
    Wrong,
)

KEEPING = frozenset({Verdict.KEEP, Verdict.KEEP_UNTIL})


class RefusedError(ConflictError):
    """A step or verdict that is not taken; ``wrong`` says why (409)."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(SENTENCES[wrong], where=wrong.value)
        self.wrong = wrong


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict. ``by`` is who gave it, ``for_whom`` the reviewer they stood in for, if any."""

    verdict: Verdict
    by: str
    reason: str = ""
    until: datetime | None = None
    for_whom: str = ""
    bulk: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """An item. ``holder`` has the right, ``person`` is whom it reaches, where that is one.

    ``until`` is when the right ends anyway. ``rostered``: the fact is a roster's. An item
    whose reviewer abstained or did not answer is ``passed`` on to the ``fallback`` once.
    """

    kind: Kind
    holder: str
    person: str = ""
    rostered: bool = False
    until: datetime | None = None
    flags: frozenset[Flag] = frozenset()
    reviewer: str = ""
    fallback: str = ""
    passed: bool = False
    stage: int = 1
    state: ItemState = ItemState.OPEN
    answer: Answer | None = None

    @property
    def parties(self) -> frozenset[str]:
        """Those who must not review it: who holds the right, and over whom it is held."""
        return frozenset({self.holder, self.person} - {""})


def wrong(item: Item, answer: Answer, now: datetime) -> Wrong | None:
    """Why the answer is not taken; None where it is."""
    keeping, said = answer.verdict in KEEPING, bool(answer.reason.strip())
    if item.state not in {ItemState.OPEN, ItemState.ANSWERED}:
        return Wrong.NOT_NOW
    if item.reviewer not in {answer.by, answer.for_whom}:
        return Wrong.NOT_YOURS
    if answer.by in item.parties:
        return Wrong.YOUR_OWN
    if answer.bulk and keeping and item.flags:
        return Wrong.BULK_FLAGGED
    if not said and (answer.verdict is Verdict.REVOKE or answer.bulk or (keeping and item.flags)):
        return Wrong.REASON
    return _wrong_end(item, answer, now) if answer.verdict is Verdict.KEEP_UNTIL else None


def _wrong_end(item: Item, answer: Answer, now: datetime) -> Wrong | None:
    if item.rostered or item.kind is Kind.USE:
        return Wrong.NO_END_HERE
    late = item.until is not None and answer.until is not None and answer.until > item.until
    return Wrong.UNTIL if answer.until is None or answer.until <= now or late else None


def answered(item: Item, answer: Answer, now: datetime) -> Item:
    """The item with that answer, which may still be changed; RefusedError where it is not taken."""
    found = wrong(item, answer, now)
    if found is not None:
        raise RefusedError(found)
    return replace(item, state=ItemState.ANSWERED, answer=answer)


def submitted(item: Item, stages: int, reviewer: str) -> Item:
    """The item after its reviewer submitted: on to the next stage, to the fallback, or final.

    ``reviewer`` is who reviews the next stage, and is empty where nobody can.
    """
    if item.state is not ItemState.ANSWERED or item.answer is None:
        raise RefusedError(Wrong.OPEN_ITEMS)
    if item.answer.verdict is Verdict.ABSTAIN and _can_pass(item):
        return _passed(item)
    if item.stage < stages and reviewer and reviewer not in item.parties:
        return replace(
            item, stage=item.stage + 1, state=ItemState.OPEN, reviewer=reviewer, passed=False
        )
    return replace(item, state=ItemState.FINAL)


def unanswered(item: Item, meaning: NoAnswer) -> Item:
    """The item whose time is over without an answer, as the definition says it is handled.

    What a reviewer answered and did not submit is no answer. An earlier stage's verdict
    stands where a later one is silent. A use that was made is never passed over by silence.
    """
    if item.state not in {ItemState.OPEN, ItemState.ANSWERED}:
        return item
    if item.kind is Kind.USE or meaning is NoAnswer.ESCALATE:
        if _can_pass(item):
            return _passed(item)
        meaning = NoAnswer.KEEP
    if item.stage > 1 and item.answer is not None and item.state is ItemState.OPEN:
        return replace(item, state=ItemState.FINAL)
    verdict = Verdict.REVOKE if meaning is NoAnswer.REVOKE else Verdict.KEEP
    return replace(item, state=ItemState.FINAL, answer=Answer(verdict, by=""))


def ended_early(item: Item, *, applied: bool) -> Item:
    """The item of a review that is ended before its time.

    Where what was submitted is to count, that stands, an earlier stage's verdict too. What
    nobody submitted is left as it is on file, whatever no answer would have meant.
    """
    if item.state not in {ItemState.OPEN, ItemState.ANSWERED, ItemState.FINAL}:
        return item
    earlier = item.state is ItemState.OPEN and item.stage > 1 and item.answer is not None
    stands = item.state is ItemState.FINAL or earlier
    return replace(item, state=ItemState.FINAL if applied and stands else ItemState.LEFT)


def _can_pass(item: Item) -> bool:
    able = item.fallback not in {"", item.reviewer} and item.fallback not in item.parties
    return able and not item.passed


def _passed(item: Item) -> Item:
    return replace(item, reviewer=item.fallback, passed=True, state=ItemState.OPEN, answer=None)


def reassigned(item: Item, reviewer: str) -> Item:
    """The item given to another reviewer, who is none of its parties; the answer goes."""
    if item.state not in {ItemState.OPEN, ItemState.ANSWERED}:
        raise RefusedError(Wrong.NOT_NOW)
    if reviewer in item.parties:
        raise RefusedError(Wrong.YOUR_OWN)
    earlier = item.answer if item.state is ItemState.OPEN else None
    return replace(item, reviewer=reviewer, state=ItemState.OPEN, answer=earlier)


def remediation(item: Item) -> Remediation:
    """What follows from the answer that stands."""
    verdict = item.answer.verdict if item.answer else Verdict.ABSTAIN
    if verdict is Verdict.REVOKE:
        if item.kind is Kind.USE:
            return Remediation.REPORT
        return Remediation.SEND_BACK if item.rostered else Remediation.END
    return Remediation.LIMIT if verdict is Verdict.KEEP_UNTIL else Remediation.NONE
