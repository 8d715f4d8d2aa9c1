"""The names of people and organisations by their ids, for lists that hold ids: one query each."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Engine, select

from authz.directory.tables import Organisation, Person
from authz.service.database import reading


def people(store: Engine, ids: Iterable[str]) -> dict[str, str]:
    """The names on file of these people; who has none is called by the id."""
    wanted = sorted({each for each in ids if each})
    found = dict.fromkeys(wanted, "")
    with reading(store) as connection:
        for start in range(0, len(wanted), 500):
            chosen = Person.id.in_(wanted[start : start + 500])
            columns = (Person.id, Person.given_name, Person.family_name)
            for ident, given, family in connection.execute(select(*columns).where(chosen)):
                found[ident] = f"{given} {family}".strip()
    return {ident: name or ident for ident, name in found.items()}


def organisations(store: Engine, ids: Iterable[str]) -> dict[str, str]:
    """The names of these organisations."""
    wanted = sorted({each for each in ids if each})
    found = {ident: ident for ident in wanted}
    with reading(store) as connection:
        for start in range(0, len(wanted), 500):
            chosen = Organisation.id.in_(wanted[start : start + 500])
            columns = (Organisation.id, Organisation.name)
            for ident, name in connection.execute(select(*columns).where(chosen)):
                found[ident] = name or ident
    return found
