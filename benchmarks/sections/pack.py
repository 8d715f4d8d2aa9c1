"""The school policy, whole, over 200 schools: ours beside plain Python, Casbin and the peers."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import Any

import casbin

from benchmarks import optional
from benchmarks.directories import SCHOOLS, Case, cases, directory
from benchmarks.inside import Point, Told, stock
from benchmarks.pack.peers import engines
from benchmarks.pack.views import view
from benchmarks.results import Chart, Section, Table, target
from benchmarks.rosters import SCHOOL
from benchmarks.timing import Pass, Timing, in_turn, number, over

PLAIN = "plain Python, facts at hand"
TOLD = "ours, told the relations"
PURE = "ours, facts at hand"
AGAIN = "ours, the same question again"
WARM = "ours, facts warm"
COLD = "ours, facts cold from SQLite"
RECORDED = "ours, recorded and forced to disk"
STOCK = "pycasbin Enforcer, one pair"
FAST = "pycasbin FastEnforcer, one pair"
SECTION = Section(
    "pack",
    "The school policy, one decision in process",
    """The rules of `policies/school`, and people of {schools} schools ({people} people): parents,
teachers, administrators and students who read test results, and teachers of another class who are
refused. Plain Python is the whole policy by hand (`benchmarks/floor.py`). *Facts at hand* is the
pure decision, in which we find the relations ourselves; *told* gets them; *warm* looks whether
anything was committed and uses the facts that the process keeps; *again* does so with the decision
itself, which stands until a fact changes or an end of an interval comes; *cold* reads all facts.
Ours and plain Python give rules, reason and obligations; the peers (their policies are generated
from the pack, `benchmarks/pack`) are told the relations as booleans and answer yes or no; pycasbin
is asked the one pair of rule and purpose that decides. All answers were compared first.
Microseconds of the processor; of the wall where it is forced to disk.""",
)


def run(section: Section, *, quick: bool) -> None:
    """Load the schools, check, and time."""
    of = directory(SCHOOL * (10 if quick else SCHOOLS))
    schools = of.students // SCHOOL
    section.about = section.about.format(schools=schools, people=f"{of.people:,}")
    point = Point(of.url)
    asked = cases(of)[: 50 if quick else 100]
    works = contestants(point, asked, section.problems)
    times = in_turn(works, 0.6 if quick else 3)
    recorded = in_turn({RECORDED: _recorded(point, asked[:10])}, 0.6 if quick else 2, perf_counter)
    section.tables.append(_table(times | recorded))
    bars = {name: one.p50 for name, one in times.items()}
    section.charts.append(Chart("pack", "The school policy, one decision", "µs", bars=bars))
    _targets(section, times)
    point.store.dispose()


def contestants(point: Point, asked: list[Case], problems: list[str]) -> dict[str, Pass]:
    """All that answer as they must, as passes over the same questions."""
    questions = [point.question(case.request()) for case in asked]
    wanted = [case.permit for case in asked]
    facts: list[tuple[Any, ...]] = [(q, point.facts(q)) for q in questions]
    works: dict[str, tuple[Any, list[tuple[Any, ...]]]] = {
        PLAIN: (point.plain, facts),
        TOLD: (point.told, [(q, Told(point.policy, q, point.situation(q, f))) for q, f in facts]),
        PURE: (point.pure, facts),
        AGAIN: (point.again, [(point.request(case.request()),) for case in asked]),
        WARM: (point.warm, [(q,) for q in questions]),
        COLD: (point.cold, [(q,) for q in questions]),
    }
    views: list[tuple[Any, ...]] = [
        (view(point.policy, q, point.situation(q, f)),) for q, f in facts
    ]
    for name, made in engines(point.policy).items():
        if isinstance(made, Exception):
            problems.append(f"{name}: {optional.why(made)}")
        else:
            works[name] = (made, views)
    for name, kind in ((STOCK, casbin.Enforcer), (FAST, casbin.FastEnforcer)):
        made = stock(kind)
        works[name] = (made.enforce, [_pair(made, point, q, f) for q, f in facts])
    found: dict[str, Pass] = {}
    for name, (call, arguments) in works.items():
        wrong = _wrong(call, arguments, wanted)
        if wrong:
            problems.append(f"{name}: {wrong} of {len(asked)} answers are wrong; not timed")
        else:
            found[name] = over(call, arguments[:20] if "pycasbin" in name else arguments)
    return found


def _wrong(call: Any, arguments: list[Any], wanted: list[bool]) -> int:
    answers = (call(*each) for each in arguments)
    said = (one[0] if isinstance(one, tuple) else one for one in answers)
    return sum(bool(one) is not want for one, want in zip(said, wanted, strict=True))


def _pair(made: Any, point: Point, question: Any, facts: Any) -> tuple[Any, ...]:
    """The pair that decides: the first that is permitted, or, for a refusal, the first of all."""
    pairs = point.pairs(question, point.situation(question, facts))
    return next((pair for pair in pairs if made.enforce(*pair)), pairs[0])


def _recorded(point: Point, asked: list[Case]) -> Pass:
    requests = [(point.request(case.request()),) for case in asked]
    return partial(over(point.recorded, requests))


def _table(times: dict[str, Timing]) -> Table:
    plain, peer = times[PLAIN].p50, times.get(STOCK)
    rows = [
        [
            name,
            one.shown(),
            one.spread(),
            number(one.p50 / plain),
            f"1/{number(peer.p50 / one.p50)}" if peer else "",
        ]
        for name, one in sorted(times.items(), key=lambda item: item[1].p50)
    ]
    columns = ["engine", "µs, median", "10 % – 90 %", "× plain Python", "of pycasbin Enforcer"]
    return Table("", columns, rows)


def _targets(section: Section, times: dict[str, Timing]) -> None:
    """The ratios that the project promises itself."""

    def ratio(one: str, other: str) -> float | None:
        return times[one].p50 / times[other].p50 if one in times and other in times else None

    section.targets = [
        target("school decision, warm: at most 1/25 (0.04) of pycasbin", ratio(WARM, STOCK), 0.04),
        target("school decision, warm: at most 10 × plain Python", ratio(WARM, PLAIN), 10),
        target("facts cold from SQLite: at most 1/2 of pycasbin", ratio(COLD, STOCK), 0.5),
        *(
            target(f"{kind}: below {peer} (less than 1)", ratio(ours, peer), 0.999)
            for kind, ours in (
                ("decision, told the relations as the peers are", TOLD),
                ("decision, facts at hand", PURE),
                ("decision, facts warm, the same question again", AGAIN),
                ("decision, facts warm, decided anew", WARM),
            )
            for peer in ("vakt", "regorus (RVM)", "cedarpy")
        ),
    ]
