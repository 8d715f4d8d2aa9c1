"""Reads ``model.conf`` and lets only the one model through whose refusals beat permits.

Casbin takes the last of two definitions, ignores a section that it does not know and
cuts a matcher at ``#``, all without a word; and a matcher that leaves a column of the
policy out makes every rule wider than it reads. Each of these stops the start (3.3).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from casbin.model import Model

from authz.engine.expression import ExpressionError, parse
from authz.errors import PolicyError
from authz.policy.source import MODEL, Source

SECTIONS = {
    "request_definition": "r",
    "policy_definition": "p",
    "role_definition": "g",
    "policy_effect": "e",
    "matchers": "m",
}
COLUMNS = ("id", "role", "action", "categories", "purposes", "condition", "eft")
TOKENS = ("r_sub", "r_act", "r_res", "r_ctx", "r_rel", "r_pair")
NEEDED = ("r_sub", "r_act", "r_res", "r_pair")
ROLES = "_, _"
EFFECT = "some(where (p.eft == allow)) && !some(where (p.eft == deny))"
EVAL = "eval(p.condition)"
USES = {
    "p.role": "held(r.sub.roles, p.role)",
    "p.action": "listed(r.act.name, p.action)",
    "p.categories": "listed(r.res.type, p.categories)",
    "p.purposes": "listed(r.pair.purpose, p.purposes)",
    "p.id and p.eft": '(p.eft == "deny" || p.id == r.pair.rule)',
    "p.condition": EVAL,
}
"""How the matcher uses each column. Anything less widens a rule; anything more would
weaken the refusals with the permits, and belongs into the condition of a rule."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of the model, and the line where it begins."""

    key: str
    value: str
    line: int


def read_model(source: Source) -> Model:
    """Casbin's model of the pack; PolicyError with the line of what is wrong."""
    found = _definitions(source)
    model = Model()
    try:
        model.load_model_from_text(source.files[MODEL])
    except Exception as error:
        raise _problem(source, f"Casbin cannot read it: {error}.", "a PERM model", 1) from error
    for key, definition in found.items():
        if key not in model.model or set(model.model[key]) != {key}:
            raise _problem(
                source, f"Casbin does not read this as {key!r}.", f"{key} = …", definition.line
            )
    _check_request(source, found["r"])
    _check_same(source, found["p"], ", ".join(COLUMNS), "The policy definition is another one.")
    _check_same(source, found["g"], ROLES, "The role definition is another one.")
    _check_same(source, found["e"], EFFECT, "A refusal would not beat a permit with this effect.")
    _check_matcher(source, found["m"])
    return model


def _definitions(source: Source) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    section = ""
    for number, text in joined_lines(source.files[MODEL]):
        if not text.isascii() or "#" in text:
            raise _problem(
                source,
                "There is a comment or a letter here that Casbin takes for something else.",
                "plain letters, and each comment on a line of its own",
                number,
            )
        if text.startswith("[") and text.endswith("]"):
            section = text[1:-1]
            if section not in SECTIONS:
                raise _problem(
                    source,
                    f"The section [{section}] is unknown.",
                    "one of " + ", ".join(f"[{name}]" for name in SECTIONS),
                    number,
                )
            continue
        key, equals, value = (part.strip() for part in text.partition("="))
        wanted = SECTIONS.get(section, "")
        if not equals or key != wanted or not value:
            raise _problem(
                source,
                f"This is no definition of [{section}]: {text!r}.",
                f"{wanted} = …" if wanted else "a section",
                number,
            )
        if key in found:
            raise _problem(
                source, f"{key} is defined on line {found[key].line} too.", "it once", number
            )
        found[key] = Definition(key, value, number)
    for section, key in SECTIONS.items():
        if key not in found:
            raise _problem(
                source,
                f"The section [{section}] is missing or empty.",
                f"[{section}] with {key} = …",
                source.files[MODEL].count("\n") + 1,
            )
    return found


def joined_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that say something, those that end in a backslash with the next."""
    begun, start = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;":
            if begun:
                yield start, begun
                begun = ""
            continue
        start = start if begun else number
        if stripped.endswith("\\"):
            begun += stripped[:-1].strip() + " "
            continue
        yield start, begun + stripped
        begun = ""
    if begun:
        yield start, begun


def _check_request(source: Source, definition: Definition) -> None:
    tokens = ["r_" + token.strip() for token in definition.value.split(",")]
    for token in tokens:
        if token not in TOKENS or tokens.count(token) > 1:
            raise _problem(
                source,
                f"The request token {token.removeprefix('r_')!r} is unknown or there twice.",
                "some of " + ", ".join(t.removeprefix("r_") for t in TOKENS),
                definition.line,
            )
    missing = [token for token in NEEDED if token not in tokens]
    if missing:
        raise _problem(
            source,
            f"The request definition lacks {missing[0].removeprefix('r_')}.",
            ", ".join(t.removeprefix("r_") for t in NEEDED) + " at least",
            definition.line,
        )


def _check_same(source: Source, definition: Definition, expected: str, message: str) -> None:
    if "".join(definition.value.split()) != "".join(expected.split()):
        raise _problem(source, message, f"{definition.key} = {expected}", definition.line)


def _check_matcher(source: Source, definition: Definition) -> None:
    """The matcher is every use of :data:`USES`, in any order, and nothing else."""
    if definition.value.count(EVAL) > 1:
        raise _problem(source, "The matcher uses p.condition twice.", EVAL, definition.line)
    # Before the condition of a rule is put in, its place is held by a name.
    try:
        found = [ast.dump(part) for part in _conjuncts(definition.value)]
    except ExpressionError as error:
        raise _problem(
            source, f"The matcher cannot be read. {error}", _matcher(), definition.line
        ) from error
    for column, use in USES.items():
        dumped = [ast.dump(part) for part in _conjuncts(use)]
        if dumped[0] not in found:
            raise _problem(
                source,
                f"The matcher does not use {column} as it must: a rule would be wider than it "
                "reads.",
                _matcher(),
                definition.line,
            )
        found.remove(dumped[0])
    if found:
        raise _problem(
            source,
            "The matcher says more than it may: that would weaken the refusals too.",
            _matcher(),
            definition.line,
        )


def _conjuncts(text: str) -> Iterator[ast.expr]:
    waiting = [parse(text.replace(EVAL, "p.condition")).body]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, ast.BoolOp) and isinstance(part.op, ast.And):
            waiting = [*part.values, *waiting]
        else:
            yield part


def _matcher() -> str:
    return "m = " + " && ".join(USES.values())


def _problem(source: Source, message: str, expected: str, line: int) -> PolicyError:
    return source.problem(MODEL, message, expected, line)
