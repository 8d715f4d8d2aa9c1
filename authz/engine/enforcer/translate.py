"""A matcher's syntax tree as Python source that means what Casbin's evaluator makes of it.

The tree is the one that Casbin parsed. Every kind of node either keeps its meaning exactly
or raises :class:`Unsupported`; then Casbin itself evaluates that matcher. What can be known
to fail (a name nobody defined) becomes a call that raises the same error at the same place.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import simpleeval  # type: ignore[import-untyped]

from authz.engine.enforcer import runtime

DEEPEST = 60
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}


class Unsupported(Exception):  # noqa: N818 (a finding: says what is not compiled)
    """A construct whose behaviour is left to Casbin's own evaluator; the message names it."""


@dataclass(frozen=True)
class Scope:
    """The names that a matcher may use: tokens of request and policy, and functions.

    ``roles`` are the ``g`` functions that are answered from a role closure: name to position.
    """

    request: Sequence[str]
    policy: Sequence[str]
    functions: Mapping[str, Callable[..., Any]]
    roles: Mapping[str, int] = field(default_factory=dict)

    @property
    def columns(self) -> dict[str, int]:
        """Where in a policy line a token stands; the last one of a name counts, as in Casbin."""
        return {token: at for at, token in enumerate(self.policy)}

    @property
    def arguments(self) -> dict[str, str]:
        """The Python argument that holds a token of the request."""
        return {token: f"r{at}" for at, token in enumerate(self.request)}


class Translator:
    """One function's worth of source; ``bound`` holds what the source refers to by name."""

    def __init__(self, scope: Scope, text: str) -> None:
        self.scope = scope
        self.text = text
        self.columns = scope.columns
        self.arguments = scope.arguments
        self.depth = 0
        self.bound: dict[str, Any] = {
            "__builtins__": {},
            "attribute": runtime.attribute,
            "checked": runtime.checked,
            "tested": runtime.tested,
        }

    def bind(self, value: Any) -> str:
        """A name for a value that the source needs."""
        name = f"k{len(self.bound)}"
        self.bound[name] = value
        return name

    def fail(self, make: Callable[[], Exception]) -> str:
        """Source that raises when it is reached."""
        return f"{self.bind(runtime.raising(make))}()"

    def source(self, node: ast.AST, *, tested: bool = False) -> str:
        """The source of one node; ``tested`` if whoever uses the value asks for its truth."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unsupported("nested too deeply")
        try:
            if isinstance(node, ast.BoolOp):
                return self._boolean(node, tested=tested)
            if isinstance(node, ast.IfExp):
                body = self.source(node.body, tested=tested)
                test = self.source(node.test, tested=True)
                return f"({body} if {test} else {self.source(node.orelse, tested=tested)})"
            method = getattr(self, f"_{type(node).__name__.lower()}", None)
            if method is None:
                raise Unsupported(f"{type(node).__name__} is left to Casbin")
            text: str = method(node)
            return text
        finally:
            self.depth -= 1

    def function(self, node: ast.AST) -> Callable[..., Any]:
        """The node as a function ``f(roles, r0, r1, ..., p)``; ``p`` is a policy line."""
        return self.compiled(self.source(node, tested=True))

    def compiled(self, source: str) -> Callable[..., Any]:
        """The function ``f(roles, r0, r1, ..., p)`` that gives the value of a source."""
        return self.define(f"def f(v, {self.parameters()}p):\n return {source}\n", "f")

    def parameters(self) -> str:
        """The request's arguments, as they stand in a definition."""
        return "".join(f"r{at}, " for at in range(len(self.scope.request)))

    def define(self, source: str, name: str) -> Callable[..., Any]:
        """Run a definition made of translated nodes and give its function."""
        # Safe: the source is written here, node by node, and knows no builtins.
        exec(compile(source, "<matcher>", "exec"), self.bound)  # noqa: S102 (see above)
        function: Callable[..., Any] = self.bound[name]
        return function

    def _boolean(self, node: ast.BoolOp, *, tested: bool) -> str:
        word = " and " if isinstance(node.op, ast.And) else " or "
        *first, last = node.values
        parts = [self.source(value, tested=True) for value in first]
        # The evaluator asks the last value for its truth too; that may raise.
        end = self.source(last, tested=True)
        parts.append(end if tested else f"tested({end})")
        return f"({word.join(parts)})"

    def _constant(self, node: ast.Constant) -> str:
        sized = isinstance(node.value, str | bytes)
        if sized and len(node.value) > simpleeval.MAX_STRING_LENGTH:  # type: ignore[arg-type]
            raise Unsupported("a literal of this length is left to Casbin")
        return self.bind(node.value)

    def _name(self, node: ast.Name) -> str:
        name, text = node.id, self.text
        if name in self.columns:
            return f"p[{self.columns[name]}]"
        if name in self.arguments:
            return self.arguments[name]
        if name in self.scope.functions:
            return self.bind(self.scope.functions[name])
        return self.fail(lambda: simpleeval.NameNotDefined(name, text))

    def _attribute(self, node: ast.Attribute) -> str:
        name = node.attr
        for prefix in simpleeval.DISALLOW_PREFIXES:
            if name.startswith(prefix):
                return self.fail(
                    lambda: simpleeval.FeatureNotAvailable(
                        "Sorry, access to __attributes  or func_ attributes is not available. "
                        f"({name})"
                    )
                )
        if name in simpleeval.DISALLOW_METHODS:
            return self.fail(
                lambda: simpleeval.FeatureNotAvailable(
                    f"Sorry, this method is not available. ({name})"
                )
            )
        return f"attribute({self.source(node.value)}, {self.bind(name)}, {self.bind(self.text)})"

    def _compare(self, node: ast.Compare) -> str:
        parts = [self.source(node.left)]
        for operator, value in zip(node.ops, node.comparators, strict=True):
            parts += [COMPARISONS[type(operator)], self.source(value)]
        return f"({' '.join(parts)})"

    def _unaryop(self, node: ast.UnaryOp) -> str:
        if isinstance(node.op, ast.Not):
            return f"(not {self.source(node.operand, tested=True)})"
        operator = self.bind(simpleeval.DEFAULT_OPERATORS[type(node.op)])
        return f"checked({operator}({self.source(node.operand)}))"

    def _binop(self, node: ast.BinOp) -> str:
        function = simpleeval.DEFAULT_OPERATORS.get(type(node.op))
        if function is None:
            raise Unsupported(f"{type(node.op).__name__} is left to Casbin")
        left, right = self.source(node.left), self.source(node.right)
        return f"checked({self.bind(function)}({left}, {right}))"

    def _call(self, node: ast.Call) -> str:
        if node.keywords or any(isinstance(value, ast.Starred) for value in node.args):
            raise Unsupported("keyword and starred arguments are left to Casbin")
        text = self.text
        if isinstance(node.func, ast.Attribute):
            function = self.source(node.func)
        elif not isinstance(node.func, ast.Name):
            return self.fail(
                lambda: simpleeval.FeatureNotAvailable("Lambda Functions not implemented")
            )
        elif node.func.id not in self.scope.functions:
            name = node.func.id
            return self.fail(lambda: simpleeval.FunctionNotDefined(name, text))
        elif node.func.id in self.scope.roles:
            arguments = ", ".join(self.source(value) for value in node.args)
            return f"v[{self.scope.roles[node.func.id]}].g({arguments})"
        else:
            function = self.bind(self.scope.functions[node.func.id])
        return f"checked({function}({', '.join(self.source(value) for value in node.args)}))"

    def _subscript(self, node: ast.Subscript) -> str:
        return f"checked({self.source(node.value)}[{self.source(node.slice)}])"

    def _slice(self, node: ast.Slice) -> str:
        parts = [self.source(part) if part else "" for part in (node.lower, node.upper)]
        step = f":{self.source(node.step)}" if node.step else ""
        return ":".join(parts) + step

    def _tuple(self, node: ast.Tuple) -> str:
        if any(isinstance(value, ast.Slice | ast.Starred) for value in node.elts):
            raise Unsupported("a slice or a star in a tuple is left to Casbin")
        return f"({''.join(self.source(value) + ', ' for value in node.elts)})"

    def _list(self, node: ast.List) -> str:
        if any(isinstance(value, ast.Starred) for value in node.elts):
            raise Unsupported("a star in a list is left to Casbin")
        return f"[{', '.join(self.source(value) for value in node.elts)}]"
