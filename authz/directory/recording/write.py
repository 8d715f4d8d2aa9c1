"""Writes facts to the tables, a batch at a time, with what stood there before (N-49).

Per batch, what it refers to and what it replaces is read with one statement a table; no
line asks the database by itself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, or_, select, tuple_, update
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from authz.directory import tables as t
from authz.directory.collation import name_order
from authz.directory.recording.lines import Fact
from authz.errors import FactError

ORIGIN = "fact"
LIST = "list"
"""Under this name a record has what stands in a table of its own: persons or members."""
Row = dict[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a line did to the fact of its key; values as JSON can hold them."""

    fact: Fact
    before: Row | None
    after: Row

    @property
    def people(self) -> set[str]:
        """The persons whom the fact names or named, and the members of a recipient."""
        kind, found = self.fact.kind, {self.fact.about} - {""}
        named = {
            member.column or name
            for name, member in kind.members.items()
            if member.refers == "person" and member.stored
        }
        for row in (self.before or {}, self.after):
            found.update(str(row[name]) for name in named if row.get(name))
            found.update(row.get(LIST, ()))
        return found


@dataclass(frozen=True, slots=True)
class Author:
    """Who puts the facts on file, why, and when (N-02, N-43)."""

    by: str
    because: str
    now: datetime


@dataclass
class Writer:
    """Writes batches of facts in one transaction, which the caller owns."""

    connection: Connection
    author: Author
    name: str
    known: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def write(self, facts: Sequence[Fact]) -> tuple[list[Change], list[FactError]]:
        """Put the facts on file in their order; the errors of those that cannot be."""
        self._look_up(facts)
        by_table: dict[Table, list[Fact]] = defaultdict(list)
        problems: list[FactError] = []
        for fact in facts:
            missing = self._missing(fact)
            if missing:
                problems.append(FactError(missing, where=f"{self.name}:{fact.line}"))
                continue
            by_table[_table(fact.kind.table)].append(fact)
            if not fact.delete:
                self.known[fact.kind.name].add(str(fact.values.get("id", "")))
        changes: list[Change] = []
        if not problems:
            for table, some in by_table.items():
                changes += self._write_table(table, some, problems)
        return changes, problems

    def _look_up(self, facts: Iterable[Fact]) -> None:
        """Learn which of the rows referred to exist."""
        wanted: dict[str, set[str]] = defaultdict(set)
        for fact in facts:
            for kind, name in _references(fact):
                if name not in self.known[kind]:
                    wanted[kind].add(name)
        for kind, names in wanted.items():
            self.known[kind].update(self._existing(kind, names))

    def _existing(self, kind: str, names: set[str]) -> set[str]:
        if kind in ("processor", "authority"):
            column, extra = t.Recipient.id, [t.Recipient.kind == kind]
        else:
            column, extra = _REFERRED[kind].id, []
        found: set[str] = set()
        for some in _slices(sorted(names)):
            found.update(self.connection.scalars(select(column).where(column.in_(some), *extra)))
        return found

    def _missing(self, fact: Fact) -> str:
        if fact.delete:
            return ""
        for kind, name in _references(fact):
            if name not in self.known[kind]:
                return f"The {kind} {name[:60]!r} is not in the directory."
        return ""

    def _write_table(
        self, table: Table, facts: list[Fact], problems: list[FactError]
    ) -> list[Change]:
        keys = [_key(table, fact) for fact in facts]
        stored = self._stored(table, set(keys))
        originally = dict(stored)
        children = self._children(facts, set(keys))
        changes: list[Change] = []
        for key, fact in zip(keys, facts, strict=True):
            before = stored.get(key)
            if fact.delete and before is None:
                problems.append(
                    FactError(
                        f"There is no such {fact.kind.name} to delete.",
                        where=f"{self.name}:{fact.line}",
                    )
                )
                continue
            row = self._row(table, key, fact, before)
            listed = {**_listed(before, children.get(key))}
            after = dict(row)
            if not fact.delete:
                children[key] = _new_children(fact, children.get(key))
            changes.append(
                Change(
                    fact,
                    _shown(before, listed),
                    _shown(after, _listed(after, children.get(key))) or {},
                )
            )
            stored[key] = row
        self._flush(table, originally, {key: stored[key] for key in keys if key in stored})
        self._flush_children(facts, children)
        if table is _table(t.Person):
            changes = _with_schools(changes, self._flush_schools(facts))
        return changes

    def _stored(self, table: Table, keys: set[Key]) -> dict[Key, Row]:
        columns = list(table.primary_key.columns)
        found: dict[Key, Row] = {}
        for some in _slices(sorted(keys)):
            for row in self.connection.execute(select(table).where(_is_one(columns, some))):
                mapping = dict(row._mapping)  # noqa: SLF001 (public under this name)
                found[tuple(mapping[column.name] for column in columns)] = mapping
        return found

    def _row(self, table: Table, key: Key, fact: Fact, before: Row | None) -> Row:
        """The whole row after this line."""
        author = self.author
        if fact.delete:
            ended = {"ended_at": (before or {}).get("ended_at") or author.now}
            gone = {"status": "deregistered"} if table is _table(t.Person) else {}
            return {**(before or {}), **ended, **gone, **self._recorded()}
        columns = dict(zip((c.name for c in table.primary_key.columns), key, strict=True))
        carried = {
            member.column or name: fact.values.get(name)
            for name, member in fact.kind.members.items()
            if member.stored
        }
        if table is _table(t.Person):
            return self._person(fact, before, columns)
        empty = dict.fromkeys(c.name for c in table.columns)
        filled = {name: value for name, value in carried.items() if value is not None}
        nothing = dict.fromkeys(carried)
        return {
            **empty,
            **nothing,
            **_defaults(table),
            **filled,
            **columns,
            "origin": ORIGIN,
            "ended_at": None,
            **self._recorded(),
        }

    def _person(self, fact: Fact, before: Row | None, columns: Row) -> Row:
        """A person changes only in the members carried; registered again, the clocks clear."""
        carried = {n: v for n, v in fact.values.items() if fact.kind.members[n].stored}
        if before is None:
            before = {c.name: None for c in _table(t.Person).columns}
            before |= {
                "given_name": "",
                "family_name": "",
                "birth_date_from": "",
                "status": "active",
                "origin": ORIGIN,
            }
        row = {**before, **columns}
        status = carried.get("status", row["status"])
        if status != "deregistered" and row["status"] == "deregistered":
            row |= {"ended_at": None, "cancelled_at": None}
        if status == "deregistered" and row["status"] != "deregistered":
            row["ended_at"] = self.author.now
        if "birth_date" in carried:
            row["birth_date_from"] = f"{ORIGIN}:{self.author.by}"
        # A roster never re-opens a status that somebody else recorded; other members keep it so.
        recorded = (
            self._recorded() if "status" in carried or before.get("recorded_at") is None else {}
        )
        row |= {**carried, **recorded}
        return {**row, "name_order": name_order(row["given_name"], row["family_name"])}

    def _recorded(self) -> Row:
        return {
            "recorded_at": self.author.now,
            "recorded_by": self.author.by,
            "recorded_because": self.author.because,
        }

    def _flush(self, table: Table, before: Mapping[Key, Row], after: Mapping[Key, Row]) -> None:
        new = [row for key, row in after.items() if key not in before]
        changed = [row for key, row in after.items() if key in before]
        if new:
            self.connection.execute(insert(table), new)
        if changed:
            names = [c.name for c in table.primary_key.columns]
            statement = (
                update(table)
                .where(*(table.c[name] == bindparam(f"key_{name}") for name in names))
                .values({c.name: bindparam(c.name) for c in table.columns if c.name not in names})
            )
            self.connection.execute(
                statement, [{**{f"key_{n}": row[n] for n in names}, **row} for row in changed]
            )

    def _children(self, facts: list[Fact], keys: set[Key]) -> dict[Key, list[str]]:
        """The lists that stand in tables of their own (persons of an order, members)."""
        children = facts[0].kind.children
        if children is None:
            return {}
        _, child, parent, item = children
        owned = _table(child)
        found: dict[Key, list[str]] = defaultdict(list)
        parents = {key[-1] for key in keys}
        owner, of = _column(child, parent), _column(child, item)
        for some in _slices(sorted(parents)):
            chosen = select(owned).where(owner.in_(some)).order_by(of)
            for row in self.connection.execute(chosen):
                mapping = row._mapping  # noqa: SLF001 (public under this name)
                lead = (mapping["kind"],) if "kind" in mapping else ()
                found[(*lead, mapping[owner.name])].append(mapping[of.name])
        return dict(found)

    def _flush_children(self, facts: list[Fact], children: Mapping[Key, list[str]]) -> None:
        spec = facts[0].kind.children
        if spec is None:
            return
        _, child, parent, item = spec
        owned = _table(child)
        owner, of = _column(child, parent), _column(child, item)
        written = {_key(_table(f.kind.table), f) for f in facts if not f.delete}
        rows = []
        for key in written:
            where: list[ColumnElement[bool]] = [owner == key[-1]]
            if len(key) > 1:
                where.append(owned.c.kind == key[0])
            self.connection.execute(delete(owned).where(*where))
            lead = {"kind": key[0]} if len(key) > 1 else {}
            rows += [{**lead, owner.name: key[-1], of.name: each} for each in children[key]]
        if rows:
            self.connection.execute(insert(owned), rows)

    def _flush_schools(self, facts: list[Fact]) -> Mapping[str, set[str]]:
        """``schools`` replaces the memberships that an earlier fact named (page 5).

        Returns the schools that each of the people belonged to by a fact before.
        """
        wanted = {
            f.values["id"]: f.values["schools"]
            for f in facts
            if "schools" in f.values and not f.delete
        }
        standing: dict[str, dict[str, Any]] = defaultdict(dict)
        for some in _slices(sorted({f.about for f in facts})):
            for row in self.connection.execute(
                select(*_SCHOOL).where(t.Membership.person.in_(some), t.Membership.origin == ORIGIN)
            ):
                standing[row.person][row.organisation] = row
        gone, back, new = [], [], []
        for person, schools in wanted.items():
            there = standing[person]
            gone += [r.id for o, r in there.items() if o not in schools and r.ended_at is None]
            back += [r.id for o, r in there.items() if o in schools and r.ended_at is not None]
            new += [self._membership(person, school) for school in schools if school not in there]
        for ids, moment in ((gone, self.author.now), (back, None)):
            for some in _slices(ids):
                changed = update(t.Membership).where(t.Membership.id.in_(some))
                self.connection.execute(changed.values(ended_at=moment))
        if new:
            self.connection.execute(insert(t.Membership), new)
        return {
            person: {school for school, row in rows.items() if row.ended_at is None}
            for person, rows in standing.items()
        }

    def _membership(self, person: str, school: str) -> Row:
        return {
            "id": json.dumps([ORIGIN, person, school], ensure_ascii=False),
            "person": person,
            "organisation": school,
            "role": "",
            "origin": ORIGIN,
            "ended_at": None,
            "valid_from": None,
            "valid_until": None,
            **self._recorded(),
        }


_SCHOOL = (
    t.Membership.id,
    t.Membership.person,
    t.Membership.organisation,
    t.Membership.ended_at,
)
_REFERRED: Mapping[str, Any] = {
    "person": t.Person,
    "organisation": t.Organisation,
    "project": t.Project,
}


def _table(mapped: type[t.Base]) -> Table:
    table = mapped.__table__
    assert isinstance(table, Table)  # noqa: S101 (narrowing for the type checker)
    return table


def _column(mapped: type[t.Base], attribute: str) -> Any:
    return mapped.__mapper__.columns[attribute]


def _defaults(table: Table) -> Row:
    """What a column holds where a line says nothing: its own default."""
    return {
        column.name: column.default.arg
        for column in table.columns
        if isinstance(column.default, ScalarElementColumnDefault)
    }


def _key(table: Table, fact: Fact) -> Key:
    return (fact.kind.name, fact.key) if table is _table(t.Recipient) else (fact.key,)


def _references(fact: Fact) -> Iterable[tuple[str, str]]:
    for name, member in fact.kind.members.items():
        value = fact.values.get(name)
        if not member.refers or value is None:
            continue
        for each in value if isinstance(value, list) else [value]:
            yield member.refers, each


def _new_children(fact: Fact, before: list[str] | None) -> list[str]:
    if fact.kind.children is None:
        return []
    named = fact.values.get(fact.kind.children[0])
    return list(named) if named is not None else list(before or [])


def _listed(row: Row | None, children: list[str] | None) -> Row:
    return {LIST: sorted(children)} if row is not None and children else {}


def _with_schools(changes: list[Change], before: Mapping[str, set[str]]) -> list[Change]:
    """The changes of people, with the schools that they belong to by these facts."""
    standing = {person: sorted(schools) for person, schools in before.items()}
    told = []
    for change in changes:
        fact, was = change.fact, standing.get(change.fact.about, [])
        now = was if fact.delete else sorted(fact.values.get("schools", was))
        standing[fact.about] = now
        old = {**change.before, **_some(was)} if change.before is not None else None
        told.append(Change(fact, old, {**change.after, **_some(now)}))
    return told


def _some(schools: list[str]) -> Row:
    return {"schools": schools} if schools else {}


def _shown(row: Row | None, listed: Row) -> Row | None:
    """A row as an audit record may hold it: what is set, as JSON values."""
    if row is None:
        return None
    kept = {
        name: value.isoformat() if isinstance(value, date | datetime) else value
        for name, value in row.items()
        if value not in (None, "") and not name.startswith("recorded_") and name != "origin"
    }
    return {**kept, **listed}


def _is_one(columns: list[Any], keys: Sequence[Key]) -> ColumnElement[bool]:
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])  # type: ignore[no-any-return]
    if len(keys) < 2:  # noqa: PLR2004
        return or_(*(tuple_(*columns) == key for key in keys))
    return tuple_(*columns).in_(list(keys))


def _slices(items: Sequence[Any], size: int = 500) -> Iterable[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
