"""Reads ``policy.csv``: each line as Casbin reads it, then checked word by word (3.3).

Casbin drops a line of an unknown kind and an effect spelt ``Deny`` without a word, and
the second would *allow*; here both stop the service from starting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from casbin.model import Model
from casbin.persist import load_policy_line

from authz.decision.catalogue import Catalogue
from authz.decision.rule import Rule
from authz.engine.expression import STRING, ExpressionError, mentions_of, parse
from authz.errors import PolicyError
from authz.policy.conditions import Words, check
from authz.policy.model import COLUMNS
from authz.policy.source import POLICY, Source
from authz.policy.words import (
    RULE_ID,
    WordError,
    all_but,
    each_once,
    is_name,
    one_of,
    with_fields,
)
from authz.vocabulary import Effect, Reason

KINDS = ("p", "g")
ANYBODY = "any"
OPENED = {")": "(", "]": "["}
LANGUAGE = "a condition such as r.rel.guardian && r.rel.minor"
TAKEN = frozenset({*Reason, "malformed"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Line:
    """One line that means something, with its number and columns."""

    number: int
    kind: str
    columns: tuple[str, ...]


def lines(source: Source, model: Model) -> Iterator[Line]:
    """The lines of the file as Casbin splits them; PolicyError where it would drop one."""
    for number, text in enumerate(source.files[POLICY].split("\n"), 1):
        stripped = text.strip()
        if not stripped or stripped.startswith("#"):
            continue
        kind = stripped.partition(",")[0].strip()
        if kind not in KINDS:
            raise source.problem(
                POLICY,
                f"{kind!r} is no kind of line; Casbin would drop it without a word.",
                "p (a rule) or g (a role that inherits another)",
                number,
            )
        _check_text(source, stripped, number)
        load_policy_line(stripped, model)
        yield Line(number, kind, tuple(model.model[kind][kind].policy[-1]))


def _check_text(source: Source, text: str, number: int) -> None:
    """What Casbin's splitter would take for something else than a reader does."""
    if "#" in text:
        raise source.problem(
            POLICY,
            "There is a # inside the line; Casbin knows no comment there.",
            "a comment on a line of its own",
            number,
        )
    opened: list[str] = []
    for character in text:
        if character in OPENED.values():
            opened.append(character)
        elif character in OPENED and (not opened or opened.pop() != OPENED[character]):
            raise source.problem(
                POLICY, f"A {character} closes what was not opened.", "brackets in pairs", number
            )
    if opened:
        raise source.problem(POLICY, f"A {opened[-1]} is not closed.", "brackets in pairs", number)
    for string in STRING.findall(text):
        if set(string) & set("()[],"):
            raise source.problem(
                POLICY,
                f"Casbin splits the line within {string}.",
                "no bracket and no comma in quotes",
                number,
            )


class RuleReader:
    """Turns the lines of kind ``p`` into rules, or raises PolicyError."""

    def __init__(
        self, source: Source, catalogue: Catalogue, tokens: tuple[str, ...], found: Sequence[Line]
    ) -> None:
        self.source = source
        self.catalogue = catalogue
        self.tokens = tokens
        self.seen: dict[str, int] = {}
        self.same: dict[tuple[str, ...], int] = {}
        self.known = {name: category.fields for name, category in catalogue.categories.items()}
        permits = (line.columns[0] for line in found if line.columns[-1:] == (Effect.ALLOW,))
        self.words = Words.of(catalogue, permits)

    def rule(self, line: Line) -> Rule:
        """The rule of a line."""
        if len(line.columns) != len(COLUMNS):
            raise self._problem(
                line,
                f"It has {len(line.columns)} columns (a comma outside of brackets ends one).",
                f"{len(COLUMNS)}: {', '.join(COLUMNS)}",
            )
        identifier, role, action, categories, purposes, condition, effect = line.columns
        self._check_id(line, identifier)
        self._one_of(line, "effect", effect, tuple(Effect))
        permits = effect == Effect.ALLOW
        self._one_of(line, "role", role, (*self.catalogue.roles, ANYBODY))
        actions = self._actions(line, action)
        covered = self._categories(line, categories, permits=permits)
        names, default = self._purposes(line, purposes, permits=permits)
        mentions = self._mentions(line, condition, permits=permits)
        self._check_new(line)
        return Rule(
            id=identifier,
            effect=Effect(effect),
            role=role,
            actions=actions,
            categories=covered,
            purposes=names,
            default_purpose=default,
            condition=condition,
            line=line.number,
            relations=frozenset(
                name.removeprefix("r.rel.") for name in mentions if name.startswith("r.rel.")
            ),
            mentions=mentions,
        )

    def _check_id(self, line: Line, identifier: str) -> None:
        if not RULE_ID.fullmatch(identifier) or not is_name(identifier) or identifier in TAKEN:
            raise self._problem(
                line,
                f"{identifier!r} cannot be the id of a rule.",
                "small letters and digits, with - between words, and no reason of the service",
            )
        if identifier in self.seen:
            raise self._problem(
                line,
                f"The id {identifier} stands on line {self.seen[identifier]} too.",
                "another id",
            )
        self.seen[identifier] = line.number

    def _check_new(self, line: Line) -> None:
        rest = line.columns[1:]
        if rest in self.same:
            raise self._problem(
                line,
                f"It says the same as the rule on line {self.same[rest]}.",
                "a rule that adds something",
            )
        self.same[rest] = line.number

    def _actions(self, line: Line, text: str) -> frozenset[str] | None:
        if text == ANYBODY:
            return None
        names = self._spelt(line, lambda: each_once("action", text.split("|")))
        for name in names:
            self._one_of(line, "action", name, self.catalogue.actions)
        return frozenset(names)

    def _categories(self, line: Line, text: str, *, permits: bool) -> dict[str, tuple[str, ...]]:
        whole = self._spelt(line, lambda: all_but(text, self.known))
        if whole is not None:
            return whole
        found = self._spelt(line, lambda: with_fields(text.split("|"), self.known))
        if not permits and any(found.values()):
            raise self._problem(
                line, "A refusal strikes whole categories, not fields.", "categories alone"
            )
        return found

    def _purposes(
        self, line: Line, text: str, *, permits: bool
    ) -> tuple[tuple[str, ...] | None, str | None]:
        if text == ANYBODY:
            return None, None
        marked = text.split("|")
        names = self._spelt(
            line, lambda: each_once("purpose", (name.removesuffix("*") for name in marked))
        )
        for name in names:
            self._one_of(line, "purpose", name, self.catalogue.purposes)
        defaults = [name.removesuffix("*") for name in marked if name.endswith("*")]
        if len(defaults) > 1:
            raise self._problem(line, "It marks more than one default purpose.", "one * at most")
        if defaults and not permits:
            raise self._problem(line, "A refusal has no default purpose.", "no *")
        return names, defaults[0] if defaults else None

    def _mentions(self, line: Line, condition: str, *, permits: bool) -> frozenset[str]:
        if not condition:
            raise self._problem(line, "The condition is empty.", "an expression, or True")
        try:
            mentions = mentions_of(condition, self.tokens)
            check(parse(condition), self.words)
        except ExpressionError as error:
            expected = "" if "expected" in str(error) else LANGUAGE
            raise self._problem(line, f"The condition cannot be used. {error}", expected) from error
        if permits and any(name.startswith("r.pair.") for name in mentions):
            raise self._problem(line, "Only a refusal may ask r.pair.", "a condition on the people")
        return mentions

    def _one_of(self, line: Line, what: str, name: str, known: Iterable[str]) -> str:
        return self._spelt(line, lambda: one_of(what, name, known))

    def _spelt(self, line: Line, read: Callable[[], T]) -> T:
        try:
            return read()
        except WordError as error:
            raise self._problem(line, error.message, error.expected) from error

    def _problem(self, line: Line, message: str, expected: str = "") -> PolicyError:
        return self.source.problem(POLICY, message, expected, line.number)
