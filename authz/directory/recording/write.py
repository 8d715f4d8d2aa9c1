"""Writes facts to the tables, a batch at a time, with what stood there before (N-49).

Per batch, what it refers to and what it replaces is read with one statement a table; no
line asks the database by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, select, update
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from authz.directory import tables as t
from authz.directory.collation import name_order
from authz.directory.recording.change import (
    ORIGIN,
    Author,
    Change,
    Key,
    Row,
    listed,
    shown,
    with_schools,
)
from authz.directory.recording.lines import Fact
from authz.directory.recording.lookup import is_one, key_of, references, slices, table_of
from authz.directory.recording.owned import children_after, children_of, flush_children
from authz.directory.recording.schools import flush_schools
from authz.errors import FactError


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
            by_table[table_of(fact.kind.table)].append(fact)
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
            for kind, name in references(fact):
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
        for some in slices(sorted(names)):
            found.update(self.connection.scalars(select(column).where(column.in_(some), *extra)))
        return found

    def _missing(self, fact: Fact) -> str:
        if fact.delete:
            return ""
        for kind, name in references(fact):
            if name not in self.known[kind]:
                return f"The {kind} {name[:60]!r} is not in the directory."
        return ""

    def _write_table(
        self, table: Table, facts: list[Fact], problems: list[FactError]
    ) -> list[Change]:
        keys = [key_of(table, fact) for fact in facts]
        stored = self._stored(table, set(keys))
        originally = dict(stored)
        children = children_of(self.connection, facts, set(keys))
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
            before_list = listed(before, children.get(key))
            after = dict(row)
            if not fact.delete:
                children[key] = children_after(fact, children.get(key))
            changes.append(
                Change(
                    fact,
                    shown(before, before_list),
                    shown(after, listed(after, children.get(key))) or {},
                )
            )
            stored[key] = row
        self._flush(table, originally, {key: stored[key] for key in keys if key in stored})
        flush_children(self.connection, facts, children)
        if table is table_of(t.Person):
            changes = with_schools(changes, flush_schools(self.connection, self.author, facts))
        return changes

    def _stored(self, table: Table, keys: set[Key]) -> dict[Key, Row]:
        columns = list(table.primary_key.columns)
        found: dict[Key, Row] = {}
        for some in slices(sorted(keys)):
            for row in self.connection.execute(select(table).where(is_one(columns, some))):
                mapping = dict(row._mapping)  # noqa: SLF001 (public under this name)
                found[tuple(mapping[column.name] for column in columns)] = mapping
        return found

    def _row(self, table: Table, key: Key, fact: Fact, before: Row | None) -> Row:
        """The whole row after this line."""
        author = self.author
        if fact.delete:
            ended = {"ended_at": (before or {}).get("ended_at") or author.now}
            gone = {"status": "deregistered"} if table is table_of(t.Person) else {}
            return {**(before or {}), **ended, **gone, **self.author.recorded()}
        columns = dict(zip((c.name for c in table.primary_key.columns), key, strict=True))
        carried = {
            member.column or name: fact.values.get(name)
            for name, member in fact.kind.members.items()
            if member.stored
        }
        if table is table_of(t.Person):
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
            **self.author.recorded(),
        }

    def _person(self, fact: Fact, before: Row | None, columns: Row) -> Row:
        """A person changes only in the members carried; registered again, the clocks clear."""
        carried = {n: v for n, v in fact.values.items() if fact.kind.members[n].stored}
        if before is None:
            before = {c.name: None for c in table_of(t.Person).columns}
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
            self.author.recorded()
            if "status" in carried or before.get("recorded_at") is None
            else {}
        )
        row |= {**carried, **recorded}
        return {**row, "name_order": name_order(row["given_name"], row["family_name"])}

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


_REFERRED: Mapping[str, Any] = {
    "person": t.Person,
    "organisation": t.Organisation,
    "project": t.Project,
}


def _defaults(table: Table) -> Row:
    """What a column holds where a line says nothing: its own default."""
    return {
        column.name: column.default.arg
        for column in table.columns
        if isinstance(column.default, ScalarElementColumnDefault)
    }
