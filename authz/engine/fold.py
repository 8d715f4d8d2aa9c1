"""Works out at load what of a rule's matcher depends on its policy line alone (3.4).

``listed(r.act.name, "read|export")`` becomes a membership in a constant set, ``"allow" ==
"deny"`` a constant. Nothing else changes: the same values and the same errors, which the
property tests of conditions and of packs hold against Casbin's own evaluation.
"""

from __future__ import annotations

import ast

from authz.engine.functions import EVERYTHING, EXCEPT, listed_names

ALWAYS_THERE = frozenset(
    {"r_sub.roles", "r_sub.type", "r_sub.id", "r_act.name", "r_res.type", "r_res.id"}
    | {"r_pair.rule", "r_pair.purpose", "r_pair.basis"}
)
"""What can be asked without an error; only that may be left unasked."""


def fold(tree: ast.Expression) -> ast.Expression:
    """The same expression with its constant parts worked out, in place."""
    folded = ast.fix_missing_locations(_Fold().visit(tree))
    assert isinstance(folded, ast.Expression)  # noqa: S101 (narrowing for the type checker)
    return folded


def gate(tree: ast.Expression) -> str | None:
    """The role that a folded expression tests before anything else, if it is of that form."""
    first = tree.body
    if isinstance(first, ast.BoolOp) and isinstance(first.op, ast.And):
        first = first.values[0]
    match first:
        case ast.Compare(
            left=ast.Constant(value=str(role)), ops=[ast.In()], comparators=[asked]
        ) if ast.unparse(asked) == "r_sub.roles":
            return role
    return None


class _Fold(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A call whose list or role is spelt out becomes a membership."""
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Name(id="listed"), args=[value, ast.Constant(value=str(text))]):
                return _listed(node, value, text)
            case ast.Call(func=ast.Name(id="held"), args=[roles, ast.Constant(value=str(role))]):
                return _held(node, roles, role)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """Two texts of the policy line are equal, or not, once and for all."""
        self.generic_visit(node)
        match node:
            case ast.Compare(
                left=ast.Constant(value=str(one)),
                ops=[ast.Eq() | ast.NotEq() as operator],
                comparators=[ast.Constant(value=str(other))],
            ):
                return ast.Constant((one == other) is isinstance(operator, ast.Eq))
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Drops what cannot matter: a true part of an "and" before its last, and the like.

        What stands last is the value of the whole, so it stays.
        """
        self.generic_visit(node)
        neutral = isinstance(node.op, ast.And)
        kept: list[ast.expr] = []
        for value in node.values:
            if _is(value, truth=not neutral):
                kept.append(value)
                break
            if value is node.values[-1] or not _is(value, truth=neutral):
                kept.append(value)
        return kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept)


def _is(node: ast.expr, *, truth: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is truth


def _listed(call: ast.Call, value: ast.expr, text: str) -> ast.expr:
    if text in EVERYTHING:
        return ast.Constant(value=True) if _always_there(value) else call
    operator = ast.NotIn() if text.startswith(EXCEPT) else ast.In()
    return ast.Compare(value, [operator], [ast.Constant(listed_names(text))])  # type: ignore[arg-type]


def _held(call: ast.Call, roles: ast.expr, role: str) -> ast.expr:
    if role == "any":
        return ast.Constant(value=True) if _always_there(roles) else call
    return ast.Compare(ast.Constant(role), [ast.In()], [roles])


def _always_there(node: ast.expr) -> bool:
    return ast.unparse(node) in ALWAYS_THERE
