"""Facts and changes as JSON values with a sentence each, in the reader's language (3.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from authz.decision.answer import sentence
from authz.decision.catalogue import Catalogue
from authz.decision.combine import Decision
from authz.directory.behind import behind, behind_role
from authz.directory.evidence import OnFile
from authz.directory.fact import Fact
from authz.directory.relations import Situation
from authz.engine.policy import Policy
from authz.service import change_texts, explain_texts
from authz.service.because import BEGINS, Event, because
from authz.service.changes import Changed
from authz.vocabulary import ChangeKind, FactState, Relation

MOST_FACTS = 10
DETAILS = (
    "status",
    "kind",
    "role",
    "class",
    "organisation",
    "processor",
    "authority",
    "project",
    "basis",
)
"""What of a fact stands in its sentence."""
Texts = Mapping[str, str]


@dataclass(frozen=True)
class Teller:
    """Tells of one question; a fact is looked at once, however many rules ask for it."""

    policy: Policy
    situation: Situation
    on_file: OnFile
    language: str
    _behind: dict[tuple[str, str | None], list[Fact]] = field(default_factory=dict)

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of the policy."""
        return self.policy.catalogue

    def say(self, texts: Texts) -> str:
        """The text in the reader's language."""
        return texts[self.language]

    def moment(self, value: datetime) -> str:
        """A local date, or a time where it is not its midnight."""
        there = value.astimezone(self.situation.place.local)
        midnight = there.time() == time.min
        return there.date().isoformat() if midnight else there.isoformat()

    def facts_of(self, relation: Relation, purpose: str | None) -> list[Fact]:
        """The facts behind a relation."""
        key = (relation, purpose)
        if key not in self._behind:
            self._behind[key] = behind(relation, self.situation, self.on_file, purpose)
        return self._behind[key]

    def facts_of_role(self, role: str) -> list[Fact]:
        """The facts from which a role is held, or those of the roles that lead to it."""
        held = self.situation.roles
        leading = [name for name in sorted(held) if role in self.policy.senior.get(name, ())]
        names = leading if leading and role not in held else [role]
        return [each for name in names for each in behind_role(name, self.situation, self.on_file)]

    def role(self, role: str, *, held: bool) -> dict[str, Any]:
        """Whether a role is held, and from what."""
        return {"name": role, "held": held, **self._facts(self.facts_of_role(role))}

    def relations(self, found: Mapping[str, bool], purpose: str | None) -> list[dict[str, Any]]:
        """Each relation that a condition asks: true or false, and why."""
        return [
            {
                "relation": str(name),
                "holds": holds,
                "text": self._relation(Relation(name), purpose, holds=holds),
                **self._facts(self.facts_of(Relation(name), purpose)),
            }
            for name, holds in found.items()
        ]

    def _relation(self, name: Relation, purpose: str | None, *, holds: bool) -> str:
        word = self.say(explain_texts.YES if holds else explain_texts.NO)
        said = f"{word}: {self.say(explain_texts.RELATIONS[name])}."
        bare = not holds and not self.facts_of(name, purpose)
        return f"{said} {self.say(explain_texts.NOTHING)}" if bare else said

    def _facts(self, found: list[Fact]) -> dict[str, Any]:
        told = {"facts": [self._fact(each) for each in found[:MOST_FACTS]]}
        more = len(found) - MOST_FACTS
        return {**told, "facts_left_out": more} if more > 0 else told

    def _fact(self, found: Fact) -> dict[str, Any]:
        members = {
            "fact": found.kind,
            "id": found.id,
            "state": str(found.state),
            "counts": found.counts,
            "since": found.since and self.moment(found.since),
            "until": found.until and self.moment(found.until),
            "origin": found.origin,
            "about": dict(found.about),
            "text": self._sentence(found),
        }
        return {name: value for name, value in members.items() if value not in (None, "", {})}

    def _sentence(self, found: Fact) -> str:
        dates = {
            name: self.moment(value) if value else "-"
            for name, value in (("since", found.since), ("until", found.until))
        }
        parts = [self.say(explain_texts.STATES[found.state]).format(**dates)]
        if found.state is FactState.IN_FORCE:
            parts += [self.say(explain_texts.SINCE).format(dates["since"])] if found.since else []
            parts += [self.say(explain_texts.UNTIL).format(dates["until"])] if found.until else []
        name = self.name(found)
        told = [str(found.about[each]) for each in DETAILS if each in found.about]
        about = f" ({', '.join(told)})" if told else ""
        lacks = found.about.get("lacks")
        parts += [self.say(explain_texts.LACKS).format(", ".join(lacks))] if lacks else []
        return f"{name[:1].upper()}{name[1:]}{about}: {', '.join(parts)}."

    def name(self, found: Fact) -> str:
        """What a fact is called."""
        kind = self.say(explain_texts.KINDS[found.kind])
        return f"{kind} {found.id}" if found.id else kind

    def changed(self, found: Changed, now: Decision) -> dict[str, Any]:
        """A change, the answer then, and both in a sentence."""
        change, then = found.change, found.decision
        value = change.value
        events = self._because(value) if isinstance(value, datetime) else []
        members: dict[str, Any] = {
            "kind": str(change.kind),
            "what": change.what,
            "value": self.moment(value) if isinstance(value, datetime) else value,
            "because": [
                {"fact": each.fact.kind, "id": each.fact.id, "event": each.how} for each in events
            ],
            "decision": then.permit,
            "purpose": then.purpose,
            "rules": list(then.rules),
            "reason": then.reason and str(then.reason),
            "text": self._change(found, now, events),
        }
        return {name: value for name, value in members.items() if value not in (None, [])}

    def _change(self, found: Changed, now: Decision, events: list[Event]) -> str:
        change, then = found.change, found.decision
        told = {
            "rules": ", ".join(then.rules),
            "reason": sentence(self.catalogue, then.reason or "", self.language),
        }
        if change.kind is ChangeKind.TIME and isinstance(change.value, datetime):
            texts = change_texts.TIMES[change.what, now.permit, then.permit]
            why = self._why(events)
            return self.say(texts).format(at=self.moment(change.value), because=why, **told)
        what = self._what(change.what, change.value)
        texts = change_texts.PERMITTED if then.permit else change_texts.REFUSED
        return self.say(texts).format(what=what, **told)

    def _what(self, what: str, value: object) -> str:
        if what in {"with", "without"}:
            thing = change_texts.THINGS[Relation(str(value))]
            if (what, value) == ("without", Relation.MINOR.value):
                thing = change_texts.MINORITY
            frame = change_texts.WITH if what == "with" else change_texts.WITHOUT
            return self.say(frame).format(self.say(thing))
        return self.say(change_texts.WORDS[what, bool(value)]).format(value=value)

    def _why(self, events: list[Event]) -> str:
        """``as the guardianship G ends``; with nothing known, that time passes."""
        if not events:
            return self.say(change_texts.TIME)
        said = self.say(change_texts.AND).join(map(self._event, events))
        return self.say(change_texts.AS).format(said)

    def _event(self, event: Event) -> str:
        if event.fact.kind == "birth_date":
            return self.say(change_texts.OF_AGE)
        texts = change_texts.BEGINS if event.how == BEGINS else change_texts.ENDS
        return self.say(texts).format(self.name(event.fact))

    def _because(self, moment: datetime) -> list[Event]:
        return because(self.policy, self.situation, self.on_file, moment)
