"""What a condition says, checked: that it is true or false, and every word in it known (3.3).

``r.pair.basis == "consnet"`` is an expression, and never holds. So each constant that is
compared with a name of the request must be a word of the pack, each value must be of the
type it is used as, and nothing but true or false may come out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from authz.decision.catalogue import About, Catalogue
from authz.engine.expression import ExpressionError, listed_names
from authz.policy.catalogue import BASES
from authz.policy.words import either
from authz.vocabulary import Relation


class Type(StrEnum):
    """What a part of a condition is."""

    BOOL = "true or false"
    TEXT = "a text"
    NUMBER = "a number"
    ROLES = "the roles"
    JSON = "whatever was sent"
    OTHER = "no value"


MEMBERS: Mapping[str, Mapping[str, Type]] = {
    "r.sub": {"type": Type.TEXT, "id": Type.TEXT, "roles": Type.ROLES},
    "r.act": {"name": Type.TEXT},
    "r.res": {"type": Type.TEXT, "id": Type.TEXT, "known": Type.BOOL},
    "r.ctx": {"mfa": Type.BOOL, "justified": Type.BOOL, "class_named": Type.BOOL},
    "r.rel": dict.fromkeys((relation.value for relation in Relation), Type.BOOL),
    "r.pair": {
        "rule": Type.TEXT,
        "purpose": Type.TEXT,
        "basis": Type.TEXT,
        "needed": Type.BOOL,
        "no_fields": Type.BOOL,
    },
}
"""What a condition may ask of each token of the request."""
FREE = ("r.sub.properties.", "r.act.properties.", "r.res.properties.", "r.ctx.")
"""In a pack about entities these hold JSON, and any member of theirs may be asked."""


@dataclass(frozen=True, slots=True)
class Words:
    """The words of the pack that a condition may compare a name with."""

    about: About
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, catalogue: Catalogue, permits: Iterable[str]) -> Words:
        """The words of this catalogue, and the ids of the permits."""
        known = {
            "r.sub.type": tuple(sorted(catalogue.subject_types)),
            "r.sub.roles": catalogue.roles,
            "r.act.name": catalogue.actions,
            "r.res.type": tuple(catalogue.categories),
            "r.pair.rule": tuple(permits),
            "r.pair.purpose": tuple(catalogue.purposes),
            "r.pair.basis": BASES,
        }
        return cls(catalogue.about, known)


def check(tree: ast.Expression, words: Words) -> None:
    """ExpressionError where the condition is not a plain true or false of known words."""
    found = _type(tree.body, words)
    if found is not Type.BOOL:
        raise _not_boolean(tree.body, found)


def _type(node: ast.expr, words: Words) -> Type:
    if isinstance(node, ast.BoolOp):
        return _booleans(node.values, words)
    if isinstance(node, ast.UnaryOp):
        return _booleans([node.operand], words)
    if isinstance(node, ast.Compare):
        return _comparison(node, words)
    if isinstance(node, ast.Call):
        return _call(node, words)
    if isinstance(node, ast.Constant):
        return _constant(node)
    return _name(dotted(node), words)


def dotted(node: ast.AST) -> str:
    """A name of the request as the pack writes it: ``r.rel.self``."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id.replace("_", ".", 1) if isinstance(node, ast.Name) else ""


def _constant(node: ast.Constant) -> Type:
    if isinstance(node.value, bool):
        return Type.BOOL
    return Type.TEXT if isinstance(node.value, str) else Type.NUMBER


def _name(name: str, words: Words) -> Type:
    token, _, member = name.rpartition(".")
    if words.about is About.ENTITIES and f"{name}.".startswith(FREE):
        return Type.JSON if name.startswith(FREE) else Type.OTHER
    known = MEMBERS.get(token, {})
    if member in known:
        return known[member]
    if name in MEMBERS or name.count(".") == 0:
        raise ExpressionError(f"{name} is no value; expected a member of it.")
    what = "relation" if token == "r.rel" else f"member of {token}"  # noqa: S105 (no password)
    raise ExpressionError(f"The {what} {member!r} is unknown; expected {either(known)}.")


def _booleans(nodes: Iterable[ast.expr], words: Words) -> Type:
    for node in nodes:
        found = _type(node, words)
        if found is not Type.BOOL:
            raise _not_boolean(node, found)
    return Type.BOOL


def _comparison(node: ast.Compare, words: Words) -> Type:
    if len(node.ops) != 1:
        raise ExpressionError("A comparison has two sides; expected && between two of them.")
    left, right, how = node.left, node.comparators[0], node.ops[0]
    types = _type(left, words), _type(right, words)
    if isinstance(how, ast.In | ast.NotIn):
        _membership(left, right, types, words)
        return Type.BOOL
    if Type.ROLES in types or Type.OTHER in types:
        raise ExpressionError("Roles are not compared; expected held(r.sub.roles, …).")
    if Type.JSON not in types and types[0] is not types[1]:
        raise ExpressionError(f"{types[0].capitalize()} is compared with {types[1]}.")
    if not isinstance(how, ast.Eq | ast.NotEq) and Type.BOOL in types:
        raise ExpressionError("True and false have no order; expected == or !=.")
    if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
        raise ExpressionError("Two constants are compared; expected a name of the request.")
    _check_word(left, right, words)
    _check_word(right, left, words)
    return Type.BOOL


def _membership(left: ast.expr, right: ast.expr, types: tuple[Type, Type], words: Words) -> None:
    """``in`` looks for a whole member in JSON or in the roles, never for a part of a text."""
    if types[1] is Type.ROLES and types[0] is Type.TEXT:
        _check_word(right, left, words)
    elif types[1] is not Type.JSON or types[0] is Type.ROLES:
        raise ExpressionError(
            'in looks into what is no list; expected listed(name, "one|two") or a property.'
        )


def _call(node: ast.Call, words: Words) -> Type:
    function = node.func.id if isinstance(node.func, ast.Name) else ""
    value, names = node.args
    if not isinstance(names, ast.Constant) or not isinstance(names.value, str):
        raise ExpressionError(f'{function} needs its names in quotes: {function}(…, "one|two").')
    found = _type(value, words)
    if function == "held":
        if found is not Type.ROLES:
            raise ExpressionError("held asks for roles; expected held(r.sub.roles, …).")
        _check_word(value, names, words)
        return Type.BOOL
    if found not in (Type.TEXT, Type.JSON) or isinstance(value, ast.Constant):
        raise ExpressionError('listed needs a text; expected listed(r.act.name, "one|two").')
    for word in sorted(listed_names(names.value)):
        _check_word(value, ast.Constant(word), words)
    return Type.BOOL


def _check_word(name: ast.expr, value: ast.expr, words: Words) -> None:
    """A constant must be a word that the name can be."""
    known = words.known.get(dotted(name))
    if known is None or not isinstance(value, ast.Constant):
        return
    if value.value not in known:
        raise ExpressionError(
            f"{value.value!r} is nothing that {dotted(name)} can be; expected {either(known)}."
        )


def _not_boolean(node: ast.expr, found: Type) -> ExpressionError:
    return ExpressionError(
        f"{ast.unparse(node).replace('r_', 'r.')} is {found}; expected true or false, "
        "such as a relation or a comparison with == or !=."
    )
