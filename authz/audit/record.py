r"""What one audit record says, and its canonical bytes (page 2.8, N-49).

The bytes are the truth: the chain covers them, and every column of the store is an index
over them. They are JSON in one spelling only, so that the same record always has the
same hash and an outsider can check it with common tools:

- UTF-8, members sorted by name, no white space, no escape that JSON does not need; a
  lone surrogate, which UTF-8 cannot carry, stays as its ``\udXXX`` escape;
- a member without content (null, empty text, list or object) is absent;
- times are UTC with six decimals and ``Z``, so that they sort as text;
- ``v`` names the version of this format. A reader refuses a version it does not know.

A record holds ids and the names of fields, never values, tokens, cookies or addresses
(E-01, N-45): of the question only the members of :data:`PROPERTIES` and :data:`CONTEXT`
are kept, and a value filed under a name of :data:`MASKED` in ``detail`` is masked.

This module is pure: it reads no clock, file, network or database.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Final, NamedTuple

from authz.vocabulary import Event

VERSION: Final = 1

PROPERTIES: Final = frozenset({"class", "record", "fields"})
"""The properties of a resource that are kept: ids and field names (2.1)."""

CONTEXT: Final = frozenset({"purpose", "ticket", "order", "case", "mfa", "justified"})
"""The members of the context that are kept; of a justification, that one was given."""

MASK: Final = "***"
MASKED: Final = frozenset(
    {
        *("given_name", "family_name", "name_order"),
        *("email", "phone", "birth_date", "gender", "national_id"),
        *("username", "password", "token", "secret", "cookie", "authorization"),
        *("ip_address", "address", "device", "account", "card", "evidence"),
        *("message", "answer", "advice", "score", "comment", "properties"),
        *("justification", "basis", "customer"),
    }
)
"""Names whose values never enter a record (2.2, 4.4): they are masked where they turn up."""

_ENCODER: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
_quoted: Final = encode_basestring
_REFUSED: Final = '"decision":false'
LONGEST_INDEXED: Final = 200
_HASHED: Final = "sha256:"
_STRANGE: Final = re.compile("^sha256:|[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Ref:
    """A subject or a resource, by type and id; ids are opaque (3.5)."""

    type: str
    id: str


@dataclass(slots=True, kw_only=True)  # frozen costs microseconds, and each is recorded once
class Entry:
    """One thing that happened: a decision, a what-if, or a change (2.8).

    ``detail`` is for changes: before, after, who, why, and under ``people`` the ids of all
    persons whom the change touches, so that a search by person finds it (N-49).
    ``what_if_at`` is the moment a what-if asked about; ``time`` is always when it was
    asked. ``resource`` of a change is the person or thing changed. ``token_id`` names the
    token that the application asked with, and opens nothing (N-45). ``people`` are the ids
    in it that are a person's, for their pseudonyms; it is no member of the record.
    """

    event: Event
    time: datetime
    application: str = ""
    request_id: str = ""
    subject: Ref | None = None
    action: str = ""
    resource: Ref | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    purpose: str = ""
    decision: bool | None = None
    rules: Sequence[str] = ()
    reason: str = ""
    obligations: Sequence[Mapping[str, Any]] = ()
    policy: str = ""
    directory_revision: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    what_if_at: datetime | None = None
    token_id: str = ""
    people: Sequence[str] = ()


def timestamp(moment: datetime) -> str:
    """The one spelling of a moment; a time without a zone is a mistake, not a guess."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be recorded")
    there = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return there.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def document(entry: Entry) -> dict[str, Any]:
    """The record as JSON values, with nothing in it that has no content."""
    members: dict[str, Any] = {
        "event": entry.event.value,
        "time": timestamp(entry.time),
        "application": entry.application,
        "request_id": entry.request_id,
        "subject": _ref(entry.subject),
        "action": entry.action,
        "resource": _ref(entry.resource),
        "properties": kept_properties(entry.properties),
        "context": kept_context(entry.context),
        "purpose": entry.purpose,
        "decision": entry.decision,
        "rules": list(entry.rules),
        "reason": entry.reason,
        "obligations": [_plain(each) for each in entry.obligations],
        "policy": entry.policy,
        "directory_revision": entry.directory_revision,
        "detail": masked(entry.detail),
        "what_if_at": timestamp(entry.what_if_at) if entry.what_if_at else None,
        "token_id": entry.token_id,
    }
    kept = {name: value for name, value in members.items() if value or isinstance(value, int)}
    kept["v"] = VERSION
    return kept


def spelt(entry: Entry) -> bytes:
    """The bytes of :func:`canonical` of :func:`document`, for a fifth of the cost.

    Every decision pays for them, and nearly all have the same members, whose order is known. A
    property test holds both to the same bytes; what is not a plain decision goes the other way.
    """
    if entry.event is not Event.DECISION or entry.detail or entry.what_if_at is not None:
        return canonical(document(entry))
    return Form.of(entry).spelt(entry.request_id, timestamp(entry.time), entry.token_id)


class Form(NamedTuple):
    """The record of a decision but for its time, its request and the token, spelt once for many."""

    head: str
    tail: str

    @classmethod
    def of(cls, entry: Entry) -> Form:
        """The form of a plain decision's records."""
        subject, resource, revision = entry.subject, entry.resource, entry.directory_revision
        properties = kept_properties(entry.properties) if entry.properties else None
        context = kept_context(entry.context) if entry.context else None
        head = (
            f'"action":{_quoted(entry.action)}' if entry.action else "",
            f'"application":{_quoted(entry.application)}' if entry.application else "",
            f'"context":{_spelt(context)}' if context else "",
            "" if entry.decision is None else '"decision":true' if entry.decision else _REFUSED,
            "" if revision is None else f'"directory_revision":{revision}',
            '"event":"decision"',
            f'"obligations":{_spelt(list(entry.obligations))}' if entry.obligations else "",
            f'"policy":{_quoted(entry.policy)}' if entry.policy else "",
            f'"properties":{_spelt(properties)}' if properties else "",
            f'"purpose":{_quoted(entry.purpose)}' if entry.purpose else "",
            f'"reason":{_quoted(entry.reason)}' if entry.reason else "",
        )
        tail = (
            f'"resource":{{"id":{_quoted(resource.id)},"type":{_quoted(resource.type)}}},'
            if resource
            else "",
            f'"rules":{_spelt(list(entry.rules))},' if entry.rules else "",
            f'"subject":{{"id":{_quoted(subject.id)},"type":{_quoted(subject.type)}}},'
            if subject
            else "",
        )
        return cls(f"{{{','.join(filter(None, head))},", "".join(tail))

    def spelt(self, request_id: str, time: str, token_id: str) -> bytes:
        """The bytes of a record of this request with this token, at this :func:`timestamp`."""
        name = f'"request_id":{_quoted(request_id)},' if request_id else ""
        token = f'"token_id":{_quoted(token_id)},' if token_id else ""
        text = f'{self.head}{name}{self.tail}"time":"{time}",{token}"v":{VERSION}}}'
        return text.encode("utf-8", "backslashreplace")


def _spelt(value: Any) -> str:
    """One value in the canonical spelling; what is not quite plain is left to the encoder."""
    if type(value) is str:
        return _quoted(value)
    if value is True:
        return "true"
    if type(value) is list:
        return f"[{','.join(map(_spelt, value))}]"
    if type(value) is dict:
        members = (f"{_quoted(name)}:{_spelt(value[name])}" for name in sorted(value))
        return f"{{{','.join(members)}}}"
    return _ENCODER.encode(_plain(value))


def canonical(members: Mapping[str, Any]) -> bytes:
    """The one spelling of a record's members; it escapes a lone surrogate, as JSON does."""
    return _ENCODER.encode(members).encode("utf-8", "backslashreplace")


def kept_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's properties cut to ids and field names; others may hold values (E-01)."""
    return {
        name: list(value) if isinstance(value, (list, tuple)) else value
        for name, value in properties.items()
        if name in PROPERTIES and _is_names(value)
    }


def kept_context(context: Mapping[str, Any]) -> dict[str, Any]:
    """A context cut to ids and switches; a justification's words are not kept, its being is."""
    kept = {
        name: value
        for name, value in context.items()
        if name in CONTEXT and isinstance(value, (str, bool))
    }
    words = context.get("justification")
    if isinstance(words, str) and words.strip():
        kept["justified"] = True
    return kept


def masked(value: Any, name: str = "") -> Any:
    """A change's detail without the values of people; an object is cut to its names."""
    if name in MASKED and isinstance(value, Mapping):
        return sorted(str(each) for each in value)
    if name in MASKED and value is not None and not isinstance(value, bool):
        return MASK
    if isinstance(value, Mapping):
        return {str(key): masked(each, str(key)) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(each) for each in value]
    return _plain(value)


def index(members: Mapping[str, Any]) -> dict[str, str]:
    """The columns that a search looks at, as they follow from a record's members."""
    subject, resource = members.get("subject", {}), members.get("resource", {})
    decision = members.get("decision")
    rules = "|".join(indexed(each) for each in members.get("rules", ()))
    return {
        "time": members["time"],
        "event": members["event"],
        "application": indexed(members.get("application", "")),
        "request_id": indexed(members.get("request_id", "")),
        "subject_type": indexed(subject.get("type", "")),
        "subject_id": indexed(subject.get("id", "")),
        "action": indexed(members.get("action", "")),
        "resource_type": indexed(resource.get("type", "")),
        "resource_id": indexed(resource.get("id", "")),
        "purpose": indexed(members.get("purpose", "")),
        "decision": "" if decision is None else "permit" if decision else "refuse",
        "reason": indexed(members.get("reason", "")),
        "rules": f"|{rules}|" if rules else "",
    }


def indexed(text: str) -> str:
    """The text as an index can hold it: one that is long or strange goes in as its hash.

    PostgreSQL keeps no NUL, no lone surrogate and no long key; what a caller sends as an
    id must not be able to make the record fail, and the answer with it (N-51). What
    looks like such a hash is hashed itself, so that no two texts share an entry.
    """
    return _indexed(text) if len(text) <= LONGEST_INDEXED else _hashed(text)


@lru_cache(maxsize=4096)  # of short texts alone: what callers send must not fill the memory
def _indexed(text: str) -> str:
    return _hashed(text) if _STRANGE.search(text) else text


def _hashed(text: str) -> str:
    return _HASHED + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _ref(ref: Ref | None) -> dict[str, str] | None:
    return {"type": ref.type, "id": ref.id} if ref else None


def _is_names(value: Any) -> bool:
    names = value if isinstance(value, (list, tuple)) else [value]
    return all(isinstance(each, str) for each in names)


def _plain(value: Any) -> Any:
    """JSON values of the Python values that change records carry."""
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (set, frozenset)):
        return sorted(_plain(each) for each in value)
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
