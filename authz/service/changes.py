"""What would have to change for the answer to change: asked, never guessed (issue 3, part 5).

Each hypothesis is put to the same decision as the question itself, on the same facts but for
the one thing. For a refusal those are kept that would permit; for a permit, those that would
refuse, and the next moment at which it permits less or otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from authz import clock
from authz.decision.combine import Decision
from authz.decision.request import Question
from authz.directory.evidence import OnFile
from authz.directory.facts import Span
from authz.directory.relations import FULFILLING_DAYS, Situation
from authz.engine import decide as engine
from authz.engine.explain import Explanation
from authz.service.because import BEFORE
from authz.service.decide import DecisionPoint
from authz.service.hypotheses import Change, otherwise, with_more, without, words
from authz.vocabulary import ChangeKind

MOST = 24
MOST_MOMENTS = 2000
"""How many boundaries are looked at ahead, and how many back; the nearest first."""

Ask = Callable[[Change], Decision]


@dataclass(frozen=True, slots=True)
class Changed:
    """A change, and the answer then."""

    change: Change
    decision: Decision


@dataclass(frozen=True, slots=True)
class Changes:
    """The nearest changes of an answer; ``left_out`` counts those beyond :data:`MOST`."""

    found: tuple[Changed, ...] = ()
    left_out: int = 0


def changes(
    point: DecisionPoint,
    connection: Connection,
    situation: Situation,
    decision: Decision,
    found: Explanation,
    on_file: OnFile,
) -> Changes:
    """The single changes after which the answer would be another."""
    ask = partial(_ask, point, connection, situation)
    hypotheses = [
        *words(situation, on_file),
        *(otherwise(situation, found) if not decision.permit else ()),
        *(with_more(situation, found) if not decision.permit else ()),
        *(without(situation, _rests_on(found, decision)) if decision.permit else ()),
    ]
    told = list(_moments(ask, situation, decision))
    told += _flipping(ask, hypotheses, decision)
    return Changes(tuple(told[:MOST]), max(0, len(told) - MOST))


def _flipping(ask: Ask, hypotheses: Iterable[Change], decision: Decision) -> Iterator[Changed]:
    """Those that turn the answer round; of a permit's words, only those that it needs."""
    seen: set[tuple[str, object]] = set()
    for change in hypotheses:
        if decision.permit and change.kind is ChangeKind.REQUEST and change.value:
            continue
        if (change.what, change.value) in seen:
            continue
        seen.add((change.what, change.value))
        answer = ask(change)
        if answer.permit is not decision.permit:
            yield Changed(change, answer)


def _ask(
    point: DecisionPoint, connection: Connection, situation: Situation, change: Change
) -> Decision:
    """The decision's own answer; facts are read anew where other words name other facts."""
    if change.facts is None:
        return point.decide(connection, change.question, change.at).decision
    now = replace(situation, question=change.question, facts=change.facts, now=change.at)
    return engine.decide(point.policy, change.question, now)


def _rests_on(found: Explanation, decision: Decision) -> list[str]:
    """The relations that hold in the rules of the answer."""
    names = {
        name: None
        for each in found.considered
        if each.rule.id in decision.rules
        for name, holds in each.relations.items()
        if holds
    }
    return [*names, "consented"]


def _moments(ask: Ask, situation: Situation, decision: Decision) -> Iterator[Changed]:
    """The next moment at which the answer is another, and the last one before it was so."""
    moments = sorted(boundaries(situation))
    ahead = [moment for moment in moments if moment > situation.now][:MOST_MOMENTS]
    behind = [moment for moment in reversed(moments) if moment <= situation.now][:MOST_MOMENTS]
    narrower = False
    for moment in ahead:
        answer = ask(_at(situation, "from", moment, moment))
        if answer.permit is not decision.permit:
            yield Changed(_at(situation, "from", moment, moment), answer)
            break
        if answer.permit and not narrower and answer != decision:
            narrower = True
            yield Changed(_at(situation, "from", moment, moment), answer)
    for moment in behind:
        answer = ask(_at(situation, "before", moment, moment - BEFORE))
        if answer.permit is not decision.permit:
            yield Changed(_at(situation, "before", moment, moment - BEFORE), answer)
            break


def _at(situation: Situation, what: str, moment: datetime, asked: datetime) -> Change:
    question: Question = situation.question
    return Change(ChangeKind.TIME, what, moment, question, situation.facts, asked)


def boundaries(situation: Situation) -> set[datetime]:
    """Every moment at which some fact of the question begins, ends, or comes of age."""
    found = set(_dates(situation.facts))
    person, place = situation.facts.person, situation.place
    if person is not None and person.birth_date is not None:
        day = clock.birthday(person.birth_date, place.age_of_majority)
        found.add(clock.midnight(day, place.local))
    for goods in situation.facts.goods:
        if goods.received_at is not None:
            found.add(clock.day_after(goods.received_at, FULFILLING_DAYS, place.local))
    for moment in (situation.now, *sorted(found)[:MOST_MOMENTS]):
        then = replace(situation, now=moment)
        for purpose in situation.catalogue.purposes:
            found |= set(then.retention_ends(purpose))
    return found


def _dates(value: object) -> Iterator[datetime]:
    """The ends of every interval within a fact, whatever kind of fact it is."""
    if isinstance(value, Span):
        yield from (moment for moment in (value.since, value.until) if moment is not None)
    elif isinstance(value, tuple):
        for each in value:
            yield from _dates(each)
    elif is_dataclass(value):
        for each in fields(value):
            yield from _dates(getattr(value, each.name))
