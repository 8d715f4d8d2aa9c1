"""Which lines of a policy a request can possibly be about, read off the matcher.

A matcher is taken apart at its top-level ``||`` and ``&&``. A line may be passed over only
if Casbin, reaching it, would certainly have answered a plain False: so a conjunct serves as
an index key only while everything before it can neither raise nor give anything but a bool
(it is *steady*), or, as a guard, while it was evaluated on an earlier line with the same
values.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from casbin import util

from authz.engine.enforcer.translate import Scope

PURE: frozenset[Callable[..., Any]] = frozenset(
    {
        util.key_match_func,
        util.key_match2_func,
        util.key_match3_func,
        util.key_match4_func,
        util.key_match5_func,
        util.regex_match_func,
        util.ip_match_func,
        util.glob_match_func,
    }
)
"""Casbin's own functions whose answer depends on their arguments alone."""
PURE_NODES = (
    ast.Name,
    ast.Attribute,
    ast.Compare,
    ast.BoolOp,
    ast.UnaryOp,
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.IfExp,
    ast.Call,
    ast.Load,
    ast.cmpop,
    ast.boolop,
    ast.unaryop,
)


@dataclass(frozen=True)
class Choice:
    """One way to hold: the column is this value, or among the roles of this name."""

    value: ast.expr
    roles: str | None = None
    domain: ast.expr | None = None


@dataclass(frozen=True)
class Key:
    """A column of the policy that has to be one of some values."""

    column: int
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class Branch:
    """One of the matcher's alternatives: its keys, or the request alone decides it."""

    keys: tuple[Key, ...] = ()
    request: ast.expr | None = None
    rest: tuple[ast.expr, ...] = ()
    guard: frozenset[int] | None = None


@dataclass
class Plan:
    """How candidates are found. Empty ``branches``: every line is looked at, in order."""

    branches: tuple[Branch, ...] = ()
    text_tokens: set[str] = field(default_factory=set)
    plain_tokens: set[str] = field(default_factory=set)
    text_columns: set[int] = field(default_factory=set)


class Classifier:
    """Reads one matcher; ``rules`` are the stand-ins for ``eval(...)``, with their column."""

    def __init__(self, scope: Scope, rules: Mapping[str, int]) -> None:
        self.scope = scope
        self.rules = rules
        self.columns = scope.columns
        self.plan = Plan()

    def read(self, tree: ast.expr) -> Plan:
        """The plan for a matcher."""
        branches = _operands(tree, ast.Or)
        found = [self._branch(branch, alone=len(branches) == 1) for branch in branches]
        if all(found) and any(branch and branch.keys for branch in found):
            self.plan.branches = tuple(branch for branch in found if branch)
            return self.plan
        return Plan()

    def _branch(self, tree: ast.expr, *, alone: bool) -> Branch | None:
        if not self._policy_names(tree):
            return Branch(request=tree) if self._pure(tree, calls=False) else None
        keys: list[Key] = []
        rest: list[ast.expr] = []
        conjuncts = _operands(tree, ast.And)
        for at, conjunct in enumerate(conjuncts):
            key = self._key(conjunct, conjuncts)
            if key and all(key.column != other.column for other in keys):
                keys.append(key)
            elif self._steady(conjunct):
                rest.append(conjunct)
            else:
                rest += conjuncts[at:]
                break
        if keys:
            return Branch(tuple(keys), rest=tuple(rest))
        self.plan = Plan()
        return self._guarded(conjuncts) if alone else None

    def _guarded(self, conjuncts: list[ast.expr]) -> Branch | None:
        """Keys behind conjuncts that may raise: these are tried once for each of their values."""
        columns: set[int] = set()
        keys: list[Key] = []
        for conjunct in conjuncts:
            key = self._key(conjunct, conjuncts)
            if key and all(key.column != other.column for other in keys):
                keys.append(key)
            elif keys and self._steady(conjunct):
                continue
            elif keys or not self._pure(conjunct, calls=True):
                break
            else:
                columns |= self._policy_names(conjunct)
        return Branch(tuple(keys), guard=frozenset(columns)) if keys else None

    def _policy_names(self, tree: ast.AST) -> set[int]:
        names = _names(tree)
        own = {self.columns[name] for name in names if name in self.columns}
        return own | {self.rules[name] for name in names if name in self.rules}

    def _key(self, tree: ast.expr, conjuncts: Iterable[ast.expr]) -> Key | None:
        choices: list[tuple[int, Choice]] = []
        for way in _operands(tree, ast.Or):
            found = self._choice(way, conjuncts)
            if found is None:
                return None
            choices.append(found)
        if len({column for column, _ in choices}) != 1:
            return None
        for _, choice in choices:
            self._note(choice)
        return Key(choices[0][0], tuple(choice for _, choice in choices))

    def _note(self, choice: Choice) -> None:
        if choice.roles is not None:
            self.plan.text_tokens |= _names(choice.value)
            self.plan.text_tokens |= set() if choice.domain is None else _names(choice.domain)

    def _choice(self, tree: ast.expr, conjuncts: Iterable[ast.expr]) -> tuple[int, Choice] | None:
        if isinstance(tree, ast.Compare):
            return self._equality(tree)
        if isinstance(tree, ast.Call) and self._is_roles(tree):
            name, role, *domain = tree.args
            if (
                not (self._token(name) and isinstance(role, ast.Name))
                or role.id not in self.columns
            ):
                return None
            place = domain[0] if domain else None
            if isinstance(place, ast.Name) and place.id in self.columns:
                place = self._equal_to(place.id, conjuncts)
                if place is None:
                    return None
            if place is None or self._token(place) or _is_text(place):
                roles = tree.func.id if isinstance(tree.func, ast.Name) else ""
                return self.columns[role.id], Choice(name, roles, place)
        return None

    def _equality(self, tree: ast.Compare) -> tuple[int, Choice] | None:
        if len(tree.ops) != 1 or not isinstance(tree.ops[0], ast.Eq):
            return None
        for one, other in ((tree.left, tree.comparators[0]), (tree.comparators[0], tree.left)):
            if isinstance(one, ast.Name) and one.id in self.columns and self._of_request(other):
                return self.columns[one.id], Choice(other)
        return None

    def _equal_to(self, column: str, conjuncts: Iterable[ast.expr]) -> ast.expr | None:
        """The token of the request that a steady conjunct makes equal to this column."""
        for conjunct in conjuncts:
            if isinstance(conjunct, ast.Compare):
                found = self._equality(conjunct)
                if found and found[0] == self.columns[column] and self._token(found[1].value):
                    return found[1].value
            if not self._steady(conjunct):
                break
        return None

    def _of_request(self, tree: ast.expr) -> bool:
        """A token of the request, a member of one, or a constant."""
        while isinstance(tree, ast.Attribute):
            tree = tree.value
        return isinstance(tree, ast.Constant) or self._token(tree)

    def _token(self, tree: ast.expr) -> bool:
        name = tree.id if isinstance(tree, ast.Name) else ""
        return name in self.scope.arguments and name not in self.columns

    def _is_roles(self, tree: ast.Call) -> bool:
        named = isinstance(tree.func, ast.Name) and tree.func.id in self.scope.roles
        return named and not tree.keywords and len(tree.args) in {2, 3}

    def _steady(self, tree: ast.expr) -> bool:
        """Whether this can only be True or False, given plain values; these are then noted."""
        plan = self.plan
        noted = set(plan.text_tokens), set(plan.plain_tokens), set(plan.text_columns)
        if self._is_steady(tree):
            return True
        plan.text_tokens, plan.plain_tokens, plan.text_columns = noted
        return False

    def _is_steady(self, tree: ast.expr) -> bool:
        if isinstance(tree, ast.BoolOp):
            return all(self._is_steady(value) for value in tree.values)
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
            return self._is_steady(tree.operand)
        if isinstance(tree, ast.Call):
            return self._steady_call(tree)
        if not isinstance(tree, ast.Compare) or len(tree.ops) != 1:
            return isinstance(tree, ast.Constant) and isinstance(tree.value, bool)
        right = tree.comparators[0]
        if isinstance(tree.ops[0], ast.In | ast.NotIn):
            return isinstance(right, ast.Tuple | ast.List) and all(
                self._simple(value) for value in (tree.left, *right.elts)
            )
        same = isinstance(tree.ops[0], ast.Eq | ast.NotEq)
        return same and self._simple(tree.left) and self._simple(right)

    def _steady_call(self, tree: ast.Call) -> bool:
        if not all(self._simple(value) for value in tree.args):
            return False
        if self._is_roles(tree):
            self.plan.text_tokens |= _names(tree.args[0]) - set(self.columns)
            first = tree.args[0]
            return self._token(first) or _is_text(first)
        function = self.scope.functions.get(getattr(tree.func, "id", ""))
        if function is not util.key_match_func or len(tree.args) != 2 or tree.keywords:  # noqa: PLR2004 (a key and a pattern)
            return False
        if not all(isinstance(value, ast.Name) or _is_text(value) for value in tree.args):
            return False
        names = set().union(*(_names(value) for value in tree.args))
        self.plan.text_tokens |= names - set(self.columns)
        self.plan.text_columns |= {self.columns[name] for name in names & set(self.columns)}
        return True

    def _simple(self, tree: ast.expr) -> bool:
        if isinstance(tree, ast.Constant):
            return isinstance(tree.value, str | int | bool | None)
        if self._token(tree):
            self.plan.plain_tokens |= _names(tree)
            return True
        return isinstance(tree, ast.Name) and tree.id in self.columns

    def _pure(self, tree: ast.expr, *, calls: bool) -> bool:
        """Whether the same values give the same answer, or the same error."""
        for node in ast.walk(tree):
            if not isinstance(node, PURE_NODES):
                return False
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", "")
                known = name in self.scope.roles or self.scope.functions.get(name) in PURE
                if not calls or not known:
                    return False
        return True

    def pure(self, tree: ast.expr) -> bool:
        """Whether a rule for ``eval`` may be tried once for all lines that hold it."""
        return self._pure(tree, calls=True) and not self._policy_names(tree)


def _operands(tree: ast.expr, kind: type[ast.boolop]) -> list[ast.expr]:
    """The operands of ``and`` (or ``or``), those of nested ones among them, in order."""
    if isinstance(tree, ast.BoolOp) and isinstance(tree.op, kind):
        return [one for value in tree.values for one in _operands(value, kind)]
    return [tree]


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _is_text(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and type(tree.value) is str
