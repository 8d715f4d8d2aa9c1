"""Readers and writers at once: no error, no wrong answer, no half of a change.

A minute in all, shared out among the kinds of model; ``AUTHZ_SOAK`` says other seconds.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import casbin
import pytest
from casbin.persist.adapters import StringAdapter

from authz.engine import CompiledEnforcer
from tests.waiting import PATIENCE

SOAK = float(os.environ.get("AUTHZ_SOAK", "60"))
MODEL = """[request_definition]
r = sub, dom, obj, act
[policy_definition]
p = sub, dom, obj, act, eft
[role_definition]
g = _, _, _
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = g(r.sub, p.sub, r.dom) && r.dom == p.dom && r.obj == p.obj && r.act == p.act
"""
WITH_EVAL = MODEL.replace("act, eft", "act, rule, eft").replace(
    "p.act\n", "p.act && eval(p.rule)\n"
)
ALWAYS = """p, staff, north, map, read, allow
p, head, north, map, read, allow
g, ann, staff, north
g, bo, lead, north
g, lead, head, north
"""
BOTH = """p, staff, north, secret, read, allow
p, staff, north, secret, read, deny
"""


class Adapter(StringAdapter):  # type: ignore[misc]
    """A policy of which every second loading has two lines more, that decide together."""

    def __init__(self, rule: str) -> None:
        self.texts = [
            text.replace(", allow", f"{rule}, allow").replace(", deny", f"{rule}, deny")
            for text in (ALWAYS, BOTH + ALWAYS)
        ]
        self.turn = 0
        super().__init__(self.texts[0])

    def load_policy(self, model: Any) -> None:
        self.turn += 1
        self.line = self.texts[self.turn % 2]
        super().load_policy(model)

    def add_policy(self, *_: Any) -> None:
        """Kept nowhere."""

    remove_policy = remove_filtered_policy = update_policy = remove_policies = add_policy


@pytest.fixture(autouse=True)
def often() -> Iterator[None]:
    """Threads take turns a hundred times as often as they would."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(interval / 100)
    yield
    sys.setswitchinterval(interval)


def together(seconds: float, *works: Callable[[], None]) -> list[int]:
    """Run each work again and again in a thread of its own; the first error is raised here.

    For so long, and until each was done once, unless one is never done.
    """
    end = time.monotonic() + seconds
    last = end + PATIENCE
    rounds = [0] * len(works)
    errors: list[BaseException] = []

    def repeat(at: int, work: Callable[[], None]) -> None:
        try:
            while not errors and time.monotonic() < (end if all(rounds) else last):
                work()
                rounds[at] += 1
        except BaseException as error:  # noqa: BLE001 (SystemError, too, is what is looked for)
            errors.append(error)

    threads = [threading.Thread(target=repeat, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return rounds


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "rule", "live", "share"),
    [(MODEL, "", False, 0.4), (WITH_EVAL, ", r.act == p.act", False, 0.2), (MODEL, "", True, 0.2)],
    ids=["closure", "eval", "matching-function"],
)
def test_readers_and_writers_together(text: str, rule: str, live: bool, share: float) -> None:
    enforcer = CompiledEnforcer(casbin.Enforcer.new_model(text=text), Adapter(rule))
    enforcer.enable_auto_save(auto_save=False)
    if live:
        enforcer.add_named_matching_func("g", lambda one, other: one == other)
    more = [rule.removeprefix(", ")] if rule else []

    def reader() -> None:
        assert enforcer.enforce("ann", "north", "map", "read")
        assert enforcer.enforce("bo", "north", "map", "read")
        assert enforcer.enforce_ex("ann", "north", "map", "read")[0]
        assert not enforcer.enforce("ann", "south", "map", "read")
        assert not enforcer.enforce("cy", "north", "map", "read")
        # Allowed and denied come and go in one change: allowed alone is half of it.
        assert not enforcer.enforce("ann", "north", "secret", "read")
        assert all(found[0] == "staff" for found in enforcer.explain("ann", "north", "map", "read"))

    def loader() -> None:
        enforcer.load_policy()

    def pairs() -> None:
        lines = [["ann", "north", "pair", "read", *more, effect] for effect in ("deny", "allow")]
        enforcer.add_policies([list(line) for line in lines])
        assert not enforcer.enforce("ann", "north", "pair", "read")
        enforcer.remove_policies([list(line) for line in reversed(lines)])

    def pair_reader() -> None:
        assert not enforcer.enforce("ann", "north", "pair", "read")

    works = [reader, reader, loader, pair_reader, pairs]
    rounds = together(SOAK * share, *works)
    assert min(rounds) > 0


def writer_of(enforcer: CompiledEnforcer, name: str) -> Callable[[], None]:
    """What a thread changed, it finds changed."""

    def write() -> None:
        for _ in range(20):
            enforcer.add_policy(name, "north", "own", "write", "allow")
            assert enforcer.enforce(name, "north", "own", "write")
            enforcer.add_grouping_policy(name, "staff", "north")
            assert enforcer.enforce(name, "north", "map", "read")
            enforcer.remove_grouping_policy(name, "staff", "north")
            assert not enforcer.enforce(name, "north", "map", "read")
            enforcer.remove_policy(name, "north", "own", "write", "allow")
            assert not enforcer.enforce(name, "north", "own", "write")

    return write


@pytest.mark.slow
def test_what_a_thread_changed_it_finds_changed() -> None:
    enforcer = CompiledEnforcer(casbin.Enforcer.new_model(text=MODEL), Adapter(""))
    enforcer.enable_auto_save(auto_save=False)
    rounds = together(SOAK / 5, *(writer_of(enforcer, f"u{n}") for n in range(4)))
    assert min(rounds) > 0
