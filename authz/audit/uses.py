"""Uses of people's data, counted by the database: what reports are made of (N-49, E-07).

A *use* is a decision that permitted; a person is *listed* where a search returned their
id, which is no use (page 5, **Search**). What-ifs are neither. Everything here is one
statement, and reads the index columns and mentions, not the records' bodies; only
:func:`affected` reads bodies, for the fields, and gives its rows as they come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    Select,
    and_,
    case,
    distinct,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from authz.audit import pseudonyms
from authz.audit.mentions import ABOUT, LISTED, PERSON, RULE
from authz.audit.record import canonical, indexed, timestamp
from authz.audit.tables import AuditMention, AuditPseudonym, AuditRecord
from authz.vocabulary import Event

R, M, P = AuditRecord, AuditMention, AuditPseudonym
PERMIT = "permit"
STREAM = {"yield_per": 1000}
_USED = and_(R.event == Event.DECISION.value, R.decision == PERMIT)
_HERE = and_(M.chain == R.chain, M.sequence == R.sequence)
_SEEN_OR_LISTED = or_(
    and_(_USED, M.how == ABOUT), and_(R.event == Event.SEARCH.value, M.how == LISTED)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which uses: by account, application, its token, rule and time; what is not said is any.

    No index knows tokens: who asks for one says the application and since when, too.
    """

    subject: str | None = None
    application: str | None = None
    rule: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    token_id: str | None = None

    def conditions(self, connection: Connection) -> list[ColumnElement[bool]]:
        """The same, as conditions on a record."""
        found: list[ColumnElement[bool]] = []
        if self.subject is not None:
            found.append(R.subject_id.in_(pseudonyms.known_as(connection, [self.subject])))
        if self.application is not None:
            found.append(R.application == indexed(self.application))
        if self.rule is not None:
            cited = and_(M.what == RULE, M.name == indexed(self.rule))
            found.append(select(1).where(cited, _HERE).correlate(R).exists())
        if self.token_id is not None:
            found.append(_holds(canonical({"token_id": self.token_id})[1:-1]))
        return found + _span(R.time, self.since, self.until)


def of_person(
    connection: Connection,
    person: str,
    since: datetime | None,
    until: datetime | None,
    *,
    by_subject: bool,
) -> Iterator[Any]:
    """Who used this person's data, or had their id listed: rows of ``application``,
    ``rules``, ``category``, ``purpose``, ``action``, ``own``, ``how``, ``subject``,
    ``times``, ``first``, ``last``.

    ``subject`` is empty unless asked for, and ``rules`` as the column has them.
    """  # noqa: D205 (the columns belong together)
    names = list(pseudonyms.known_as(connection, [person]))
    own = case((R.subject_id.in_(names), 1), else_=0)
    keys = (R.application, R.rules, R.resource_type, R.purpose, R.action, own, M.how)
    subject = (func.coalesce(P.person, R.subject_id),) if by_subject else ()
    statement = (
        select(
            *keys,
            *(subject or (literal(""),)),
            func.count(),
            func.min(M.time),
            func.max(M.time),
        )
        .join_from(M, R, _HERE)
        .outerjoin(P, P.pseudonym == R.subject_id)
        .where(M.what == PERSON, M.name.in_(names), _SEEN_OR_LISTED, *_span(M.time, since, until))
        .group_by(*keys, *subject)
    )
    return iter(connection.execute(statement))


def refused(
    connection: Connection, person: str, since: datetime | None, until: datetime | None
) -> int:
    """How many questions about this person were refused."""
    return int(
        connection.scalar(
            select(func.count())
            .join_from(M, R, _HERE)
            .where(
                M.what == PERSON,
                M.name.in_(pseudonyms.known_as(connection, [person])),
                M.how == ABOUT,
                R.event == Event.DECISION.value,
                R.decision != PERMIT,
                *_span(M.time, since, until),
            )
        )
        or 0
    )


def affected(connection: Connection, which: Selection) -> Iterator[Any]:
    """Every use and listing of a selection: rows of ``person``, ``category``, ``how``,
    ``time``, ``body``, by person and category; of a listing there is no body.
    """  # noqa: D205 (the columns belong together)
    name = func.coalesce(P.person, M.name)
    statement = (
        select(name, R.resource_type, M.how, R.time, case((M.how == ABOUT, R.body), else_=null()))
        .join_from(R, M, _HERE)
        .outerjoin(P, P.pseudonym == M.name)
        .where(M.what == PERSON, _SEEN_OR_LISTED, *which.conditions(connection))
        .order_by(name, R.resource_type)
        .execution_options(**STREAM)
    )
    return iter(connection.execute(statement))


def last_uses(connection: Connection, subjects: Sequence[str], since: datetime) -> Iterator[Any]:
    """What these subjects used since: rows of ``subject``, ``rules``, ``purpose``,
    ``category``, ``action``, ``last``.
    """  # noqa: D205 (the columns belong together)
    keys = (R.subject_id, R.rules, R.purpose, R.resource_type, R.action)
    names = pseudonyms.known_as(connection, subjects)
    statement = (
        select(*keys, func.max(R.time))
        .where(R.subject_id.in_(names), R.time >= timestamp(since), _USED)
        .group_by(*keys)
        .execution_options(**STREAM)
    )
    for subject, *use in connection.execute(statement):
        yield (indexed(names[subject]), *use)


def last_of_rules(connection: Connection, rules: Sequence[str]) -> dict[str, str]:
    """When each rule last permitted, of those that ever did; one seek in an index for each."""

    def last(rule: str) -> Any:
        return (
            select(literal(rule), M.time)
            .join_from(M, R, _HERE)
            .where(M.what == RULE, M.name == indexed(rule), _USED)
            .order_by(M.time.desc())
            .limit(1)
            .subquery()
            .select()
        )

    if not rules:
        return {}
    found = connection.execute(union_all(*map(last, rules))).all()
    return dict(found)


def readers(connection: Connection, since: datetime, until: datetime) -> Iterator[Any]:
    """How many distinct people each subject's uses were of: rows of ``subject``, ``people``.

    Uses of one's own data are left out. Whoever the trail names by a pseudonym is told by their
    own id, unless they were erased.
    """
    return iter(
        connection.execute(_of_others((), func.count(distinct(R.resource_id)), since, until))
    )


def rules_of_readers(connection: Connection, since: datetime, until: datetime) -> Iterator[Any]:
    """By which rules each subject used the data of others: ``subject``, ``rules``, ``times``.

    Subjects are told as :func:`readers` tells them.
    """
    return iter(connection.execute(_of_others((R.rules,), func.count(), since, until)))


def _of_others(
    keys: Sequence[Any], number: ColumnElement[int], since: datetime, until: datetime
) -> Select[Any]:
    """A number of the uses of others' data, by subject and these keys."""
    subject = func.coalesce(P.person, R.subject_id)
    return (
        select(subject, *keys, number)
        .outerjoin_from(R, P, P.pseudonym == R.subject_id)
        .where(_USED, R.resource_id != R.subject_id, *_span(R.time, since, until))
        .group_by(subject, *keys)
        .execution_options(**STREAM)
    )


def _holds(member: bytes) -> ColumnElement[bool]:
    """Records with this member: a quote within a text is escaped, so nothing else looks so."""
    return _Within(R.body, literal(member, LargeBinary())) > 0


class _Within(FunctionElement[int]):
    """Where bytes begin within others, from 1 on; 0 where they are not there."""

    type = Integer()
    inherit_cache = True


@compiles(_Within, "sqlite")
def _in_sqlite(element: _Within, compiler: SQLCompiler, **how: Any) -> str:
    return f"instr({compiler.process(element.clauses, **how)})"


@compiles(_Within, "postgresql")
def _in_postgresql(element: _Within, compiler: SQLCompiler, **how: Any) -> str:
    within, member = (compiler.process(each, **how) for each in element.clauses)
    return f"position({member} IN {within})"


def rule_ids(column: str) -> list[str]:
    """The rules of a record, from its column."""
    return [rule for rule in column.split("|") if rule]


def _span(column: Any, since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    found = []
    if since is not None:
        found.append(column >= timestamp(since))
    if until is not None:
        found.append(column < timestamp(until))
    return found
