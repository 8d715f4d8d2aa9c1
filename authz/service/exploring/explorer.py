"""*Who can see this person?* and *what can this person see?* (N-41, N-46).

Both list exactly those for whom the decision permits: candidates are everybody whom a row
links to the person, and each is decided on by the decision point's own engine. A what-if asks
for another day, or as if one row had ended, and says who is lost and who is new. Looking
leaves one record with the ids that were listed (N-49).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, select

from authz import clock
from authz.decision.request import Question
from authz.decision.search import Kind
from authz.directory import around, evidence
from authz.directory import tables as t
from authz.directory.asking import Asking
from authz.directory.behind import BETWEEN
from authz.errors import PolicyError
from authz.service import shown, trail
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.exploring.ended import Ended
from authz.service.exploring.names import Names, names
from authz.service.exploring.paths import Line, line, mentioned
from authz.service.exploring.uses import bare, uses
from authz.service.shown import Viewer
from authz.vocabulary import GRANTABLE_ROLES, Event, Relation, Role

CANDIDATES: Final = 100
"""How many candidates a page of *who* decides on."""
PEOPLE: Final = 20
"""How many people a page of *what* lists; it looks at :data:`MOST` at most."""
BATCH, MOST = 50, 500
USES_LOOKED_AT: Final = 1000
"""How many of the newest uses the last one is looked for in."""
_NOBODY_NEEDS: Final = BETWEEN | {Relation.SELF}
_HELD: Final = GRANTABLE_ROLES | {Role.AUDITOR}


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Another moment, or a row that has ended; neither is a question about now."""

    at: datetime | None = None
    gone: Ended | None = None

    def __bool__(self) -> bool:
        return self.at is not None or self.gone is not None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of lines. ``after`` asks for those that follow, and is empty after the last."""

    lines: tuple[Line, ...]
    after: str
    names: Names
    uses_since: datetime | None = None
    """Since when uses were looked at for the last one; None: all of them."""


def who(
    point: DecisionPoint, person: str, viewer: Viewer, what_if: WhatIf | None = None,
    after: str = "",
) -> Found:  # fmt: skip
    """Who can see the person, by the order of the policy's rules."""
    with reading(point.store) as connection:
        everybody = around.subjects_of(connection, person, _roles_that_reach_all(point))
        ahead = [each for each in everybody if each > after]
        looked = ahead[:CANDIDATES]
        known = around.persons_among(connection, looked)
        pairs = [bare("user" if each in known else "service", each, person) for each in looked]
        lines = _lines(point, connection, pairs, what_if or WhatIf())
        told = names(connection, mentioned(lines))
    more = looked[-1] if len(ahead) > len(looked) else ""
    ranks = {compiled.rule.id: n for n, compiled in enumerate(point.policy.permits)}
    lines.sort(key=lambda each: (ranks[each.rule], told.order(each.subject)))
    found = Found(tuple(lines), more, told)
    return _told(point, found, viewer, what_if or WhatIf(), person=person)


def what(
    point: DecisionPoint, subject: str, viewer: Viewer, what_if: WhatIf | None = None,
    after: str = "",
) -> Found:  # fmt: skip
    """Whom the subject can see, by the names of the people."""
    lines: list[Line] = []
    place = shown.place(after)
    with reading(point.store) as connection:
        condition = around.people_of(subject, everybody=_reaches_all(point, connection, subject))
        for _ in range(0, MOST, BATCH):
            people = _people(connection, condition, place)
            pairs = [bare("user", subject, ident) for _, ident in people]
            found = _lines(point, connection, pairs, what_if or WhatIf())
            some = _first(found, PEOPLE - len({each.person for each in lines}))
            lines += some
            cut = len(some) < len(found)
            place = _last(people, some) if cut else people[-1] if len(people) == BATCH else None
            if place is None or cut or len({each.person for each in lines}) >= PEOPLE:
                break
        told = names(connection, mentioned(lines))
    page = Found(tuple(lines), shown.after(place), told)
    return _told(point, page, viewer, what_if or WhatIf(), subject=subject)


Row = tuple[str, str]


def _people(connection: Connection, condition: object, place: Row | None) -> list[Row]:
    p = t.Person
    query = select(p.name_order, p.id).where(condition)  # type: ignore[arg-type]
    query = query.where(shown.following(p.name_order, p.id, place))
    found = connection.execute(query.order_by(p.name_order, p.id).limit(BATCH))
    return [(row[0], row[1]) for row in found]


def _first(lines: list[Line], people: int) -> list[Line]:
    """The lines of the first people."""
    kept = list(dict.fromkeys(each.person for each in lines))[:people]
    return [each for each in lines if each.person in kept]


def _last(people: list[Row], lines: list[Line]) -> Row | None:
    last = lines[-1].person
    return next((row for row in people if row[1] == last), None)


def _lines(
    point: DecisionPoint, connection: Connection, pairs: Sequence[Question], what_if: WhatIf
) -> list[Line]:
    """The lines of these pairs; in a what-if, with what is lost and what is new."""
    if not pairs:
        return []
    asking, now = Asking.over(connection), clock.now()
    found: list[Line] = []
    for pair, on_file in zip(pairs, evidence.read_all(connection, pairs), strict=True):
        current = _of_pair(point, asking, pair, on_file, WhatIf(now))
        if not what_if:
            found += current.values()
            continue
        asked = WhatIf(what_if.at or now, what_if.gone)
        then = _of_pair(point, asking, pair, on_file, asked)
        found += [replace(each, changed="" if rule in current else "new")
                  for rule, each in then.items()]  # fmt: skip
        found += [replace(each, changed="lost")
                  for rule, each in current.items() if rule not in then]  # fmt: skip
    return found


def _of_pair(
    point: DecisionPoint, asking: Asking, pair: Question, on_file: evidence.OnFile, what_if: WhatIf
) -> dict[str, Line]:
    permitted = uses(point, asking, pair, on_file, what_if.at or clock.now(), what_if.gone)
    by_rule = groupby(permitted, key=lambda use: use.rule.id)
    return {rule: line(point.policy, list(some), on_file) for rule, some in by_rule}


def _roles_that_reach_all(point: DecisionPoint) -> frozenset[str]:
    """The granted roles with a permit that asks no relation: they reach everybody."""
    policy = point.policy
    roles = {c.rule.role for c in policy.permits if not c.rule.relations & _NOBODY_NEEDS}
    roles |= {senior for senior, below in policy.senior.items() if roles & below}
    if strange := roles - _HELD:
        raise PolicyError(
            f"The role {min(strange)} alone opens everybody's data; nobody can list who that is.",
            hint="Name a relation in the rule's condition.",
        )
    return frozenset(roles)


def _reaches_all(point: DecisionPoint, connection: Connection, subject: str) -> bool:
    roles = sorted(_roles_that_reach_all(point))
    held = select(t.Grant.id).where(t.Grant.person == subject, t.Grant.role.in_(roles)).limit(1)
    return connection.scalar(held) is not None or around.processes(connection, subject)


def _told(
    point: DecisionPoint, found: Found, viewer: Viewer, what_if: WhatIf, **asked: str
) -> Found:
    """The page with the last use of each line; recorded before it is shown."""
    ((asks, about),) = asked.items()
    wanted: dict[str, Any] = dict(asked)
    page = trail.search(
        point.store, by=viewer.name, event=Event.DECISION.value, decision=True,
        limit=USES_LOOKED_AT, **wanted,
    )  # fmt: skip
    last: dict[tuple[str, str, str], datetime] = {}
    for each in page.records:
        record = each.record
        pair = (record["subject"]["id"], record["resource"]["id"])
        for rule in record.get("rules", ()):
            last.setdefault((*pair, rule), datetime.fromisoformat(record["time"]))
    lines = tuple(
        replace(each, last_used=last.get((each.subject, each.person, each.rule)))
        for each in found.lines
    )
    who_can = asks == "person"
    listed = {each.subject if who_can else each.person for each in lines}
    category = "access" if who_can else "rights"
    kind = Kind.SUBJECT if who_can else Kind.RESOURCE
    shown.record(point.store, viewer, category, about, sorted(listed), at=what_if.at, kind=kind)
    oldest = page.after.partition("/")[0]  # a page may end, and hold no record at all
    since = datetime.fromisoformat(oldest) if oldest else None
    return replace(found, lines=lines, uses_since=since)
