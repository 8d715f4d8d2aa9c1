"""The words of a review (3.5): definition, campaign, item, reviewer, verdict, remediation."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What sort of right an item is about; the fact that would end."""

    GRANT = "grant"
    ENROLMENT = "enrolment"
    GUARDIANSHIP = "guardianship"
    MENTORING = "mentoring"
    CONTRACT = "contract"
    ELEVATION = "elevation"
    SIGN_IN = "sign_in"
    USE = "use"
    """A use that was made of a right (break-glass): nothing of it can be kept or ended."""


class Verdict(StrEnum):
    """What a reviewer says of an item (3.5)."""

    KEEP = "keep"
    REVOKE = "revoke"
    KEEP_UNTIL = "keep_until"
    ABSTAIN = "abstain"


class Remediation(StrEnum):
    """What follows from a verdict."""

    NONE = "none"
    END = "end"
    LIMIT = "limit"
    SEND_BACK = "send_back"
    """The right follows from a roster: whoever keeps the roster is told, nothing ends here."""
    REPORT = "report"
    """A use that was not justified: the data-protection officer is told."""


class State(StrEnum):
    """Where a campaign stands."""

    DEFINED = "defined"
    PREVIEWED = "previewed"
    STARTED = "started"
    IN_REVIEW = "in_review"
    SUBMITTED = "submitted"
    CLOSED = "closed"
    APPLIED = "applied"
    CANCELLED = "cancelled"
    """It was called off, and nothing follows from it."""


class Step(StrEnum):
    """What is done to a campaign."""

    PREVIEW = "preview"
    START = "start"
    ANSWER = "answer"
    SUBMIT = "submit"
    CLOSE = "close"
    APPLY = "apply"
    UNDO = "undo"
    CANCEL = "cancel"


class ItemState(StrEnum):
    """Where an item stands: waiting, answered but not submitted, final, applied, undone."""

    OPEN = "open"
    ANSWERED = "answered"
    FINAL = "final"
    APPLIED = "applied"
    UNDONE = "undone"
    OVERTAKEN = "overtaken"
    """What it was about had changed meanwhile: nothing was done."""
    LEFT = "left"
    """The review was ended early, before this was settled: nothing was done."""


class NoAnswer(StrEnum):
    """What it means that nobody answered by the due date."""

    KEEP = "keep"
    REVOKE = "revoke"
    ESCALATE = "escalate"
    """The fallback reviewer is asked; what they leave unanswered is kept and told."""


class Reviewers(StrEnum):
    """Who reviews, by rule."""

    SCHOOL = "school"
    """An administrator of the school, else of the organisation above it, and so on up."""
    GRANTER = "granter"
    """Whoever granted it."""
    NAMED = "named"
    """One person, for all items."""


class Flag(StrEnum):
    """Why an item wants a closer look; such items are not kept in bulk."""

    HOLDER_INACTIVE = "holder_inactive"
    CONFLICT = "conflict"
    SELF_GRANTED = "self_granted"
    NEVER_USED = "never_used"
    UNUSED = "unused"
    FEW_PEERS = "few_peers"
    STALE_SOURCE = "stale_source"
    RESTRICTED = "restricted"
    CAME_OF_AGE = "came_of_age"
    MOVED = "moved"
    EMERGENCY = "emergency"


class Advice(StrEnum):
    """The reason of a recommendation that is no flag."""

    NO_END = "no_end"
    IN_USE = "in_use"
    NEW = "new"


class Trigger(StrEnum):
    """What opens a small review by itself; ``DEFINED`` is one that somebody defined."""

    DEFINED = "defined"
    EMERGENCY = "emergency"
    CAME_OF_AGE = "came_of_age"
    RESTRICTED = "restricted"
    MOVED = "moved"


class Wrong(StrEnum):
    """Why a step or verdict is not taken."""

    NOT_NOW = "not_now"
    NOT_YOURS = "not_yours"
    YOUR_OWN = "your_own"
    REASON = "reason"
    BULK_FLAGGED = "bulk_flagged"
    UNTIL = "until"
    NO_END_HERE = "no_end_here"
    NO_ITEMS = "no_items"
    NO_REVIEWER = "no_reviewer"
    OPEN_ITEMS = "open_items"
    SAME_PERSON = "same_person"
    NO_GUARD = "no_guard"
    TOO_LATE = "too_late"
    CHANGED = "changed"
    NO_FALLBACK = "no_fallback"
    NOTHING_CHOSEN = "nothing_chosen"
    EMPTY = "empty"
    DATES = "dates"
    NOT_A_REVIEWER = "not_a_reviewer"
    BY_EVENT = "by_event"
    OWN_LEFT = "own_left"
    APART = "apart"


SENTENCES: Final[dict[Wrong, str]] = {
    Wrong.NOT_NOW: "The review is not at the point where this can be done.",
    Wrong.NOT_YOURS: "The item is somebody else's to review.",
    Wrong.YOUR_OWN: "Nobody reviews what they hold themselves or what is held over them.",
    Wrong.REASON: "A reason is needed for this verdict.",
    Wrong.BULK_FLAGGED: "Flagged items are kept one by one, not in bulk.",
    Wrong.UNTIL: "The day must be in the future, and before the right ends anyway.",
    Wrong.NO_END_HERE: "It follows from a roster or is a use that was made; it has no end here.",
    Wrong.NO_ITEMS: "Nothing is in the scope of this review.",
    Wrong.NO_REVIEWER: "Some items have no reviewer; name a further fallback.",
    Wrong.OPEN_ITEMS: "Some items are not answered yet.",
    Wrong.SAME_PERSON: "A second person must confirm it, who gave none of these verdicts.",
    Wrong.NO_GUARD: "It does not need a second person.",
    Wrong.TOO_LATE: "The time in which it could be undone is over.",
    Wrong.CHANGED: "It was changed meanwhile by somebody else.",
    Wrong.NO_FALLBACK: "A fallback reviewer is needed.",
    Wrong.NOTHING_CHOSEN: "Choose at least one kind of right to review.",
    Wrong.EMPTY: "A name and a reason are needed.",
    Wrong.DATES: "A stage lasts from 1 to 365 days, and the undo window from 0 to 90.",
    Wrong.NOT_A_REVIEWER: "That person is not on file and active, or was granted no role.",
    Wrong.BY_EVENT: "What an event opened is answered, not called off.",
    Wrong.OWN_LEFT: "Nobody ends the review of what they hold themselves.",
    Wrong.APART: "It would meet another role by now, which the policy keeps apart from it.",
}
"""What each means, as the command line says it."""
