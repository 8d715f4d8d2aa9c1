"""What must be true of every decision, whatever the school and whatever the question.

Each theorem is asked of random worlds in a real store, through the real decision point.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import Engine

from authz.decision.answer import outward
from authz.decision.combine import Decision
from authz.decision.request import parse
from authz.errors import MalformedError
from authz.service.decided import Decided, Semantic
from authz.vocabulary import ObligationId
from tests.oracle.answer import answer
from tests.oracle.policy import CATALOGUE, NEEDS, RULES
from tests.property.worlds import (
    EDGE,
    LONG_GONE,
    PEOPLE,
    batches,
    key,
    plain_batches,
    requests,
    theorem,
    worlds,
)
from tests.world import (
    CALLER,
    NOW,
    Row,
    World,
    as_oracle,
    clear,
    frozen,
    point,
    policy,
    question,
    records,
)

UNKNOWN_WORDS = {"unknown_category", "unknown_action", "unknown_purpose"}
OWN = {rule.name for rule in RULES if rule.condition == ("self",)}
ENDS = {
    **dict.fromkeys(("grant", "guardianship", "contract", "order", "mentoring"), "until"),
    **dict.fromkeys(("ticket", "case"), "closed_at"),
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def ask(store: Engine, world: World, asked: list[Row]) -> list[Decision]:
    """The decisions on a world that is put in the emptied store."""
    clear(store)
    world.store(store)
    return again(store, world, asked)


def again(store: Engine, world: World, asked: list[Row]) -> list[Decision]:
    """The decisions on what the store holds now."""
    return [one.decision for one in world.ask_all(store, asked)] if asked else []


def told(decision: Decision) -> str:
    """The bytes that a caller gets."""
    return json.dumps(outward(decision, policy().catalogue, "en"))


def of_two_people(request: Row) -> bool:
    subject, person = request["subject"], request["resource"]["id"]
    return subject["type"] == "user" and {subject["id"], person} <= set(PEOPLE) != {person}


def with_fields(request: Row, fields: list[str] | None) -> Row:
    changed = copy.deepcopy(request)
    properties = changed["resource"].setdefault("properties", {})
    properties["fields"] = fields
    return changed


@theorem
@given(world=worlds(), asked=batches)
def test_decision_equals_oracle(store: Engine, world: World, asked: list[Row]) -> None:
    """The product and page 2 programmed a second time agree on everything (N-23)."""
    school = world.oracle()
    for request, decision in zip(asked, ask(store, world, asked), strict=True):
        assert as_oracle(decision) == answer(school, request, NOW), request


@theorem
@given(world=worlds(), asked=plain_batches)
def test_refusal_beats_permit(store: Engine, world: World, asked: list[Row]) -> None:
    """Whatever permits, a custody restriction refuses, and says so in the record (N-22, N-23)."""
    pairs = zip(asked, ask(store, world, asked), strict=True)
    permitted = [r for r, decision in pairs if decision.permit and of_two_people(r)]
    permitted = [r for r in permitted if r["subject"]["id"] != r["resource"]["id"]]
    assume(permitted)
    world.import_into(
        store,
        [
            {
                "fact": "custody_restriction",
                "subject": request["subject"]["id"],
                "person": request["resource"]["id"],
                "basis": "court",
            }
            for request in permitted
        ],
    )
    for decision in again(store, world, permitted):
        assert not decision.permit
        assert "custody" in decision.rules


@theorem
@given(world=worlds(), asked=plain_batches, by_date=st.booleans())
def test_ended_relation_opens_nothing(
    store: Engine, world: World, asked: list[Row], by_date: bool
) -> None:
    """Once every relation has ended, by its date or because it was ended, nothing is open but
    one's own (N-22, N-42, N-47)."""
    lines = {key(line): line for line in world.facts if not line.get("delete")}
    world.facts = [ended(line) if by_date else line for line in lines.values()]
    if not by_date:
        gone = ("person", "project", *CLOSED)
        world.facts += [{**r, "delete": True} for r in world.facts if r["fact"] not in gone]
    for row in world.enrolments:
        row.update(end=EDGE)
    for row in world.memberships:
        row.update(until=EDGE)
    for decision in ask(store, world, asked):
        assert not decision.permit or set(decision.rules) <= OWN


CLOSED = ("custody_restriction", "emancipation", "consent", "objection", "restriction", "erasure")


def ended(line: Row) -> Row:
    """The same fact, over at the moment of asking."""
    kind = line["fact"]
    if kind == "purchase":
        return {**line, "ordered_at": "2010-01-01", "received_at": "2026-08-17"}
    if kind == "elevation":
        return {**line, "until": EDGE}
    if kind == "person":
        return {name: value for name, value in line.items() if name != "schools"}
    if kind not in ENDS:
        return line
    begin = "opened_at" if kind in ("ticket", "case") else "from"
    return {**line, begin: LONG_GONE, ENDS[kind]: EDGE}


@theorem
@given(world=worlds(), asked=batches, semantic=st.sampled_from(Semantic))
def test_batch_equals_single(
    store: Engine, world: World, asked: list[Row], semantic: Semantic
) -> None:
    """A batch answers as its questions one by one would, up to where its semantic stops."""
    alone: list[Decision] = []
    clear(store)
    world.store(store)
    for request in asked:
        alone += again(store, world, [request])
        if semantic.stops_at(permit=alone[-1].permit):
            break
    with frozen(NOW):
        found = point(store).evaluate([parse(r) for r in asked], CALLER, semantic=semantic)
    assert [one.decision for one in found] == alone
    if semantic is Semantic.EXECUTE_ALL:
        assert len(found) == len(asked)


@theorem
@given(world=worlds(), asked=st.lists(requests(), min_size=4, max_size=8), data=st.data())
def test_answer_is_total(
    store: Engine, world: World, asked: list[Row], data: st.DataObject
) -> None:
    """Any JSON is answered or said to be malformed; nothing else comes out (N-51)."""
    clear(store)
    world.store(store)
    for request in [*asked, data.draw(json_values)]:
        body = damaged(request, data)
        try:
            with frozen(NOW):
                found = point(store).evaluate([parse(body)], CALLER)
        except MalformedError:
            continue
        assert isinstance(found[0].decision, Decision)


def damaged(request: Any, data: st.DataObject) -> Any:
    """The request with a member put in, replaced or left out somewhere."""
    if not isinstance(request, dict) or not request:
        return request
    name = data.draw(st.sampled_from([*sorted(request), "fields", "purpose"]))
    inner = request.get(name)
    if isinstance(inner, dict) and inner and data.draw(st.integers(0, 3)):
        return {**request, name: damaged(inner, data)}
    return {**request, name: data.draw(json_values)}


@theorem
@given(world=worlds(), asked=batches, sent=st.dictionaries(st.text(max_size=5), json_values))
def test_caller_properties_open_nothing(
    store: Engine, world: World, asked: list[Row], sent: Row
) -> None:
    """Roles and relations that a caller sends change nothing: they are never believed (N-23)."""
    claims = {
        **sent,
        "roles": ["school_admin", "dpo", "teacher", "parent"],
        "status": "active",
        "relations": {name: True for rule in RULES for name in rule.condition},
        **{name: True for rule in RULES for name in rule.condition if " " not in name},
    }
    known = ("purpose", "ticket", "order", "case", "justification", "mfa", "class", "record")
    for name in (*known, "fields"):
        claims.pop(name, None)
    loud = copy.deepcopy(asked)
    for request in loud:
        request["subject"]["properties"] = claims
        request["action"]["properties"] = claims
        properties = request["resource"].get("properties", {})
        request["resource"]["properties"] = {**claims, **properties}
        request["context"] = {**claims, **request["context"]}
    assert ask(store, world, loud) == again(store, world, asked)


@theorem
@given(world=worlds(), asked=batches)
def test_asking_twice_gives_the_same(store: Engine, world: World, asked: list[Row]) -> None:
    """An answer changes nothing that a later answer depends on: the same bytes again (3.5)."""
    first = [told(decision) for decision in ask(store, world, asked)]
    assert first == [told(decision) for decision in again(store, world, asked)]
    backwards = [told(decision) for decision in again(store, world, asked[::-1])]
    assert first == backwards[::-1]


@theorem
@given(world=worlds(), asked=plain_batches)
def test_fields_are_a_subset_of_category_purpose_contract_and_asked(
    store: Engine, world: World, asked: list[Row]
) -> None:
    """Need to know, down to the field: no permit without one, none beyond each limit (E-01)."""
    for request, decision in zip(asked, ask(store, world, asked), strict=True):
        if not decision.permit:
            continue
        category, purpose = request["resource"]["type"], decision.purpose
        fields = set(decision.obligations[ObligationId.FIELDS])
        assert fields
        assert fields <= set(CATALOGUE[category])
        if not set(decision.rules) <= OWN:
            assert purpose is not None
            assert fields <= NEEDS[purpose][category]
        wanted = request["resource"].get("properties", {}).get("fields")
        assert wanted is None or fields <= set(wanted)
        if set(decision.rules) <= {"processor-use", "processor-onward"}:
            assert fields <= named_by_contracts(world, category)


def named_by_contracts(world: World, category: str) -> set[str]:
    """What any contract on file allows of a category."""
    named = [line["categories"] for line in world.facts if line["fact"] == "contract"]
    lists = [cut[category] or CATALOGUE[category] for cut in named if category in cut]
    return {name for names in lists for name in names}


@theorem
@given(world=worlds(), asked=plain_batches, data=st.data())
def test_more_fields_asked_never_refuse_more(
    store: Engine, world: World, asked: list[Row], data: st.DataObject
) -> None:
    """To ask for more than is allowed is answered with what is allowed (E-01, 2.7)."""
    names = {r["resource"]["type"]: [*CATALOGUE[r["resource"]["type"]], "x"] for r in asked}
    few = [
        data.draw(st.lists(st.sampled_from(names[r["resource"]["type"]]), min_size=1, unique=True))
        for r in asked
    ]
    more = [
        [*some, *data.draw(st.lists(st.sampled_from(names[r["resource"]["type"]])))]
        for some, r in zip(few, asked, strict=True)
    ]
    narrow = ask(store, world, [with_fields(r, some) for r, some in zip(asked, few, strict=True)])
    wide = again(store, world, [with_fields(r, some) for r, some in zip(asked, more, strict=True)])
    whole = again(store, world, [with_fields(r, None) for r in asked])
    for less, same, everything in zip(narrow, wide, whole, strict=True):
        if less.permit:
            assert same.permit
            assert everything.permit
            given_fields = set(less.obligations[ObligationId.FIELDS])
            assert given_fields <= set(same.obligations[ObligationId.FIELDS])
            assert given_fields <= set(everything.obligations[ObligationId.FIELDS])
        if same.permit:
            assert everything.permit


@theorem
@given(world=worlds(), asked=plain_batches)
def test_withheld_and_fields_partition_what_was_asked(
    store: Engine, world: World, asked: list[Row]
) -> None:
    """Each field asked for is given or said to be withheld, and none is both (2.7)."""
    for request, decision in zip(asked, ask(store, world, asked), strict=True):
        withheld = list(decision.obligations.get(ObligationId.WITHHELD, []))
        if not decision.permit:
            assert not decision.obligations
            continue
        given_fields = decision.obligations[ObligationId.FIELDS]
        wanted = request["resource"].get("properties", {}).get("fields")
        if wanted is None:
            assert not withheld
        else:
            assert sorted([*given_fields, *withheld]) == sorted(set(wanted))


@theorem
@given(world=worlds(), asked=batches)
def test_custody_is_neutral_outward(store: Engine, world: World, asked: list[Row]) -> None:
    """Somebody under a restriction is answered, byte for byte, as a stranger is (N-22, page 5)."""
    between = [r for r in asked if of_two_people(r)]
    between = [r for r in between if r["subject"]["id"] != r["resource"]["id"]]
    assume(between)
    world.facts += [
        {"fact": "custody_restriction", "subject": one, "person": other, "basis": "court"}
        for one in PEOPLE
        for other in PEOPLE
        if one != other
    ]
    strangers = copy.deepcopy(between)
    for request in strangers:
        request["subject"]["id"] = "stranger"
    banned = [told(decision) for decision in ask(store, world, between)]
    assert banned == [told(decision) for decision in again(store, world, strangers)]
    assert not any("custody" in answered for answered in banned)


@theorem
@given(world=worlds(), asked=batches)
def test_every_answer_has_one_record(store: Engine, world: World, asked: list[Row]) -> None:
    """Permit or refusal, each leaves its own record, in order, with the same words (N-49)."""
    clear(store)
    world.store(store)
    before = len(records(store))
    answered: list[Decided] = world.ask_all(store, asked)
    written = records(store)[before:]
    assert len(written) == len(asked)
    for request, one, record in zip(asked, answered, written, strict=True):
        assert record["event"] == "decision"
        assert (record["subject"], record["action"]) == (
            request["subject"],
            request["action"]["name"],
        )
        assert record["resource"] == {n: request["resource"][n] for n in ("type", "id")}
        assert record["decision"] is one.decision.permit
        assert record.get("rules", []) == list(one.decision.rules)
        assert record.get("reason") == one.decision.reason
        assert one.receipt is not None
    receipts = [one.receipt.sequence for one in answered if one.receipt]
    assert receipts == list(range(before + 1, before + 1 + len(asked)))


@theorem
@given(world=worlds(), asked=batches, who=st.sampled_from(PEOPLE))
def test_deregistration_closes_everything_of_the_subject(
    store: Engine, world: World, asked: list[Row], who: str
) -> None:
    """A person who leaves loses every right on the next decision, their own included (N-42)."""
    for request in asked:
        request["subject"] = {"type": "user", "id": who}
    ask(store, world, asked)
    world.import_into(store, [{"fact": "person", "id": who, "status": "deregistered"}])
    for decision in again(store, world, asked):
        assert not decision.permit
        assert decision.reason in {"inactive-subject", *UNKNOWN_WORDS}


@theorem
@given(world=worlds(), asked=batches, of_subject=st.booleans(), ident=st.text(min_size=1))
def test_unknown_ids_refuse(
    store: Engine, world: World, asked: list[Row], of_subject: bool, ident: str
) -> None:
    """Of whom nothing is known, nothing is told, and to whom nobody knows neither (N-23)."""
    assume(ident not in {*PEOPLE, "stranger", "svc", "court"})
    for request in asked:
        if of_subject:
            request["subject"]["id"] = ident
        else:
            request["resource"]["id"] = ident
    expected = "inactive-subject" if of_subject else "unknown-person"
    for decision in ask(store, world, asked):
        assert not decision.permit
        assert expected in decision.rules or decision.reason in UNKNOWN_WORDS


STRANGE = ("", "\0", "a\0b", "\ud800", "\udfff\ud800", "x" * 100_000)
PLACES = ("subject", "resource", "ticket", "order", "case", "class")


def test_strange_ids_are_answered_like_unknown_ones(store: Engine) -> None:
    """What no database can hold is nobody's id: refused, recorded, and no error (N-51)."""
    world = World().person("ann", "bob").grant("ann", "dpo")
    world.fact("authority", id="A", name="A", members=["bob"]).store(store)
    asked = [strange(where, ident) for where in PLACES for ident in STRANGE]
    before = len(records(store))
    assert not any(decision.permit for decision in again(store, world, asked))
    assert len(records(store)) == before + len(asked)


def strange(where: str, ident: str) -> Row:
    who = "bob" if where == "order" else "ann"
    asked = question(who, "read", "contact", "bob", purpose="legal_duty")
    if where in ("subject", "resource"):
        asked[where]["id"] = ident
    elif where == "class":
        asked["resource"]["properties"] = {"class": ident}
    else:
        asked["context"][where] = ident
    return asked
