"""A person's name in the trail that can be forgotten (N-34, N-49)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from authz.audit import log, uses
from authz.audit.pseudonyms import OPTION, Names, _replaced, hidden
from authz.audit.record import Entry, Ref, canonical, document
from authz.audit.tables import AuditPseudonym, AuditRecord
from authz.clock import now
from authz.errors import ConflictError, NotFoundError
from authz.review.definition import Scope
from authz.review.words import Kind as ReviewKind
from authz.service import erasing, trail, users
from authz.service.database import open_store
from authz.service.reports.access_of import access_of
from authz.service.reports.asking import Asker
from authz.service.reports.breach import Asked, breach
from authz.service.reviews import detail
from authz.vocabulary import Event
from tests.journals import verified
from tests.reviewing import GRANTS, Desk
from tests.stores.test_roster_kit import BANGKOK, Kit
from tests.world import CALLER, NOW, World, point, question

PEOPLE = ("anong-1", "boonmee-2", "chai-3", 'd"ao-4')


@pytest.fixture
def named(store_url: str) -> Iterator[Engine]:
    """A store whose trail names people by pseudonyms."""
    engine = open_store(store_url, pseudonyms=True)
    yield engine
    engine.dispose()


@pytest.fixture
def world() -> World:
    """A parent, a child, a teacher, and facts about them."""
    world = World().school("S1").person(*PEOPLE, born="2012-05-05", at="S1")
    world.guardian("anong-1", "boonmee-2").guardian("anong-1", 'd"ao-4')
    world.grant("chai-3", "school_admin", "S1")
    world.fact("custody_restriction", subject="chai-3", person="boonmee-2", basis="x")
    world.fact("authority", id="A", name="A", members=["chai-3"])
    return world.fact("order", id="O", authority="A", persons=["boonmee-2"], categories=["contact"])


def bodies(engine: Engine) -> str:
    with engine.connect() as connection:
        rows = connection.scalars(select(AuditRecord.body).order_by(AuditRecord.sequence))
        return "\n".join(body.decode() for body in rows)


def columns(engine: Engine) -> str:
    table = AuditRecord
    with engine.connect() as connection:
        rows = connection.execute(select(table.subject_id, table.resource_id)).all()
        return repr([tuple(row) for row in rows])


def pseudonym(engine: Engine, person: str) -> str | None:
    found = select(AuditPseudonym.pseudonym).where(AuditPseudonym.person == person)
    with engine.connect() as connection:
        return connection.scalar(found)


def used(world: World, engine: Engine) -> None:
    """All that people leave in the trail: facts, decisions, searches, sign-ins, readings."""
    world.store(engine)
    world.ask(engine, question("anong-1", "read", "contact", "boonmee-2"))
    world.ask(engine, question("stranger-9", "read", "contact", "chai-3"))
    users.add(engine, "siri", person="chai-3", by="anong-1", because="asked by anong-1")
    trail.search(engine, by="op", person="boonmee-2", subject="anong-1")


def test_no_record_holds_the_id_of_a_person(named: Engine, world: World) -> None:
    used(world, named)
    everything = bodies(named) + columns(named)
    assert [person for person in (*PEOPLE, "stranger-9") if person in everything] == []
    assert all((pseudonym(named, person) or "?") in everything for person in PEOPLE)
    assert verified(named).damage is None


def test_reports_find_people_under_their_pseudonyms(named: Engine, world: World) -> None:
    """Who saw my data, and what an account saw: told by ids, whatever the trail holds."""
    used(world, named)
    asked: dict[str, Any] = {"by": Asker("op"), "staff": True}
    (seen,) = access_of(point(named), "boonmee-2", **asked).tables[0].rows
    assert "anong-1" in seen
    (turned,) = [f for f in access_of(point(named), "chai-3", **asked).facts if f.id == "refused"]
    assert turned.value == 1
    leak = breach(point(named), Asked(account="anong-1"), by=Asker("op"))
    (main,) = [table for table in leak.tables if table.id == leak.main]
    assert [row[0] for row in main.rows] == ["boonmee-2"]
    with named.connect() as connection:
        since = NOW - timedelta(hours=1)
        (use,) = uses.last_uses(connection, ["anong-1"], since)
    assert use[0] == "anong-1"


def test_a_roster_names_nobody_either(named: Engine, tmp_path: Path) -> None:
    from authz.service.rosters import import_oneroster  # noqa: PLC0415

    import_oneroster(named, Kit(tmp_path, named).write(), local=BANGKOK, by="op")
    changed = Kit(tmp_path, named)
    changed.user("pupil")["givenName"] = "Other"
    changed.drop("enrollments", "e2")
    changed.user("student")["agentSourcedIds"] = ""
    import_oneroster(named, changed.write(), local=BANGKOK, by="op")
    records = [json.loads(line) for line in bodies(named).splitlines()]
    told = json.dumps([r["detail"] for r in records if r["event"] == "roster_changed"])
    assert (pseudonym(named, "pupil") or "?") in told
    for person in ("pupil", "mother"):
        assert f'"{person}"' not in told
        assert f":{person}" not in told
    assert "motherstudent" not in told


def test_a_search_by_person_finds_them_and_shows_their_id(named: Engine, world: World) -> None:
    used(world, named)
    found = trail.search(named, by="op", person="boonmee-2").records
    assert {each.record["event"] for each in found} >= {"decision", "fact_changed"}
    assert "boonmee-2" in {each.record["resource"]["id"] for each in found}
    assert "p:" not in json.dumps([each.record for each in found])
    assert trail.search(named, by="op", subject="stranger-9").records


def test_records_from_before_the_setting_are_found_too(
    store_url: str, named: Engine, world: World
) -> None:
    plain = open_store(store_url)
    world.store(plain)
    world.ask(plain, question("anong-1", "read", "contact", "boonmee-2"))
    world.ask(named, question("anong-1", "read", "contact", "boonmee-2"))
    found = trail.search(named, by="op", person="boonmee-2", event=Event.DECISION).records
    assert len(found) == 2
    plain.dispose()


def test_an_erased_person_is_found_by_nobody_and_the_chain_verifies(
    store_url: str, named: Engine, world: World
) -> None:
    """N-34, in another process than the one that decides."""
    used(world, named)
    before = pseudonym(named, "boonmee-2")
    world.import_into(
        named, [{"fact": "erasure", "person": "boonmee-2", "approved_at": "2026-01-01"}]
    )
    other = open_store(store_url, pseudonyms=True)
    erasing.erase(other, "boonmee-2", by="dpo", because="request 7")
    other.dispose()
    assert trail.search(named, by="op", person="boonmee-2").records == []
    assert before is not None
    assert before in bodies(named)
    assert "boonmee-2" not in bodies(named)
    assert verified(named).damage is None
    last = trail.search(named, by="op", event=Event.PERSON_ERASED).records[0].record
    assert (last["resource"]["id"], last["detail"]["why"]) == (before, "request 7")
    world.ask(named, question("anong-1", "read", "contact", "boonmee-2"))
    assert pseudonym(named, "boonmee-2") not in {None, before}
    assert len(trail.search(named, by="op", person="boonmee-2", event="decision").records) == 1


def test_only_what_is_approved_is_erased(named: Engine, world: World) -> None:
    used(world, named)
    with pytest.raises(ConflictError):
        erasing.erase(named, "boonmee-2", by="dpo", because="request 7")
    assert pseudonym(named, "boonmee-2")


def test_who_has_no_pseudonym_cannot_be_forgotten(store: Engine) -> None:
    world = World().person("kid").fact("erasure", person="kid", approved_at="2026-01-01")
    world.store(store)
    with pytest.raises(NotFoundError):
        erasing.erase(store, "kid", by="dpo", because="request 7")


def test_a_name_that_was_rolled_back_is_not_remembered(named: Engine) -> None:
    about = Entry(event=Event.FACT_CHANGED, time=now(), resource=Ref("person", "kid"))
    with named.connect().execution_options(authz_write=True) as connection:
        log.append(connection, [about])
        connection.rollback()
    assert pseudonym(named, "kid") is None
    log.record(named, [about])
    assert (pseudonym(named, "kid") or "?") in bodies(named)


@pytest.mark.parametrize("strange", ["a\0b", "\ud800", "x" * 5000, "p:" + "0" * 32])
def test_whatever_a_caller_sends_as_an_id_is_recorded(named: Engine, strange: str) -> None:
    about = Entry(event=Event.DECISION, time=now(), subject=Ref("user", strange), people=[strange])
    log.record(named, [about])
    log.record(named, [about])
    assert verified(named).damage is None
    records = [json.loads(line) for line in bodies(named).splitlines()]
    assert len({record["subject"]["id"] for record in records}) == 1
    assert strange not in {record["subject"]["id"] for record in records}


def test_a_store_without_the_setting_records_ids(store: Engine) -> None:
    about = Entry(event=Event.DECISION, time=now(), subject=Ref("user", "kid"), people=["kid"])
    assert list(hidden(store, [about])) == [about]


def test_a_process_that_remembers_asks_the_store_no_more(named: Engine, world: World) -> None:
    used(world, named)
    names: Names = named.get_execution_options()[OPTION]
    assert set(PEOPLE[:2]) <= names.known(0).keys()
    assert names.known(10_000) == {}


IDS = st.text(min_size=1, max_size=12)
VALUES = st.recursive(
    IDS | st.booleans() | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(IDS, inner, max_size=3),
    max_leaves=8,
)


@given(person=IDS, other=IDS, value=VALUES, data=st.data())
def test_the_id_stands_nowhere_as_a_value_a_name_or_within_a_key(
    person: str, other: str, value: Any, data: st.DataObject
) -> None:
    """A theorem of what replaces, for any id and any detail."""
    member = data.draw(st.sampled_from(["before", "key", "x"]))
    detail = {member: [value, person, {person: other}], "key": json.dumps([other, person])}
    entry = Entry(
        event=Event.FACT_CHANGED,
        time=now(),
        subject=Ref("user", person),
        resource=Ref("fact", json.dumps([person], ensure_ascii=False)),
        properties={"record": person},
        detail=detail,
    )
    name = "p:" + "f" * 32
    replaced = _replaced(entry, {person: name})
    made = json.loads(canonical(document(replaced)))
    assert person == name or person not in set(_strings(made["detail"]))
    assert made["subject"]["id"] == name
    assert name in made["resource"]["id"]
    assert made["properties"]["record"] == name


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def test_the_application_of_a_question_is_no_person(named: Engine, world: World) -> None:
    used(world, named)
    assert CALLER.client in bodies(named)


def test_a_review_tells_the_use_of_who_goes_by_a_pseudonym(named: Engine) -> None:
    desk = Desk(named)
    desk.world.store(named)
    assert [desk.permits("danai") for _ in range(3)] == [True] * 3
    assert desk.permits("mum")
    every = replace(GRANTS, scope=Scope(kinds=(ReviewKind.GRANT, ReviewKind.GUARDIANSHIP)))
    campaign = desk.started(every)
    item = desk.item(campaign, "danai")
    assert pseudonym(named, "danai")
    assert (item.uses, "never_used" in item.flags) == (3, False)
    assert desk.item(campaign, "mum", ReviewKind.GUARDIANSHIP).uses == 1
    assert desk.item(campaign, "head").uses == 0
    with desk.now() as bench:
        seen = detail.of_reviewer(bench, campaign, item.number, item.reviewer)
    assert len(seen.used) == 3


def _asks(revision: int | None) -> Entry:
    person = Ref("person", "anong-1")
    return Entry(event=Event.DECISION, time=now(), resource=person, directory_revision=revision)


@pytest.mark.parametrize("earlier", [7, None])
def test_no_name_is_remembered_past_its_erasure(named: Engine, earlier: int | None) -> None:
    """A writer tells the revision of an erasure before it commits; others look up beside it."""
    hidden(named, [_asks(7)])
    first = pseudonym(named, "anong-1")
    names: Names = named.get_execution_options()[OPTION]
    names.known(8)
    hidden(named, [_asks(earlier)])
    with named.begin() as connection:
        connection.execute(delete(AuditPseudonym).where(AuditPseudonym.person == "anong-1"))
    for revision in (8, None):
        (entry,) = hidden(named, [_asks(revision)])
        assert entry.resource is not None
        assert entry.resource.id not in {first, "anong-1"}
