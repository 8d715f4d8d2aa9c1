"""Changes to a compiled enforcer: what counts at the next question, and what stays compiled."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import casbin
import pytest
from casbin.effect import Effector
from casbin.persist.adapters import FilteredFileAdapter, StringAdapter
from casbin.persist.adapters.filtered_file_adapter import Filter

from authz.engine import CompiledEnforcer
from tests.conformance.casbin.compare import Pair, outcome

MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""
POLICY = [["p", "staff", "map", "read"], ["p", "bo", "map", "write"], ["g", "ann", "staff"]]
TEXT = "\n".join(", ".join(line) for line in POLICY)
ASKED = [
    (sub, obj, act)
    for sub in ("ann", "bo", "cy")
    for obj in ("map", "plan")
    for act in ("read", "write")
]


class Opposite(Effector):  # type: ignore[misc]
    """An effector of somebody's own: it asks for what did not match, too."""

    def intermediate_effect(self, effects: set[int]) -> int:
        stop = {Effector.ALLOW, Effector.INDETERMINATE} <= effects
        return int(Effector.DENY if stop else Effector.INDETERMINATE)

    def final_effect(self, effects: set[int]) -> int:
        return int(Effector.DENY if Effector.ALLOW in effects else Effector.ALLOW)


def same(pair: Pair) -> list[Any]:
    return [pair.ask(*request) for request in ASKED]


@pytest.fixture
def pair() -> Pair:
    made = Pair(MODEL, POLICY)
    same(made)
    return made


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.add_policy("cy", "plan", "read"),
        lambda e: e.add_policies([["cy", "plan", "read"], ["cy", "plan", "write"]]),
        lambda e: e.add_policies_ex([["cy", "plan", "read"], ["bo", "map", "write"]]),
        lambda e: e.add_named_policy("p", ["cy", "plan"]),
        lambda e: e.remove_policy("bo", "map", "write"),
        lambda e: e.remove_policies([["bo", "map", "write"], ["staff", "map", "read"]]),
        lambda e: e.remove_filtered_policy(1, "map", "write"),
        lambda e: e.update_policy(["bo", "map", "write"], ["cy", "map", "write"]),
        lambda e: e.update_policies([["bo", "map", "write"]], [["cy", "map", "write"]]),
        lambda e: e.update_filtered_policies([["cy", "map", "write"]], 0, "bo"),
        lambda e: e.add_grouping_policy("cy", "staff"),
        lambda e: e.add_grouping_policies([["cy", "staff"], ["staff", "bo"]]),
        lambda e: e.add_grouping_policies_ex([["cy", "staff"]]),
        lambda e: e.remove_grouping_policy("ann", "staff"),
        lambda e: e.remove_grouping_policies([["ann", "staff"]]),
        lambda e: e.remove_filtered_grouping_policy(1, "staff"),
        lambda e: e.delete_user("bo"),
        lambda e: e.delete_role("staff"),
        lambda e: e.add_role_for_user("cy", "staff"),
        lambda e: e.delete_permission("map", "read"),
        lambda e: e.clear_policy(),
        lambda e: e.enable_enforce(False),
        lambda e: e.set_effector(Opposite()),
        lambda e: e.set_model(casbin.Enforcer.new_model(text=MODEL)),
        lambda e: e.set_model(None),
        lambda e: e.build_role_links(),
        lambda e: e.get_role_manager().add_link("cy", "staff"),
        lambda e: e.get_role_manager().delete_link("ann", "staff"),
        lambda e: e.get_role_manager().clear(),
        lambda e: (
            e.set_role_manager(casbin.rbac.default_role_manager.RoleManager(1))
            or e.build_role_links()
        ),
        lambda e: e.model.add_policy("p", "p", ["cy", "plan", "read"]),
        lambda e: e.model.remove_policy("p", "p", ["bo", "map", "write"]),
        lambda e: e.model.update_policy("p", "p", ["bo", "map", "write"], ["cy", "map", "write"]),
        lambda e: e.model["p"]["p"].policy.pop(),
        lambda e: e.model["p"]["p"].policy.reverse(),
        lambda e: setattr(e.model["p"]["p"], "policy", [["cy", "plan", "read"]]),
        lambda e: setattr(e.model["m"]["m"], "value", "r_sub == p_sub"),
        lambda e: e.model.add_def("m", "m", "r.obj == p.obj"),
        lambda e: e.add_function("g", lambda *_: True),
        lambda e: e.add_function("h", eval),
        lambda e: e.fm.fm.update(g=lambda *_: True),
        lambda e: e.get_model()["g"]["g"].policy.clear() or e.build_role_links(),
        lambda e: setattr(e, "eft", Opposite()),
        lambda e: e.add_policy("x", ["no", "text"], "read"),
        lambda e: e.add_policy("x", None, 1),
        lambda e: e.model.model.pop("m"),
        lambda e: e.model["m"].pop("m"),
        lambda e: e.model["m"].update(m=None),
    ],
)
def test_a_change_counts_at_the_next_question(pair: Pair, change: Any) -> None:
    pair.each(lambda e: bool(change(e)))
    same(pair)
    pair.each(lambda e: bool(e.add_policy("dan", "map", "read")) if e.model else None)
    same(pair)


def test_many_additions_and_removals_stay_equal(pair: Pair) -> None:
    for n in range(600):
        line = (f"u{n % 7}", "map", f"do{n}")
        pair.each(adding(line))
        if n % 3:
            pair.each(removing(line))
        pair.ask(*line)
    same(pair)


def test_one_addition_does_not_read_the_policy_again(pair: Pair) -> None:
    before = pair.ours._programs["r", "p", "m"].edition.store
    pair.each(lambda e: e.add_policy("cy", "plan", "read"))
    pair.each(lambda e: e.remove_policy("bo", "map", "write"))
    same(pair)
    assert pair.ours._programs["r", "p", "m"].edition.store is before


def test_what_a_reader_holds_does_not_change(pair: Pair) -> None:
    held = pair.ours._programs["r", "p", "m"]
    pair.each(lambda e: e.add_policy("cy", "plan", "read"))
    pair.each(lambda e: e.remove_policy("bo", "map", "write"))
    same(pair)
    assert held.decide(("bo", "map", "write"))[0]
    assert not held.decide(("cy", "plan", "read"))[0]


def test_a_list_within_a_rule_needs_a_refresh(pair: Pair) -> None:
    pair.each(lambda e: e.model["p"]["p"].policy[1].__setitem__(0, "cy"))
    pair.ours.refresh()
    same(pair)


def test_load_and_filtered_load(tmp_path: Path) -> None:
    path = tmp_path / "policy.csv"
    path.write_text(TEXT)
    (tmp_path / "model.conf").write_text(MODEL)
    chosen = Filter()
    chosen.P, chosen.G = ["bo"], []
    theirs, ours = [
        kind(str(tmp_path / "model.conf"), FilteredFileAdapter(str(path)))
        for kind in (casbin.Enforcer, CompiledEnforcer)
    ]
    made = Pair(MODEL)
    made.theirs, made.ours = theirs, ours
    same(made)
    made.each(lambda e: e.load_filtered_policy(chosen))
    same(made)
    chosen.P = ["staff"]
    made.each(lambda e: e.load_increment_filtered_policy(chosen))
    same(made)
    made.each(lambda e: e.load_policy())
    same(made)
    path.write_text("p, cy, plan, read\n")
    made.each(lambda e: e.load_policy())
    assert made.allows("cy", "plan", "read")
    path.unlink()
    made.each(lambda e: outcome(lambda e: e.load_policy(), e)[1])
    same(made)
    made.each(lambda e: e.load_model())
    same(made)


def adding(line: tuple[str, ...]) -> Callable[[Any], Any]:
    return lambda e: e.add_policy(*line)


def removing(line: tuple[str, ...]) -> Callable[[Any], Any]:
    return lambda e: e.remove_policy(*line)


def asking(request: tuple[str, ...]) -> Callable[[Any], Any]:
    return lambda e: e.enforce(*request)


class Watcher:
    """Asks in the middle of the change that it is told of, as a watcher may."""

    def __init__(self) -> None:
        self.enforcer: Any = None
        self.seen: list[Any] = []

    def update(self) -> None:
        self.seen.append([outcome(asking(request), self.enforcer) for request in ASKED])

    update_for_add_policy = update_for_remove_policy = lambda self, *_: self.update()


def test_watchers_and_auto_save() -> None:
    class Adapter(StringAdapter):  # type: ignore[misc]
        saved: list[Any]

        def add_policy(self, *rule: Any) -> None:
            self.saved.append(rule)

        remove_policy = update_policy = remove_filtered_policy = add_policy

    found = []
    for kind in (casbin.Enforcer, CompiledEnforcer):
        adapter, watcher = Adapter(TEXT), Watcher()
        adapter.saved = []
        enforcer = kind(casbin.Enforcer.new_model(text=MODEL), adapter)
        watcher.enforcer = enforcer
        enforcer.set_watcher(watcher)
        enforcer.add_policy("cy", "plan", "read")
        enforcer.remove_policy("bo", "map", "write")
        enforcer.update_policy(["cy", "plan", "read"], ["cy", "plan", "write"])
        enforcer.add_grouping_policy("cy", "staff")
        enforcer.remove_filtered_policy(0, "staff")
        enforcer.enable_auto_save(False)
        enforcer.add_policy("dan", "plan", "read")
        found.append(
            (adapter.saved, watcher.seen, [enforcer.enforce(*request) for request in ASKED])
        )
    assert found[0] == found[1]


def test_a_copy_of_the_model_is_a_plain_one(pair: Pair) -> None:
    copied = copy.deepcopy(pair.ours.get_model())
    assert type(copied["p"]["p"].policy) is list
    copied["p"]["p"].policy.append(["cy", "map", "write"])
    same(pair)


def test_a_copy_of_the_enforcer_is_its_own(pair: Pair) -> None:
    copies = [copy.deepcopy(enforcer) for enforcer in (pair.theirs, pair.ours)]
    pair.each(lambda e: e.clear_policy())
    same(pair)
    pair.theirs, pair.ours = copies
    assert pair.allows("ann", "map", "read")
    same(pair)
