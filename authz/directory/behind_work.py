"""The facts behind work that somebody is given: contracts, orders, tickets, cases (2.4).

And those behind the refusals of 2.6 that the person's own choices make: retention, consent,
objection, restriction. See :mod:`authz.directory.behind`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from authz import clock
from authz.directory import tables as t
from authz.directory.evidence import OnFile, Row, earlier, span
from authz.directory.fact import Fact, fact
from authz.directory.facts import PROTECTED_TRANSFERS, Span
from authz.directory.relations import FULFILLING_DAYS, Situation
from authz.vocabulary import FactState, Relation, Role

Behind = Callable[[Situation, OnFile, str | None], Iterable[Fact]]
RECIPIENTS = (Role.PROCESSOR, Role.AUTHORITY)


def memberships_of_recipients(situation: Situation, on_file: OnFile, *kinds: str) -> Iterator[Fact]:
    """The processors and authorities that the subject acts for."""
    for row in on_file.of(t.Recipient):
        if row["kind"] in kinds:
            yield fact(situation, row["kind"], row, span(row), name=row["name"])


def _contracts(situation: Situation, on_file: OnFile, purpose: str | None) -> Iterator[Fact]:
    for row in on_file.of(t.Contract):
        lacks = [name for name, good in _terms(situation, row, purpose).items() if not good]
        if _acts(on_file, row["processor"], Role.PROCESSOR):
            stops = (bool(lacks), FactState.NOT_COVERED)
            told = {"processor": row["processor"], "lacks": lacks}
            yield fact(situation, "contract", row, span(row), stops, **told)


def _terms(situation: Situation, row: Row, purpose: str | None) -> dict[str, bool]:
    """What of the use a contract covers, by name (N-24, N-26)."""
    question, home = situation.question, situation.place.country
    schools, country = row["schools"], row["country"]
    kept = row["transfer"] == "domestic" and country == home
    return {
        "action": question.action in row["actions"],
        "sub_processing": question.action != "disclose" or row["sub_processing"],
        "category": question.category in row["categories"],
        "purpose": purpose is None or purpose in row["purposes"],
        "school": schools is None or bool(set(schools) & situation.organisations.keys()),
        "transfer": bool(country) and (kept or row["transfer"] in PROTECTED_TRANSFERS),
    }


def _acts(on_file: OnFile, recipient: str, kind: str) -> bool:
    return any(
        row["id"] == recipient and row["kind"] == kind and row["ended_at"] is None
        for row in on_file.of(t.Recipient)
    )


def _orders(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
    for row in on_file.of(t.Order):
        strange = not _acts(on_file, row["authority"], Role.AUTHORITY)
        strange |= not on_file.covers(t.Order, row["id"])
        yield fact(
            situation,
            "order",
            row,
            span(row),
            (strange, FactState.OTHER_PERSON),
            (situation.question.category not in row["categories"], FactState.NOT_COVERED),
            (situation.question.order != row["id"], FactState.NOT_NAMED),
            authority=row["authority"],
        )


def _tickets(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
    question = situation.question
    for row in on_file.of(t.Ticket):
        strange = (row["person"], row["assignee"]) != (question.person, question.request.subject.id)
        yield fact(
            situation,
            "ticket",
            row,
            span(row, "opened_at", "closed_at"),
            (strange, FactState.OTHER_PERSON),
            (question.ticket != row["id"], FactState.NOT_NAMED),
            assignee=row["assignee"],
        )


def _cases(kinds: frozenset[str]) -> Behind:
    def found(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
        question = situation.question
        for row in on_file.of(t.Case):
            strange = row["assignee"] != question.request.subject.id
            strange |= not on_file.covers(t.Case, row["id"])
            yield fact(
                situation,
                "case",
                row,
                span(row, "opened_at", "closed_at"),
                (strange, FactState.OTHER_PERSON),
                (row["kind"] not in kinds, FactState.OTHER_KIND),
                (question.case != row["id"], FactState.NOT_NAMED),
                kind=row["kind"],
                assignee=row["assignee"],
            )

    return found


def _goods(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
    question, local = situation.question, situation.place.local
    for row in on_file.of(t.Purchase):
        received = row["received_at"]
        over = received and clock.day_after(received, FULFILLING_DAYS, local)
        yield fact(
            situation,
            "purchase",
            row,
            Span(row["ordered_at"], earlier(row["ended_at"], over)),
            (row["assignee"] != question.request.subject.id, FactState.OTHER_PERSON),
            (question.record not in (None, row["id"]), FactState.NOT_NAMED),
            assignee=row["assignee"],
        )


def _mentoring(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
    roleless = (not situation.facts.mentoring, FactState.WITHOUT_ROLE)
    for row in on_file.of(t.Mentoring):
        yield fact(situation, "mentoring", row, span(row), roleless)


def _elevations(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
    roleless = (not situation.facts.elevations, FactState.WITHOUT_ROLE)
    for row in on_file.of(t.Elevation):
        away = (row["school"] not in situation.organisations, FactState.ELSEWHERE)
        told = {"organisation": row["school"], "approved_by": row["approved_by"]}
        yield fact(situation, "elevation", row, span(row), roleless, away, **told)


def _retention(situation: Situation, _: OnFile, purpose: str | None) -> Iterator[Fact]:
    """The clock of the purpose, where it has started: since what, and until when (N-12)."""
    ends = situation.retention_ends(purpose) if purpose is not None else []
    for end in ends:
        starts = situation.catalogue.purposes[purpose or ""].clock.starts
        started = _started(starts, situation)
        found = fact(situation, "retention", {"id": purpose}, Span(started, end), starts=starts)
        yield replace(found, counts=end <= situation.now)


def _started(starts: str, situation: Situation) -> datetime | None:
    """When a person's own clock began; of goods and events the fact tells the end alone."""
    person = situation.facts.person
    if person is None or starts not in {"cancelled", "last_used"}:
        return None
    return person.left_at if starts == "cancelled" else person.last_used_at


def _objections(situation: Situation, on_file: OnFile, purpose: str | None) -> Iterator[Fact]:
    for row in on_file.of(t.Objection):
        if row["purpose"] == purpose:
            yield fact(situation, "objection", row, span(row), purpose=purpose)


def _consents(situation: Situation, on_file: OnFile, purpose: str | None) -> Iterator[Fact]:
    for row in on_file.of(t.Consent):
        if row["purpose"] == purpose:
            dates = span(row, "given_at", "withdrawn_at")
            told = {"purpose": purpose, "project": row["project"]}
            yield fact(situation, "consent", row, dates, **told)


def _restrictions(situation: Situation, on_file: OnFile, _: str | None) -> Iterator[Fact]:
    for row in on_file.of(t.Restriction):
        yield fact(situation, "restriction", row, span(row))
    for row in on_file.of(t.Erasure):
        if row["approved_at"] is not None:
            yield fact(situation, "erasure", row, span(row, "approved_at", ""))


FACTS: Mapping[Relation, Behind] = {
    Relation.CONTRACTED: _contracts,
    Relation.ORDERED: _orders,
    Relation.TICKETED: _tickets,
    Relation.FULFILLING: _goods,
    Relation.MENTORS: _mentoring,
    Relation.ON_CASE: _cases(frozenset({"rights_request", "incident"})),
    Relation.ON_RIGHTS_REQUEST: _cases(frozenset({"rights_request"})),
    Relation.ELEVATED: _elevations,
    Relation.RETENTION_ENDED: _retention,
    Relation.OBJECTED: _objections,
    Relation.CONSENTED: _consents,
    Relation.PROCESSING_RESTRICTED: _restrictions,
}
