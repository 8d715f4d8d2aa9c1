"""What people call the ids that lines name: one statement for each kind of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from authz.directory import tables as t


@dataclass(frozen=True, slots=True)
class Names:
    """Names by table and id; an id without one is told as it is."""

    known: Mapping[tuple[type[t.Base], str], str]
    orders: Mapping[str, str]

    @property
    def people(self) -> list[str]:
        """The ids of those who have a name."""
        return [ident for (table, ident), name in self.known.items() if table is t.Person and name]

    def person(self, ident: str) -> str:
        """Somebody's name."""
        return self.known.get((t.Person, ident)) or ident

    def of(self, kind: str, ident: str) -> str:
        """The name of a class, an organisation or a recipient."""
        return self.known.get((_TABLES[kind], ident)) or ident

    def order(self, ident: str) -> tuple[str, str]:
        """Where a person stands among people."""
        return self.orders.get(ident, ""), ident


_TABLES: Mapping[str, type[t.Base]] = {
    "class": t.Class, "organisation": t.Organisation, "recipient": t.Recipient
}  # fmt: skip
_TITLES: Mapping[type[t.Base], Any] = {
    t.Class: t.Class.title, t.Organisation: t.Organisation.name, t.Recipient: t.Recipient.name
}  # fmt: skip


def names(connection: Connection, idents: Mapping[type[t.Base], Collection[str]]) -> Names:
    """The names of these ids, each by its table."""
    known: dict[tuple[type[t.Base], str], str] = {}
    orders: dict[str, str] = {}
    p = t.Person
    if people := sorted(idents.get(p, ())):
        query = select(p.id, p.given_name, p.family_name, p.name_order).where(p.id.in_(people))
        for ident, given, family, order in connection.execute(query):
            known[p, ident] = f"{given} {family}".strip()
            orders[ident] = order
    for table, title in _TITLES.items():
        if wanted := sorted(idents.get(table, ())):
            found: Any = table
            query = select(found.id, title).where(found.id.in_(wanted))
            known |= {(table, row[0]): row[1] for row in connection.execute(query)}
    return Names(known, orders)
