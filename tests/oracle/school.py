"""A school as plain rows: what a OneRoster folder and the facts of 4.4 say, and no opinion."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from .moments import Row

# Page 5, "Facts replace by key"; every other kind has `id`.
KEYS: dict[str, tuple[str, ...]] = {
    "grant": ("person", "role", "organisation", "from"),
    "guardianship": ("guardian", "student", "kind"),
    "custody_restriction": ("subject", "person"),
    "emancipation": ("person",),
    "restriction": ("person",),
    "erasure": ("person",),
    "mentoring": ("mentor", "person"),
    "elevation": ("person", "school", "from"),
    "consent": ("person", "purpose", "project", "given_at"),
    "objection": ("person", "purpose"),
}
KINDS = (
    *KEYS, "person", "processor", "authority", "contract", "order", "ticket", "purchase", "case",
    "project",
)  # fmt: skip
# 4.4: who becomes school_admin, by version of the roster.
ADMINS = {
    "1.1": frozenset({"administrator"}),
    "1.2": frozenset({"principal", "siteAdministrator", "districtAdministrator"}),
}
WEAKEST_FIRST = ("relative", "guardian", "parent")  # page 5, "Agent links"
LONG_AGO = "0001-01-02T00:00:00+00:00"

Key = tuple[Any, ...]
Facts = Mapping[str, Mapping[Key, Row]]


def _clean(row: Mapping[str, Any]) -> dict[str, Any]:
    """Page 5: "a member that is null is absent"."""
    return {k: v for k, v in row.items() if v is not None and k not in ("fact", "delete")}


def _by_id(rows: Iterable[Mapping[str, Any]]) -> dict[str, Row]:
    return {row["id"]: _clean(row) for row in rows}


@dataclass(frozen=True)
class School:
    """Rows of one directory. `grants` and `guardianships` here are the roster's own; those
    recorded as facts are in `facts`, by kind and key."""

    people: Mapping[str, Row] = field(default_factory=dict)
    orgs: Mapping[str, Row] = field(default_factory=dict)
    memberships: Sequence[Row] = ()
    terms: Mapping[str, Row] = field(default_factory=dict)
    classes: Mapping[str, Row] = field(default_factory=dict)
    enrolments: Sequence[Row] = ()
    grants: Sequence[Row] = ()
    guardianships: Sequence[Row] = ()
    facts: Facts = field(default_factory=dict)

    @classmethod
    def build(
        cls,
        *,
        people: Iterable[Mapping[str, Any]] = (),
        orgs: Iterable[Mapping[str, Any]] = (),
        memberships: Iterable[Mapping[str, Any]] = (),
        terms: Iterable[Mapping[str, Any]] = (),
        classes: Iterable[Mapping[str, Any]] = (),
        enrolments: Iterable[Mapping[str, Any]] = (),
        guardianships: Iterable[Mapping[str, Any]] = (),
        grants: Iterable[Mapping[str, Any]] = (),
        facts: Iterable[Mapping[str, Any]] = (),
    ) -> School:
        """A school from plain dicts; `guardianships` and `grants` are the roster's."""
        return cls(
            people=_by_id(people),
            orgs=_by_id(orgs),
            memberships=tuple(map(_clean, memberships)),
            terms=_by_id(terms),
            classes=_by_id(classes),
            enrolments=tuple(map(_clean, enrolments)),
            grants=tuple(map(_clean, grants)),
            guardianships=tuple(map(_clean, guardianships)),
        ).with_facts(facts)

    @classmethod
    def from_roster(cls, path: str | Path) -> School:
        """4.4 "From OneRoster" for a folder of 1.1 or 1.2, its living rows only."""
        return _Roster(Path(path)).school()

    def with_facts(
        self, lines: Iterable[Mapping[str, Any]], *, at: datetime | None = None
    ) -> School:
        """Page 5: a line replaces the fact of its key, `"delete": true` ends it. `at` is the
        moment of the import (the end of what a line ends); without it: since ever."""
        moment = LONG_AGO if at is None else at.isoformat()
        people = dict(self.people)
        kept: dict[str, dict[Key, Row]] = {kind: dict(rows) for kind, rows in self.facts.items()}
        for line in lines:
            kind = line["fact"]
            if kind not in KINDS:
                raise ValueError(f"unknown fact {kind!r}")
            if kind == "person":
                people[line["id"]] = _person(people.get(line["id"]), line, at)
                continue
            rows = kept.setdefault(kind, {})
            key = tuple(line.get(name) for name in KEYS.get(kind, ("id",)))
            if line.get("delete") is not True:
                rows[key] = _clean(line)
            elif key in rows:
                rows[key] = {**rows[key], "deleted_at": moment}
        return replace(self, people=people, facts=kept)

    def rows(self, kind: str) -> Iterable[Row]:
        """Every fact of a kind, ended ones included."""
        return self.facts.get(kind, {}).values()

    def row(self, kind: str, ident: str | None) -> Row | None:
        """The fact of a kind that has `id`."""
        return self.facts.get(kind, {}).get((ident,))

    def all_grants(self) -> Iterator[Row]:
        yield from self.grants
        yield from self.rows("grant")

    def all_guardianships(self) -> Iterator[Row]:
        """2.4: "recorded as a fact for a pair supersedes the roster's link of that pair", also
        when that fact has ended. Each with its `origin`."""
        recorded = {(row["guardian"], row["student"]) for row in self.rows("guardianship")}
        for row in self.guardianships:
            if (row["guardian"], row["student"]) not in recorded:
                yield {**row, "origin": "roster"}
        for row in self.rows("guardianship"):
            yield {**row, "origin": "fact"}

    @cached_property
    def wards(self) -> Mapping[tuple[str, str], list[Row]]:
        """Guardianships by (guardian, student)."""
        found: dict[tuple[str, str], list[Row]] = {}
        for row in self.all_guardianships():
            found.setdefault((row["guardian"], row["student"]), []).append(row)
        return found

    @cached_property
    def memberships_of(self) -> Mapping[str, list[Row]]:
        """Page 5, "Membership": of orgSourcedIds, roles.csv, `person.schools`."""
        found: dict[str, list[Row]] = {}
        for row in self.memberships:
            found.setdefault(row["person"], []).append(row)
        for ident, person in self.people.items():
            for org in person.get("schools", ()):
                found.setdefault(ident, []).append({"person": ident, "org": org})
        return found

    @cached_property
    def enrolments_of(self) -> Mapping[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.enrolments:
            found.setdefault(row["person"], []).append(row)
        return found

    @cached_property
    def grants_of(self) -> Mapping[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.all_grants():
            found.setdefault(row["person"], []).append(row)
        return found


def _person(old: Row | None, line: Mapping[str, Any], at: datetime | None) -> Row:
    """2.4: "a `person` fact changes only the members it carries"; page 5, "Leaving"."""
    before = dict(old or {})
    new = {"status": "deregistered"} if line.get("delete") is True else _clean(line)
    gone = before.get("status") == "deregistered"
    if gone and new.get("status", "deregistered") != "deregistered":
        before = {k: v for k, v in before.items() if k not in ("cancelled_at", "ended_at")}
    if not gone and new.get("status") == "deregistered" and at is not None:
        new = {"ended_at": at.isoformat(), **new}
    return {"id": line["id"], **before, **new}


class _Roster:
    """The living rows of one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.users = {row["sourcedId"]: row for row in self.read("users")}
        self.dated = (path / "roles.csv").exists()  # 1.2
        self.held = list(self.roles())

    def read(self, name: str) -> Iterator[dict[str, str]]:
        file = self.path / f"{name}.csv"
        if not file.exists():
            return
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.DictReader(lines):
                if row.get("status", "") in ("", "active"):
                    yield {k: v.strip() for k, v in row.items() if k and isinstance(v, str)}

    def roles(self) -> Iterator[Row]:
        """(person, role, org, from, until): 1.1 users.csv, one role for all; 1.2 roles.csv."""
        if self.dated:
            for row in self.read("roles"):
                yield _clean({
                    "person": row["userSourcedId"], "role": row["role"],
                    "org": row["orgSourcedId"], "from": row.get("beginDate") or None,
                    "until": row.get("endDate") or None,
                })  # fmt: skip
            return
        for ident, row in self.users.items():
            for org in _listed(row.get("orgSourcedIds")) or [""]:
                yield {"person": ident, "role": row.get("role", ""), "org": org}

    def school(self) -> School:
        born = {r["sourcedId"]: r.get("birthDate") or None for r in self.read("demographics")}
        admins = ADMINS["1.2" if self.dated else "1.1"]
        return School.build(
            people=[self.person(ident, born.get(ident)) for ident in self.users],
            orgs=[
                {"id": r["sourcedId"], "parent": r.get("parentSourcedId") or None}
                for r in self.read("orgs")
            ],
            memberships=[r for r in self.held if r["org"]],
            terms=[
                {"id": r["sourcedId"], "begin": r["startDate"] or None, "end": r["endDate"] or None}
                for r in self.read("academicSessions")
            ],
            classes=[
                {
                    "id": r["sourcedId"],
                    "school": r.get("schoolSourcedId") or None,
                    "terms": _listed(r.get("termSourcedIds")),
                }
                for r in self.read("classes")
            ],
            enrolments=[
                {
                    "id": r["sourcedId"],
                    "class": r["classSourcedId"],
                    "person": r["userSourcedId"],
                    "role": r["role"],
                    "begin": r.get("beginDate") or None,
                    "end": r.get("endDate") or None,
                }
                for r in self.read("enrollments")
            ],
            grants=[
                {**r, "role": "school_admin", "organisation": r["org"]}
                for r in self.held
                if r["role"] in admins and r["org"]
            ],
            guardianships=list(self.agents()),
        )

    def person(self, ident: str, born: str | None) -> Row:
        row = self.users[ident]
        enabled = row.get("enabledUser", "true").lower() != "false"
        return _clean({
            "id": ident, "given_name": row.get("givenName"), "family_name": row.get("familyName"),
            "birth_date": born, "status": "active" if enabled else "suspended",
        })  # fmt: skip

    def agents(self) -> Iterator[Row]:
        """4.4, page 5 "Agent links": either direction, an adult's role and a student, and of
        several such roles the weakest."""
        roles: dict[str, set[str]] = {}
        for row in self.held:
            roles.setdefault(row["person"], set()).add(row["role"])
        pairs = {
            pair
            for ident, row in self.users.items()
            for agent in _listed(row.get("agentSourcedIds"))
            if agent in self.users
            for pair in ((ident, agent), (agent, ident))
        }
        for adult, child in sorted(pairs):
            kinds = [kind for kind in WEAKEST_FIRST if kind in roles.get(adult, ())]
            if kinds and "student" in roles.get(child, ()):
                yield {"guardian": adult, "student": child, "kind": kinds[0]}


def _listed(text: str | None) -> list[str]:
    return [item.strip() for item in (text or "").split(",") if item.strip()]
