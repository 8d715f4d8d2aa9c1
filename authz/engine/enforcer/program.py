"""One matcher over one edition of its policy: what answers a request.

A program is never changed. Whatever changes in the enforcer makes another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casbin.effect import Effector, effect_to_bool

from authz.engine.enforcer.effects import Effect
from authz.engine.enforcer.lines import ALLOW, DENY, Edition, Function, Layout
from authz.engine.enforcer.roles import RoleView
from authz.engine.enforcer.runtime import PLAIN, Uncertain, clean, tested
from authz.engine.enforcer.selecting import Select

NO_RULE = "please make sure rule exists in policy when using eval() in matcher"
SAID = {ALLOW: Effector.ALLOW, DENY: Effector.DENY, 0: Effector.INDETERMINATE}


@dataclass(frozen=True, slots=True)
class Code:
    """What was made of the model, whatever its policy holds.

    ``full`` is the matcher as a function; None if every line has its own (``eval``). ``rest``
    is what is left of it for a line that the index found; None if nothing is. ``select``
    finds these lines; None if all are looked at. ``live`` is why some ``g`` has to be asked
    of its role manager, which is then done while nobody may change it. ``refused`` are the
    rules for ``eval`` that Casbin evaluates itself, and why.
    """

    size: int
    layout: Layout
    full: Function | None
    rest: Function | None
    select: Select | None
    whole: bool
    live: tuple[str, ...]
    refused: Mapping[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Watch:
    """The objects that a program was made from, as they were."""

    epoch: object
    sections: dict[str, Any]
    ptype: str
    mtype: str
    policy: Any
    policy_version: int
    matcher: str
    assertion: Any
    functions: Any
    functions_version: int


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled matcher, its lines, and the roles."""

    code: Code
    edition: Edition
    views: tuple[RoleView, ...]
    effect: Effect | None
    effector: Any
    watch: Watch

    def current(self, epoch: object) -> bool:
        """Whether nothing that this program was made from has changed since.

        Written out: it is asked before every request.
        """
        watch = self.watch
        policy, assertion, sections = watch.policy, watch.assertion, watch.sections
        try:
            if (
                watch.epoch is not epoch
                or policy.version != watch.policy_version
                or assertion.policy is not policy
                or watch.functions.version != watch.functions_version
                or sections["p"][watch.ptype] is not assertion
                or sections["m"][watch.mtype].value is not watch.matcher
            ):
                return False
        except (KeyError, TypeError, AttributeError):
            return False  # a section was taken away
        for view in self.views:
            manager = view.manager
            if manager.version != view.version or view.assertion.rm is not manager:
                return False
        return True

    def decide(self, request: Sequence[Any]) -> tuple[bool, int, int]:
        """The answer, the last line that held (or -1), and the effects that were seen."""
        if len(request) != self.code.size:
            raise RuntimeError("invalid request size")
        for value in request:
            if type(value) not in PLAIN and not clean(value):
                raise Uncertain
        if not self.edition.living:
            return self._empty(request), -1, 0
        if self.effect is None:
            return self._asked(request)
        lines, function = self._candidates(request)
        if not lines:
            return self.effect.allows[0], -1, 0
        return self._search(request, lines, function, self.effect)

    def _search(
        self,
        request: Sequence[Any],
        lines: Sequence[int],
        function: Function | None,
        effect: Effect,
    ) -> tuple[bool, int, int]:
        store, views, length = self.edition.store, self.views, self.edition.length
        rules, effects, own, died, ends = (
            store.rules,
            store.effects,
            store.own,
            store.died,
            effect.ends,
        )
        last, seen = -1, 0
        for at in lines:
            if at >= length:
                break  # added after this edition
            if died and not self.edition.alive(at):
                continue
            holds = own.get(at, function) if own else function
            if holds is not None:
                value = holds(views, *request, rules[at])
                if value is not True and (value is False or not self._judged(value)):
                    continue
            last = at
            seen |= effects[at]
            if seen & ends:
                break
        return effect.allows[seen], last, seen

    def deciding(self, request: Sequence[Any]) -> list[list[Any]]:
        """All rules that hold and have the effect of the answer, in the policy's order.

        A rule behind the point where Casbin stops is tried too; one that cannot be evaluated
        there does not hold.
        """
        allowed, last, seen = self.decide(request)
        rules = self.edition.store.rules
        if last < 0:
            return []
        if self.effect is None:
            return [rules[last]]
        wanted = self.effect.deciding(allowed, seen)
        if not wanted:
            return []
        if self.effect.first_only:
            return [rules[last]]
        lines, function = self._candidates(request)
        return [
            rules[at]
            for at in lines
            if self.edition.alive(at)
            and self.edition.store.effects[at] == wanted
            and self._holds(at, function, request)
        ]

    def _candidates(self, request: Sequence[Any]) -> tuple[Sequence[int], Function | None]:
        code, store = self.code, self.edition.store
        if code.select is not None:
            found = code.select(self.views, store.buckets, store.always, *request)
            if found is not None:
                return found, code.rest
        return range(self.edition.length), code.full

    def _holds(self, at: int, function: Function | None, request: Sequence[Any]) -> bool:
        store = self.edition.store
        own = store.own.get(at, function)
        if own is None:
            return True
        try:
            value = own(self.views, *request, store.rules[at])
            return value is True or (value is not False and self._judged(value))
        except Exception:  # noqa: BLE001 (Casbin would not have come here)
            return False

    def _judged(self, value: Any) -> bool:
        """What Casbin makes of a matcher's value that is neither True nor False."""
        if self.code.whole:
            tested(value)
        if isinstance(value, float):
            return value != 0
        raise RuntimeError("matcher result should be bool, int or float")

    def _empty(self, request: Sequence[Any]) -> bool:
        """With no line at all, Casbin puts empty strings in the place of one."""
        full = self.code.full
        if full is None:
            raise RuntimeError(NO_RULE)
        value = full(self.views, *request, [""] * self.code.layout.width)
        effect = ALLOW if value else 0
        if self.effect is not None:
            return self.effect.allows[effect]
        return bool(effect_to_bool(self.effector.final_effect({SAID[effect]})))

    def _asked(self, request: Sequence[Any]) -> tuple[bool, int, int]:
        """As :meth:`decide`, with an effector of somebody else's, asked as Casbin asks it."""
        store = self.edition.store
        said: set[int] = set()
        last = -1
        for at in range(self.edition.length):
            if not self.edition.alive(at):
                continue
            holds: Callable[..., Any] | None = store.own.get(at, self.code.full)
            value = holds(self.views, *request, store.rules[at]) if holds else True
            if value is not True and (value is False or not self._judged(value)):
                said.add(Effector.INDETERMINATE)
                continue
            said.add(SAID[store.effects[at]])
            last = at
            if self.effector.intermediate_effect(said) != Effector.INDETERMINATE:
                break
        return bool(effect_to_bool(self.effector.final_effect(said))), last, 0
