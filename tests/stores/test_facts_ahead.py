"""A file of facts is made ready before it is written, so that others wait for little (4.4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from authz.audit.tables import AuditRecord
from authz.directory import tables as t
from authz.errors import AuditUnavailableError, FactError
from authz.service import changing, record_facts
from authz.service.database import reading, writing
from authz.service.record_facts import FactsSummary, import_facts
from tests.world import BANGKOK, NOW, Row, World, frozen, policy, records

PEOPLE = [f"p{number}" for number in range(7)]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches, of few lines."""
    monkeypatch.setattr(record_facts, "BATCH", 2)


def person(ident: str, **more: Any) -> Row:
    return {"fact": "person", "id": ident, "given_name": "N", "family_name": ident, **more}


def put(
    store: Engine, *lines: Row, meanwhile: Callable[[], object] = lambda: None, name: str = "f"
) -> FactsSummary:
    """The lines, with something that happens before each reading of them."""

    def opened() -> Iterator[str]:
        meanwhile()
        yield from (json.dumps(each) for each in lines)

    with frozen(NOW):
        return import_facts(
            store, opened, name=name, catalogue=policy().catalogue, local=BANGKOK, by="office"
        )


def status(store: Engine, *people: str) -> dict[str, str]:
    asked = select(t.Person.id, t.Person.status).where(t.Person.id.in_(people))
    with reading(store) as connection:
        return {row.id: row.status for row in connection.execute(asked)}


def counts(store: Engine) -> tuple[int, ...]:
    """People, records, and the revision."""
    with reading(store) as connection:
        counted = [
            connection.scalar(select(func.count()).select_from(each)) or 0
            for each in (t.Person, AuditRecord)
        ]
        return (*counted, connection.scalar(select(t.Revision.revision)) or 0)


def told(store: Engine, ident: str) -> list[tuple[int, Row, Row]]:
    """Revision, before and after of the records of a person, the oldest first."""
    found = [each for each in records(store) if each.get("resource", {}).get("id") == ident]
    return [
        (each["directory_revision"], each["detail"].get("before", {}), each["detail"]["after"])
        for each in found
    ]


def test_no_line_is_read_while_the_directory_is_held(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []

    @contextmanager
    def noted(engine: Engine) -> Iterator[Connection]:
        with writing(engine) as connection:
            held.append(True)
            yield connection
        held.pop()

    monkeypatch.setattr(record_facts, "writing", noted)
    read: list[bool] = []
    summary = put(store, *map(person, PEOPLE), meanwhile=lambda: read.append(bool(held)))
    assert read == [False, False]
    assert summary.recorded == {"person": len(PEOPLE)}
    assert status(store, *PEOPLE) == dict.fromkeys(PEOPLE, "active")
    assert [told(store, each)[0][0] for each in PEOPLE] == [summary.revision] * len(PEOPLE)


def test_who_changes_the_directory_meanwhile_is_seen(store: Engine) -> None:
    """Nobody waits, and what stood there before is told as it was."""
    put(store, person("p0"))
    others = iter([person("p0", status="suspended")])

    def meanwhile() -> None:
        for each in others:
            put(store, each, name="other")

    summary = put(store, person("p1"), person("p0", status="deregistered"), meanwhile=meanwhile)
    assert (summary.recorded, summary.replaced) == ({"person": 1}, {"person": 1})
    assert status(store, "p0", "p1") == {"p0": "deregistered", "p1": "active"}
    revisions = [revision for revision, _, _ in told(store, "p0")]
    assert revisions == [1, 2, 3]
    _, before, after = told(store, "p0")[-1]
    assert (before["status"], after["status"]) == ("suspended", "deregistered")


def test_who_is_always_overtaken_holds_the_directory_at_last(store: Engine) -> None:
    tries = iter(range(2 * record_facts.TRIES))

    def meanwhile() -> None:
        number = next(tries, None)
        if number is not None:
            put(store, person(f"other{number}"), name="other")

    summary = put(store, *map(person, PEOPLE), meanwhile=meanwhile)
    assert next(tries, None) is None
    assert summary.recorded == {"person": len(PEOPLE)}
    assert status(store, *PEOPLE) == dict.fromkeys(PEOPLE, "active")
    assert told(store, "p6") == [(summary.revision, {}, told(store, "p6")[0][2])]


def test_a_fact_may_come_again_in_a_later_batch(store: Engine) -> None:
    again = person("p0", status="suspended")
    summary = put(
        store, *map(person, PEOPLE), again, {"fact": "person", "id": "p1", "delete": True}
    )
    assert status(store, "p0", "p1") == {"p0": "suspended", "p1": "deregistered"}
    assert summary.recorded == {"person": len(PEOPLE)}
    assert (summary.replaced, summary.ended) == ({"person": 1}, {"person": 1})
    (_, nothing, first), (_, before, after) = told(store, "p0")
    assert (nothing, before) == ({}, first)
    assert after["status"] == "suspended"


def test_a_bad_line_is_told_before_anything_is_held(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(record_facts, "writing")
    with pytest.raises(FactError, match="f:8"):
        put(store, *map(person, PEOPLE), person("p8", status="asleep"))


def test_without_a_record_of_each_line_none_is_written(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, written = counts(store), iter(range(2))

    def record_ready(connection: Connection, records: Any) -> None:
        if next(written, None) is None:
            raise AuditUnavailableError("no disk")
        real(connection, records)

    real = changing.record_ready
    monkeypatch.setattr(changing, "record_ready", record_ready)
    with pytest.raises(AuditUnavailableError):
        put(store, *map(person, PEOPLE))
    assert counts(store) == before


def test_lists_and_schools_are_written_as_they_are_named(store: Engine) -> None:
    World().school("S1").store(store)
    order = {"id": "O", "authority": "A", "categories": ["contact"], "fact": "order"}
    put(store, {"fact": "authority", "id": "A", "name": "A", "members": ["court", "clerk"]})
    put(store, *map(person, PEOPLE), {**order, "persons": ["p0", "p1"]})
    summary = put(
        store,
        *(person(each, schools=["S1"]) for each in PEOPLE),
        {**order, "persons": ["p1", "p2"]},
        {"fact": "authority", "id": "A", "name": "A", "members": ["clerk"]},
    )
    assert summary.replaced == {"person": len(PEOPLE), "order": 1, "authority": 1}
    with reading(store) as connection:
        persons = connection.scalars(select(t.OrderPerson.person).order_by(t.OrderPerson.person))
        assert list(persons) == ["p1", "p2"]
        assert list(connection.scalars(select(t.RecipientMember.subject))) == ["clerk"]
        schools = connection.execute(select(t.Membership.person, t.Membership.organisation))
        assert sorted(map(tuple, schools)) == [(each, "S1") for each in PEOPLE]
