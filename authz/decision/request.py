"""The question, as a frozen value: who wants to do what with which data, and why (2.1).

:func:`parse` takes what a JSON decoder gave and follows AuthZEN 1.0: required members
must be there and of their type, unknown members are ignored, a member that is null is
absent (page 5, "Values"). It raises :class:`MalformedError` that names the field.
"""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from authz.errors import MalformedError

Properties = Mapping[str, Any]
MEMBERS: Final = ("subject", "action", "resource", "context")
LONGEST_KEY: Final = 2048
_FORM: Final = 2
"""Of :mod:`marshal`'s forms, the one in which the bytes hang on nothing but the values."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A subject or a resource: identity is the pair of type and id, byte for byte (3.5)."""

    type: str
    id: str
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Action:
    """What the subject wants to do."""

    name: str
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """One AuthZEN access evaluation request.

    ``key`` are bytes that only requests with the same members have, in the same types and
    order; empty where it was not sent as JSON, or is too long to be kept.
    """

    subject: Entity
    action: Action
    resource: Entity
    context: Properties = field(default_factory=dict)
    key: bytes = field(default=b"", compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)  # frozen costs a microsecond in every decision
class Question:
    """A request about a person's data, with the members that page 2.1 gives a meaning.

    ``fields`` is None where the caller asked for all of the category. ``mfa`` is true
    only where the caller may assert it (page 5).
    """

    request: Request
    purpose: str | None = None
    class_id: str | None = None
    record: str | None = None
    fields: tuple[str, ...] | None = None
    ticket: str | None = None
    order: str | None = None
    case: str | None = None
    justified: bool = False
    mfa: bool = False

    @property
    def category(self) -> str:
        """The data category that the request is about."""
        return self.request.resource.type

    @property
    def action(self) -> str:
        """The name of the action."""
        return self.request.action.name

    @property
    def person(self) -> str:
        """The id of the data subject."""
        return self.request.resource.id


def parse(body: object, path: str = "") -> Request:
    """The request that ``body`` holds; ``path`` leads the names of its fields in errors."""
    members = _object(body, path or "body")
    return Request(
        subject=_entity(members, "subject", path),
        action=_action(members, path),
        resource=_entity(members, "resource", path),
        context=_optional(members, "context", path),
        key=key_of(members),
    )


def question(request: Request, *, believes_mfa: bool, path: str = "") -> Question:
    """The question about a person's data; another type of a known member is malformed."""
    context, properties = request.context, request.resource.properties
    here, there = f"{path}context.", f"{path}resource.properties."
    mfa = context.get("mfa")
    if mfa is not None and not isinstance(mfa, bool):
        raise MalformedError("It must be true or false.", where=here + "mfa")
    return Question(
        request=request,
        purpose=_text(context, "purpose", here),
        class_id=_text(properties, "class", there),
        record=_text(properties, "record", there),
        fields=_fields(properties, there),
        ticket=_text(context, "ticket", here),
        order=_text(context, "order", here),
        case=_text(context, "case", here),
        justified=bool((_text(context, "justification", here) or "").strip()),
        mfa=believes_mfa and mfa is True,
    )


def key_of(body: Mapping[str, Any]) -> bytes:
    """The :attr:`Request.key` of what this holds; empty where it can have none."""
    return key_of_value([body.get(name) for name in MEMBERS])


def key_of_value(value: Any) -> bytes:
    """Bytes that only the same values of JSON have; empty where there are none, or too many.

    Python's own form of them tells ``1`` from ``true`` and from ``1.0``.
    """
    try:
        key = marshal.dumps(value, _FORM)
    except ValueError:  # no JSON, or nested too deeply
        return b""
    return key if len(key) <= LONGEST_KEY else b""


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedError("It must be a JSON object.", where=where)
    return value


def _required(members: Mapping[str, Any], name: str, path: str) -> Any:
    value = members.get(name)
    if value is None:
        raise MalformedError("It is required.", where=path + name)
    return value


def _string(members: Mapping[str, Any], name: str, path: str) -> str:
    value = _required(members, name, path)
    if not isinstance(value, str):
        raise MalformedError("It must be a string.", where=path + name)
    return value


def _optional(members: Mapping[str, Any], name: str, path: str) -> Properties:
    value = members.get(name)
    return {} if value is None else _object(value, path + name)


def _entity(members: Mapping[str, Any], name: str, path: str) -> Entity:
    entity = _object(_required(members, name, path), path + name)
    here = f"{path}{name}."
    return Entity(
        type=_string(entity, "type", here),
        id=_string(entity, "id", here),
        properties=_optional(entity, "properties", here),
    )


def _action(members: Mapping[str, Any], path: str) -> Action:
    action = _object(_required(members, "action", path), path + "action")
    here = f"{path}action."
    return Action(
        name=_string(action, "name", here), properties=_optional(action, "properties", here)
    )


def _text(members: Properties, name: str, path: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise MalformedError("It must be a string.", where=path + name)
    return value


def _fields(members: Properties, path: str) -> tuple[str, ...] | None:
    value = members.get("fields")
    if value is None:
        return None
    where = path + "fields"
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise MalformedError("It must be a list of strings.", where=where)
    if not value:
        raise MalformedError(
            "It must name at least one field.", where=where, hint="Leave it out to ask for all."
        )
    return tuple(dict.fromkeys(value))
