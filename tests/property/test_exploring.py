"""The explorer lists exactly those for whom a decision permits, on both databases (N-41)."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from authz.decision.request import Question
from authz.directory.recording.revision import advance
from authz.service.database import writing
from authz.service.exploring import explorer
from authz.service.exploring.ended import TABLES, Ended
from authz.service.exploring.explorer import WhatIf
from authz.service.exploring.paths import Line
from authz.service.shown import Viewer
from tests.property.worlds import PEOPLE, SERVICES, plain_batches, theorem, worlds
from tests.world import NOW, Row, World, clear, frozen, moment, point, question

VIEWER = Viewer("dpo", "dpo")
SUBJECTS = (*PEOPLE, *SERVICES, "stranger")


def who(store: Engine, person: str, what_if: WhatIf | None = None) -> list[Line]:
    with frozen(NOW):
        return list(explorer.who(point(store), person, VIEWER, what_if).lines)


def what(store: Engine, subject: str) -> list[Line]:
    found: list[Line] = []
    after = ""
    with frozen(NOW):
        while True:
            page = explorer.what(point(store), subject, VIEWER, after=after)
            found += page.lines
            if not (after := page.after):
                return found


def keys(lines: list[Line]) -> set[tuple[Any, ...]]:
    """Who may, whom, by which rule, and what for."""
    return {
        (line.subject, line.person, line.rule, asked.action, asked.category, asked.purpose)
        for line in lines
        for asked in (use.question for use in line.uses)
    }


def request(asked: Question) -> Row:
    """The question of a line, as a caller would send it."""
    names = {"ticket": asked.ticket, "order": asked.order, "case": asked.case}
    words = {name: value for name, value in names.items() if value is not None}
    return question(
        asked.request.subject.id, asked.action, asked.category, asked.person,
        kind=asked.request.subject.type, purpose=asked.purpose, mfa=True, justification="flood",
        properties={"class": asked.class_id} if asked.class_id else None, **words,
    )  # fmt: skip


@theorem
@given(world=worlds(), person=st.sampled_from(PEOPLE))
def test_whoever_is_listed_is_permitted(store: Engine, world: World, person: str) -> None:
    """Each use of each line is a permit of the decision point, by that rule (3.4)."""
    clear(store)
    world.store(store)
    lines = who(store, person)
    asked = [(line.rule, use.question) for line in lines for use in line.uses]
    decided = world.ask_all(store, [request(each) for _, each in asked])
    for (rule, each), one in zip(asked, decided, strict=True):
        assert one.decision.permit, each
        assert rule in one.decision.rules
        assert one.decision.purpose == each.purpose


@theorem
@given(world=worlds(), asked=plain_batches, person=st.sampled_from(PEOPLE))
def test_whoever_is_permitted_is_listed(
    store: Engine, world: World, asked: list[Row], person: str
) -> None:
    """Everybody is asked, with whatever words: a permit is a line of the explorer (N-41)."""
    clear(store)
    world.store(store)
    listed = keys(who(store, person))
    for each in asked:
        several = []
        for subject in SUBJECTS:
            one = copy.deepcopy(each)
            one["subject"] = {"type": "service" if subject in SERVICES else "user", "id": subject}
            one["resource"]["id"] = person
            several.append(one)
        for subject, found in zip(SUBJECTS, world.ask_all(store, several), strict=True):
            decision = found.decision
            about = (each["action"]["name"], each["resource"]["type"], decision.purpose)
            for rule in decision.rules if decision.permit else ():
                assert (subject, person, rule, *about) in listed, each


@theorem
@given(world=worlds())
def test_what_somebody_sees_and_who_sees_somebody_are_one(store: Engine, world: World) -> None:
    """Both directions are one relation."""
    clear(store)
    world.store(store)
    people = (*PEOPLE, "stranger")
    by_person = {key for person in people for key in keys(who(store, person))}
    by_subject = {key for subject in people for key in keys(what(store, subject))}
    assert {key for key in by_person if key[0] in people} == by_subject


@theorem
@given(world=worlds(), person=st.sampled_from(PEOPLE))
def test_a_row_that_were_to_end_is_as_one_that_ended(
    store: Engine, world: World, person: str
) -> None:
    """A what-if on a fact of each path equals ending its row in the store (N-47)."""
    clear(store)
    world.store(store)
    lines = who(store, person)
    for end in sorted({step.end for line in lines for step in line.path if step.end})[:2]:
        gone = Ended.parse(end)
        assert gone is not None
        supposed = who(store, person, WhatIf(gone=gone))
        before = _end(store, gone)
        found = keys(who(store, person))
        _end(store, gone, before)
        kept = [line for line in supposed if line.changed != "lost"]
        lost = {(line.subject, line.rule) for line in supposed if line.changed == "lost"}
        assert keys(kept) == found, end
        assert lost == _pairs(lines) - _pairs(kept), end


def _pairs(lines: list[Line]) -> set[tuple[str, str]]:
    return {(line.subject, line.rule) for line in lines}


def _end(store: Engine, gone: Ended, value: Any = NOW) -> Any:
    """End the row, or put back the end that it had; the end that it had."""
    table: Any = TABLES[gone.kind]
    with writing(store) as connection:
        before = connection.scalar(table.__table__.select().with_only_columns(table.ended_at)
                                   .where(table.id == gone.id))  # fmt: skip
        connection.execute(update(table).where(table.id == gone.id).values(ended_at=value))
        advance(connection)
    return before


@theorem
@given(world=worlds(), person=st.sampled_from(PEOPLE))
def test_a_line_ends_when_it_says(store: Engine, world: World, person: str) -> None:
    """At the end told the rule permits no more, and a moment before it still does."""
    clear(store)
    world.store(store)
    for line in who(store, person):
        if line.ending is None:
            continue
        first = request(line.uses[0].question)
        decided = world.ask(store, first, at=line.ending.at)
        assert line.rule not in decided.rules or not decided.permit


def test_every_day_can_be_asked(store: Engine) -> None:
    world = World().school("S").person("kid", born="2006-12-01", at="S").person("mum")
    world.guardian("mum", "kid").store(store)
    (mum,) = {line.subject for line in who(store, "kid")} - {"kid"}
    assert mum == "mum"
    later = who(store, "kid", WhatIf(at=moment("2026-12-01")))
    lost = {(line.subject, line.rule) for line in later if line.changed == "lost"}
    assert lost == {("mum", rule) for rule in
                    ("parent-read", "parent-export", "parent-update", "parent-answer")}  # fmt: skip
