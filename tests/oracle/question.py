"""The question (2.1), read from an AuthZEN request; what is malformed (page 5, "Values")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from .school import School


class Malformed(ValueError):  # noqa: N818 (the word of page 5)
    """An error (400), and no decision."""


@dataclass(frozen=True)
class Question:
    school: School
    now: datetime
    zone: ZoneInfo
    age_of_majority: int
    country: str
    subject_type: str
    subject: str
    action: str
    category: str
    person: str
    in_class: str | None
    record: str | None
    fields: tuple[str, ...] | None
    purpose: str | None
    ticket: str | None
    order: str | None
    case: str | None
    justification: str | None
    mfa: bool


def read(
    school: School,
    request: Mapping[str, Any],
    now: datetime,
    zone: ZoneInfo,
    age_of_majority: int,
    country: str,
) -> Question:
    """2.1. Properties of subject and action must be objects, and are otherwise ignored."""
    if not isinstance(request, Mapping):
        raise Malformed("a request is an object")
    subject, action, resource = (_entity(request, n) for n in ("subject", "action", "resource"))
    for entity in (subject, action):
        _object(entity, "properties")
    properties, context = _object(resource, "properties"), _object(request, "context")
    return Question(
        school=school,
        now=now if now.tzinfo else now.replace(tzinfo=zone),
        zone=zone,
        age_of_majority=age_of_majority,
        country=country,
        subject_type=_required(subject, "type"),
        subject=_required(subject, "id"),
        action=_required(action, "name"),
        category=_required(resource, "type"),
        person=_required(resource, "id"),
        in_class=_text(properties, "class"),
        record=_text(properties, "record"),
        fields=_fields(properties),
        purpose=_text(context, "purpose"),
        ticket=_text(context, "ticket"),
        order=_text(context, "order"),
        case=_text(context, "case"),
        justification=_text(context, "justification"),
        mfa=_mfa(context),
    )


def _entity(request: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = request.get(name)
    if not isinstance(value, Mapping):
        raise Malformed(f"{name} is an object")
    return value


def _object(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = of.get(name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Malformed(f"{name} is an object")
    return value


def _required(of: Mapping[str, Any], name: str) -> str:
    value = _text(of, name)
    if value is None:
        raise Malformed(f"{name} is missing")
    return value


def _text(of: Mapping[str, Any], name: str) -> str | None:
    value = of.get(name)
    if value is not None and not isinstance(value, str):
        raise Malformed(f"{name} is a string")
    return value


def _fields(properties: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Page 5: `fields: []` is malformed."""
    value = properties.get("fields")
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(f, str) for f in value):
        raise Malformed("fields is a list of names, and not an empty one")
    return tuple(dict.fromkeys(value))


def _mfa(context: Mapping[str, Any]) -> bool:
    """Page 5: true only as JSON `true`; another type is malformed."""
    value = context.get("mfa")
    if value is not None and not isinstance(value, bool):
        raise Malformed("mfa is true or false")
    return value is True
