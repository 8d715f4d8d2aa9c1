"""Whom and what a record mentions besides its columns, and the rows that say so (N-49).

A record has one subject and one application, and columns for them. It may be about many
people (a search lists a page of them, an order names several) and stand on several rules:
each of these is a *mention*, a row of its own, so that no search reads the trail through.
Whoever inserts records inserts their mentions with them, in the same transaction, by
:func:`mentions` and :func:`rows`; verification can hold them against the records.

This module is pure: it reads no clock, file, network or database.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from authz.audit.record import indexed

PERSON: Final = "person"
RULE: Final = "rule"

ABOUT: Final = "about"
"""The record is about this person: whose data were asked for, or who was changed."""
LISTED: Final = "listed"
"""A search returned this id: listed, and not seen (page 5, **Search**)."""
NAMED: Final = "named"
"""A change of a fact names this person beside the one that it is about."""
CITED: Final = "cited"
"""A rule that permitted or refused."""

_ONE: Final = ("person", "student", "guardian", "subject", "mentor", "assignee", "approved_by")
_LISTS_PEOPLE: Final = frozenset({"subject", "resource"})


class Mention(NamedTuple):
    """That a record mentions ``name``, which is a person or a rule, and how."""

    what: str
    name: str
    how: str


def mentions(members: Mapping[str, Any]) -> tuple[Mention, ...]:
    """All that a record of these members mentions, each once, the nearest way first."""
    found: dict[tuple[str, str], str] = {}
    for what, name, how in _all(members):
        if name:
            found.setdefault((what, indexed(name)), how)
    return tuple(Mention(what, name, how) for (what, name), how in found.items())


def of_body(body: bytes) -> tuple[Mention, ...]:
    """The same of a record's canonical bytes."""
    return mentions(json.loads(body))


def rows(
    chain: str, sequence: int, time: str, found: Iterable[Mention]
) -> Iterator[tuple[str, int, str, str, str, str]]:
    """The rows of ``audit_mention`` for one record, in the order of the table's columns."""
    return ((chain, sequence, what, name, time, how) for what, name, how in found)


def _all(members: Mapping[str, Any]) -> Iterator[Mention]:
    resource = members.get("resource", {}).get("id", "")
    yield Mention(PERSON, resource, ABOUT)
    for rule in members.get("rules", ()):
        yield Mention(RULE, rule, CITED)
    detail = members.get("detail")
    if not detail:
        return
    if detail.get("search") in _LISTS_PEOPLE:
        for name in _texts(detail.get("listed")):
            yield Mention(PERSON, name, LISTED)
    for name in _texts(detail.get("people")):
        yield Mention(PERSON, name, NAMED)
    for side in ("before", "after"):
        yield from _named(detail.get(side))


def _named(fact: Any) -> Iterator[Mention]:
    """The people whom one side of a changed fact names."""
    if not isinstance(fact, Mapping):
        return
    for member in _ONE:
        for name in _texts([fact.get(member)]):
            yield Mention(PERSON, name, NAMED)
    for name in _texts(fact.get("persons")):
        yield Mention(PERSON, name, NAMED)


def _texts(value: Any) -> Sequence[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else ()
