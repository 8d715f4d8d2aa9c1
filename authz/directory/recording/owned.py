"""Lists that stand in tables of their own: persons of an order, members of a recipient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import Connection, select

from authz.directory.recording.change import Key, Row
from authz.directory.recording.lines import Fact
from authz.directory.recording.lookup import column_of, key_of, slices, table_of
from authz.directory.recording.step import Do, Step, keyed, steps


def children_of(connection: Connection, facts: list[Fact], keys: set[Key]) -> dict[Key, list[str]]:
    """The lists that stand in tables of their own (persons of an order, members)."""
    children = facts[0].kind.children
    if children is None:
        return {}
    _, child, parent, item = children
    owned = table_of(child)
    found: dict[Key, list[str]] = defaultdict(list)
    parents = {key[-1] for key in keys}
    owner, of = column_of(child, parent), column_of(child, item)
    for some in slices(sorted(parents)):
        chosen = select(owned).where(owner.in_(some)).order_by(of)
        for row in connection.execute(chosen):
            mapping = row._mapping  # noqa: SLF001 (public under this name)
            lead = (mapping["kind"],) if "kind" in mapping else ()
            found[(*lead, mapping[owner.name])].append(mapping[of.name])
    return dict(found)


def of_children(facts: list[Fact], children: Mapping[Key, list[str]]) -> list[Step]:
    """What puts the lists of the facts in the place of those before."""
    spec = facts[0].kind.children
    if spec is None:
        return []
    _, child, parent, item = spec
    owned = table_of(child)
    owner, of = column_of(child, parent), column_of(child, item)
    written = {key_of(table_of(f.kind.table), f) for f in facts if not f.delete}
    leads = {key: _lead(key) | {owner.name: key[-1]} for key in sorted(written)}
    rows = [{**lead, of.name: each} for key, lead in leads.items() for each in children[key]]
    gone = [keyed(lead, lead) for lead in leads.values()]
    return steps(Do.DELETE, owned, gone) + steps(Do.INSERT, owned, rows)


def _lead(key: Key) -> Row:
    """What a row of the list has besides its owner's id."""
    return {"kind": key[0]} if len(key) > 1 else {}


def children_after(fact: Fact, before: list[str] | None) -> list[str]:
    """The list after this line, which may leave it as it was."""
    if fact.kind.children is None:
        return []
    named = fact.values.get(fact.kind.children[0])
    return list(named) if named is not None else list(before or [])
