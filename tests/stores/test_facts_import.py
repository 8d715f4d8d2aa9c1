"""Facts put on file: by key, checked, all or nothing, and each with its record (4.4, page 5)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, func, select

from authz import clock
from authz.directory import tables as t
from authz.errors import FactError
from authz.service.database import reading
from authz.service.entities import import_entities
from authz.service.record_facts import BATCH, FactsSummary, import_facts
from tests.world import BANGKOK, NOW, Row, World, frozen, policy, question, records

NEW: dict[str, Row] = {
    "person": {"id": "new", "given_name": "N", "family_name": "P", "schools": ["S1"]},
    "processor": {"id": "P", "name": "P", "country": "TH", "members": ["svc", "dan"]},
    "authority": {"id": "A", "name": "A", "members": ["court"]},
    "project": {"id": "J", "customer": "C", "ended_at": "2026-01-01", "retention_days": 7},
    "grant": {"person": "ann", "role": "dpo", "granted_by": "office", "reason": "duty"},
    "guardianship": {"guardian": "ann", "student": "bob", "kind": "parent"},
    "custody_restriction": {"subject": "ann", "person": "bob", "basis": "court"},
    "emancipation": {"person": "bob", "from": "2026-01-01"},
    "contract": {
        "id": "K", "processor": "P", "purposes": ["service"], "categories": {"contact": ["email"]},
        "actions": ["read"], "schools": ["S1"], "transfer": "domestic", "country": "TH",
        "sub_processing": True,
    },
    "order": {"id": "O", "authority": "A", "persons": ["bob"], "categories": ["contact"]},
    "ticket": {"id": "T", "person": "bob", "assignee": "ann", "opened_at": "2026-01-01"},
    "purchase": {"id": "B", "person": "bob", "assignee": "ann", "ordered_at": "2026-01-01"},
    "mentoring": {"mentor": "ann", "person": "bob"},
    "case": {
        "id": "R", "kind": "incident", "persons": ["bob"], "assignee": "ann",
        "opened_at": "2026-01-01",
    },
    "elevation": {
        "person": "ann", "school": "S1", "justification": "flood", "approved_by": "bob",
        "from": "2026-11-15T00:00", "until": "2026-11-16T00:00",
    },
    "consent": {"person": "bob", "purpose": "event", "given_at": "2026-01-01", "project": "J"},
    "objection": {"person": "bob", "purpose": "marketing"},
    "restriction": {"person": "bob", "until": "2027-01-01"},
    "erasure": {"person": "bob", "approved_at": "2026-01-01"},
}  # fmt: skip
TABLES: dict[str, type[t.Base]] = {
    "person": t.Person, "processor": t.Recipient, "authority": t.Recipient,
    "project": t.Project, "grant": t.Grant, "guardianship": t.Guardianship,
    "custody_restriction": t.CustodyRestriction, "emancipation": t.Emancipation,
    "contract": t.Contract, "order": t.Order, "ticket": t.Ticket, "purchase": t.Purchase,
    "mentoring": t.Mentoring, "case": t.Case, "elevation": t.Elevation, "consent": t.Consent,
    "objection": t.Objection, "restriction": t.Restriction, "erasure": t.Erasure,
}  # fmt: skip
NEEDED = [{"fact": kind, **NEW[kind]} for kind in ("processor", "authority", "project")]


@pytest.fixture
def world(store: Engine) -> World:
    """Two schools and four people."""
    world = World().school("D").school("S1", below="D").school("S2", below="D")
    return world.person("ann", "bob", "cat", "dan", born="2012-05-05").store(store)


def line(kind: str, /, **changed: Any) -> Row:
    return {"fact": kind, **NEW[kind], **changed}


def put(store: Engine, *lines: Row | str, name: str = "facts.jsonl") -> FactsSummary:
    texts = [each if isinstance(each, str) else json.dumps(each) for each in lines]
    with frozen(NOW):
        return import_facts(
            store,
            lambda: texts,
            name=name,
            catalogue=policy().catalogue,
            local=BANGKOK,
            by="somchai",
            because="a letter",
        )


def refused(store: Engine, *lines: Row | str) -> str:
    """What the import says of lines that it does not take; the directory stays as it was."""
    before = (counted(store), revision(store), len(records(store)))
    with pytest.raises(FactError) as error:
        put(store, *lines)
    assert (counted(store), revision(store), len(records(store))) == before
    return str(error.value)


def counted(store: Engine) -> dict[str, int]:
    with reading(store) as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in t.Base.metadata.sorted_tables
        }


def revision(store: Engine) -> int:
    with reading(store) as connection:
        return connection.execute(select(t.Revision.revision)).scalar_one_or_none() or 0


def rows(store: Engine, mapped: type[t.Base]) -> list[Row]:
    table = mapped.__table__
    assert isinstance(table, Table)
    with reading(store) as connection:
        return [dict(row._mapping) for row in connection.execute(table.select())]


@pytest.mark.parametrize("kind", NEW)
def test_every_kind_of_fact_is_recorded_replaced_and_ended_by_its_key(
    store: Engine, world: World, kind: str
) -> None:
    """Page 5 "Facts replace by key", each change with before, after, who and why (N-43, N-49)."""
    assert world.facts == []
    put(store, *(each for each in NEEDED if each["fact"] != kind))
    before = len(rows(store, TABLES[kind]))
    assert put(store, line(kind)).recorded == {kind: 1}
    assert put(store, line(kind)).replaced == {kind: 1}
    ended = put(store, {**line(kind), "delete": True})
    assert ended.ended == {kind: 1}
    assert len(rows(store, TABLES[kind])) == before + 1
    new, same, gone = (record["detail"] for record in records(store)[-3:])
    assert {new["fact"], same["fact"], gone["fact"]} == {kind}
    assert new.get("before", {}) == {}
    assert same["before"] == same["after"] == new["after"]
    assert gone["before"] == same["after"]
    assert "ended_at" in gone["after"]
    assert {(d["who"], d["why"]) for d in (new, same, gone)} == {("somchai", "a letter")}
    assert ended.revision == revision(store) == new_revision(store)


def new_revision(store: Engine) -> int:
    found: int = records(store)[-1]["directory_revision"]
    return found


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("grant", {"organisation": "S1"}), ("grant", {"from": "2026-01-01"}),
        ("grant", {"role": "analyst"}), ("guardianship", {"kind": "relative"}),
        ("elevation", {"from": "2026-11-15T01:00"}), ("consent", {"given_at": "2026-02-01"}),
        ("consent", {"project": None}), ("objection", {"purpose": "event"}),
        ("mentoring", {"person": "cat"}), ("ticket", {"id": "T2"}),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("world")
def test_another_key_is_another_fact(store: Engine, kind: str, changed: Row) -> None:
    put(store, *NEEDED, line(kind), line(kind, **changed))
    assert len(rows(store, TABLES[kind])) == 2


@pytest.mark.usefixtures("world")
def test_a_key_is_a_moment_and_not_its_spelling(store: Engine) -> None:
    put(store, line("grant", **{"from": "2026-01-01"}))
    again = put(store, line("grant", **{"from": "2025-12-31T17:00:00Z"}))
    assert again.replaced == {"grant": 1}


@pytest.mark.usefixtures("world")
def test_a_line_replaces_the_whole_fact_of_its_key(store: Engine) -> None:
    """What the new line does not say is no longer so."""
    put(store, line("restriction"))
    put(store, {"fact": "restriction", "person": "bob"})
    assert [row["valid_until"] for row in rows(store, t.Restriction)] == [None]


@pytest.mark.usefixtures("world")
def test_a_fact_that_ended_can_be_recorded_again(store: Engine) -> None:
    put(store, line("mentoring"), {**line("mentoring"), "delete": True}, line("mentoring"))
    assert [row["ended_at"] for row in rows(store, t.Mentoring)] == [None]


@pytest.mark.usefixtures("world")
def test_references_may_stand_later_in_the_file(store: Engine) -> None:
    """People, recipients and projects are read first, wherever they stand."""
    lines = [line("mentoring", mentor="new"), line("contract"), line("order"), line("consent")]
    found = put(store, *lines, *NEEDED, line("person"))
    assert found.lines == 8


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (line("grant", person="ghost"), "person 'ghost'"),
        (line("grant", organisation="S9"), "organisation 'S9'"),
        (line("guardianship", guardian="ghost"), "person 'ghost'"),
        (line("contract"), "processor 'P'"),
        (line("order"), "authority 'A'"),
        (line("consent"), "project 'J'"),
        (line("ticket", assignee="ghost"), "person 'ghost'"),
        (line("case", persons=["bob", "ghost"]), "person 'ghost'"),
        (line("elevation", approved_by="ghost"), "person 'ghost'"),
        (line("person", schools=["S1", "S9"]), "organisation 'S9'"),
        ({**line("mentoring"), "delete": True}, "no such mentoring"),
    ],
)
@pytest.mark.usefixtures("world")
def test_references_must_exist(store: Engine, bad: Row, what: str) -> None:
    """N-02, N-43: nothing is on file about what the directory does not know."""
    message = refused(store, line("grant"), bad)
    assert message.startswith("facts.jsonl:2: ")
    assert what in message


BAD: list[tuple[Row | str, str]] = [
    (line("grant", role="student"), "role must be one of"),
    (line("grant", role="public"), "role must be one of"),
    (line("grant", reason=" "), "reason must not be empty"),
    (line("grant", **{"from": "2026-01-01", "until": "2026-01-01"}), "the interval is empty"),
    (line("grant", **{"from": "2026-01-02", "until": "2026-01-01"}), "the interval is empty"),
    (line("grant", **{"from": "2026-13-01"}), "is none"),
    (line("grant", **{"from": 20260101}), "ISO date or time"),
    (line("grant", power="all"), "has no member 'power'"),
    (line("grant", person=None), "needs the member person"),
    (line("grant", person=7), "must be an id"),
    (line("grant", person=""), "must be an id"),
    (line("grant", person="a\0b"), "must be an id"),
    (line("grant", person="\ud800"), "must be an id"),
    (line("grant", reason="\ud800"), "must be a text"),
    (line("guardianship", kind="teacher"), "kind must be one of"),
    (line("guardianship", guardian="bob"), "two people"),
    (line("custody_restriction", subject="bob"), "two people"),
    (line("mentoring", mentor="bob"), "two people"),
    (line("ticket", closed_at="2026-01-01"), "the interval is empty"),
    (line("consent", withdrawn_at="2025-01-01", project=None), "the interval is empty"),
    (line("consent", purpose="curiosity", project=None), "catalogue has not"),
    (line("consent", purpose=["event"], project=None), "catalogue has not"),
    (line("objection", purpose={"a": 1}), "catalogue has not"),
    (line("order", persons=[]), "at least one"),
    (line("order", categories=[["contact"]]), "must be an id"),
    (line("contract", categories={"contact": ["shoe_size"]}), "field of contact"),
    (line("contract", categories={"shoes": []}), "category 'shoes'"),
    (line("contract", actions=["fly"]), "action 'fly'"),
    (line("contract", schools="S1"), 'list of schools or "all"'),
    (line("contract", transfer="post"), "transfer must be one of"),
    (line("contract", sub_processing="yes"), "true or false"),
    (line("elevation", until="2026-11-16T00:00:01"), "at most 24 hours"),
    (line("elevation", approved_by="ann"), "another person"),
    (line("elevation", until=None), "needs the member until"),
    (line("project", retention_days=-1), "whole number"),
    (line("project", retention_days=True), "whole number"),
    (line("person", status="gone"), "status must be one of"),
    (line("person", birth_date="5 May 2012"), "ISO date"),
    (line("person", birth_date="2555-05-05"), "543 more than the year that is meant"),
    (line("guardianship", until="2569-11-15"), "is a year of the Buddhist era"),
    (line("contract", until="2570-01-01T00:00:00Z"), "is a year of the Buddhist era"),
    ({"fact": "wizard"}, "fact must be one of"),
    ({"fact": ["person"]}, "fact must be one of"),
    ({**line("grant"), "delete": "yes"}, "delete must be true or false"),
    ("{", "not JSON"),
    ("[]", "no JSON object"),
    ("[" * 100_000, "nested too deeply"),
    ('{"fact": "person", "fact": "grant", "id": "x"}', "stands twice"),
    ('{"fact": "contract", "categories": {"contact": [], "contact": []}}', "stands twice"),
    ('{"fact": "project", "id": "J", "customer": "C", "retention_days": NaN}', "whole number"),
]


@pytest.mark.parametrize(("bad", "what"), BAD, ids=lambda value: str(value)[:40])
def test_a_bad_line_is_told_by_its_number_and_nothing_is_changed(
    sqlite_store: Engine, bad: Row | str, what: str
) -> None:
    """Bad input, page 5 "Values" and "Elevation" (N-43, N-44)."""
    World().school("S1").person("ann", "bob").store(sqlite_store)
    message = refused(sqlite_store, "", line("grant"), bad)
    assert message.startswith("facts.jsonl:3: ")
    assert what.lower() in message.lower()


@pytest.mark.usefixtures("world")
def test_every_bad_line_is_told_at_once(store: Engine) -> None:
    message = refused(store, "{", line("grant"), line("grant", role="student"), "[]")
    assert "3 lines cannot be put on file" in message
    assert [n for n in (1, 2, 3, 4) if f"facts.jsonl:{n}:" in message] == [1, 3, 4]


@pytest.mark.usefixtures("world")
def test_an_elevation_of_24_hours_is_the_longest(store: Engine) -> None:
    """N-44."""
    assert put(store, line("elevation")).recorded == {"elevation": 1}


@pytest.mark.usefixtures("world")
def test_a_chunk_more_than_a_batch_is_all_or_nothing(store: Engine) -> None:
    """More lines than are written at once: one bad line at the end undoes them all (N-49)."""
    people = [{"fact": "person", "id": f"p{n}"} for n in range(BATCH + 1)]
    links = [line("mentoring", mentor=f"p{n}") for n in range(BATCH + 1)]
    refused(store, *people, *links, line("mentoring", mentor="ghost"))
    found = put(store, *links, *people)
    assert found.recorded == {"person": BATCH + 1, "mentoring": BATCH + 1}
    assert len(records(store)) == 2 * (BATCH + 1)
    assert put(store, *links).replaced == {"mentoring": BATCH + 1}


@pytest.mark.usefixtures("world")
def test_the_revision_moves_with_each_import(store: Engine) -> None:
    assert revision(store) == 0
    assert [put(store, line("grant")).revision for _ in range(3)] == [1, 2, 3]


@pytest.mark.usefixtures("world")
def test_a_person_fact_changes_only_the_members_it_carries(store: Engine) -> None:
    """2.4; a birth date names who vouched for it (N-02)."""
    put(store, {"fact": "person", "id": "ann", "family_name": "Dee"})
    put(store, {"fact": "person", "id": "ann", "birth_date": "2000-02-29", "given_name": "Ann"})
    put(store, {"fact": "person", "id": "ann", "status": "suspended", "birth_date": None})
    ann = next(row for row in rows(store, t.Person) if row["id"] == "ann")
    assert (ann["given_name"], ann["family_name"], ann["status"]) == ("Ann", "Dee", "suspended")
    assert str(ann["birth_date"]) == "2000-02-29"
    assert "somchai" in ann["birth_date_from"]


@pytest.mark.parametrize("status", ["active", "suspended"])
@pytest.mark.usefixtures("world")
def test_a_person_registered_again_has_both_clocks_cleared(store: Engine, status: str) -> None:
    """Page 5 "Leaving" (N-42), recorded before and after (N-49)."""
    put(store, {"fact": "person", "id": "ann", "cancelled_at": "2026-01-01", "delete": False})
    put(store, {"fact": "person", "id": "ann", "delete": True})
    gone = next(row for row in rows(store, t.Person) if row["id"] == "ann")
    assert (gone["status"], gone["ended_at"]) == ("deregistered", NOW)
    put(store, {"fact": "person", "id": "ann", "status": status})
    back = next(row for row in rows(store, t.Person) if row["id"] == "ann")
    assert (back["status"], back["ended_at"], back["cancelled_at"]) == (status, None, None)
    detail = records(store)[-1]["detail"]
    assert "cancelled_at" in detail["before"]
    assert "cancelled_at" not in detail["after"]


@pytest.mark.usefixtures("world")
def test_ended_at_is_when_a_person_first_left(store: Engine) -> None:
    put(store, {"fact": "person", "id": "ann", "status": "deregistered"})
    later = World(recorded=NOW + timedelta(days=9))
    later.import_into(store, [{"fact": "person", "id": "ann", "status": "deregistered"}])
    assert next(r["ended_at"] for r in rows(store, t.Person) if r["id"] == "ann") == NOW


def test_schools_replace_those_of_the_fact_before(store: Engine, world: World) -> None:
    """Page 5 "Membership"; what the roster says of a person is left alone (N-20)."""
    world.memberships.append({"person": "cat", "org": "S2"})
    read = question("ann", "read", "identity", "cat")
    with store.begin() as connection:
        now = clock.now()
        connection.execute(
            t.Membership.__table__.insert(),  # type: ignore[attr-defined]
            {"id": "m", "person": "cat", "organisation": "S2", "origin": "roster:x",
             "recorded_at": now},
        )  # fmt: skip
    put(store, line("grant", role="school_admin", organisation="S1"))
    for schools, permit in ((["S1", "S2"], True), (["S2"], False), (["S1"], True), ([], False)):
        put(store, {"fact": "person", "id": "cat", "schools": schools})
        later = NOW + timedelta(seconds=1)
        assert world.ask(store, read, at=later).permit is permit
    roster = [row for row in rows(store, t.Membership) if row["origin"] == "roster:x"]
    assert [row["ended_at"] for row in roster] == [None]


@pytest.mark.usefixtures("world")
def test_members_and_persons_are_replaced(store: Engine) -> None:
    """N-24, N-25: who is named no more may no more."""
    put(store, *NEEDED, line("order", persons=["bob", "cat"]))
    put(store, line("processor", members=["svc-2"]), line("order", persons=["cat", "dan"]))
    members = {(row["kind"], row["subject"]) for row in rows(store, t.RecipientMember)}
    assert members == {("processor", "svc-2"), ("authority", "court")}
    assert {row["person"] for row in rows(store, t.OrderPerson)} == {"cat", "dan"}
    assert records(store)[-1]["detail"]["before"]["list"] == ["bob", "cat"]
    assert records(store)[-1]["detail"]["after"]["list"] == ["cat", "dan"]


@pytest.mark.usefixtures("world")
def test_a_processor_and_an_authority_may_have_one_id(store: Engine) -> None:
    put(store, line("processor", id="X"), line("authority", id="X"))
    put(store, {"fact": "processor", "id": "X", "delete": True})
    ended = {row["kind"]: row["ended_at"] is not None for row in rows(store, t.Recipient)}
    assert ended == {"processor": True, "authority": False}


def test_a_recorded_guardianship_supersedes_the_rosters_even_when_ended(store: Engine) -> None:
    """2.4 (N-22)."""
    world = World(guardianships=[{"guardian": "mum", "student": "kid", "kind": "parent"}])
    world.person("kid", born="2012-05-05").person("mum").store(store)
    asked = question("mum", "read", "contact", "kid")
    assert world.ask(store, asked).permit
    relative = {"fact": "guardianship", "guardian": "mum", "student": "kid", "kind": "relative"}
    put(store, relative)
    assert not world.ask(store, asked).permit
    put(store, {**relative, "delete": True})
    assert not world.ask(store, asked, at=NOW + timedelta(days=1)).permit
    put(store, {**relative, "kind": "guardian"})
    assert world.ask(store, asked).permit


@pytest.mark.usefixtures("world")
def test_no_value_of_a_person_enters_the_trail(store: Engine) -> None:
    """E-01, N-45: a record names what changed and not what it says."""
    put(store, line("person", given_name="Malee", birth_date="2011-09-09"))
    kept = json.dumps(records(store), ensure_ascii=False)
    assert "Malee" not in kept
    assert "2011-09-09" not in kept


def entities(folder: Path, content: Any) -> Path:
    path = folder / "entities.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def test_entities_are_recorded_and_replaced_by_type_and_id(store: Engine, tmp_path: Path) -> None:
    """3.3; each with its record (N-49)."""
    one = {"type": "todo", "id": "1", "properties": {"owner": "rick"}}
    other = {"type": "todo", "id": "2"}
    assert import_entities(store, entities(tmp_path, [one, other]), by="somchai") == 2
    changed = {**one, "properties": {"owner": "morty"}}
    assert import_entities(store, entities(tmp_path, [changed]), by="somchai") == 1
    found = {row["id"]: row["properties"] for row in rows(store, t.Entity)}
    assert found == {"1": {"owner": "morty"}, "2": {}}
    assert [r["resource"] for r in records(store)] == [
        {"type": "todo", "id": name} for name in ("1", "2", "1")
    ]
    assert revision(store) == 2


@pytest.mark.parametrize(
    "content",
    [
        "{", {}, ["x"], [{"type": "todo"}], [{"type": "", "id": "1"}], [{"type": "t", "id": 1}],
        [{"type": "t", "id": "1", "properties": []}], [{"type": "t", "id": "1", "more": 1}],
        [{"type": "t", "id": "\ud800"}], [{"type": "t", "id": "a\0"}], "[" * 100_000,
        [{"type": "t", "id": "1"}, {"type": "t"}],
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_bad_entities_change_nothing(store: Engine, tmp_path: Path, content: Any) -> None:
    with pytest.raises(FactError):
        import_entities(store, entities(tmp_path, content), by="somchai")
    assert rows(store, t.Entity) == []
    assert records(store) == []


@pytest.mark.parametrize(
    ("properties", "place"),
    [
        ('{"age": NaN}', ".properties.age: NaN is no JSON."),
        ('{"of": [1, -Infinity]}', ".properties.of[1]: -Infinity is no JSON."),
        ('{"age": 1e999}', ".properties.age: The number is too large."),
        ('{"own": {"a": 1, "a": 2}}', ".properties.own.a: The member stands there twice."),
        (r'{"name": "\ud800"}', ".properties.name: A surrogate stands alone."),
    ],
)
def test_what_two_readers_could_understand_differently_is_no_entity(
    store: Engine, tmp_path: Path, properties: str, place: str
) -> None:
    """A file of entities is I-JSON, as a question is: what is not is told with its place."""
    good = '{"type": "t", "id": "1"}'
    sent = f'[{good}, {{"type": "t", "id": "2", "properties": {properties}}}]'
    with pytest.raises(FactError, match=re.escape(f"entities.json[1]{place}")):
        import_entities(store, entities(tmp_path, sent), by="somchai")
    assert rows(store, t.Entity) == []
