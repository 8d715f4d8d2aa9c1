"""One decision in process: by hand in plain Python, by our engine, and by stock Casbin.

All contestants answer the same question of the same facts, which is checked first; they are
timed in turn, so that what else the machine does strikes all alike. Only the ratios of one
run mean something on another machine. Where others work on it too, ``--cpu`` counts the
time of the processor alone: a long call is interrupted more often than a short one.

    python benchmarks/decide.py [--rounds N] [--cpu]
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, thread_time
from zoneinfo import ZoneInfo

import casbin

from authz.cli.demo.school import write
from authz.decision.combine import Decision
from authz.decision.request import Question, Request, parse, question
from authz.directory import reader
from authz.directory.asking import snapshot
from authz.directory.facts import Facts, Place
from authz.directory.known import KnownFacts
from authz.directory.needs import EVERYTHING
from authz.directory.relations import Situation
from authz.engine.candidates import UnderTest
from authz.engine.decide import decide
from authz.engine.expression import FUNCTIONS
from authz.engine.match import Matcher
from authz.policy.load import load
from authz.service.database import open_store, upgrade
from authz.service.decide import Caller, DecisionPoint
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster
from benchmarks.floor import Answer, Floor

PACK = Path(__file__).parents[1] / "policies/school"
LOCAL = ZoneInfo("Asia/Bangkok")
CHECKED = 3000
Clock = Callable[[], float]
CASBIN_EVERY = 10
"""Casbin takes so long that it is asked once in so many rounds."""


@dataclass(frozen=True)
class Bench:
    """A store with the demo school, and one question that a parent's rule permits."""

    point: DecisionPoint
    request: Request
    asked: Question
    requests: list[Mapping[str, object]]
    now: datetime

    def situation(self, asked: Question, facts: Facts) -> Situation:
        """What is true of the two people now."""
        return Situation(asked, facts, self.now, self.point.place, self.point.policy.catalogue)

    def engine(self, asked: Question, facts: Facts) -> Decision:
        """Our decision on facts at hand."""
        return decide(self.point.policy, asked, self.situation(asked, facts))

    def floor(self, asked: Question, facts: Facts) -> Answer:
        """The same by hand."""
        place, catalogue = self.point.place, self.point.policy.catalogue
        return Floor(asked, facts, self.now, place, catalogue).answer()

    def facts(self, asked: Question) -> Facts:
        """All facts about a question, read anew."""
        with snapshot(self.point.store) as asking:
            return reader.people(asking, asked, EVERYTHING)

    def decided(self, point: DecisionPoint) -> Decision:
        """A decision with its facts, of a snapshot of its own."""
        with snapshot(point.store) as asking:
            return point.decided(asking, self.asked, self.now).decision


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=2000)
    options.add_argument("--cpu", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = prepared(Path(folder))
        print(f"equal answers of engine and plain Python: {compared(bench)}")
        report(bench, chosen.rounds, thread_time if chosen.cpu else perf_counter)
        bench.point.store.dispose()


def prepared(folder: Path) -> Bench:
    """The demo school in a store of its own."""
    now = datetime.now(UTC)
    policy = load(PACK)
    store = open_store(f"sqlite:///{folder}/authz.db")
    upgrade(store)
    school = write(folder, now.astimezone(LOCAL).date())
    import_oneroster(store, school.roster, local=LOCAL, by="bench")
    import_facts(
        store,
        lambda: school.facts.read_text("utf-8").splitlines(),
        name="facts",
        catalogue=policy.catalogue,
        local=LOCAL,
        by="bench",
    )
    scene = next(s for s in school.scenes if s.decision and s.rule == "parent-read")
    request = parse(scene.request)
    return Bench(
        point=DecisionPoint(store, policy, Place(LOCAL)),
        request=request,
        asked=question(request, believes_mfa=True),
        requests=[s.request for s in school.scenes],
        now=now,
    )


def compared(bench: Bench) -> int:
    """How many questions engine and floor answer alike; AssertionError where they differ."""
    for asked in varied(bench):
        facts = bench.facts(asked)
        ours, (permit, rules, reason, purpose, obligations) = (
            bench.engine(asked, facts),
            bench.floor(asked, facts),
        )
        told = {str(name): value for name, value in ours.obligations.items()}
        given = {name: value for name, value in obligations.items() if value}
        assert ours.permit is permit, asked
        assert (ours.rules, ours.reason, ours.purpose) == (rules, reason, purpose), asked
        assert told == given, asked
    return CHECKED


def varied(bench: Bench) -> Iterator[Question]:
    """The scenes of the demo school, and the same with another action, category, purpose."""
    catalogue, dice = bench.point.policy.catalogue, random.Random(1)
    scenes = [question(parse(one), believes_mfa=True) for one in bench.requests]
    for number in range(CHECKED):
        asked = scenes[number % len(scenes)]
        if number >= len(scenes):
            request = asked.request
            action = replace(request.action, name=dice.choice(catalogue.actions))
            category = dice.choice([request.resource.type, *catalogue.categories])
            resource = replace(request.resource, type=category)
            purpose = dice.choice([None, asked.purpose, *catalogue.purposes])
            request = replace(request, action=action, resource=resource)
            asked = replace(asked, request=request, purpose=purpose)
        yield asked


def stock(enforcer: casbin.Enforcer, bench: Bench, facts: Facts) -> bool:
    """One pair, a rule and a purpose, as Casbin's own enforcer decides it."""
    situation = bench.situation(bench.asked, facts)
    tokens = Matcher(bench.point.policy, bench.asked, situation).tokens
    first = [tokens[name] for name in ("r_sub", "r_act", "r_res", "r_ctx")]
    pair = UnderTest("parent-read", "service", "contract")
    return bool(enforcer.enforce(*first, situation.relations("service"), pair))


def enforcer(kind: type[casbin.Enforcer]) -> casbin.Enforcer:
    """Stock Casbin on the files of the pack."""
    made = kind(str(PACK / "model.conf"), str(PACK / "policy.csv"))
    made.logger.disabled = True
    for name, function in FUNCTIONS.items():
        made.add_function(name, function)
    return made


def report(bench: Bench, rounds: int, clock: Clock) -> None:
    """Time all contestants in turn, and print them with their ratios."""
    facts, caller = bench.facts(bench.asked), Caller("bench")
    forgetful = replace(bench.point, known=KnownFacts(0))
    contestants: dict[str, Callable[[], object]] = {
        "plain Python, facts at hand": partial(bench.floor, bench.asked, facts),
        "engine, facts at hand": partial(bench.engine, bench.asked, facts),
        "engine, facts warm": partial(bench.decided, bench.point),
        "engine, facts cold": partial(bench.decided, forgetful),
        "casbin.Enforcer, one pair": partial(stock, enforcer(casbin.Enforcer), bench, facts),
        "casbin.FastEnforcer, one pair": partial(
            stock, enforcer(casbin.FastEnforcer), bench, facts
        ),
        "evaluate, recorded (fsync)": partial(bench.point.evaluate, [bench.request], caller),
    }
    times = timed(contestants, rounds, clock)
    plain, peer = (
        median(times[name]) for name in ("plain Python, facts at hand", "casbin.Enforcer, one pair")
    )
    print(f"{'':32}{'p50 µs':>9}{'p99 µs':>9}{'x plain':>9}{'of Enforcer':>13}")
    for name, found in times.items():
        middle, late = median(found), sorted(found)[int(len(found) * 0.99)]
        print(
            f"{name:32}{middle:9.1f}{late:9.1f}{middle / plain:9.1f}{f'1/{peer / middle:.1f}':>13}"
        )


def timed(
    contestants: Mapping[str, Callable[[], object]], rounds: int, clock: Clock
) -> dict[str, list[float]]:
    """The microseconds of each call, all contestants in turn."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name, work in contestants.items():
            if number % CASBIN_EVERY and name.startswith(("casbin", "evaluate")):
                continue
            begin = clock()
            work()
            times[name].append((clock() - begin) * 1e6)
    return times


if __name__ == "__main__":
    main()
