"""Makes the rows of facts, a batch at a time, with what stood there before (N-49).

Per batch, what it refers to and what it replaces is read with one statement a table; no
line asks the database by itself. Nothing is written here: a batch gives steps, which are
run at once, or once all of them are known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select
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
from authz.directory.recording.owned import children_after, children_of, of_children
from authz.directory.recording.schools import of_schools
from authz.directory.recording.step import Do, Step, keyed, steps
from authz.errors import FactError


class Batch(NamedTuple):
    """What a batch of facts changes, what writes it, and the errors of what cannot be written."""

    changes: list[Change]
    steps: list[Step]
    problems: list[FactError]


class AgainError(Exception):
    """A fact of an earlier batch comes again, and that batch is not written yet."""


@dataclass
class Writer:
    """Makes batches of facts from one snapshot, or one transaction, which the caller owns.

    ``ahead``: no batch is written before the last one is made.
    """

    connection: Connection
    author: Author
    name: str
    ahead: bool = False
    known: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    made: dict[str, set[Key]] = field(default_factory=lambda: defaultdict(set))

    def batch(self, facts: Sequence[Fact]) -> Batch:
        """The facts in their order; AgainError where what stands before them is not to be seen."""
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
        made = Batch([], [], problems)
        if not problems:
            for table, some in by_table.items():
                self._table(table, some, made)
        return made

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

    def _table(self, table: Table, facts: list[Fact], made: Batch) -> None:
        keys = [key_of(table, fact) for fact in facts]
        self._once(table, keys)
        stored = self._stored(table, set(keys))
        originally = dict(stored)
        children = children_of(self.connection, facts, set(keys))
        changes: list[Change] = []
        for key, fact in zip(keys, facts, strict=True):
            before = stored.get(key)
            if fact.delete and before is None:
                made.problems.append(
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
        after_all = {key: stored[key] for key in keys if key in stored}
        made.steps.extend(_rows(table, originally, after_all))
        made.steps.extend(of_children(facts, children))
        if table is table_of(t.Person):
            written, before_all = of_schools(self.connection, self.author, facts)
            made.steps.extend(written)
            changes = with_schools(changes, before_all)
        made.changes.extend(changes)

    def _once(self, table: Table, keys: Iterable[Key]) -> None:
        """What is not written yet cannot be read; so no key may come in two batches."""
        if self.ahead:
            new, before = set(keys), self.made[table.name]
            if not before.isdisjoint(new):
                raise AgainError
            before |= new

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


def _rows(table: Table, before: Mapping[Key, Row], after: Mapping[Key, Row]) -> list[Step]:
    """What puts the rows after in the place of those before."""
    names = [column.name for column in table.primary_key.columns]
    new = [row for key, row in after.items() if key not in before]
    changed = [keyed(row, names) for key, row in after.items() if key in before]
    return steps(Do.INSERT, table, new) + steps(Do.UPDATE, table, changed)


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
