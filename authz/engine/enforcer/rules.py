"""``eval(p.rule)``: the matcher with one line's rules put in, compiled once for each text."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from casbin import util
from casbin.util import SimpleEval

from authz.engine.enforcer import runtime
from authz.engine.enforcer.classify import Classifier
from authz.engine.enforcer.lines import Function
from authz.engine.enforcer.translate import Scope, Translator, Unsupported

Parse = Callable[[str, dict[str, Any]], Any]
STAND_IN = "rule_of_line_"
MAYBE_STATEMENT = re.compile(r"[;\n]|(?<![=!<>])=(?!=)|\breturn\b")
"""What a text must hold to be anything but one expression; it is then looked at closely."""


def parsed(parse: Parse, text: str, scope: Scope) -> tuple[ast.expr, str]:
    """A matcher as Casbin parses it, and its text as Casbin's errors quote it."""
    with runtime.PARSING:
        expression = parse(text, dict(scope.functions))
        tree = getattr(expression, "ast_parsed_value", None)
        if type(expression) is not SimpleEval or not isinstance(tree, ast.expr):
            raise Unsupported("it is not an expression")
        if MAYBE_STATEMENT.search(expression.expr):
            body = ast.parse(expression.expr.strip()).body
            if len(body) != 1 or not isinstance(body[0], ast.Expr):
                raise Unsupported("it is not one expression")
    return tree, expression.expr


class Lazy:
    """A function that is compiled when it is first called: most rules are never asked."""

    def __init__(self, scope: Scope, text: str, tree: ast.expr) -> None:
        self._translator = Translator(scope, text)
        self._source = self._translator.source(tree)
        self._function: Function | None = None

    def __call__(self, *arguments: Any) -> Any:
        """The value of the rule's matcher."""
        if self._function is None:
            self._function = self._translator.compiled(self._source)
        return self._function(*arguments)


class Rules:
    """The rules of one matcher. ``template`` is its tree with a stand-in for each ``eval``.

    A rule's text is put into the matcher's text, so that ``a) || (b`` would change what the
    matcher is. The index may rely on the template only for a line whose full tree is the
    template with the rule's own tree in it: that is checked for each text.
    """

    def __init__(
        self, text: str, scope: Scope, parse: Parse, template: ast.expr, places: tuple[int, ...]
    ) -> None:
        self.text = text
        self.scope = scope
        self.parse = parse
        self.template = template
        self.places = places
        self.columns = {f"{STAND_IN}{n}": place for n, place in enumerate(places)}
        self.refused: dict[tuple[str, ...], str] = {}
        self._known: dict[tuple[Any, ...], tuple[Function, bool, bool] | None] = {}

    @classmethod
    def of(cls, text: str, scope: Scope, parse: Parse) -> Rules:
        """The rules of a matcher that has ``eval`` in it."""
        names = util.get_eval_value(text)
        columns = scope.columns
        if STAND_IN in text or any(name not in columns for name in names):
            raise Unsupported("eval() of something that is no column of the policy")
        stand_ins = [f"{STAND_IN}{n}" for n in range(len(names))]
        try:
            with runtime.PARSING:
                tree = parse(util.replace_eval(text, stand_ins), {}).ast_parsed_value
        except SyntaxError as error:
            raise Unsupported("the matcher around eval() is no expression") from error
        return cls(text, scope, parse, tree, tuple(columns[name] for name in names))

    def function(
        self, line: list[Any], classifier: Classifier | None
    ) -> tuple[Function, bool] | None:
        """A line's matcher, and whether the index may pass the line over; None: not compiled.

        With a ``classifier`` the rule stands before the index key: then it has to give the
        same on every line that holds it.
        """
        if len(line) != len(self.scope.policy):
            return None
        values = tuple([line[place] for place in self.places])
        if any(type(value) is not str for value in values):
            return None
        if values not in self._known:
            self._known[values] = self._compiled(values, classifier)
        found = self._known[values]
        if found is None:
            return None
        function, sound, pure = found
        return function, sound and (classifier is None or pure)

    def _compiled(
        self, values: tuple[str, ...], classifier: Classifier | None
    ) -> tuple[Function, bool, bool] | None:
        rules = [util.escape_assertion(value) for value in values]
        try:
            filled = util.replace_eval(self.text, list(rules))
            tree, quoted = parsed(self.parse, filled, self.scope)
            function = Lazy(self.scope, quoted, tree)
        except Exception as error:  # noqa: BLE001 (Casbin raises it, if it comes there)
            self.refused[values] = f"{type(error).__name__}: {error}"
            return None
        try:
            parts = [parsed(self.parse, rule, self.scope)[0] for rule in rules]
        except Exception:  # noqa: BLE001 (no expression by itself: not to be passed over)
            return function, False, False
        wanted = ast.dump(self.template)
        for stand_in, part in zip(self.columns, parts, strict=True):
            wanted = wanted.replace(ast.dump(ast.Name(stand_in, ast.Load())), ast.dump(part))
        sound = wanted == ast.dump(tree)
        return function, sound, classifier is not None and all(map(classifier.pure, parts))
