"""The facts of a question as they were if one row on file had ended (a what-if).

The row is taken out of the facts that the decision reads, and the same decision is asked
again. Nothing is written. A test holds it equal to ending the row in the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from authz.decision.request import Question
from authz.directory import tables as t
from authz.directory.evidence import OnFile, Row, span
from authz.directory.facts import Elevated, Enrolled, Facts, HeldRole, Link, Member, Terms
from authz.directory.rows import FACT

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Ended:
    """A row, by the kind of its fact and its id."""

    kind: str
    id: str

    @classmethod
    def parse(cls, text: str) -> Ended | None:
        """``kind:id``; None for anything else."""
        kind, colon, ident = text.partition(":")
        return cls(kind, ident) if colon and ident and kind in TABLES else None


def without(facts: Facts, asked: Question, on_file: OnFile, gone: Ended) -> Facts:
    """The facts without that row; the same where it is none of theirs."""
    row = on_file.one(TABLES[gone.kind], gone.id)
    return facts if row is None else _LESS[gone.kind](facts, row, asked, on_file)


def _less(values: tuple[Value, ...], *gone: Value) -> tuple[Value, ...]:
    """One of those that are equal is gone; another like it stays."""
    left = list(values)
    for each in gone:
        if each in left:
            left.remove(each)
    return tuple(left)


def _guardianship(facts: Facts, row: Row, _: Question, __: OnFile) -> Facts:
    link = Link(row["kind"], row["origin"] == FACT, span(row))
    kept = _less(facts.links, link)
    # A recorded one that has ended still stands in place of the roster's.
    return replace(facts, links=() if link.recorded and not _recorded(kept) else kept)


def _recorded(links: tuple[Link, ...]) -> bool:
    return any(link.recorded for link in links)


def _grant(facts: Facts, row: Row, asked: Question, _: OnFile) -> Facts:
    role = HeldRole(row["role"], row["organisation"], span(row))
    if row["person"] == asked.request.subject.id:
        facts = replace(facts, grants=_less(facts.grants, role))
    if row["person"] == asked.person:
        facts = replace(facts, person_grants=_less(facts.person_grants, role))
    return facts


def _enrolment(facts: Facts, row: Row, asked: Question, on_file: OnFile) -> Facts:
    dates = on_file.enrolled(row)
    if dates is None:
        return facts
    enrolled = Enrolled(row["class"], row["role"], dates)
    if row["person"] == asked.request.subject.id:
        facts = replace(facts, subject_enrolments=_less(facts.subject_enrolments, enrolled))
    if row["person"] == asked.person:
        facts = replace(facts, person_enrolments=_less(facts.person_enrolments, enrolled))
    return facts


def _membership(facts: Facts, row: Row, _: Question, __: OnFile) -> Facts:
    place, dates = row["organisation"], span(row)
    gone: list[Member] = [
        m for m in facts.memberships if (m.organisation, m.span) == (place, dates)
    ]
    return replace(facts, memberships=_less(facts.memberships, *gone[:1]))


def _contract(facts: Facts, row: Row, _: Question, __: OnFile) -> Facts:
    terms = Terms(
        purposes=frozenset(row["purposes"]),
        categories={name: tuple(names) for name, names in row["categories"].items()},
        actions=frozenset(row["actions"]),
        schools=None if row["schools"] is None else frozenset(row["schools"]),
        transfer=row["transfer"],
        country=row["country"],
        sub_processing=row["sub_processing"],
        span=span(row),
    )
    return replace(facts, contracts=_less(facts.contracts, terms))


def _mentoring(facts: Facts, row: Row, _: Question, __: OnFile) -> Facts:
    return replace(facts, mentoring=_less(facts.mentoring, span(row)))


def _elevation(facts: Facts, row: Row, _: Question, __: OnFile) -> Facts:
    kept: tuple[Elevated, ...] = tuple(each for each in facts.elevations if each.id != row["id"])
    return replace(facts, elevations=kept)


def _named(name: str) -> Callable[[Facts, Row, Question, OnFile], Facts]:
    def less(facts: Facts, row: Row, asked: Question, _: OnFile) -> Facts:
        named = getattr(asked, name) == row["id"]
        gone: dict[str, Any] = {name: None}
        return replace(facts, **gone) if named else facts

    return less


TABLES: Mapping[str, type[t.Base]] = {
    "guardianship": t.Guardianship,
    "grant": t.Grant,
    "enrolment": t.Enrolment,
    "membership": t.Membership,
    "contract": t.Contract,
    "mentoring": t.Mentoring,
    "elevation": t.Elevation,
    "ticket": t.Ticket,
    "order": t.Order,
    "case": t.Case,
}
"""The rows that rights hang on, by the kind of their fact."""

_LESS: Mapping[str, Callable[[Facts, Row, Question, OnFile], Facts]] = {
    "guardianship": _guardianship,
    "grant": _grant,
    "enrolment": _enrolment,
    "membership": _membership,
    "contract": _contract,
    "mentoring": _mentoring,
    "elevation": _elevation,
    "ticket": _named("ticket"),
    "order": _named("order"),
    "case": _named("case"),
}
