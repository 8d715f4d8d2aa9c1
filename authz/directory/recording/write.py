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
Row = dict[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a line did to the fact of its key; values as JSON can hold them."""

    fact: Fact
    before: Row | None
    after: Row


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
            self._flush_schools(facts)
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

    def _flush_schools(self, facts: list[Fact]) -> None:
        """``schools`` replaces the memberships that an earlier fact named (page 5)."""
        wanted = {
            f.values["id"]: f.values["schools"]
            for f in facts
            if "schools" in f.values and not f.delete
        }
        if not wanted:
            return
        table, now = t.Membership, self.author.now
        standing: set[tuple[str, str]] = set()
        for some in _slices(sorted(wanted)):
            rows = self.connection.execute(
                select(table.id, table.person, table.organisation, table.ended_at).where(
                    table.person.in_(some), table.origin == ORIGIN
                )
            ).all()
            gone = [
                r.id for r in rows if r.organisation not in wanted[r.person] and r.ended_at is None
            ]
            back = [
                r.id for r in rows if r.organisation in wanted[r.person] and r.ended_at is not None
            ]
            standing |= {(r.person, r.organisation) for r in rows}
            for ids, moment in ((gone, now), (back, None)):
                if ids:
                    self.connection.execute(
                        update(table).where(table.id.in_(ids)).values(ended_at=moment)
                    )
        rows_new = [
            {
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
            for person, schools in wanted.items()
            for school in schools
            if (person, school) not in standing
        ]
        if rows_new:
            self.connection.execute(insert(table), rows_new)


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
    return {"list": sorted(children)} if row is not None and children else {}


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
