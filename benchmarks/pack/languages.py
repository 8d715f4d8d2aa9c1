"""Terms written in the languages of the peers: Rego, Cedar, and Python for vakt."""

from __future__ import annotations

import json
from collections.abc import Iterable

from benchmarks.pack.terms import ASKED, All, Flag, In, Not, Pack, Policed, Some, Term


def cedar(pack: Pack) -> str:
    """The pack in Cedar: a permit for each permit, a forbid for what strikes them all."""
    return "\n".join(
        [_cedar_policy("permit", one) for one in pack.permits]
        + [_cedar_policy("forbid", one) for one in pack.refusals]
    )


def _cedar_policy(effect: str, one: Policed) -> str:
    actions = ", ".join(f"Action::{json.dumps(name)}" for name in one.actions)
    action = f"action in [{actions}]" if one.actions else "action"
    tests = []
    if one.role != "any":
        tests.append(f"context.roles.contains({json.dumps(one.role)})")
    if one.categories:
        tests.append(f"{json.dumps(one.categories)}.contains(context.category)")
    if one.slot == ASKED:
        tests.append(f"context.views has {ASKED}")
    tests.append(_cedar(one.test))
    about = f"@id({json.dumps(one.id)})\n{effect}(principal, {action}, resource)"
    return f"{about} when {{ {' && '.join(tests)} }};"


def _cedar(term: Term) -> str:  # noqa: PLR0911 (one for each kind of term)
    match term:
        case bool():
            return "true" if term else "false"
        case Flag(path):
            return _dotted("context", path)
        case In(path, words):
            if path == ("roles",):
                return f"context.roles.containsAny({json.dumps(words)})"
            return f"{json.dumps(words)}.contains({_dotted('context', path)})"
        case Not(inner):
            return f"!({_cedar(inner)})"
        case All(terms):
            return f"({' && '.join(map(_cedar, terms))})"
        case Some(terms):
            return f"({' || '.join(map(_cedar, terms))})"


def python(term: Term, root: str = "v") -> str:  # noqa: PLR0911 (likewise)
    """A term as a Python expression of the view."""
    match term:
        case bool():
            return str(term)
        case Flag(path):
            return _indexed(root, path)
        case In(path, words):
            if path == ("roles",):
                return f"not frozenset({words!r}).isdisjoint({_indexed(root, path)})"
            return f"{_indexed(root, path)} in {words!r}"
        case Not(inner):
            return f"(not {python(inner, root)})"
        case All(terms):
            return f"({' and '.join(python(each, root) for each in terms)})"
        case Some(terms):
            return f"({' or '.join(python(each, root) for each in terms)})"


def rego(pack: Pack) -> str:
    """The pack in Rego; an ``or`` is a rule with several bodies, shared where it is the same."""
    return _Rego().written(pack)


class _Rego:
    """Writes rules, and helper rules for what a body cannot say."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.helpers: dict[Term, str] = {}

    def written(self, pack: Pack) -> str:
        head = ["package school", "import rego.v1", "default allow := false"]
        for one in pack.permits:
            self._policy("permitted", one)
        for one in pack.refusals:
            self._policy("forbidden", one)
        head.append("allow if { permitted; not forbidden }")
        return "\n".join(head + self.lines) + "\n"

    def _policy(self, name: str, one: Policed) -> None:
        body = [] if one.role == "any" else [f"{json.dumps(one.role)} in input.roles"]
        if one.actions:
            body.append(f"input.action in {_set(one.actions)}")
        if one.categories:
            body.append(f"input.category in {_set(one.categories)}")
        if one.slot == ASKED:
            body.append(f"input.views.{ASKED}")
        body += self._body(one.test)
        self.lines.append(f"# {one.id}\n{name} if {{ {'; '.join(body) or 'true'} }}")

    def _body(self, term: Term) -> list[str]:  # noqa: PLR0911 (likewise)
        """The term as statements of a body, all of which must hold."""
        match term:
            case bool():
                return [] if term else ["false"]
            case Flag(path):
                return [_dotted("input", path)]
            case In(path, words):
                if path == ("roles",):
                    return [f"some role in input.roles; role in {_set(words)}"]
                return [f"{_dotted('input', path)} in {_set(words)}"]
            case Not(Flag(path)):
                return [f"not {_dotted('input', path)}"]
            case Not(inner):
                return [f"not {self._helper(inner)}"]
            case All(terms):
                return [line for each in terms for line in self._body(each)]
            case Some():
                return [self._helper(term)]

    def _helper(self, term: Term) -> str:
        """A rule of its own that holds where the term does."""
        known = self.helpers.get(term)
        if known is not None:
            return known
        name = self.helpers[term] = f"h{len(self.helpers)}"
        for each in term.terms if isinstance(term, Some) else (term,):
            self.lines.append(f"{name} if {{ {'; '.join(self._body(each)) or 'true'} }}")
        return name


def _dotted(root: str, path: Iterable[str]) -> str:
    return ".".join((root, *path))


def _indexed(root: str, path: Iterable[str]) -> str:
    return root + "".join(f"[{name!r}]" for name in path)


def _set(words: Iterable[str]) -> str:
    return "{" + ", ".join(json.dumps(word) for word in words) + "}"
