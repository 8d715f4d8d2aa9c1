"""Facts and changes as JSON values with a sentence each, in the reader's language (3.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import cached_property
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
from authz.service.changes import Changed
from authz.vocabulary import ChangeKind, FactState, Relation

MOST_FACTS = 10
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
                "text": self._relation(Relation(name), holds=holds),
                **self._facts(self.facts_of(Relation(name), purpose)),
            }
            for name, holds in found.items()
        ]

    def _relation(self, name: Relation, *, holds: bool) -> str:
        word = self.say(explain_texts.YES if holds else explain_texts.NO)
        return f"{word}: {self.say(explain_texts.RELATIONS[name])}."

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
        return f"{name[:1].upper()}{name[1:]}: {', '.join(parts)}."

    def name(self, found: Fact) -> str:
        """What a fact is called."""
        kind = self.say(explain_texts.KINDS[found.kind])
        return f"{kind} {found.id}" if found.id else kind

    def changed(self, found: Changed, now: Decision) -> dict[str, Any]:
        """A change, the answer then, and both in a sentence."""
        change, then = found.change, found.decision
        value = change.value
        because = self._because(value) if isinstance(value, datetime) else []
        members: dict[str, Any] = {
            "kind": str(change.kind),
            "what": change.what,
            "value": self.moment(value) if isinstance(value, datetime) else value,
            "because": [{"fact": each.kind, "id": each.id, "event": how} for each, how in because],
            "decision": then.permit,
            "purpose": then.purpose,
            "rules": list(then.rules),
            "reason": then.reason and str(then.reason),
            "text": self._change(found, now, because),
        }
        return {name: value for name, value in members.items() if value not in (None, [])}

    def _change(self, found: Changed, now: Decision, because: list[tuple[Fact, str]]) -> str:
        change, then = found.change, found.decision
        told = {
            "rules": ", ".join(then.rules),
            "reason": sentence(self.catalogue, then.reason or "", self.language),
        }
        if change.kind is ChangeKind.TIME and isinstance(change.value, datetime):
            texts = change_texts.TIMES[change.what, now.permit, then.permit]
            why = self._why(because)
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

    def _why(self, because: list[tuple[Fact, str]]) -> str:
        """``as the guardianship G ends``; with nothing known, that time passes."""
        if not because:
            return self.say(change_texts.TIME)
        events = [self._event(each, how) for each, how in because]
        return f"{self.say(change_texts.AS)} {self.say(change_texts.AND).join(events)}"

    def _event(self, found: Fact, how: str) -> str:
        if found.kind == "birth_date":
            return self.say(change_texts.OF_AGE)
        texts = change_texts.BEGINS if how == "begins" else change_texts.ENDS
        return self.say(texts).format(self.name(found))

    def _because(self, moment: datetime) -> list[tuple[Fact, str]]:
        """The facts that begin or end at that moment."""
        found: dict[tuple[str, str], tuple[Fact, str]] = {}
        for each in self.involved:
            for at, how in ((each.since, "begins"), (each.until, "ends")):
                if at == moment:
                    found.setdefault((each.kind, each.id), (each, how))
        return list(found.values())

    @cached_property
    def involved(self) -> list[Fact]:
        """Every fact behind any rule of the policy about this action and category."""
        asked = self.situation.question
        rules = [
            compiled.rule
            for compiled in (*self.policy.permits, *self.policy.refusals)
            if compiled.rule.covers(asked.action, asked.category)
        ]
        purposes = {asked.purpose} | {rule.default_purpose for rule in rules} - {None}
        found: list[Fact] = []
        for name in sorted({name for rule in rules for name in rule.relations}):
            for purpose in sorted(purposes, key=str):
                found += self.facts_of(Relation(name), purpose)
        return found + list(self._role_facts({rule.role for rule in rules}))

    def _role_facts(self, roles: Iterable[str]) -> Iterable[Fact]:
        for role in sorted(roles):
            yield from self.facts_of_role(role)
