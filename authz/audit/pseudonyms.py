"""A person's name in the trail that can be forgotten (N-34, N-49).

With the setting ``AUTHZ_AUDIT_PSEUDONYMS`` a record holds, in place of a person's id,
``p:`` and 32 hexadecimal digits: an HMAC-SHA-256 of the id under a random key of that
person alone. Key and name stand in ``audit_pseudonym``, outside of the chain. Who deletes
that row leaves every record as it is, so that the chain still verifies, and nobody can
tell any more whose it was.

The row is made before the first record, and committed before or with it. A process
remembers names for as long as the directory's revision stays, so that an erasure, which
moves it, is noticed with the next decision.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any, Final

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects import postgresql, sqlite

from authz.audit.record import Entry, Ref, indexed
from authz.audit.tables import AuditPseudonym

OPTION: Final = "authz_pseudonyms"
"""The execution option of a store whose records hold pseudonyms; its value are the names."""
KEYS: Final = frozenset({"key", "id"})
"""Members of a detail that may be made of several ids: a person's is replaced within them."""
_KEY_BYTES: Final = 32
_SHOWN: Final = re.compile(r"p:[0-9a-f]{32}")
_LONGEST: Final = 255
_MOST: Final = 100_000
_SLICE: Final = 500


class Names:
    """The pseudonyms that a process remembers, by person; those of one store."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._revision = 0
        self._guard = Lock()

    def known(self, revision: int) -> dict[str, str]:
        """What is remembered; nothing once the directory has a newer revision."""
        with self._guard:
            if revision > self._revision or len(self._known) > _MOST:
                self._known = {}
                self._revision = max(revision, self._revision)
            return self._known

    def remember(self, revision: int, found: Mapping[str, str]) -> None:
        """Keep what was looked up for an entry of that revision, if it still is the newest.

        A writer may have told a revision that it has not committed: what was looked up beside
        it is of the one before, and may be what that writer is about to erase.
        """
        with self._guard:
            if revision == self._revision:
                self._known |= found

    def forget(self) -> None:
        """Look everybody up again."""
        with self._guard:
            self._known = {}


def hidden(store: Engine | Connection, entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries as this store records them: as they are, or with pseudonyms for people.

    With a connection, what is made is made in its transaction, and remembered by nobody
    until it is committed; with an engine in one of its own.
    """
    names: Names | None = store.get_execution_options().get(OPTION)
    if names is None or not entries:
        return entries
    people = {person for entry in entries for person in _people(entry)}
    others = {text for entry in entries for text in _texts(entry.detail)} - people
    revision = max((entry.directory_revision or 0) for entry in entries)
    known = names.known(revision) if revision else {}
    missing = people - known.keys()
    if isinstance(store, Engine):
        found = _found_alone(store, missing, others) if missing or others else {}
        names.remember(revision, {person: found[person] for person in missing})
    else:
        found = _found(store, missing, others)
    found |= {person: known[person] for person in people if person in known}
    return [_replaced(entry, found) for entry in entries]


def aliases(connection: Connection, person: str) -> list[str]:
    """The ids under which the trail may hold that person: their own, and the pseudonym."""
    return [person, *_look_up(connection, [person]).values()]


def known_as(connection: Connection, people: Iterable[str]) -> dict[str, str]:
    """Under which ids an index of the trail may have these people, each with their own id."""
    wanted = list(dict.fromkeys(people))
    found = {indexed(person): person for person in wanted}
    return found | {name: person for person, name in _look_up(connection, wanted).items()}


def shown(connection: Connection, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records with the ids of those whose key is still there; others stay as they are."""
    named = {name for record in records for name in _pseudonyms(record)}
    if not named:
        return list(records)
    table = AuditPseudonym
    people: dict[str, str] = {}
    for some in _slices(sorted(named)):
        rows = select(table.pseudonym, table.person).where(table.pseudonym.in_(some))
        people.update((row.pseudonym, row.person) for row in connection.execute(rows))

    def back(text: str, _: str) -> str:
        return _SHOWN.sub(lambda match: people.get(match[0], match[0]), text)

    return [_mapped(record, back) for record in records]


def _people(entry: Entry) -> Iterator[str]:
    """Whom the entry names: as whoever made it says, and where it says that it is a person."""
    yield from (person for person in entry.people if person)
    for ref in (entry.subject, entry.resource):
        if ref is not None and ref.type == "person" and ref.id:
            yield ref.id


def _texts(value: Any) -> Iterator[str]:
    """Every text of a detail that could be an id."""
    if isinstance(value, str):
        if value and len(value) <= _LONGEST:
            yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield str(name)
            yield from _texts(each)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from _texts(each)


def _found_alone(store: Engine, people: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    with store.connect() as connection:
        found = _look_up(connection, [*people, *others])
    if set(people) <= found.keys():
        return found
    with store.connect().execution_options(authz_write=True) as connection, connection.begin():
        return found | _found(connection, people, ())


def _found(connection: Connection, people: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """The pseudonyms of the people, made where there is none, and those of others who have one."""
    found = _look_up(connection, [*people, *others])
    new = sorted(set(people) - found.keys())
    if new:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        made = dialect.insert(AuditPseudonym).on_conflict_do_nothing()
        connection.execute(made, [_made(person) for person in new])
        found |= _look_up(connection, new)
    return found


def _made(person: str) -> dict[str, Any]:
    key = secrets.token_bytes(_KEY_BYTES)
    digest = hmac.digest(key, person.encode("utf-8", "surrogatepass"), "sha256")
    return {"person": indexed(person), "key": key, "pseudonym": f"p:{digest[:16].hex()}"}


def _look_up(connection: Connection, people: Sequence[str]) -> dict[str, str]:
    table, found = AuditPseudonym, dict[str, str]()
    for some in _slices(people):
        stored = {indexed(person): person for person in some}
        rows = select(table.person, table.pseudonym).where(table.person.in_(stored))
        found.update((stored[row.person], row.pseudonym) for row in connection.execute(rows))
    return found


def _replaced(entry: Entry, found: Mapping[str, str]) -> Entry:
    """The entry with a pseudonym wherever one of these ids stands."""
    if not found:
        return entry
    spelt = {_spelt(person): name for person, name in found.items()} | dict(found)
    longest = "|".join(re.escape(person) for person in sorted(spelt, key=len, reverse=True))
    within, alone = re.compile(longest), re.compile(rf"(?<!\w)(?:{longest})(?!\w)")

    def name(match: re.Match[str]) -> str:
        return spelt[match[0]]

    def text(value: str, member: str) -> str:
        known = found.get(value)
        return known or (within if member in KEYS else alone).sub(name, value)

    def ref(about: Ref | None) -> Ref | None:
        return Ref(about.type, text(about.id, "id")) if about else None

    return replace(
        entry,
        subject=ref(entry.subject),
        resource=ref(entry.resource),
        properties=_mapped(entry.properties, text),
        context=_mapped(entry.context, text),
        detail=_mapped(entry.detail, text),
    )


def _spelt(person: str) -> str:
    """The id as it stands within a key of several ids, which is JSON."""
    return json.dumps(person, ensure_ascii=False)[1:-1]


def _mapped(value: Any, text: Callable[[str, str], str], member: str = "") -> Any:
    """The value with every text in it, and every name of a member, as ``text`` has it."""
    if isinstance(value, str):
        return text(value, member)
    if isinstance(value, Mapping):
        return {text(str(n), ""): _mapped(each, text, str(n)) for n, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mapped(each, text, member) for each in value]
    if isinstance(value, (set, frozenset)):
        return {_mapped(each, text, member) for each in value}
    return value


def _pseudonyms(value: Any) -> Iterator[str]:
    for text in _texts(value):
        yield from _SHOWN.findall(text)


def _slices(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _SLICE):
        yield items[start : start + _SLICE]
