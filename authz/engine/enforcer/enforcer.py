"""``casbin.Enforcer``, compiled: the same answers and errors, at the price of the candidates.

What is promised, and what is not, stands in ``docs/decisions/compiled-enforcer.md``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple, TypeVar

import casbin
from casbin.core_enforcer import CoreEnforcer, EnforceContext
from casbin.model import Model

from authz.engine.enforcer import runtime
from authz.engine.enforcer.build import DEFAULT, Names, Source, build, follow
from authz.engine.enforcer.changes import CHANGES, Watched, changing
from authz.engine.enforcer.explain import Explanation, Uncompiled
from authz.engine.enforcer.program import Program
from authz.engine.enforcer.tracked import adopt_functions, adopt_model, adopt_roles

LOG = logging.getLogger("authz.engine.enforcer")
Answer = TypeVar("Answer")


class _Own(NamedTuple):
    """Stands for a program where there is none."""

    epoch: object
    reason: str


class CompiledEnforcer(casbin.Enforcer):  # type: ignore[misc]
    """A drop-in for ``casbin.Enforcer``, for any model, from any number of threads.

    Its answers and errors are Casbin's, but for one: Casbin keeps every name that it was asked
    about and compares it with all later ones, so that an object that cannot be compared fails
    everybody's requests from then on. Here it fails its own.
    """

    model = Watched()
    fm = Watched()
    eft = Watched()
    rm_map = Watched()
    cond_rm_map = Watched()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._begin()
        with self.changing():
            super().__init__(*args, **kwargs)

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._writer: int | None = None
        self._epoch = object()
        self._programs: dict[Names, Program | _Own] = {}
        self._usual: Program | None = None  # the one of "m", where no lock is needed to ask it
        self._said: set[tuple[str, str]] = set()

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            own = {"_lock", "_writer", "_epoch", "_programs", "_usual", "_said"}
            return {name: value for name, value in self.__dict__.items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._begin()
        self.__dict__.update(state)

    def enforce(self, *rvals: Any) -> bool:
        """Whether the request is allowed; as ``casbin.Enforcer.enforce``."""
        if not self.enabled:
            return True
        program = self._usual
        if (
            program is not None
            and not (rvals and isinstance(rvals[0], EnforceContext))
            and program.current(self._epoch)
        ):
            try:
                allowed = program.decide(rvals)[0]
            except (runtime.Outdated, runtime.Uncertain):
                return self._enforce(rvals)
            if not self.logger.disabled:
                self._report(rvals, allowed=allowed)
            return allowed
        return self._enforce(rvals)

    def _enforce(self, rvals: tuple[Any, ...]) -> bool:
        names, request = _names(rvals)
        found = self._answer(names, request, Program.decide)
        if found is None:
            return bool(self._own(rvals)[0])
        if not self.logger.disabled:
            self._report(request, allowed=found[1][0])
        return found[1][0]

    def enforce_ex(self, *rvals: Any) -> Any:
        """``(allowed, rule)`` as ``casbin.Enforcer.enforce_ex``; ``rule.rules`` has all of them."""
        if not self.enabled:
            return [True, []]
        names, request = _names(rvals)
        found = self._answer(names, request, Program.decide)
        if found is None:
            allowed, rule = self._own(rvals)
            return allowed, Explanation(rule, lambda: [rule] if rule else [])
        program, (allowed, last, _) = found
        if not self.logger.disabled:
            self._report(request, allowed=allowed)
        rule = [] if last < 0 else program.edition.store.rules[last]
        if program.code.live:
            return allowed, Explanation(rule, lambda: self.explain(*rvals))
        return allowed, Explanation(rule, lambda: self._explain(program, request, rvals))

    def _explain(self, program: Program, request: Any, rvals: Any) -> list[list[Any]]:
        """The deciding rules of the policy that the answer was given from, if it can be had."""
        try:
            return [list(rule) for rule in program.deciding(request)]
        except (runtime.Outdated, runtime.Uncertain):
            return self.explain(*rvals)

    def explain(self, *rvals: Any) -> list[list[Any]]:
        """All rules that hold and have the effect of the answer, in the order of the policy."""
        if not self.enabled:
            return []
        names, request = _names(rvals)
        found = self._answer(names, request, Program.deciding)
        if found is not None:
            return [list(rule) for rule in found[1]]
        rule = self._own(rvals)[1]
        return [list(rule)] if rule else []

    def batch_enforce(self, rvals: Any) -> list[bool]:
        """The answer to each request, in order."""
        return [self.enforce(*request) for request in rvals]

    def uncompiled(self) -> tuple[Uncompiled, ...]:
        """What of this model and policy is evaluated by Casbin itself, and why."""
        sections = self.model.model
        found: list[Uncompiled] = []
        for mtype, assertion in (sections.get("m") or {}).items():
            suffix = mtype.removeprefix("m")
            names = Names(f"r{suffix}", f"p{suffix}", mtype)
            if names.ptype not in sections["p"] or names.rtype not in sections["r"]:
                continue
            reasons = _reasons(self._ready(names))
            found += [Uncompiled(mtype, assertion.value, *reason) for reason in reasons]
        return tuple(found)

    def refresh(self) -> None:
        """Compile anew: for a change that cannot be seen, such as one within a rule's list."""
        with self.changing():
            self._programs, self._usual = {}, None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """One change: others wait for it or see what was before, and never a part of it."""
        with self._lock:
            if self._writer is not None:
                yield
                return
            self._writer = threading.get_ident()
            try:
                yield
            finally:
                self._adopt()
                self._epoch = object()
                self._writer = None

    def _answer(
        self, names: Names, request: Any, ask: Callable[[Program, Any], Answer]
    ) -> tuple[Program, Answer] | None:
        """What the program says; None if Casbin itself has to be asked."""
        while True:
            program = self._programs.get(names)
            if type(program) is not Program or not program.current(self._epoch):
                program = self._ready(names)
            if not isinstance(program, Program):
                return None
            try:
                if not program.code.live:
                    return program, ask(program, request)
                with self._lock:
                    if self._ready(names) is program:
                        return program, ask(program, request)
            except runtime.Outdated:
                continue
            except runtime.Uncertain:
                return None

    def _ready(self, names: Names) -> Program | _Own:
        program = self._programs.get(names)
        if self._writer == threading.get_ident():
            return _Own(self._epoch, "asked in the middle of a change")
        if program is not None:
            current = _current(program, self._epoch)
            # Another thread is in the middle of a change: what was before it still holds.
            if current or (self._writer is not None and _made_in(program, self._epoch)):
                return program
        with self._lock:
            program = self._programs.get(names)
            if program is None or not _current(program, self._epoch):
                program = self._compiled(names, program)
                self._programs = {**self._programs, names: program}
                if names == DEFAULT:
                    lone = isinstance(program, Program) and not program.code.live
                    self._usual = program if lone and isinstance(program, Program) else None
            return program

    def _compiled(self, names: Names, old: Program | _Own | None) -> Program | _Own:
        self._adopt()
        try:
            source = Source(
                self._epoch,
                self.model,
                self.fm,
                (len(self.rm_map), len(self.cond_rm_map)),
                self.eft,
                self._get_expression,
                self._locked,
            )
            program = follow(old, source, names) if isinstance(old, Program) else None
            program = program or build(source, names)
        except Exception as error:  # noqa: BLE001 (whatever it is, Casbin answers, or raises it)
            own = _Own(self._epoch, f"{type(error).__name__}: {error}")
            self._say(names.mtype, own)
            return own
        self._say(names.mtype, program)
        return program

    def _say(self, matcher: str, program: Program | _Own) -> None:
        for reason, _ in _reasons(program):
            once = (matcher, reason.split(" ")[0])  # not a line for each broken rule
            if once not in self._said:
                self._said.add(once)
                LOG.warning("%s is not compiled: %s", matcher, reason)

    def _locked(self) -> AbstractContextManager[Any]:
        return self._lock

    def _own(self, rvals: Any) -> Any:
        """Casbin's own evaluation, while nobody else changes anything."""
        with self._lock:
            functions = SimpleNamespace(get_functions=lambda: dict(self.fm.get_functions()))
            seen = SimpleNamespace(
                enabled=True,
                fm=functions,
                model=self.model,
                rm_map=self.rm_map,
                cond_rm_map=self.cond_rm_map,
                eft=self.eft,
                logger=self.logger,
                _get_expression=self._parsed,
            )
            return CoreEnforcer.enforce_ex(seen, *rvals)

    def _parsed(self, text: str, functions: Any = None) -> Any:
        with runtime.PARSING:
            return self._get_expression(text, functions)

    def _adopt(self) -> None:
        if isinstance(self.model, Model):
            adopt_model(self.model)
        for manager in (self.rm_map or {}).values():
            adopt_roles(manager)
        adopt_functions(self.fm)

    def _report(self, request: Any, *, allowed: bool) -> None:
        """Casbin's own line in its log."""
        level = logging.INFO if allowed else logging.WARNING
        if self.logger.isEnabledFor(level):
            said = ", ".join([str(value) for value in request])
            self.logger.log(level, f"Request: {said} ---> {allowed}")  # noqa: G004 (as Casbin)


for _name in CHANGES:
    setattr(CompiledEnforcer, _name, changing(_name))


def _names(rvals: tuple[Any, ...]) -> tuple[Names, tuple[Any, ...]]:
    if rvals and isinstance(rvals[0], EnforceContext):
        given = rvals[0]
        return Names(given.rtype, given.ptype, given.mtype), rvals[1:]
    return DEFAULT, rvals


def _current(program: Program | _Own, epoch: object) -> bool:
    return program.epoch is epoch if isinstance(program, _Own) else program.current(epoch)


def _made_in(program: Program | _Own, epoch: object) -> bool:
    made = program.epoch if isinstance(program, _Own) else program.watch.epoch
    return made is epoch


def _reasons(program: Program | _Own) -> list[tuple[str, tuple[str, ...]]]:
    """Why something is not compiled, each with the columns of the rule that it is about."""
    if isinstance(program, _Own):
        return [(program.reason, ())]
    refused = program.code.refused.items()
    rules = ((f"rule {', '.join(rule)}: {why}", rule) for rule, why in refused)
    return [*((why, ()) for why in program.code.live), *rules]
