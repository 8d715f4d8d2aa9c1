"""Loads a pack: text in, :class:`Policy` out, or PolicyError with file and line (3.3).

A pack with a defect does not start. What is checked beyond spelling: the model is one
whose refusals beat its permits, every permit can be reached by somebody, every rule
has its sentence in Thai and English, and every obligation names a rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from authz.decision.catalogue import About, Catalogue
from authz.decision.rule import Rule
from authz.engine.expression import ExpressionError, compile_rule
from authz.engine.policy import Compiled, Policy
from authz.errors import PolicyError
from authz.policy.catalogue import CatalogueReader
from authz.policy.model import COLUMNS, read_model
from authz.policy.reach import TooInvolvedError, unreachable
from authz.policy.rules import Line, RuleReader, lines
from authz.policy.source import POLICY, Source, read
from authz.policy.words import either
from authz.vocabulary import CLASS_RELATIONS

KEPT = 8
"""Packs whose policy is kept: a process opens one or two, for its point and its screens."""


def load(folder: Path) -> Policy:
    """The policy of the pack in ``folder``, compiled; once in a process for the same text."""
    return _loaded(read(folder))


@lru_cache(maxsize=KEPT)
def _loaded(source: Source) -> Policy:
    catalogue = CatalogueReader(source).catalogue()
    model = read_model(source)
    tokens = tuple(model.model["r"]["r"].tokens)
    matcher = model.model["m"]["m"].value
    found = tuple(lines(source, model))
    reader = RuleReader(source, catalogue, tokens, found)
    compiled = [
        _compile(source, matcher, tokens, reader.rule(line), line)
        for line in found
        if line.kind == "p"
    ]
    policy = Policy(
        catalogue=catalogue,
        permits=tuple(c for c in compiled if c.rule.permits),
        refusals=tuple(c for c in compiled if not c.rule.permits),
        tokens=tokens,
        senior=_hierarchy(source, catalogue, [line for line in found if line.kind == "g"]),
        digest=source.digest,
    )
    _check(source, policy)
    return policy


def _compile(
    source: Source, matcher: str, tokens: tuple[str, ...], rule: Rule, line: Line
) -> Compiled:
    columns = dict(zip((f"p_{name}" for name in COLUMNS), line.columns, strict=True))
    try:
        return Compiled(rule, compile_rule(matcher, tokens, columns, rule.condition))
    except ExpressionError as error:
        raise source.problem(
            POLICY, f"The condition cannot be used. {error}", line=line.number
        ) from error


def _hierarchy(
    source: Source, catalogue: Catalogue, found: list[Line]
) -> dict[str, frozenset[str]]:
    """Each senior role with all the roles that it inherits."""
    juniors: dict[str, set[str]] = {}
    for line in found:
        problem = _inheritance(catalogue, line, juniors)
        if problem is not None:
            raise source.problem(POLICY, *problem, line.number)
        senior, junior = line.columns
        juniors.setdefault(senior, set()).add(junior)
    return {role: frozenset(_below(role, juniors)) for role in juniors}


def _inheritance(
    catalogue: Catalogue, line: Line, juniors: dict[str, set[str]]
) -> tuple[str, str] | None:
    """What is wrong with a line of kind ``g``, and what was expected."""
    if len(line.columns) != 2:  # noqa: PLR2004 (senior and junior)
        return f"It has {len(line.columns)} columns.", "two roles: g, senior, junior"
    for role in line.columns:
        if role not in catalogue.roles:
            return f"The role {role!r} is unknown.", either(catalogue.roles)
    senior, junior = line.columns
    if junior in juniors.get(senior, ()):
        return f"{senior} inherits {junior} already.", "each line once"
    if senior in {junior, *_below(junior, juniors)}:
        return f"{senior} would inherit itself.", "a junior that does not inherit its senior"
    return None


def _below(role: str, juniors: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [role]
    while waiting:
        for junior in juniors.get(waiting.pop(), ()):
            if junior not in found:
                found.add(junior)
                waiting.append(junior)
    return found


def _check(source: Source, policy: Policy) -> None:
    if not policy.permits:
        end = source.files[POLICY].count("\n") + 1
        raise source.problem(
            POLICY, "The pack permits nothing.", "a line with the effect allow", end
        )
    for compiled in (*policy.permits, *policy.refusals):
        why = _unreachable(source, policy, compiled.rule)
        if why:
            raise source.problem(
                POLICY,
                f"Nobody can reach the rule {compiled.rule.id}, or a part of it: {why}.",
                "a rule that can do all it says",
                compiled.rule.line,
            )
    _check_reasons(source, policy)
    _check_obligations(source, policy)


def _unreachable(source: Source, policy: Policy, rule: Rule) -> str:
    try:
        return unreachable(policy, rule)
    except TooInvolvedError as error:
        raise source.problem(
            POLICY,
            f"Whether the rule {rule.id} can ever do what it says takes too long to tell.",
            "a condition of fewer parts, or two rules",
            rule.line,
        ) from error


def _check_reasons(source: Source, policy: Policy) -> None:
    reasons = policy.catalogue.reasons
    rules = tuple(compiled.rule.id for compiled in (*policy.permits, *policy.refusals))
    for rule in () if policy.catalogue.plain_answers else rules:
        if rule not in reasons:
            raise source.member(
                f"The rule {rule} has no sentence.",
                f"[reasons.{rule}] with th and en",
                *("reasons", rule),
            )
    for name in reasons:
        _one_of(source, name, rules, "reasons", name)


def _check_obligations(source: Source, policy: Policy) -> None:
    table = policy.catalogue.obligations
    permits = {compiled.rule.id: compiled.rule for compiled in policy.permits}
    people = policy.catalogue.about is About.PEOPLE
    for kind in ("classes", "pseudonymise", "review"):
        for name in sorted(getattr(table, kind)):
            _one_of(source, name, permits, "obligations", kind)
    for name in table.notify:
        _one_of(source, name, permits, "obligations", "notify", name)
    for name in sorted(table.classes):
        if people and not permits[name].relations & CLASS_RELATIONS:
            raise source.member(
                f"[obligations.classes] names {name}, which holds in no class: it would bind "
                "nobody.",
                "a rule that asks " + " or ".join(f"r.rel.{r}" for r in sorted(CLASS_RELATIONS)),
                *("obligations", "classes"),
            )


def _one_of(source: Source, name: str, known: Iterable[str], *where: str) -> None:
    names = tuple(known)
    if name not in names:
        raise _unknown_rule(source, name, names, where)


def _unknown_rule(
    source: Source, name: str, names: tuple[str, ...], where: tuple[str, ...]
) -> PolicyError:
    return source.member(
        f"[{'.'.join(where)}] names the rule {name}, which policy.csv has not.",
        either(names),
        *where,
    )
