"""Casbin's matcher language, compiled to Python once, when a pack is loaded.

The text is turned into Python exactly as Casbin turns it (``&&``, ``||``, ``!``, and the
dots after ``r`` and ``p``), then only the nodes of :data:`NODES` are let through, so that
nothing but names of the request, constants, comparisons and the functions of
:data:`FUNCTIONS` can ever run. A property test holds the result equal to
``casbin.Enforcer`` on the same model (3.4).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from casbin.util import escape_assertion, has_eval, replace_eval

from authz.engine.fold import fold, gate
from authz.engine.functions import EVERYTHING, EXCEPT, FUNCTIONS, held, listed, listed_names

__all__ = [
    "EVERYTHING",
    "EXCEPT",
    "FUNCTIONS",
    "MISSING",
    "Bag",
    "Expression",
    "ExpressionError",
    "Missing",
    "any_of",
    "compile_rule",
    "held",
    "listed",
    "listed_names",
    "mentions_of",
    "parse",
    "to_python",
]

NODES = (
    ast.Expression,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.UnaryOp,
    ast.Not,
    ast.Compare,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.In,
    ast.NotIn,
    ast.Attribute,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Call,
)


LONGEST = 4000
DEEPEST = 60
STRING = re.compile(r""""[^"]*"|'[^']*'""")
REWRITTEN = re.compile(r"""&&|\|\||!|\\|#|\b[rp]\d*\.|\beval\(""")
FORBIDDEN_MEMBERS = frozenset(
    ["ag_frame", "cr_frame", "exec", "format", "format_map", "gi_frame", "mro", "tb_frame"]
)
"""Members that stock Casbin refuses to ask, whatever they hold."""
ARGUMENTS = 2
CONSTANTS = (str, bool, int, float)


class Missing:
    """A property that is not there: equal to nothing, in nothing, and false.

    So that two absent owners are not the same owner.
    """

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __getattr__(self, name: str) -> Missing:
        return self


MISSING = Missing()


class Text(str):
    """A text that was sent: ``in`` looks for a member of a list, never for a part of a text.

    So ``r.sub.id in r.res.properties.owners`` cannot be evaluated where ``owners`` is no list,
    which refuses (3.5): as Python reads it, ``ali`` would be among the owners ``alice``.
    """

    __slots__ = ()

    def __contains__(self, part: object) -> bool:
        raise TypeError("in looks for a member of a list, and this is a text")


class Bag:
    """JSON properties by attribute; what is absent or null is :data:`MISSING`."""

    __slots__ = ("_members",)

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = members

    def __getattr__(self, name: str) -> Any:
        value = self._members.get(name)
        if value is None:
            return MISSING
        if isinstance(value, str):
            return Text(value)
        return Bag(value) if isinstance(value, Mapping) else value


class ExpressionError(ValueError):
    """A condition that is not in the language; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled condition: what it asks, and a function of the request's tokens.

    ``gate`` is a role that it tests before all else: without it, it does not hold.
    ``tree`` is the condition as it was written, for lists (3.4); without one, only the
    function can tell. ``body`` is what the function was made of.
    """

    text: str
    mentions: frozenset[str]
    holds: Callable[..., bool]
    gate: str | None = None
    tree: ast.expr | None = field(default=None, compare=False, repr=False)
    body: ast.expr | None = field(default=None, compare=False, repr=False)


def to_python(text: str) -> str:
    """Casbin's expression as the Python that pycasbin evaluates."""
    text = escape_assertion(text).replace("&&", " and ").replace("||", " or ")
    return re.sub(r"!(?!=)", " not ", text).strip()


def parse(text: str) -> ast.Expression:
    """The tree of Casbin's expression; ExpressionError where it is none.

    A string in it may not hold what Casbin would rewrite: it does so inside strings too.
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"It is longer than {LONGEST} characters.")
    if not STRING.sub("", text).isascii():
        raise ExpressionError("Outside of quotes it may hold plain letters only.")
    for string in STRING.findall(text):
        if REWRITTEN.search(string):
            raise ExpressionError(f"Casbin would read {string} as something else.")
    return _parse(to_python(text))


def compile_rule(
    matcher: str, tokens: tuple[str, ...], columns: Mapping[str, str], condition: str
) -> Expression:
    """The matcher with one policy line put in, as a function of the request's ``tokens``.

    ``matcher`` and the keys of ``columns`` are as Casbin's model holds them (``p_role``).
    """
    parse(condition)  # on its own, so that it cannot reach out of its brackets
    text = matcher
    if has_eval(text):
        text = replace_eval(text, [escape_assertion(condition)])
    tree = _parse(to_python(text))
    mentions = _check(tree, tokens, columns)
    # A tree of its own: folding leaves nothing of the matcher's words.
    folded = fold(_Fill(columns).visit(_parse(to_python(text))))
    filled = ast.fix_missing_locations(_Fill(columns).visit(tree))
    function = _function(folded, tokens)
    return Expression(condition, mentions, function, gate(folded), filled.body, folded.body)


def any_of(expressions: Sequence[Expression], tokens: tuple[str, ...]) -> Callable[..., bool]:
    """Whether one of these holds, asked at once; it raises where one of them would.

    A caller who must know which one asks each by itself then.
    """
    tree = either(expressions)
    return (lambda *_: True) if tree is None else _function(ast.Expression(tree), tokens)


def either(expressions: Sequence[Expression]) -> ast.expr | None:
    """Their conditions as one; None where one of them is known as a function only."""
    bodies = [each.body for each in expressions if each.body is not None]
    if len(bodies) < len(expressions):
        return None
    false = ast.Constant(value=False)  # at both ends: there may be no rule at all
    return ast.BoolOp(ast.Or(), [false, *bodies, false])


def mentions_of(condition: str, tokens: tuple[str, ...]) -> frozenset[str]:
    """What a condition asks, by dotted name (``r.rel.guardian``)."""
    return _check(parse(condition), tokens, {})


class _Fill(ast.NodeTransformer):
    """Puts the columns of one policy line in place of their names."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = columns

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A column becomes a constant; another name stays."""
        if node.id in self.columns:
            return ast.Constant(self.columns[node.id])
        return node


def _parse(text: str) -> ast.Expression:
    try:
        return ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise ExpressionError(f"It is not an expression: {error.msg}.") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError("It is not an expression, or nested too deeply.") from error


def _check(tree: ast.AST, tokens: tuple[str, ...], columns: Mapping[str, str]) -> frozenset[str]:
    names: set[str] = set()
    if _depth(tree) > DEEPEST:
        raise ExpressionError("It is nested too deeply.")
    for node in ast.walk(tree):
        if not isinstance(node, NODES):
            raise ExpressionError(f"{type(node).__name__} is not part of the language.")
        if isinstance(node, ast.Constant) and type(node.value) not in CONSTANTS:
            raise ExpressionError(f"The constant {node.value!r} is not part of the language.")
        if isinstance(node, ast.Attribute):
            _check_attribute(node)
            names.add(_dotted(node))
        elif isinstance(node, ast.Call):
            _check_call(node)
        elif isinstance(node, ast.Name):
            _check_name(node.id, tokens, columns)
    return frozenset(names)


def _depth(tree: ast.AST) -> int:
    level, depth = [tree], 0
    while level and depth <= DEEPEST:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth


def _check_attribute(node: ast.Attribute) -> None:
    if node.attr.startswith(("_", "func_")) or node.attr in FORBIDDEN_MEMBERS:
        raise ExpressionError(f"The name {node.attr} is not to be asked.")
    if not isinstance(node.value, ast.Attribute | ast.Name):
        raise ExpressionError("Only names of the request have members.")


def _check_call(node: ast.Call) -> None:
    known = ", ".join(f"{name}(value, names)" for name in sorted(FUNCTIONS))
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS:
        raise ExpressionError(f"Only these functions may be called: {known}.")
    if node.keywords or len(node.args) != ARGUMENTS:
        raise ExpressionError(f"{node.func.id} is not called as it must be: {known}.")


def _check_name(name: str, tokens: tuple[str, ...], columns: Mapping[str, str]) -> None:
    if name in tokens or name in columns or name in FUNCTIONS:
        return
    expected = ", ".join(token.replace("_", ".", 1) for token in tokens)
    raise ExpressionError(
        f"The name {name.replace('_', '.', 1)} is unknown; expected one of {expected}, or True."
    )


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id.replace("_", ".", 1) if isinstance(node, ast.Name) else "?"


def _function(tree: ast.Expression, tokens: tuple[str, ...]) -> Callable[..., bool]:
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(token) for token in tokens],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    source = ast.Expression(ast.Lambda(args=arguments, body=tree.body))
    code: CodeType = compile(ast.fix_missing_locations(source), "<policy>", "eval")
    # Safe: the tree holds only NODES, names of the request and FUNCTIONS.
    function: Callable[..., bool] = eval(code, {"__builtins__": {}, **FUNCTIONS})  # noqa: S307 (see above)
    return function
