"""Lists of several people: each row leaves as its own person's permit says, or not at all.

Whose rows an answer holds is known once it is here. So the upstream is asked first, for what only
``GET`` may ask; then the point, in one call, about everybody in the answer; then what is refused
is dropped. Around the rows only names that the route keeps stay: they are about nobody.

A row is one person's. One that does not say whose it is in one way only, or holds another
person's id further inside, refuses the whole answer, since nobody can say what of it is whose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from authz.errors import ObligationError, PointUnavailableError, RefusedError
from authz.middleware.declare import Needs
from authz.middleware.gateway import pointer, query
from authz.middleware.gateway.config import ListTable
from authz.middleware.gateway.pointer import Way
from authz.middleware.guard import Guard
from authz.middleware.identity import Identity
from authz.middleware.obligations.fields import DEEPEST, Orders, carry_out
from authz.middleware.permitted import Permitted

LONGEST: Final = 200
"""Characters of an id."""
PERSON: Final = "person"


@dataclass(frozen=True, slots=True)
class Listing:
    """A request for a list: who asks, for what, and where in the answer the people are."""

    guard: Guard
    needs: Needs
    values: Mapping[str, str]
    who: Identity
    table: ListTable

    def carry_out(self, value: Any) -> Any:
        """The answer with only rows that are permitted, and in each what its permit leaves.

        ObligationError where the answer is not of the shape that the route declares, or a permit
        obliges to what the route does not do; PointUnavailableError where there is no answer
        about somebody: a list is never shorter than it should be.
        """
        way, whose = pointer.read(self.table.rows), pointer.read(self.table.person)
        rows = _look(value, way)
        if not isinstance(rows, list):
            raise ObligationError("There is no list of rows where the route says.")
        if len(rows) > self.table.most:
            raise ObligationError(f"There are more than {self.table.most} rows.")
        people = [_person(row, whose, frozenset(self.table.own)) for row in rows]
        permits = self._permits(list(dict.fromkeys(people)))
        kept = [
            done
            for row, person in zip(rows, people, strict=True)
            if person in permits
            for done in _filtered(row, permits[person])
        ]
        shape = replace(self.needs.shape, keep=self.needs.shape.keep - {whose[0]})
        return _around(value, way, kept, Orders(shape, fields=frozenset()))

    def _permits(self, people: Sequence[str]) -> Mapping[str, Permitted]:
        """The permits of these people, asked for in one call; who is refused has none."""
        if not people:
            return {}
        asked = [(self.needs, {**self.values, PERSON: person}) for person in people]
        found = {}
        for person, one in zip(people, self.guard.ask_all(asked, self.who), strict=True):
            if isinstance(one, Permitted):
                found[person] = one
            elif isinstance(one, PointUnavailableError | ObligationError):
                raise one
        return found


def _filtered(row: Any, permitted: Permitted) -> Iterator[Any]:
    """The row as its permit leaves it; nothing of one of a class that is not permitted."""
    try:
        done = permitted.filter(row)
    except ObligationError:
        raise
    except RefusedError:
        return
    permitted.require_settled()
    yield done


def _around(value: Any, way: Way, rows: list[Any], orders: Orders) -> Any:
    """What the rows stand in, with nothing beside them but names that are about nobody."""
    if not way:
        return rows
    first, rest = way[0], way[1:]
    beside = carry_out({name: each for name, each in value.items() if name != first}, orders)
    there = {**beside, first: _around(value[first], rest, rows, orders)}
    return {name: there[name] for name in value if name in there}


def _person(row: Any, whose: Way, own: frozenset[str]) -> str:
    """Whose row it is; a whole number is written, and nothing else is."""
    found = _text(_look(row, whose))
    if found is None:
        raise ObligationError("A row does not say whose it is.")
    for inside in _inside(row, own, 0):
        if _named(inside, whose[0]) and _text(_look(inside, whose)) != found:
            raise ObligationError("A row holds what may be the id of another person.")
    return found


def _inside(value: Any, own: frozenset[str], depth: int) -> Iterator[dict[str, Any]]:
    """All objects below this one, but for what holds the person's own records."""
    if depth > DEEPEST:
        raise ObligationError("The data are nested too deeply to be filtered.")
    if isinstance(value, dict):
        below: list[Any] = [each for name, each in value.items() if name not in own]
    else:
        below = value if isinstance(value, list) else []
    for each in below:
        if isinstance(each, dict):
            yield each
        yield from _inside(each, own, depth + 1)


def _look(value: Any, way: Way) -> Any:
    """What stands there, or None; ObligationError where a name is there in another spelling."""
    for word in way:
        if not isinstance(value, dict):
            return None
        alike = _named(value, word)
        if alike and alike != [word]:
            raise ObligationError("A name can be read in two ways.")
        value = value.get(word)
    return value


def _named(found: Mapping[str, Any], word: str) -> list[str]:
    """The names that a careless reader could take for this one."""
    loose = _loosely(word)
    return [name for name in found if name == word or _loosely(name) == loose]


_loosely: Final = lru_cache(maxsize=4096)(query.loosely)


def _text(found: Any) -> str | None:
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    plain = isinstance(found, str) and 0 < len(found) <= LONGEST and found.isprintable()
    return found if plain and found == found.strip() else None
