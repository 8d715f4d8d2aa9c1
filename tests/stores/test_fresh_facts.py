"""A kept fact is used only where it is what a read would give now (3.5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from authz.decision.request import Question, parse
from authz.decision.request import question as asked_of
from authz.directory import reader
from authz.directory.asking import Asking, snapshot
from authz.directory.facts import UNREAD, Facts
from authz.directory.known import KnownFacts
from authz.directory.needs import ALWAYS, EVERYTHING, NEEDS, needs
from authz.directory.relations import Situation
from authz.directory.shape import Part
from authz.service import decide
from authz.service.database import open_store, reading, writing
from authz.service.decide import DecisionPoint
from authz.service.record_facts import import_facts
from authz.service.watch import Watch, watch
from authz.vocabulary import Relation
from tests.world import BANGKOK, CALLER, NOW, World, point, policy, question

MUM_READS = question("mum", "read", "assessment_result", "kid")
LINK = {"fact": "guardianship", "guardian": "mum", "student": "kid", "kind": "parent"}


@pytest.fixture
def world(store: Engine) -> World:
    """A mother, her child, and a teacher of both classes of the school."""
    made = World().school("D").school("S", below="D").person("mum").person("t")
    made.person("kid", born="2015-01-01", at="S").group("C", school="S")
    made.enrol("C", "teacher", "t").enrol("C", "student", "kid").guardian("mum", "kid")
    return made.store(store)


def about(request: dict[str, Any]) -> Question:
    return asked_of(parse(request), believes_mfa=False)


def permits(asker: DecisionPoint, request: dict[str, Any] = MUM_READS, **later: int) -> bool:
    with snapshot(asker.store) as asking:
        return asker.decided(asking, about(request), NOW + timedelta(**later)).decision.permit


def recorded(store: Engine, fact: dict[str, Any]) -> None:
    """Put one fact on file, at the time that the clock shows."""
    catalogue, lines = policy().catalogue, [json.dumps(fact)]
    import_facts(store, lambda: lines, name="f", catalogue=catalogue, local=BANGKOK, by="test")


@contextmanager
def counted() -> Iterator[list[str]]:
    """The texts that the driver is asked through our own cursor."""
    asked: list[str] = []
    original = Asking._all

    def counting(self: Asking, text: str, given: Any) -> Any:
        asked.append(text)
        return original(self, text, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Asking, "_all", counting)
        yield asked


@pytest.mark.usefixtures("world")
def test_the_second_decision_asks_the_revision_alone(store: Engine) -> None:
    asker = point(store)
    assert permits(asker)
    with counted() as asked:
        assert permits(asker)
    assert len(asked) == 1
    assert "directory_revision" in asked[0]
    assert "guardianship" not in asked[0]


@pytest.mark.usefixtures("world")
def test_the_first_decision_about_a_child_is_one_statement(store: Engine) -> None:
    with counted() as asked:
        assert permits(point(store))
    assert len(asked) == 1


def test_a_revoked_guardianship_refuses_the_next_decision_of_every_point(
    store: Engine, store_url: str, world: World
) -> None:
    """As of two processes: another engine, with facts of its own kept."""
    elsewhere = open_store(store_url)
    askers = [point(store), point(elsewhere)]
    for _ in range(3):
        assert [permits(asker) for asker in askers] == [True, True]
        world.import_into(store, [{**LINK, "delete": True}])
        assert [permits(asker) for asker in askers] == [False, False]
        world.import_into(elsewhere, [LINK])
    elsewhere.dispose()


def test_a_kept_fact_that_ends_by_time_ends_without_a_change(store: Engine, world: World) -> None:
    """Nothing is written when an interval ends, a child comes of age or a clock runs out."""
    world.import_into(store, [{**LINK, "until": (NOW + timedelta(days=1)).isoformat()}])
    asker = point(store)
    assert permits(asker)
    assert permits(asker, hours=23)
    assert not permits(asker, hours=24)
    world.import_into(store, [LINK])
    assert permits(asker, days=24)
    assert not permits(asker, days=366 * 20)


def test_each_name_of_the_context_has_facts_of_its_own(store: Engine, world: World) -> None:
    """A ticket named once must not count for a question that names another, or none."""
    world.grant("t", "support_agent").fact(
        "ticket", id="T-1", person="kid", assignee="t", opened_at="2026-01-01", closed_at=None
    )
    world.import_into(store, world.facts)
    asker = point(store)

    def agent(**context: Any) -> bool:
        asked = question("t", "read", "contact", "kid", purpose="support", **context)
        return permits(asker, asked)

    assert [agent(ticket="T-1"), agent(ticket="T-2"), agent(), agent(ticket="T-1")] == [
        *(True, False, False, True)
    ]


@pytest.mark.usefixtures("world")
def test_no_more_questions_are_kept_than_the_bound(store: Engine) -> None:
    known = KnownFacts(2)
    asker = replace(point(store), known=known)
    for name in ("mum", "t", "kid", "t", "mum", "mum"):
        permits(asker, question(name, "read", "identity", "kid"))
        assert len(known) <= 2
    with counted() as asked:
        permits(asker, question("t", "read", "identity", "kid"))
        permits(asker, question("kid", "read", "identity", "kid"))
    assert ["guardianship" in text for text in asked] == [False, True]


@pytest.mark.usefixtures("world")
def test_facts_read_where_one_writes_are_not_kept(store: Engine) -> None:
    """The revision of a transaction that is rolled back may come again for another state."""
    asker = point(store)
    with writing(store) as connection:
        asker.decide(connection, about(MUM_READS), NOW)
    assert len(asker.known) == 0
    with reading(store) as connection:
        asker.decide(connection, about(MUM_READS), NOW)
    assert len(asker.known) == 1


def test_facts_read_without_a_snapshot_are_not_kept(postgres_store: Engine) -> None:
    """Two statements of such a connection may tell of two states."""
    asker = point(postgres_store)
    with postgres_store.connect() as connection:
        asker.decide(connection, about(MUM_READS), NOW)
    assert len(asker.known) == 0


@pytest.mark.usefixtures("world")
def test_the_snapshot_that_evaluate_takes_is_given_back(store: Engine) -> None:
    """As many decisions as there are connections, and more; nothing stays open."""
    asker = point(store)
    for _ in range(40):
        asker.evaluate([parse(MUM_READS)], CALLER)
    assert store.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_every_relation_says_what_it_looks_at() -> None:
    assert set(NEEDS) == set(Relation)
    assert frozenset(ALWAYS) <= EVERYTHING


@pytest.mark.parametrize("relation", list(Relation))
@pytest.mark.parametrize("subject", ["mum", "t", "kid"])
@pytest.mark.usefixtures("world")
def test_a_relation_needs_no_more_than_it_says(
    store: Engine, relation: Relation, subject: str
) -> None:
    """With the facts it names alone it holds just where it does with all of them."""
    asked = about(
        question(subject, "read", "identity", "kid", purpose="service", ticket="x", case="y")
    )
    with snapshot(store) as asking:
        few = reader.people(asking, asked, needs(frozenset({relation.value})))
        every = reader.people(asking, asked, EVERYTHING)

    def holds(facts: Facts) -> bool:
        situation = Situation(asked, facts, NOW, point(store).place, policy().catalogue)
        return bool(getattr(situation.relations("service"), relation.value))

    assert holds(few) is holds(every)


@pytest.mark.usefixtures("world")
def test_what_was_not_read_cannot_be_asked(store: Engine) -> None:
    with snapshot(store) as asking:
        facts = reader.people(asking, about(MUM_READS), needs(frozenset()))
    assert facts.custody is UNREAD
    for look in (bool, list, len):
        with pytest.raises(LookupError):
            look(facts.custody)


def test_a_question_reads_only_what_the_rules_about_it_can_ask() -> None:
    """Derived from the policy's own conditions."""
    reset = needs(policy().applicable("update", "credentials").relations)
    assert {Part.MENTORING, Part.TICKET, Part.CASE, Part.ATTENDANCE}.isdisjoint(reset)
    assert Part.ATTENDANCE in needs(policy().applicable("read", "identity").relations)


def test_our_own_time_zone_is_not_needed_to_read(store: Engine, world: World) -> None:
    """Facts hold moments in UTC on either store."""
    world.import_into(store, [{**LINK, "from": "2026-01-01"}])
    with reading(store) as connection:
        (link,) = reader.read_people(connection, about(MUM_READS)).links
    assert link.span.since is not None
    assert link.span.since.utcoffset() == timedelta(0)
    assert link.span.since.astimezone(BANGKOK).hour == 0


@pytest.mark.usefixtures("world")
def test_what_was_revoked_before_the_snapshot_refuses_however_long_the_request_had_waited(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3.5: the moment that is asked about is never before the facts it is asked of."""
    request = parse(MUM_READS)
    recorded(store, LINK)
    asker = point(store)
    assert asker.evaluate([request], CALLER)[0].decision.permit

    @contextmanager
    def late(of: Engine) -> Iterator[Asking]:
        """A connection that was waited for, while somebody ended the guardianship."""
        recorded(store, {**LINK, "delete": True})
        with snapshot(of) as asking:
            yield asking

    def late_look(of: Engine) -> Watch | None:
        """The same where a look is enough."""
        watching = watch(of)
        if watching is not None:
            recorded(store, {**LINK, "delete": True})
        return watching

    monkeypatch.setattr(decide, "watch", late_look)
    if watch(store) is None:
        monkeypatch.setattr(decide, "snapshot", late)
    assert not asker.evaluate([request], CALLER)[0].decision.permit
