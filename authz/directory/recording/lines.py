"""Reads the lines of a facts file: one JSON object each, checked against its kind (4.4).

Nothing is looked up here; what a line refers to is checked when it is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from authz.directory.recording.kind import Kind
from authz.directory.recording.kinds import KINDS
from authz.directory.recording.members import Reading
from authz.errors import FactError

LONGEST_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fact:
    """A line that is well-formed: its kind, the members it carries, as read and as sent."""

    line: int
    kind: Kind
    values: Mapping[str, Any]
    delete: bool

    @property
    def key(self) -> str:
        """The key of its row: the fact that this line replaces (page 5)."""
        if len(self.kind.key) == 1:
            return str(self.values[self.kind.key[0]])
        return json.dumps(
            [_plain(self.values.get(name)) for name in self.kind.key], ensure_ascii=False
        )

    @property
    def about(self) -> str:
        """The person whose audit trail the change belongs to, where there is one."""
        return str(self.values.get(self.kind.about, "")) if self.kind.about else ""


def read(lines: Iterable[str], reading: Reading, name: str) -> Iterator[Fact | FactError]:
    """The facts of the lines, or the error of each that is none; empty lines are passed over."""
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            yield _fact(number, text, reading)
        except ValueError as error:
            yield FactError(f"{str(error)[:1].upper()}{str(error)[1:]}.", where=f"{name}:{number}")


def _fact(number: int, text: str, reading: Reading) -> Fact:
    if len(text) > LONGEST_LINE:
        raise ValueError("the line is longer than 1 MiB")
    sent = _decode(text)
    kind = KINDS.get(str(sent.get("fact")))
    if kind is None:
        raise ValueError(f"fact must be one of {', '.join(KINDS)}")
    delete = sent.get("delete", False)
    if not isinstance(delete, bool):
        raise ValueError("delete must be true or false")
    known = {name: value for name, value in sent.items() if name not in ("fact", "delete")}
    for member in known:
        if member not in kind.members:
            raise ValueError(
                f"a {kind.name} has no member {member[:40]!r}; it has {', '.join(kind.members)}"
            )
    values = {
        name: _read(kind, name, known[name], reading)
        for name in kind.members
        if known.get(name) is not None
    }
    needed = kind.key if delete else tuple(n for n, m in kind.members.items() if m.required)
    for member in needed:
        if kind.members[member].required and member not in values:
            raise ValueError(f"a {kind.name} needs the member {member}")
    if not delete:
        kind.check(values)
    return Fact(number, kind, values, delete)


def _decode(text: str) -> dict[str, Any]:
    try:
        sent = json.loads(text, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("the line is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"the line is not JSON: {error.msg} at column {error.colno}") from error
    if not isinstance(sent, dict):
        raise ValueError("the line is no JSON object")
    return sent


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice in one object")
    return members


def _read(kind: Kind, name: str, value: Any, reading: Reading) -> Any:
    try:
        return kind.members[name].read(value, reading)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
