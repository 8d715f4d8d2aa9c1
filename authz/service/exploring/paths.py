"""Why somebody may, as a path from the one to the other; and when and by what it ends (3.4).

The steps are the facts behind the role and the relations of the rule, those that count. The
end is the next moment at which the decision itself refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from authz.directory import tables as t
from authz.directory.behind import BETWEEN, behind, behind_role
from authz.directory.evidence import OnFile
from authz.directory.fact import Fact
from authz.engine import decide as engine
from authz.engine.policy import Policy
from authz.service.because import Event, because
from authz.service.changes import MOST_MOMENTS, boundaries
from authz.service.exploring.ended import TABLES
from authz.service.exploring.uses import Use
from authz.vocabulary import GRANTABLE_ROLES, Relation, Role

_OF_ROLE: Final = GRANTABLE_ROLES | {Role.PROCESSOR, Role.AUTHORITY, Role.AUDITOR}
_MFA, _JUSTIFIED = "r.ctx.mfa", "r.ctx.justified"


@dataclass(frozen=True, slots=True)
class Step:
    """A fact on the way from subject to person; ``more`` are others of its kind that count too."""

    fact: Fact
    more: int = 0

    @property
    def end(self) -> str:
        """How a what-if names the row whose end would end this; empty where none does."""
        if self.fact.kind == "class":
            return f"enrolment:{self.fact.about['enrolments'][0]}"
        return f"{self.fact.kind}:{self.fact.id}" if self.fact.kind in TABLES else ""


@dataclass(frozen=True, slots=True)
class Ending:
    """The moment from which the rule permits no more, and what begins or ends then."""

    at: datetime
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One rule by which a subject may see a person: what it opens, why, and until when.

    ``changed`` is set by a what-if: ``lost`` or ``new``. ``needs`` is what else a caller has to
    give: ``mfa``, ``justification``, or a ticket, order or case as a step of the path.
    """

    kind: str
    subject: str
    person: str
    rule: str
    role: str
    uses: tuple[Use, ...]
    path: tuple[Step, ...]
    minor_until: datetime | None
    ending: Ending | None
    needs: tuple[str, ...]
    last_used: datetime | None = None
    changed: str = ""

    @property
    def by_action(self) -> Mapping[str, list[str]]:
        """The categories of each action, in the order of the catalogue."""
        found: dict[str, list[str]] = {}
        for use in self.uses:
            names = found.setdefault(use.question.action, [])
            if use.question.category not in names:
                names.append(use.question.category)
        return found

    @property
    def purposes(self) -> list[str]:
        """The purposes of all uses, each once."""
        return list(dict.fromkeys(use.question.purpose or "" for use in self.uses))


def line(policy: Policy, uses: list[Use], on_file: OnFile) -> Line:
    """The uses by one rule of one subject, as a line."""
    first = uses[0]
    rule, request = first.rule, first.question.request
    needs = [name for name, word in (("mfa", _MFA), ("justification", _JUSTIFIED))
             if word in rule.mentions]  # fmt: skip
    return Line(
        kind=request.subject.type,
        subject=request.subject.id,
        person=request.resource.id,
        rule=rule.id,
        role=rule.role,
        uses=tuple(uses),
        path=tuple(_steps(first, on_file)),
        minor_until=_minor_until(first, on_file),
        ending=_ending(policy, first, on_file),
        needs=tuple(needs),
    )


def _steps(use: Use, on_file: OnFile) -> Iterable[Step]:
    """The first fact of each kind, and how many more there are of it."""
    by_kind: dict[str, dict[str, Fact]] = {}
    for fact in _facts(use, on_file):
        if fact.counts:
            by_kind.setdefault(fact.kind, {}).setdefault(fact.id, fact)
    for found in by_kind.values():
        yield Step(next(iter(found.values())), len(found) - 1)


def _facts(use: Use, on_file: OnFile) -> Iterable[Fact]:
    situation, rule, purpose = use.situation, use.rule, use.question.purpose
    if rule.role in _OF_ROLE:
        yield from behind_role(rule.role, situation, on_file)
    held = situation.relations(purpose)
    for name in Relation:
        if name in rule.relations and name in BETWEEN and getattr(held, name):
            yield from behind(name, situation, on_file, purpose)


def _minor_until(use: Use, on_file: OnFile) -> datetime | None:
    if Relation.MINOR not in use.rule.relations:
        return None
    found = behind(Relation.MINOR, use.situation, on_file, use.question.purpose)
    return next((fact.until for fact in found if fact.counts), None)


def _ending(policy: Policy, use: Use, on_file: OnFile) -> Ending | None:
    situation = use.situation
    ahead = sorted(m for m in boundaries(situation) if m > situation.now)[:MOST_MOMENTS]
    for moment in ahead:
        decision = engine.decide(policy, use.question, replace(situation, now=moment))
        if use.rule.id not in decision.rules:
            events = because(policy, situation, on_file, moment)
            return Ending(moment, tuple(events))
    return None


def mentioned(lines: Iterable[Line]) -> Mapping[type[t.Base], set[str]]:
    """The ids of people, classes, organisations and recipients that lines name."""
    found: dict[type[t.Base], set[str]] = {
        t.Person: set(), t.Class: set(), t.Organisation: set(), t.Recipient: set()
    }  # fmt: skip
    for each in lines:
        found[t.Person] |= {each.subject, each.person}
        for step in each.path:
            _mention(found, step.fact)
    return found


def _mention(found: dict[type[t.Base], set[str]], fact: Fact) -> None:
    about: Mapping[str, Any] = fact.about
    if fact.kind == "class":
        found[t.Class].add(fact.id)
    if "organisation" in about:
        found[t.Organisation].add(about["organisation"])
    if fact.kind in {"processor", "authority"}:
        found[t.Recipient].add(fact.id)
    for name in ("processor", "authority"):
        if name in about:
            found[t.Recipient].add(about[name])
