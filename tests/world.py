"""An in-memory school that a test edits and then asks (page 3.6).

A :class:`World` holds plain rows: what a roster brought, and the fact lines of 4.4. It can be
put in a store (the roster's rows by insert, facts through the real import), become a School of
the oracle, and be asked through the real decision point::

    world = World().school("S1").person("kid", born="2012-05-05", at="S1").person("mum")
    world.guardian("mum", "kid").store(engine)
    assert world.ask(engine, question("mum", "read", "contact", "kid")).permit

A row of the roster with ``ended: True`` is one that ended: kept in the store, without effect.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Table, delete, insert

from authz import clock
from authz.audit.chain import MAIN
from authz.audit.tables import AuditRecord
from authz.decision.combine import Decision
from authz.decision.request import parse
from authz.directory import tables as t
from authz.directory.facts import Place
from authz.engine.policy import Policy
from authz.policy.load import load
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.decided import Caller, Decided
from authz.service.journals import catch_up
from authz.service.record_facts import FactsSummary, import_facts
from tests.oracle.answer import answer
from tests.oracle.school import School

Row = dict[str, Any]

BANGKOK = ZoneInfo("Asia/Bangkok")
NOW = datetime(2026, 11, 15, 12, tzinfo=BANGKOK)
LONG_AGO = datetime(2000, 1, 1, tzinfo=BANGKOK)
CALLER = Caller("a-test", asserts_mfa=True)
SCHOOL_PACK = Path(__file__).parents[1] / "policies" / "school"
ROSTER = "roster:a-test"
TABLES = (
    "orgs", "people", "memberships", "terms", "classes", "enrolments", "guardianships", "grants",
)  # fmt: skip


@cache
def policy() -> Policy:
    """The school pack, loaded once."""
    return load(SCHOOL_PACK)


def question(
    who: str,
    action: str,
    category: str,
    person: str,
    *,
    kind: str = "user",
    properties: Row | None = None,
    **context: Any,
) -> Row:
    """An AuthZEN request, as a caller would send it."""
    resource: Row = {"type": category, "id": person}
    if properties is not None:
        resource["properties"] = properties
    found: Row = {
        "subject": {"type": kind, "id": who},
        "action": {"name": action},
        "resource": resource,
    }
    return {**found, "context": context} if context else found


def moment(value: str | datetime) -> datetime:
    """The moment that a text names; local without an offset, as in a facts file."""
    return clock.parse(value, BANGKOK) if isinstance(value, str) else value


@contextmanager
def frozen(at: str | datetime) -> Iterator[None]:
    """The service's clock shows this moment, wherever it is read."""
    now = moment(at)
    with patch.object(clock, "now", lambda: now):
        yield


@dataclass
class World:
    """The rows of one directory; ``recorded`` is when its facts are put on file."""

    people: list[Row] = field(default_factory=list)
    orgs: list[Row] = field(default_factory=list)
    memberships: list[Row] = field(default_factory=list)
    terms: list[Row] = field(default_factory=list)
    classes: list[Row] = field(default_factory=list)
    enrolments: list[Row] = field(default_factory=list)
    guardianships: list[Row] = field(default_factory=list)
    grants: list[Row] = field(default_factory=list)
    facts: list[Row] = field(default_factory=list)
    recorded: datetime = NOW

    # Editing: what a roster brings.

    def school(self, ident: str, *, below: str | None = None, **more: Any) -> Self:
        """An organisation, under another one where that is named."""
        self.orgs.append({"id": ident, "parent": below, **more})
        return self

    def person(self, *idents: str, born: str | None = None, at: str | None = None) -> Self:
        """People with an account; members of a school where one is named."""
        for ident in idents:
            self.people.append({"id": ident, "birth_date": born})
            if at is not None:
                self.memberships.append({"person": ident, "org": at})
        return self

    def group(self, ident: str, *, school: str | None = None, terms: Sequence[str] = ()) -> Self:
        """A class, in its terms."""
        self.classes.append({"id": ident, "school": school, "terms": list(terms)})
        return self

    def term(self, ident: str, begin: str | None, end: str | None) -> Self:
        """A term, with the dates that its classes take."""
        self.terms.append({"id": ident, "begin": begin, "end": end})
        return self

    def enrol(self, group: str, role: str, *people: str, **dates: str | None) -> Self:
        """People who take part in a class, as ``student``, ``teacher``, ``aide``, ``proctor``."""
        for person in people:
            self.enrolments.append({"class": group, "person": person, "role": role, **dates})
        return self

    # Editing: facts.

    def fact(self, kind: str, /, **members: Any) -> Self:
        """A line of a facts file; ``from_`` stands for ``from``."""
        self.facts.append({"fact": kind, **_unscored(members)})
        return self

    def grant(
        self, person: str, role: str, organisation: str | None = None, **dates: str | None
    ) -> Self:
        """A role that somebody granted."""
        where = {} if organisation is None else {"organisation": organisation}
        return self.fact(
            "grant", person=person, role=role, **where, granted_by="office", reason="duty", **dates
        )

    def guardian(
        self, guardian: str, student: str, kind: str = "parent", **dates: str | None
    ) -> Self:
        """A guardianship on file."""
        return self.fact("guardianship", guardian=guardian, student=student, kind=kind, **dates)

    # Using.

    def import_into(self, engine: Engine, lines: Iterable[Mapping[str, Any]]) -> FactsSummary:
        """Put fact lines on file through the real import, at ``recorded``."""
        texts = [json.dumps(line) for line in lines]
        with frozen(self.recorded):
            return import_facts(
                engine,
                lambda: texts,
                name="facts.jsonl",
                catalogue=policy().catalogue,
                local=BANGKOK,
                by="a-test",
                because="a test",
            )

    def store(self, engine: Engine) -> Self:
        """Put the world in a store: the roster's rows by insert, the facts by import."""
        with engine.begin() as connection:
            for name in TABLES:
                rows = [_STORED[name](row) for row in getattr(self, name)]
                if rows:
                    connection.execute(insert(_MAPPED[name]), rows)
        if self.facts:
            self.import_into(engine, self.facts)
        return self

    def oracle(self) -> School:
        """The same rows as the oracle reads them: only what has not ended."""
        roster = {name: [r for r in getattr(self, name) if not r.get("ended")] for name in TABLES}
        return School.build(**roster).with_facts(self.facts, at=self.recorded)

    def ask(
        self, engine: Engine, request: Row, *, at: str | datetime = NOW, caller: Caller = CALLER
    ) -> Decision:
        """The decision of the real decision point at that moment, recorded as any other."""
        return self.ask_all(engine, [request], at=at, caller=caller)[0].decision

    def ask_all(
        self,
        engine: Engine,
        requests: Sequence[Row],
        *,
        at: str | datetime = NOW,
        caller: Caller = CALLER,
    ) -> list[Decided]:
        """The same for a batch of requests."""
        with frozen(at):
            return point(engine).evaluate([parse(each) for each in requests], caller)

    def expected(self, request: Row, *, at: str | datetime = NOW) -> Row:
        """What the oracle answers."""
        return answer(self.oracle(), request, moment(at))


def point(engine: Engine) -> DecisionPoint:
    """The decision point of the school pack over that store."""
    return DecisionPoint(engine, policy(), Place(BANGKOK))


def as_oracle(decision: Decision) -> Row:
    """A decision in the words of the oracle, to be compared."""
    return {
        "decision": decision.permit,
        "purpose": decision.purpose,
        "rules": list(decision.rules),
        "reason": None if decision.reason is None else str(decision.reason),
        "obligations": {str(name): value for name, value in decision.obligations.items()},
    }


def records(engine: Engine) -> list[Row]:
    """Every audit record of the chain ``main``, oldest first, as its members."""
    return [record for (chain, _), record in sorted(placed(engine).items()) if chain == MAIN]


def answered(engine: Engine) -> list[Row]:
    """The records of the writers' own chains, oldest first: of what was asked, no changes."""
    return [record for (chain, _), record in sorted(placed(engine).items()) if chain != MAIN]


def placed(engine: Engine) -> dict[tuple[str, int], Row]:
    """Every audit record by its chain and number, with what the journals hold."""
    assert not catch_up(engine).damage
    chain = AuditRecord.__table__
    assert isinstance(chain, Table)
    with reading(engine) as connection:
        rows = connection.execute(chain.select()).all()
    return {(row.chain, row.sequence): json.loads(row.body) for row in rows}


def clear(engine: Engine) -> None:
    """An empty directory again, for the next world; the trail is kept."""
    with engine.begin() as connection:
        for table in reversed(t.Base.metadata.sorted_tables):
            connection.execute(delete(table))


def _unscored(members: Mapping[str, Any]) -> Row:
    return {name.rstrip("_"): value for name, value in members.items()}


def _at(value: str | None) -> datetime | None:
    return None if value is None else moment(value)


def _recorded(row: Mapping[str, Any]) -> Row:
    ended = LONG_AGO if row.get("ended") is True else None
    return {"origin": ROSTER, "recorded_at": LONG_AGO, "ended_at": ended}


def _dates(row: Mapping[str, Any], begin: str = "from", end: str = "until") -> Row:
    return {"valid_from": _at(row.get(begin)), "valid_until": _at(row.get(end)), **_recorded(row)}


def _key(*parts: Any) -> str:
    return json.dumps(parts)


def _person(row: Mapping[str, Any]) -> Row:
    born = row.get("birth_date")
    return {
        **_recorded(row),
        "id": row["id"],
        "birth_date": None if born is None else date.fromisoformat(born),
        "status": row.get("status", "active"),
        "cancelled_at": _at(row.get("cancelled_at")),
        "last_used_at": _at(row.get("last_used_at")),
        "ended_at": _at(row.get("ended_at")),
    }


_MAPPED: Mapping[str, type[t.Base]] = {
    "orgs": t.Organisation,
    "people": t.Person,
    "memberships": t.Membership,
    "terms": t.Term,
    "classes": t.Class,
    "enrolments": t.Enrolment,
    "guardianships": t.Guardianship,
    "grants": t.Grant,
}
_STORED: Mapping[str, Any] = {
    "orgs": lambda r: {"id": r["id"], "parent": r.get("parent"), **_recorded(r)},
    "people": _person,
    "memberships": lambda r: {
        "id": _key(r["person"], r["org"], r.get("from")),
        "person": r["person"],
        "organisation": r["org"],
        **_dates(r),
    },
    "terms": lambda r: {
        "id": r["id"],
        "begins": _at(r.get("begin")),
        "ends": _at(r.get("end")),
        **_recorded(r),
    },
    "classes": lambda r: {
        "id": r["id"],
        "organisation": r.get("school"),
        "terms": r.get("terms", []),
        **_recorded(r),
    },
    "enrolments": lambda r: {
        "id": _key(r["class"], r["person"], r["role"], r.get("begin")),
        "class": r["class"],
        "person": r["person"],
        "role": r["role"],
        **_dates(r, "begin", "end"),
    },
    "guardianships": lambda r: {
        "id": _key(r["guardian"], r["student"], r["kind"]),
        "guardian": r["guardian"],
        "student": r["student"],
        "kind": r["kind"],
        **_dates(r),
    },
    "grants": lambda r: {
        "id": _key(r["person"], r["role"], r.get("organisation"), r.get("from")),
        "person": r["person"],
        "role": r["role"],
        "organisation": r.get("organisation"),
        **_dates(r),
    },
}
