"""From a model to a :class:`Program`: the one place that reads Casbin's model."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from casbin import util

from authz.engine.enforcer import runtime
from authz.engine.enforcer.classify import Branch, Classifier, Plan
from authz.engine.enforcer.effects import compiled_effect
from authz.engine.enforcer.lines import Function, Layout, first_edition
from authz.engine.enforcer.program import Code, Program, Watch
from authz.engine.enforcer.roles import RoleView, reason_not_to_close
from authz.engine.enforcer.rules import Parse, Rules, parsed
from authz.engine.enforcer.selecting import SelectWriter
from authz.engine.enforcer.tracked import TrackedDict, TrackedList
from authz.engine.enforcer.translate import Scope, Translator, Unsupported


class Names(NamedTuple):
    """The sections of a model that a request is asked of (``EnforceContext`` names others)."""

    rtype: str = "r"
    ptype: str = "p"
    mtype: str = "m"


DEFAULT = Names()


@dataclasses.dataclass(frozen=True)
class Source:
    """What of an enforcer a program is made from, at one moment, under its lock."""

    epoch: object
    model: Any
    functions: Any
    managers: tuple[int, int]
    effector: Any
    parse: Parse
    lock: Callable[[], AbstractContextManager[Any]]


def build(source: Source, names: Names) -> Program:
    """Compile; :class:`Unsupported` says why Casbin has to evaluate this matcher itself."""
    sections = source.model.model
    tokens, columns = sections["r"][names.rtype].tokens, sections["p"][names.ptype].tokens
    assertion, text = sections["p"][names.ptype], sections["m"][names.mtype].value
    if "m" not in sections["m"] or type(assertion.policy) is not TrackedList:
        raise Unsupported("the policy is not kept in a list")
    if type(source.functions.fm) is not TrackedDict:
        raise Unsupported("the functions are not kept in a dictionary")
    functions, roles, views, live = _functions(source, sections)
    scope = Scope(tuple(tokens), tuple(columns), functions, roles)
    code = _code(source, scope, text, names.ptype, live)
    watch = Watch(
        source.epoch,
        sections,
        names.ptype,
        names.mtype,
        assertion.policy,
        assertion.policy.version,
        text,
        assertion,
        source.functions.fm,
        source.functions.fm.version,
    )
    edition = first_edition(code.layout, list(assertion.policy))
    effect = compiled_effect(source.effector)
    return Program(code, edition, views, effect, source.effector, watch)


def follow(program: Program, source: Source, names: Names) -> Program | None:
    """The next program, if only lines were added or removed, or roles; None: build anew."""
    watch, sections = program.watch, source.model.model
    renewed = dataclasses.replace(watch, epoch=source.epoch, policy_version=watch.policy.version)
    unrolled = dataclasses.replace(program, views=(), watch=renewed)
    same = (
        sections is watch.sections
        and unrolled.current(source.epoch)
        and source.functions.fm is watch.functions
        and source.effector is program.effector
        and len(sections["r"][names.rtype].tokens) == program.code.size
        and not program.code.live
    )
    changes = watch.policy.since(watch.policy_version) if same else None
    if changes is None or any(reason_not_to_close(view.assertion.rm) for view in program.views):
        return None
    if any(view.assertion.rm is not view.manager for view in program.views):
        return None
    edition = program.edition.after(changes)
    if edition is None:
        return None
    views = tuple(view.renewed() for view in program.views)
    return dataclasses.replace(program, edition=edition, views=views, watch=renewed)


def _functions(
    source: Source, sections: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, int], tuple[RoleView, ...], list[str]]:
    """The functions as Casbin gathers them, and which ``g`` is answered from a closure."""
    functions: dict[str, Any] = dict(source.functions.fm)
    plain, conditional = source.managers
    roles: dict[str, int] = {}
    views: list[RoleView] = []
    live: list[str] = []
    for name, assertion in sections.get("g", {}).items():
        if not plain and not conditional:
            continue
        if conditional:
            functions[name] = util.generate_conditional_g_function(assertion.cond_rm)
            reason: str | None = "its links have conditions"
        else:
            functions[name] = util.generate_g_function(assertion.rm)
            reason = reason_not_to_close(assertion.rm)
        if reason is None:
            roles[name] = len(views)
            views.append(RoleView(assertion.rm, assertion, source.lock))
        else:
            live.append(f"{name} is asked link by link: {reason}")
    functions.update(list=list, tuple=tuple, dict=dict, set=set)
    if roles.keys() & {"list", "tuple", "dict", "set"}:
        raise Unsupported("a role definition has the name of a type")
    return functions, roles, tuple(views), live


def _code(source: Source, scope: Scope, text: str, ptype: str, live: list[str]) -> Code:
    rules = Rules.of(text, scope, source.parse) if util.has_eval(text) else None
    if rules is not None:
        tree, quoted = rules.template, text
        full, whole = None, False
    else:
        tree, quoted = parsed(source.parse, text, scope)
        full = Translator(scope, quoted).function(tree)
        whole = isinstance(tree, ast.BoolOp)
    classifier = Classifier(scope, rules.columns if rules else {})
    plan = classifier.read(tree)
    alone = plan.branches[0] if len(plan.branches) == 1 else None
    rest = full
    if full is not None and alone is not None and alone.guard is None:
        rest = _rest(alone, scope, quoted)
    guard = None if alone is None or alone.guard is None else tuple(sorted(alone.guard))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    layout = Layout(
        width=len(scope.policy),
        effect=scope.columns.get(f"{ptype}_eft"),
        keys=tuple(tuple(k.column for k in b.keys) for b in plan.branches if b.keys),
        texts=frozenset(plan.text_columns),
        guard=guard,
        full=full,
        function=_own(source, scope, rules, text, classifier if guard is not None else None),
    )
    return Code(
        size=len(scope.request),
        layout=layout,
        full=full,
        rest=rest,
        select=_select(plan, scope, quoted) if plan.branches else None,
        whole=whole,
        live=tuple(one for one in live if rules is not None or one.split(" ")[0] in used),
        refused=rules.refused if rules else {},
    )


def _select(plan: Plan, scope: Scope, text: str) -> Any:
    return SelectWriter(plan, scope, text).function()


def _rest(branch: Branch, scope: Scope, text: str) -> Function | None:
    if not branch.rest:
        return None
    rest = branch.rest
    tree = rest[0] if len(rest) == 1 else ast.BoolOp(ast.And(), list(rest))
    return Translator(scope, text).function(tree)


def _own(
    source: Source, scope: Scope, rules: Rules | None, text: str, classifier: Classifier | None
) -> Callable[[list[Any]], tuple[Function | None, bool]]:
    """How a line gets a function of its own, and whether the index may pass it over."""
    interpreted = interpreter(source, scope, text)

    def own(line: list[Any]) -> tuple[Function | None, bool]:
        for value in line:
            if type(value) not in runtime.PLAIN:
                return interpreted, False
        if rules is None:
            return None, True
        found = rules.function(line, classifier)
        return (interpreted, False) if found is None else found

    return own


def interpreter(source: Source, scope: Scope, text: str) -> Function:
    """One line, evaluated by Casbin's evaluator: for what is not compiled."""

    def interpreted(views: tuple[RoleView, ...], *values: Any) -> Any:
        *request, line = values
        roles = {name: views[at].g for name, at in scope.roles.items()}
        line_values = dict(zip(scope.policy, line, strict=True))
        filled = text
        if util.has_eval(text):
            wanted = util.get_eval_value(text)
            filled = util.replace_eval(
                text, [util.escape_assertion(line_values[name]) for name in wanted]
            )
        with runtime.PARSING:
            expression = source.parse(filled, {**scope.functions, **roles})
        return expression.eval({**dict(zip(scope.request, request, strict=True)), **line_values})

    return interpreted
