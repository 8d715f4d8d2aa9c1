"""A pack as terms that any policy language can say: its permits, with what strikes each.

Page 2.6 looks at a permit for one purpose, and at every refusal for that pair. The languages of
the peers know "permit unless forbidden". So a refusal that asks neither rule nor purpose stays a
refusal of its own; every other one is put into each permit that it can strike, with the rule's
name worked out. What a caller must tell is in :mod:`benchmarks.pack.views`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from authz.decision.catalogue import Catalogue
from authz.decision.fields import allowed
from authz.decision.rule import Rule
from authz.engine.expression import listed, parse
from authz.engine.functions import EVERYTHING, EXCEPT, listed_names
from authz.engine.policy import Compiled, Policy
from authz.vocabulary import PURPOSE_RELATIONS

ASKED = "asked"
"""The view of the purpose that was asked; others are named by the default they stand for."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean of the question's view, by its path."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class In:
    """A word of the view that is one of these."""

    path: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    term: Term


@dataclass(frozen=True, slots=True)
class All:
    """Every one of these."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of these."""

    terms: tuple[Term, ...]


Term = bool | Flag | In | Not | All | Some


@dataclass(frozen=True, slots=True)
class Policed:
    """A permit (or a refusal, without ``slot``): for whom, what it is about, and its test.

    No actions are all actions, and no categories all categories.
    """

    id: str
    role: str
    actions: tuple[str, ...]
    categories: tuple[str, ...]
    test: Term
    slot: str | None = None


@dataclass(frozen=True, slots=True)
class Pack:
    """All permits and the refusals that strike every one of them."""

    permits: tuple[Policed, ...]
    refusals: tuple[Policed, ...]


class UntranslatableError(ValueError):
    """A condition that the terms here cannot say; no peer is asked then."""


def translated(policy: Policy) -> Pack:
    """The pack as terms; UntranslatableError names what they cannot say."""
    simple = [c for c in policy.refusals if not (c.asks_rule or c.asks_purpose)]
    paired = [c for c in policy.refusals if c.asks_rule or c.asks_purpose]
    permits = (_permit(policy.catalogue, c.rule, paired) for c in policy.permits)
    refusals = (
        _policed(policy.catalogue, c.rule, _Reader("", "", bare=False).term(c)) for c in simple
    )
    return Pack(tuple(permits), tuple(refusals))


def _permit(catalogue: Catalogue, rule: Rule, refusals: Iterable[Compiled]) -> Policed:
    slot = rule.default_purpose or ASKED
    reader = _Reader(rule.id, slot, _bare(catalogue, rule, slot))
    purposes = True if rule.purposes is None else In(_of(slot, "purpose"), rule.purposes)
    # What does not ask for the rule is the same for all rules of a slot: engines may share it.
    shared = some(_strikes(catalogue, c, reader) for c in refusals if not c.asks_rule)
    own = some(_strikes(catalogue, c, reader) for c in refusals if c.asks_rule)
    struck = some((shared, own))
    condition = reader.read(parse(rule.condition).body)
    return _policed(catalogue, rule, every((purposes, condition, opposite(struck))), slot)


def _strikes(catalogue: Catalogue, refusal: Compiled, reader: _Reader) -> Term:
    rule = refusal.rule
    about: list[Term] = [reader.term(refusal)]
    if rule.role != "any":
        about.append(In(("roles",), (rule.role,)))
    if rule.actions is not None:
        about.append(In(("action",), tuple(sorted(rule.actions))))
    if len(rule.categories) < len(catalogue.categories):
        about.append(In(("category",), tuple(rule.categories)))
    if rule.purposes is not None:
        about.append(In(_of(reader.slot, "purpose"), rule.purposes))
    return every(about)


def _policed(catalogue: Catalogue, rule: Rule, test: Term, slot: str | None = None) -> Policed:
    actions = () if rule.actions is None else tuple(sorted(rule.actions))
    whole = len(rule.categories) == len(catalogue.categories)
    return Policed(rule.id, rule.role, actions, () if whole else tuple(rule.categories), test, slot)


def _bare(catalogue: Catalogue, rule: Rule, slot: str) -> Term:
    """Whether the rule leaves no field: where the purpose needs none, and pair by pair else."""
    bare: list[Term] = [Not(Flag(_of(slot, "needed")))]
    for purpose in rule.purposes or tuple(catalogue.purposes):
        needs = catalogue.purposes[purpose].needs
        cut = [c for c in rule.categories if c in needs and _none_left(catalogue, rule, c, purpose)]
        if cut:
            bare.append(
                every((In(_of(slot, "purpose"), (purpose,)), In(("category",), tuple(cut))))
            )
    return every((Not(Flag(("rel", "self"))), some(bare)))


def _none_left(catalogue: Catalogue, rule: Rule, category: str, purpose: str) -> bool:
    left = allowed(catalogue, rule, category, purpose, own=False, contracted=None, asked=None)
    return bool(catalogue.fields_of(category)) and not left


def _of(slot: str, name: str) -> tuple[str, ...]:
    return ("views", slot, name)


class _Reader:
    """Reads conditions for one rule and the view of its purpose."""

    def __init__(self, rule: str, slot: str, bare: Term) -> None:
        self.rule, self.slot, self.bare = rule, slot, bare

    def term(self, compiled: Compiled) -> Term:
        """The condition of a line."""
        return self.read(parse(compiled.rule.condition).body)

    def read(self, node: ast.expr) -> Term:
        """A part of a condition."""
        if isinstance(node, ast.Constant) and isinstance(node.value, bool):
            return node.value
        if isinstance(node, ast.BoolOp):
            terms = [self.read(value) for value in node.values]
            return every(terms) if isinstance(node.op, ast.And) else some(terms)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return opposite(self.read(node.operand))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            equal = self._word(node.left, node.comparators[0], exactly=True)
            return equal if isinstance(node.ops[0], ast.Eq) else opposite(equal)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "listed":
            return self._word(node.args[0], node.args[1], exactly=False)
        return self._flag(ast.unparse(node).replace("r_", "r.", 1))

    def _word(self, value: ast.expr, names: ast.expr, *, exactly: bool) -> Term:
        if not isinstance(names, ast.Constant) or not isinstance(names.value, str):
            raise UntranslatableError(ast.unparse(names))
        name = ast.unparse(value).replace("r_", "r.", 1)
        if name == "r.pair.rule":
            return self.rule == names.value if exactly else listed(self.rule, names.value)
        path = self._path(name)
        if exactly:
            return In(path, (names.value,))
        if names.value in EVERYTHING:
            return True
        found = In(path, tuple(sorted(listed_names(names.value))))
        return Not(found) if names.value.startswith(EXCEPT) else found

    def _path(self, name: str) -> tuple[str, ...]:
        known: Mapping[str, tuple[str, ...]] = {
            "r.act.name": ("action",),
            "r.res.type": ("category",),
            "r.pair.purpose": _of(self.slot, "purpose"),
            "r.pair.basis": _of(self.slot, "basis"),
        }
        if name not in known:
            raise UntranslatableError(name)
        return known[name]

    def _flag(self, name: str) -> Term:
        kind, _, last = name.removeprefix("r.").partition(".")
        if kind == "rel":
            return Flag(_of(self.slot, last) if last in PURPOSE_RELATIONS else ("rel", last))
        if kind == "ctx":
            return Flag(("ctx", last))
        if name == "r.pair.needed":
            return Flag(_of(self.slot, "needed"))
        if name == "r.pair.no_fields":
            return self.bare
        raise UntranslatableError(name)


def every(terms: Iterable[Term]) -> Term:
    """All of these, without what goes without saying."""
    kept = tuple(term for term in terms if term is not True)
    if any(term is False for term in kept):
        return False
    return True if not kept else kept[0] if len(kept) == 1 else All(kept)


def some(terms: Iterable[Term]) -> Term:
    """Any of these, without what cannot be."""
    kept = tuple(term for term in terms if term is not False)
    if any(term is True for term in kept):
        return True
    return False if not kept else kept[0] if len(kept) == 1 else Some(kept)


def opposite(term: Term) -> Term:
    """Its negation."""
    if isinstance(term, bool):
        return not term
    return term.term if isinstance(term, Not) else Not(term)
