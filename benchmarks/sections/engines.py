"""Five rules over 10,000 students: every engine in process, equal answers checked first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks import optional
from benchmarks.five import casbins, peers
from benchmarks.five.world import STUDENTS, Ask, World, allowed, asks, world
from benchmarks.results import Chart, Section, Table
from benchmarks.timing import Timing, in_turn, number, over

PLAIN = "plain Python if/else"
SECTION = Section(
    "engines",
    "Five rules, one decision in process",
    f"""{STUDENTS:,} students; a parent reads their own child who is a minor, a teacher whoever is
in a running class of theirs, an administrator their own school, a student themselves, and a
restriction on file refuses a parent. The relations are functions that the matcher calls, or
whatever is nearest to that in the engine's language. Every engine had to answer every question
as plain Python does before it was timed; a third of the questions is refused. Microseconds of the
processor.""",
)
Prepared = tuple[Callable[..., Any], list[tuple[Any, ...]]]


def run(section: Section, *, quick: bool) -> None:
    """Check and time them all."""
    made = world()
    asked = list(asks(made, 96 if quick else 240))
    section.about += f" One pass asks {len(asked)} questions."
    ready = prepared(made, asked, section.problems)
    works = {name: over(call, given) for name, (call, given) in ready.items()}
    times = in_turn({PLAIN: over(allowed, [(ask,) for ask in asked]), **works}, 0.5 if quick else 2)
    section.tables.append(_table(times))
    bars = {name: one.p50 for name, one in times.items()}
    section.charts.append(Chart("engines", "Five rules, one decision", "µs", bars=bars))


def prepared(made: World, asked: list[Ask], problems: list[str]) -> dict[str, Prepared]:
    """The engines that answer all questions as the floor does; the others are told of."""
    found: dict[str, Prepared] = {}
    wanted = [allowed(ask) for ask in asked]
    for name, make in _engines(made).items():
        try:
            call, given = make()
            arguments = [given(ask) for ask in asked]
            answers = [bool(call(*each)) for each in arguments]
        except Exception as error:  # noqa: BLE001 (whatever it is, the others are measured)
            problems.append(f"{name}: {optional.why(error)}")
            continue
        wrong = sum(said is not want for said, want in zip(answers, wanted, strict=True))
        if wrong:
            problems.append(f"{name}: {wrong} of {len(asked)} answers are wrong; not timed")
            continue
        found[name] = call, arguments
    return found


def _engines(made: World) -> dict[str, Callable[[], tuple[Any, Any]]]:
    ours = {name: partial(_casbin, make) for name, make in casbins.ENGINES.items()}
    return ours | {name: partial(_peer, make, made) for name, make in peers.PEERS.items()}


def _casbin(make: Callable[[], casbins.Answer]) -> tuple[Any, Any]:
    return make(), casbins.given


def _peer(make: Callable[[World], peers.Peer], made: World) -> tuple[Any, Any]:
    peer = make(made)
    return peer.call, peer.given


def _table(times: dict[str, Timing]) -> Table:
    plain, stock = times[PLAIN].p50, times.get("pycasbin Enforcer")
    rows = [
        [
            name,
            one.shown(),
            one.spread(),
            number(one.p50 / plain),
            f"1/{number(stock.p50 / one.p50)}" if stock else "",
        ]
        for name, one in sorted(times.items(), key=lambda item: item[1].p50)
    ]
    columns = ["engine", "µs, median", "10 % – 90 %", "× plain Python", "of pycasbin Enforcer"]
    return Table("", columns, rows)
