"""One decision in process: our engine beside stock ``casbin.Enforcer``, and the read of facts.

Prints ratios of the same run; on another machine only the ratios mean something.

    python benchmarks/decide.py [--rounds N]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from zoneinfo import ZoneInfo

import casbin

from authz.cli.demo.school import write
from authz.decision.combine import combine
from authz.decision.request import parse, question
from authz.directory import reader
from authz.directory.facts import Place
from authz.directory.relations import Situation
from authz.engine.expression import FUNCTIONS
from authz.engine.match import Matcher, UnderTest
from authz.policy.load import load
from authz.service.database import open_store, reading, upgrade
from authz.service.decide import Caller, DecisionPoint
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster

PACK = Path(__file__).parents[1] / "policies/school"
LOCAL = ZoneInfo("Asia/Bangkok")


def timed(work: Callable[[], object], rounds: int) -> float:
    """The median time of one call, in microseconds."""
    times = []
    for _ in range(rounds):
        begin = perf_counter()
        work()
        times.append(perf_counter() - begin)
    return median(times) * 1e6


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=500)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), rounds)


def measure(folder: Path, rounds: int) -> None:
    """Load the demo school and time one permit, piece by piece."""
    now = datetime.now(UTC)
    policy, place = load(PACK), Place(LOCAL)
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
    asked = question(request, believes_mfa=False)
    point = DecisionPoint(store, policy, place)

    with reading(store) as connection:
        facts = reader.read_people(connection, asked)
        read = timed(lambda: reader.read_people(connection, asked), rounds)

    def ours() -> bool:
        situation = Situation(asked, facts, now, place, policy.catalogue)
        findings = Matcher(policy, asked, situation).findings()
        return combine(policy.catalogue, findings, category=asked.category).permit

    enforcer = casbin.Enforcer(str(PACK / "model.conf"), str(PACK / "policy.csv"))
    enforcer.logger.disabled = True
    for name, function in FUNCTIONS.items():
        enforcer.add_function(name, function)

    def stock() -> bool:
        """The same pair, one rule and purpose, as Casbin's own enforcer decides it."""
        situation = Situation(asked, facts, now, place, policy.catalogue)
        matcher = Matcher(policy, asked, situation)
        pair = UnderTest("parent-read", "service", "contract")
        tokens = matcher.tokens
        return bool(
            enforcer.enforce(
                tokens["r_sub"],
                tokens["r_act"],
                tokens["r_res"],
                tokens["r_ctx"],
                situation.relations("service"),
                pair,
            )
        )

    assert ours() is stock() is True
    engine, peer = timed(ours, rounds), timed(stock, max(20, rounds // 10))
    whole = timed(lambda: point.evaluate([request], Caller("bench")), rounds)
    print(f"facts read            {read:9.0f} µs")
    print(f"matched and combined  {engine:9.0f} µs")
    print(
        f"casbin.Enforcer       {peer:9.0f} µs   {peer / engine:.1f} x ours, for one of its pairs"
    )
    print(f"decided and recorded  {whole:9.0f} µs   (fsync)")


if __name__ == "__main__":
    main()
