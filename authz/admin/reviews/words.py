"""The words of a review as people read them, in the language of the request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

from flask_babel import lazy_gettext as _l

from authz.admin import words
from authz.admin.context import here
from authz.admin.languages import LANGUAGES, day, spoken
from authz.admin.viewing import category
from authz.service.reviews.records import moment

KINDS: Final[Mapping[str, Any]] = {
    "grant": _l("Role granted"),
    "enrolment": _l("Teaches or assists a class"),
    "guardianship": _l("Guardianship"),
    "mentoring": _l("Mentoring"),
    "contract": _l("Contract of a processor"),
    "elevation": _l("Emergency access"),
    "sign_in": _l("Sign-in of the screens"),
    "use": _l("Emergency access that was used"),
}
ROLES: Final[Mapping[str, Any]] = {
    **words.ROLES,
    **{role: words.ENROLMENTS[role] for role in ("aide", "proctor")},
    **{kind: words.GUARDIANS[kind] for kind in ("parent", "guardian")},
    "emergency": _l("Emergency access"),
    "sign_in": _l("Sign-in of the screens"),
}
VERDICTS: Final[Mapping[str, Any]] = {
    "keep": _l("Keep"),
    "revoke": _l("Revoke"),
    "keep_until": _l("Keep until"),
    "abstain": _l("Abstain"),
    "": _l("No answer yet"),
}
ROSTERED: Final[Mapping[str, Any]] = {
    "keep": _l("Acknowledge"),
    "revoke": _l("Send back to the roster's source"),
    "abstain": _l("Abstain"),
    "": _l("No answer yet"),
}
USED: Final[Mapping[str, Any]] = {
    "keep": _l("It was justified"),
    "revoke": _l("It was not justified: tell the officer"),
    "abstain": _l("Abstain"),
    "": _l("No answer yet"),
}
REMEDIATIONS: Final[Mapping[str, Any]] = {
    "none": _l("Stays"),
    "end": _l("Ended"),
    "limit": _l("Given an end"),
    "send_back": _l("Sent back to the source"),
    "report": _l("Reported to the officer"),
    "": "–",
}
STATES: Final[Mapping[str, Any]] = {
    "defined": _l("Defined"),
    "previewed": _l("Previewed"),
    "started": _l("Started"),
    "in_review": _l("In review"),
    "submitted": _l("Submitted"),
    "closed": _l("Waits for a second person"),
    "applied": _l("Applied"),
    "cancelled": _l("Cancelled"),
    "open": _l("Open"),
    "answered": _l("Answered, not submitted"),
    "final": _l("Submitted"),
    "undone": _l("Undone"),
    "overtaken": _l("Changed meanwhile, left as it is"),
    "left": _l("Left as it is: the review was ended early"),
}
REASONS: Final[Mapping[str, Any]] = {
    "holder_inactive": _l("The account is not active"),
    "conflict": _l("Two roles that should not be in one hand"),
    "self_granted": _l("Granted by the holder themselves"),
    "never_used": _l("Never used"),
    "unused": _l("Not used for 90 days"),
    "few_peers": _l("Hardly anybody in the same place has it"),
    "stale_source": _l("The roster has not come for 60 days"),
    "restricted": _l("A restriction between the two is on file"),
    "came_of_age": _l("The student came of age"),
    "moved": _l("The person changed school or role"),
    "emergency": _l("Emergency access was used"),
    "no_end": _l("It is used, but has no end"),
    "in_use": _l("It is used"),
    "new": _l("It is new"),
}
SILENCE: Final[Mapping[str, Any]] = {
    "escalate": _l("Ask the fallback reviewer, then keep"),
    "keep": _l("Keep"),
    "revoke": _l("Revoke"),
}
RULES: Final[Mapping[str, Any]] = {
    "school": _l("The school's administrator, or who stands above"),
    "granter": _l("Whoever granted it"),
    "named": _l("One person, named here"),
}
TRIGGERS: Final[Mapping[str, Any]] = {
    "defined": "",
    "emergency": _l("Emergency access was used"),
    "came_of_age": _l("The student came of age"),
    "restricted": _l("A restriction between the two is on file"),
    "moved": _l("The person changed school or role"),
}
WRONG: Final[Mapping[str, Any]] = {
    "not_now": _l("The review is not at the point where this can be done."),
    "not_yours": _l("The item is somebody else's to review."),
    "your_own": _l("Nobody reviews what they hold themselves or what is held over them."),
    "reason": _l("Say why: this verdict needs a reason."),
    "bulk_flagged": _l("Flagged items are kept one by one. Open each of them."),
    "until": _l("The day must be in the future, and before the right ends anyway."),
    "no_end_here": _l("It follows from a roster or is a use that was made; it has no end here."),
    "no_items": _l("Nothing is in the scope of this review."),
    "no_reviewer": _l("Some items have no reviewer; name a second fallback."),
    "open_items": _l("The due date is not over, and some items are still open."),
    "same_person": _l("It takes a second person, who had no part in these verdicts."),
    "no_guard": _l("It does not need a second person."),
    "too_late": _l("The time in which it could be undone is over."),
    "changed": _l("It was changed meanwhile by somebody else."),
    "no_fallback": _l("Name a fallback reviewer."),
    "nothing_chosen": _l("Choose at least one kind of right to review."),
    "empty": _l("Give it a name, and say why."),
    "dates": _l("A stage lasts from 1 to 365 days; undoing is possible for up to 90 days."),
    "not_a_reviewer": _l("Choose a reviewer who is on file, active and was granted a role."),
    "by_event": _l("An event opened this review. It is answered, not called off."),
    "own_left": _l("Your own right is under review here: somebody else must end the review."),
    "apart": _l("It would meet another role by now, which the policy keeps apart from it."),
}


LABELS: Final[Mapping[str, Any]] = {
    "choose": _l("Choose"),
    "what": _l("What"),
    "last_used": _l("Last used"),
    "recommended": _l("Recommended"),
    "verdict": _l("Verdict"),
    "state": _l("State"),
    "never": _l("never"),
    "times": _l("%(number)s times"),
    "rostered": _l("From the roster"),
    "of": _l("of %(name)s"),
}
"""What stands in every row of a list."""


MOST_DAYS: Final = 4000
"""Days whose words are kept."""


class Said:
    """The words in one language, made once: a list says some of them hundreds of times."""

    def __init__(self) -> None:
        """In the language of the request."""
        self.kinds = _plain(KINDS)
        self.verdicts = _plain(VERDICTS)
        self.remediations = _plain(REMEDIATIONS)
        self.states = _plain(STATES)
        self.reasons = _plain(REASONS)
        self.silence = _plain(SILENCE)
        self.rules = _plain(RULES)
        self.triggers = _plain(TRIGGERS)
        self.wrong = _plain(WRONG)
        self.labels = _plain(LABELS)
        self._days: dict[date, str] = {}
        self._roles, self._used, self._rostered = map(_plain, (ROLES, USED, ROSTERED))

    def verdicts_for(self, item: Any) -> Mapping[str, str]:
        """What can be said of an item, in its words."""
        if item.kind == "use":
            return self._used
        return self._rostered if item.rostered else self.verdicts

    def done(self, item: Mapping[str, Any]) -> str:
        """What became of an item of a report."""
        if item["state"] in {"undone", "overtaken", "left"}:
            return self.states[item["state"]]
        return self.remediations[item["remediation"]]

    def apart(self, rule: str) -> str:
        """Why two roles are kept apart, as the policy says it."""
        rules = here().point.policy.catalogue.separation
        return next((each.title.get(spoken(), rule) for each in rules if each.id == rule), rule)

    def role(self, name: str) -> str:
        """A role in words; one that is not known as it is."""
        return self._roles.get(name, name)

    def category(self, name: str) -> str:
        """A category of data as the policy names it."""
        return category(name)

    def day(self, text: str) -> str:
        """The local day of a moment of the tables; a list says the same few many times."""
        local = datetime.fromisoformat(text).astimezone(here().settings.local).date()
        if len(self._days) > MOST_DAYS:
            self._days.clear()
        if local not in self._days:
            self._days[local] = day(local)
        return self._days[local]

    def when(self, text: str | None) -> datetime | None:
        """A moment of the tables, for the filters of dates."""
        return moment(text)


def _plain(words: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(word) for name, word in words.items()}


@lru_cache(maxsize=len(LANGUAGES))
def _said(language: str) -> Said:  # noqa: ARG001 (what it is kept by)
    return Said()


def said() -> Said:
    """What the templates call ``w``, in the language of the request."""
    return _said(spoken())
