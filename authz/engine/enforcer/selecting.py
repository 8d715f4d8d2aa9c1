"""The function that finds a request's candidates: written as source, once for a matcher."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from itertools import chain

from authz.engine.enforcer.classify import Branch, Choice, Key, Plan
from authz.engine.enforcer.runtime import KEYS
from authz.engine.enforcer.translate import Scope, Translator

Select = Callable[..., Sequence[int] | None]
"""``select(roles, buckets, always, r0, r1, ...)``; None: every line has to be looked at."""


def merged(hits: list[list[int]]) -> Sequence[int]:
    """The lines of several buckets, in the order of the policy, each once."""
    return sorted(set(chain.from_iterable(hits)))


class SelectWriter:
    """Writes ``select`` for one plan."""

    def __init__(self, plan: Plan, scope: Scope, text: str) -> None:
        self.plan = plan
        self.scope = scope
        self.translator = Translator(scope, text)
        self.translator.bound.update(
            type=type, str=str, Exception=Exception, KEYS=KEYS, merged=merged, NONE=()
        )
        self.body: list[str] = []
        self.values = 0

    def function(self) -> Select:
        """The function itself."""
        self._guards()
        decided = [branch for branch in self.plan.branches if branch.request is not None]
        keyed = [branch for branch in self.plan.branches if branch.keys]
        for branch in decided:
            self._decided(branch)
        parts = [self._branch(at, branch) for at, branch in enumerate(keyed)]
        self.body.append(" hits = []")
        for part in parts:
            self.body += part
        self.body += [
            " if always: hits.append(always)",
            " if not hits: return NONE",
            " return hits[0] if len(hits) == 1 else merged(hits)",
        ]
        self.translator.bound["len"] = len
        head = f"def select(v, buckets, always, {self.translator.parameters()}):"
        return self.translator.define("\n".join([head, *self.body, ""]), "select")

    def _guards(self) -> None:
        arguments = self.scope.arguments
        for token in sorted(self.plan.text_tokens & set(arguments)):
            self.body.append(f" if type({arguments[token]}) is not str: return None")
        for token in sorted((self.plan.plain_tokens - self.plan.text_tokens) & set(arguments)):
            self._plain(arguments[token])

    def _plain(self, name: str) -> None:
        line = f" if type({name}) is not str and type({name}) not in KEYS: return None"
        if line not in self.body:
            self.body.append(line)

    def _is_text(self, tree: ast.expr) -> bool:
        return isinstance(tree, ast.Name) and tree.id in self.plan.text_tokens

    def _decided(self, branch: Branch) -> None:
        """An alternative that the request alone decides."""
        if branch.request is not None:
            name = self._evaluated(branch.request)
            # True: every line matches; anything but False is Casbin's to judge, line by line.
            self.body.append(f" if {name} is not False: return None")

    def _branch(self, at: int, branch: Branch) -> list[str]:
        loops: list[str] = []
        parts: list[str] = []
        for key in branch.keys:
            part, loop = self._key(key)
            parts.append(part)
            loops += [loop] if loop else []
        key_source = parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
        lines = [f" get{at} = buckets[{at}].get"]
        for depth, loop in enumerate(loops, 1):
            lines.append(" " * depth + loop)
        pad = " " * (len(loops) + 1)
        lines += [f"{pad}b = get{at}({key_source})", f"{pad}if b is not None: hits.append(b)"]
        return lines

    def _key(self, key: Key) -> tuple[str, str | None]:
        parts = [self._choice(choice) for choice in key.choices]
        if len(parts) == 1 and not parts[0].startswith("*"):
            return parts[0], None
        self.values += 1
        name = f"x{self.values}"
        source = parts[0][1:] if len(parts) == 1 else f"{{{', '.join(parts)}}}"
        return name, f"for {name} in {source}:"

    def _choice(self, choice: Choice) -> str:
        if choice.roles is None:
            name = self._evaluated(choice.value)
            if not self._is_text(choice.value):
                self._plain(name)
            return name
        arguments = [self.translator.source(choice.value)]
        if choice.domain is not None:
            arguments.append(self.translator.source(choice.domain))
        self.values += 1
        name = f"s{self.values}"
        position = self.scope.roles[choice.roles]
        self.body.append(f" {name} = v[{position}].of({', '.join(arguments)})")
        return f"*{name}"

    def _evaluated(self, tree: ast.expr) -> str:
        if isinstance(tree, ast.Name) and tree.id in self.scope.arguments:
            return self.scope.arguments[tree.id]
        self.values += 1
        name = f"e{self.values}"
        source = self.translator.source(tree)
        self.body += [
            f" try: {name} = {source}",
            " except Exception: return None",
        ]
        return name
