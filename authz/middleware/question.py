"""What an application asks a decision point: one AuthZEN evaluation, as a frozen value.

The words are those of page 2.1: one category of one person's data. For a generic point the
category is the resource's type, and the person its id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from authz.errors import MalformedError

_encode: Final = json.JSONEncoder(
    sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
).encode


@dataclass(frozen=True, slots=True)
class Question:
    """May this subject do this with that category of that person's data?

    ``properties`` describe the resource (``class``, ``record``, ``fields``); ``context`` says
    the rest (``purpose``, ``mfa``, ``ticket``, ``order``, ``case``, ``justification``). What is
    in them is JSON. A member that is None is left out (AuthZEN 10.1.1).
    """

    subject: str
    action: str
    category: str
    person: str
    subject_type: str = "user"
    subject_properties: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """The body of an evaluation request (AuthZEN 6.1)."""
        subject = _entity(self.subject_type, self.subject, self.subject_properties)
        wire: dict[str, Any] = {
            "subject": subject,
            "action": {"name": self.action},
            "resource": _entity(self.category, self.person, self.properties),
        }
        context = _said(self.context)
        return {**wire, "context": context} if context else wire

    def key(self) -> bytes:
        """The whole question as bytes: two questions are the same only if these are.

        MalformedError where something in it is no JSON.
        """
        try:
            return _encode(self.to_wire()).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise MalformedError("The question is not JSON.", where="question") from error


def _entity(kind: str, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    entity: dict[str, Any] = {"type": kind, "id": name}
    said = _said(properties)
    return {**entity, "properties": said} if said else entity


def _said(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
