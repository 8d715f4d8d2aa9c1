"""What is left of a condition where much of the question is known: mostly relations alone (3.4).

A permit comes into question for one action, one category and one purpose. So ``r.act.name``,
``r.res.type`` and every ``r.pair`` of its condition, and of the refusals that may strike it, are
constants, and with them most comparisons. What remains mostly asks ``r.rel`` and nothing else;
then it is compiled as a function of the relations, and the rest of the request need not even be
put together. It gives the same values and the same errors: what is left out cannot raise any.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from operator import contains, eq, ne
from typing import Any

RELATIONS = "r_rel"
Known = Mapping[str, Any]
"""What is known, by dotted name (``r_act.name``); it must be there for whoever would ask it."""
Test = Callable[[Any], bool]

_COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: eq,
    ast.NotEq: ne,
    ast.In: lambda one, many: contains(many, one),
    ast.NotIn: lambda one, many: not contains(many, one),
}


def of_relations(body: ast.expr | None, known: Known) -> Test | None:
    """The condition as a function of ``r.rel``; None where it asks for more than that."""
    if body is None:
        return None
    left = _narrowed(body, known)
    names = {node.id for node in ast.walk(left) if isinstance(node, ast.Name)}
    if names - {RELATIONS}:
        return None
    arguments = ast.arguments(
        posonlyargs=[], args=[ast.arg(RELATIONS)], kwonlyargs=[], kw_defaults=[], defaults=[]
    )
    source = ast.fix_missing_locations(ast.Expression(ast.Lambda(args=arguments, body=left)))
    # Safe: the tree is made of what was let through when the rule was compiled.
    function: Test = eval(compile(source, "<policy>", "eval"), {"__builtins__": {}})  # noqa: S307 (see above)
    return function


def _narrowed(node: ast.expr, known: Known) -> ast.expr:
    """A tree of its own with what is known put in, and what follows from it worked out."""
    match node:
        case ast.BoolOp(op=op, values=values):
            return _joined(op, values, known)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _narrowed(operand, known)
            if isinstance(inner, ast.Constant):
                return ast.Constant(not inner.value)
            return ast.UnaryOp(ast.Not(), inner)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(op, _value(left, known), _value(right, known))
    return _value(node, known)


def _value(node: ast.expr, known: Known) -> ast.expr:
    """The constant that a name stands for; all else as it is, since its value is asked."""
    match node:
        case ast.Attribute(value=ast.Name(id=token), attr=attribute):
            name = f"{token}.{attribute}"
            return ast.Constant(known[name]) if name in known else node
    return node


def _joined(op: ast.boolop, values: list[ast.expr], known: Known) -> ast.expr:
    """Without what cannot matter, as :mod:`authz.engine.fold` does; only its truth is asked."""
    neutral = isinstance(op, ast.And)
    kept: list[ast.expr] = []
    for value in values:
        left = _narrowed(value, known)
        if not isinstance(left, ast.Constant):
            kept.append(left)
        elif bool(left.value) is not neutral:
            kept.append(left)
            break
    if len(kept) > 1:
        return ast.BoolOp(op, kept)
    return kept[0] if kept else ast.Constant(neutral)


def _compared(op: ast.cmpop, left: ast.expr, right: ast.expr) -> ast.expr:
    compare = _COMPARED.get(type(op))
    if compare and isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
        try:
            return ast.Constant(compare(left.value, right.value))
        except TypeError:  # raised where it is asked
            pass
    return ast.Compare(left, [op], [right])
