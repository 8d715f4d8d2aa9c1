"""What came back: a permit with all that it obliges to, or a refusal with its reason.

Reading is strict, since whoever cannot carry out an obligation must read the answer as a
refusal (2.7): an obligation with an unknown id, told twice with other values, or of another
shape than page 4.3 gives it makes a refusal of the whole answer. Members of the answer that are
no obligation are ignored, as AuthZEN wants (11.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Final

UNAVAILABLE: Final = "point_unavailable"
TIMEOUT: Final = "point_timeout"
RUBBISH: Final = "point_rubbish"
UNKNOWN_OBLIGATION: Final = "unknown_obligation"
REFUSED: Final = "refused"
FAULTS: Final = frozenset({UNAVAILABLE, TIMEOUT, RUBBISH})
"""Reasons that speak of the point, not of the question: the application may answer 503."""

FIELDS, WITHHELD, CLASSES = "fields", "withheld", "classes"
PSEUDONYMISE, NOTIFY, REVIEW = "pseudonymise", "notify", "review"
_LISTS: Final = frozenset({FIELDS, WITHHELD, CLASSES, NOTIFY})
_FLAGS: Final = frozenset({PSEUDONYMISE, REVIEW})


@dataclass(frozen=True, slots=True)
class Answer:
    """One decision, with what must be carried out before anything of it is used.

    ``fields`` and ``classes`` are None where the answer sets no such limit. ``reason`` is a
    neutral code, and ``text`` its sentence in the language that was asked for. ``by_point``
    names the obligations that the point itself carries out (page 5: it sends the notices and
    opens the reviews). ``decision_id`` is where the record of it stands.
    """

    permit: bool
    reason: str = ""
    text: str = ""
    fields: frozenset[str] | None = None
    withheld: tuple[str, ...] = ()
    classes: frozenset[str] | None = None
    pseudonymise: bool = False
    notify: tuple[str, ...] = ()
    review: bool = False
    purpose: str = ""
    rules: tuple[str, ...] = ()
    by_point: frozenset[str] = frozenset()
    decision_id: str = ""
    obliges: frozenset[str] = field(init=False, compare=False, repr=False)
    """The obligations that somebody must carry out; ``withheld`` is none (4.3)."""

    def __post_init__(self) -> None:
        found = {
            FIELDS: self.fields is not None,
            CLASSES: self.classes is not None,
            PSEUDONYMISE: self.pseudonymise,
            NOTIFY: bool(self.notify),
            REVIEW: self.review,
        }
        obliges = frozenset(name for name, there in found.items() if there)
        object.__setattr__(self, "obliges", obliges)

    @classmethod
    def refused(cls, reason: str, text: str = "") -> Answer:
        """A refusal for this reason."""
        return cls(permit=False, reason=reason, text=text)

    @classmethod
    def from_wire(
        cls, body: object, *, by_point: frozenset[str] = frozenset(), decision_id: str = ""
    ) -> Answer:
        """The answer that ``body`` is; a refusal for ``point_rubbish`` where it is none."""
        if not isinstance(body, dict) or not isinstance(body.get("decision"), bool):
            return cls.refused(RUBBISH)
        context = body.get("context")
        if context is None:
            context = {}
        if not isinstance(context, dict):
            return cls.refused(RUBBISH)
        if not body["decision"]:
            return _refusal(context, decision_id)
        duties = _obligations(context.get("obligations"))
        if duties is None:
            return cls(permit=False, reason=UNKNOWN_OBLIGATION, decision_id=decision_id)
        return cls(
            permit=True,
            purpose=_text(context.get("purpose")),
            rules=_texts(context.get("rules")) or (),
            by_point=by_point,
            decision_id=decision_id,
            **duties,
        )

    def recorded(self, decision_id: str) -> Answer:
        """The same answer, with the place of its record."""
        made = object.__new__(Answer)
        for put, value in zip(_PUT, _ALL(self), strict=True):
            put(made, value)
        _PUT_ID(made, decision_id)
        return made

    @property
    def fault(self) -> bool:
        """Whether it is the point that failed, and nothing was decided."""
        return self.reason in FAULTS


_SLOTS: Final = tuple(each.name for each in fields(Answer))
_ALL: Final = attrgetter(*_SLOTS)
_PUT: Final = tuple(getattr(Answer, name).__set__ for name in _SLOTS)
_PUT_ID: Final = _PUT[_SLOTS.index("decision_id")]


def _refusal(context: Mapping[str, Any], decision_id: str) -> Answer:
    reason = context.get("reason")
    told = reason if isinstance(reason, dict) else {"code": reason}
    code, text = _text(told.get("code")), _text(told.get("text"))
    # A point's own word must not pass for one of ours, which say that it failed.
    known = code if code and code not in FAULTS else REFUSED
    return Answer(permit=False, reason=known, text=text, decision_id=decision_id)


def _obligations(told: object) -> dict[str, Any] | None:
    """The obligations by the names of the fields of an answer; None where one is not known."""
    if told is None:
        return {}
    if not isinstance(told, list):
        return None
    found: dict[str, Any] = {}
    for each in told:
        if not isinstance(each, dict) or each.keys() != {"id", "value"}:
            return None
        name = each["id"]
        value = _value(name, each["value"])
        if value is None or (name in found and found[name] != value):
            return None
        found[name] = value
    return found


def _value(name: object, value: object) -> Any:
    if not isinstance(name, str):
        return None
    if name in _LISTS:
        listed = _texts(value)
        limits = name in {FIELDS, CLASSES} and listed is not None
        return frozenset(listed or ()) if limits else listed
    return value if name in _FLAGS and isinstance(value, bool) else None


def _texts(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        return None
    return tuple(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
