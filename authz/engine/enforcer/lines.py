"""Policy lines and their index, shared by successive states and never changed under a reader.

Lines are only ever added at the end; a removed line stays and is marked with the edition
in which it died. A :class:`Edition` is a length and a number: what a reader that holds it
sees does not change, whatever is added or removed after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from authz.engine.enforcer import runtime

ALLOW, DENY, NEITHER = 1, 2, 0
ROOM = 256
"""Dead lines that are carried along, at least, before all is built anew."""

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """What the index has to know of a line: fixed when the matcher is compiled.

    ``full`` is the whole matcher. ``function`` gives a line's own function where lines differ
    (``eval``, odd values; None stands for the common one), and whether the index may pass
    the line over.
    """

    width: int
    effect: int | None
    keys: tuple[tuple[int, ...], ...]
    texts: frozenset[int]
    guard: tuple[int, ...] | None
    full: Function | None
    function: Callable[[list[Any]], tuple[Function | None, bool]]


@dataclass(slots=True)
class Store:
    """The shared part: appended to under the enforcer's lock, read by anyone."""

    layout: Layout
    rules: list[list[Any]] = field(default_factory=list)
    effects: list[int] = field(default_factory=list)
    own: dict[int, Function] = field(default_factory=dict)
    buckets: list[dict[Any, list[int]]] = field(default_factory=list)
    always: list[int] = field(default_factory=list)
    died: dict[int, int] = field(default_factory=dict)
    guards: set[tuple[Any, ...]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.buckets = [{} for _ in self.layout.keys]

    def add(self, rule: list[Any]) -> None:
        """Put one line at the end."""
        at = len(self.rules)
        layout = self.layout
        if len(rule) != layout.width:
            self._place(at, rule, NEITHER, runtime.wrong_size)
            return
        effect = ALLOW
        if layout.effect is not None:
            said = rule[layout.effect]
            effect = ALLOW if said == "allow" else DENY if said == "deny" else NEITHER
        function, skippable = layout.function(rule)
        if not skippable or not self._indexable(rule):
            self._place(at, rule, effect, function)
            return
        if function is not None:
            self.own[at] = function
        self.rules.append(rule)
        self.effects.append(effect)
        for bucket, columns in zip(self.buckets, layout.keys, strict=True):
            key = rule[columns[0]] if len(columns) == 1 else tuple([rule[c] for c in columns])
            held = bucket.get(key)
            if held is None:
                bucket[key] = [at]
            else:
                held.append(at)
        if layout.guard is not None:
            values = tuple([rule[column] for column in layout.guard])
            if values not in self.guards:
                self.guards.add(values)
                self.always.append(at)

    def _place(self, at: int, rule: list[Any], effect: int, function: Function | None) -> None:
        """Put a line where it is looked at by every request."""
        whole = function or self.layout.full
        if whole is not None:
            self.own[at] = whole
        self.rules.append(rule)
        self.effects.append(effect)
        self.always.append(at)

    def _indexable(self, rule: list[Any]) -> bool:
        layout = self.layout
        for columns in layout.keys:
            for column in columns:
                if type(rule[column]) not in runtime.KEYS:
                    return False
        for column in layout.guard or ():
            if type(rule[column]) is not str:
                return False  # 1 and True and 1.0 are one key, and not one value
        return all(type(rule[column]) is str for column in layout.texts)

    def find(self, rule: Any, edition: Edition) -> int | None:
        """The first living line that equals this one, as ``list.remove`` would find it."""
        if type(rule) is not list or len(rule) != self.layout.width:
            return None
        if not all(type(value) is str for value in rule):
            return None
        places: Any = range(edition.length)
        if self.buckets and not self.always:
            columns = self.layout.keys[0]
            key = rule[columns[0]] if len(columns) == 1 else tuple([rule[c] for c in columns])
            places = self.buckets[0].get(key, ())
        for at in places:
            if edition.alive(at) and self.rules[at] == rule:
                return int(at)
        return None


@dataclass(frozen=True, slots=True)
class Edition:
    """What one state sees of a store."""

    store: Store
    number: int
    length: int
    living: int

    def alive(self, at: int) -> bool:
        """Whether a line is there in this edition."""
        if at >= self.length:
            return False
        died = self.store.died.get(at)
        return died is None or died > self.number

    def after(self, changes: list[tuple[bool, Any]]) -> Edition | None:
        """The edition after these additions and removals; None if all has to be built anew."""
        store = self.store
        dead = len(store.died)
        if dead + len(changes) > ROOM + self.living // 4:
            return None
        if store.guards and not all(added for added, _ in changes):
            return None  # the line that stood for others may be the one that goes
        edition = self
        for added, rule in changes:
            step = edition.number + 1
            if added:
                if type(rule) is not list:
                    return None
                store.add(rule)
                edition = Edition(store, step, len(store.rules), edition.living + 1)
                continue
            at = store.find(rule, edition)
            if at is None:
                return None
            store.died[at] = step
            edition = Edition(store, step, edition.length, edition.living - 1)
        return edition


def first_edition(layout: Layout, rules: list[Any]) -> Edition:
    """Read a whole policy."""
    store = Store(layout)
    for rule in rules:
        store.add(rule)
    return Edition(store, 0, len(rules), len(rules))
