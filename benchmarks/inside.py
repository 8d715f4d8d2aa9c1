"""The one place where the benchmarks know the inside: a decision point over a directory.

What is asked of it is what an application embeds: a question decided with its facts kept by the
process, without them, and recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import casbin

from authz import clock
from authz.decision.request import Question, Request, parse, question
from authz.directory.asking import NotKept, Remembered, snapshot
from authz.directory.facts import Facts, Place
from authz.directory.known import KnownFacts
from authz.directory.relations import Situation
from authz.engine.candidates import UnderTest
from authz.engine.decide import decide
from authz.engine.functions import FUNCTIONS
from authz.engine.match import Matcher
from authz.engine.policy import Policy
from authz.policy.load import load
from authz.service.database import open_store, reading
from authz.service.decide import DecisionPoint
from authz.service.decided import Caller, Semantic
from authz.service.watch import watch
from benchmarks.floor import Answer, Floor
from benchmarks.optional import ROOT

PACK = ROOT / "policies/school"
LOCAL = ZoneInfo("Asia/Bangkok")
CALLER = Caller("bench")


class Point:
    """The decision point over one database, and what is asked of it."""

    def __init__(self, url: str, *, durability: str = "fsync", pack: Path = PACK) -> None:
        self.store = open_store(url, durability=durability)
        self.policy: Policy = load(pack)
        self.place = Place(LOCAL)
        self.point = DecisionPoint(self.store, self.policy, self.place)
        self.forgetful = replace(self.point, known=KnownFacts(0))
        self.now: datetime = clock.now()

    def question(self, request: dict[str, Any]) -> Question:
        """The question that an AuthZEN request is."""
        return question(parse(request), believes_mfa=False)

    def request(self, request: dict[str, Any]) -> Request:
        """The request as the decision point takes it."""
        return parse(request)

    def again(self, request: Request) -> bool:
        """What was decided of this question before, if it still stands; nothing is recorded."""
        every = Semantic.EXECUTE_ALL
        (one,), _ = self.point._decide([request], CALLER, every)  # noqa: SLF001 (no record of it)
        return one.decision.permit

    def warm(self, asked: Question) -> bool:
        """Decide; the facts are those that the process keeps, if a look shows them still true."""
        watching = watch(self.store)
        assert watching is not None
        seen = watching.look()
        asking = Remembered(seen.revision, seen.era)
        try:
            return self.point.decided(asking, asked, self.now).decision.permit
        except NotKept:
            with snapshot(self.store) as whole:
                return self.point.decided(whole, asked, self.now).decision.permit

    def cold(self, asked: Question) -> bool:
        """Decide; every fact is read."""
        with snapshot(self.store) as asking:
            return self.forgetful.decided(asking, asked, self.now).decision.permit

    def recorded(self, request: Request) -> bool:
        """Decide and record: what the service does for one question, to the disk."""
        return self.point.evaluate([request], CALLER)[0].decision.permit

    def together(self, requests: list[Request]) -> int:
        """Decide and record a batch."""
        return len(self.point.evaluate(requests, CALLER))

    def facts(self, asked: Question) -> Facts:
        """All facts about a question."""
        whole = replace(self.point, all_facts=True)
        with reading(self.store) as connection:
            found = whole.decide(connection, asked, self.now).situation
        assert found is not None
        return found.facts

    def situation(self, asked: Question, facts: Facts) -> Situation:
        """What is true of the two people now."""
        return Situation(asked, facts, self.now, self.place, self.policy.catalogue)

    def pure(self, asked: Question, facts: Facts) -> bool:
        """Our decision on facts at hand."""
        return decide(self.policy, asked, self.situation(asked, facts)).permit

    def told(self, asked: Question, situation: Told) -> bool:
        """Our decision where the relations are told, as they are to the peers."""
        return decide(self.policy, asked, situation).permit

    def plain(self, asked: Question, facts: Facts) -> Answer:
        """The whole decision by hand, in plain Python."""
        return Floor(asked, facts, self.now, self.place, self.policy.catalogue).answer()

    def pairs(self, asked: Question, situation: Situation) -> list[tuple[Any, ...]]:
        """The arguments of Casbin's own ``enforce`` for each pair of rule and purpose."""
        tokens = Matcher(self.policy, asked, situation).tokens
        first = [tokens[name] for name in ("r_sub", "r_act", "r_res", "r_ctx")]
        rules = [c.rule for c in self.policy.permits if c.rule.covers(asked.action, asked.category)]
        found = []
        for rule in rules:
            purpose = asked.purpose or rule.default_purpose
            if purpose is None:
                continue
            known = self.policy.catalogue.purposes[purpose]
            needed = asked.category in known.needs
            pair = UnderTest(rule.id, purpose, known.basis, needed)
            found.append((*first, situation.relations(purpose), pair))
        return found


class Told:
    """A situation whose relations were found beforehand."""

    subject_properties: Mapping[str, Any] = MappingProxyType({})
    resource_properties: Mapping[str, Any] = MappingProxyType({})
    resource_known = True

    def __init__(self, policy: Policy, asked: Question, found: Situation) -> None:
        rules = policy.applicable(asked.action, asked.category)
        named = sorted({str(name) for name in rules.relations} | {"self"})
        self.roles = found.roles
        self._classes = found.classes(rules.relations)
        self._relations = {
            purpose: SimpleNamespace(
                **{name: bool(getattr(found.relations(purpose), name)) for name in named}
            )
            for purpose in (None, *policy.catalogue.purposes)
        }

    def relations(self, purpose: str | None) -> Any:
        """The relations by name."""
        return self._relations[purpose]

    def contract_fields(self, _purpose: str | None) -> None:
        """No contract names fields here."""
        return

    def classes(self, _relations: frozenset[str]) -> tuple[str, ...]:
        """The classes that the two share."""
        return self._classes


def stock(kind: Callable[..., Any] = casbin.Enforcer) -> Any:
    """Casbin's own enforcer on the files of the pack."""
    made = kind(str(PACK / "model.conf"), str(PACK / "policy.csv"))
    made.logger.disabled = True
    for name, function in FUNCTIONS.items():
        made.add_function(name, function)
    return made
