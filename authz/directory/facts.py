"""What the directory knows that bears on one question, as frozen values.

:mod:`authz.directory.reader` fills them from the database, ``tests/world.py`` from a
school in memory; :mod:`authz.directory.relations` asks them. Rows that have ended come
with their end put into the interval, so that nobody can forget to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any

from authz import clock

PROTECTED_TRANSFERS = frozenset({"adequate", "safeguards"})


@dataclass(frozen=True, slots=True)
class Place:
    """The settings that a relation depends on (2.1, 2.4, N-26)."""

    local: tzinfo
    age_of_majority: int = 20
    country: str = "TH"


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open interval: ``since <= now < until``; None is unbounded (2.1)."""

    since: datetime | None = None
    until: datetime | None = None

    def covers(self, now: datetime) -> bool:
        """Whether the moment lies within."""
        return (self.since is None or self.since <= now) and (
            self.until is None or now < self.until
        )


@dataclass(frozen=True, slots=True)
class Account:
    """A person of the directory."""

    id: str
    status: str = "active"
    birth_date: date | None = None
    cancelled_at: datetime | None = None
    ended_at: datetime | None = None
    last_used_at: datetime | None = None

    @property
    def registered(self) -> bool:
        """Whether memberships, enrolments and guardianships of theirs count at all (2.4)."""
        return self.status != "deregistered"

    @property
    def left_at(self) -> datetime | None:
        """When the clocks of leaving start: cancellation, else de-registration (page 5)."""
        if self.cancelled_at is not None or self.registered:
            return self.cancelled_at
        return self.ended_at


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A grant: a role, at an organisation or everywhere."""

    role: str
    organisation: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """A membership in an organisation, with all organisations above and itself."""

    organisation: str
    within: frozenset[str]
    span: Span


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An enrolment with the dates it has or takes from its class's terms."""

    class_id: str
    role: str
    span: Span


@dataclass(frozen=True, slots=True)
class Link:
    """A guardianship of the subject for the person; ``recorded`` where it is a fact."""

    kind: str
    recorded: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Terms:
    """A contract of a processor that the subject acts for."""

    purposes: frozenset[str]
    categories: Mapping[str, tuple[str, ...]]
    actions: frozenset[str]
    schools: frozenset[str] | None
    transfer: str
    country: str
    sub_processing: bool
    span: Span

    def protects(self, home: str) -> bool:
        """Whether it names a country, and the data stay as protected there (N-26)."""
        if not self.country:
            return False
        if self.transfer == "domestic":
            return self.country == home
        return self.transfer in PROTECTED_TRANSFERS


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """The authority's order that the caller named, where it covers the person."""

    categories: frozenset[str]
    span: Span


@dataclass(frozen=True, slots=True)
class Assignment:
    """A ticket or case that the caller named, of this person, assigned to this subject."""

    kind: str
    span: Span


@dataclass(frozen=True, slots=True)
class Goods:
    """An order of goods of the person; ``span`` is how long the fact itself stands."""

    id: str
    assignee: str
    received_at: datetime | None
    span: Span

    def received_before(self, now: datetime, days: int, local: tzinfo) -> bool:
        """Whether they were received more than these local days ago (2.4)."""
        return (
            self.received_at is not None and clock.day_after(self.received_at, days, local) <= now
        )


@dataclass(frozen=True, slots=True)
class Elevated:
    """A break-glass grant of the subject at a school (N-44)."""

    id: str
    school: str
    approved: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Consented:
    """A consent of the person, with what its project says of the end of its data."""

    purpose: str
    span: Span
    project: str | None = None
    project_ended_at: datetime | None = None
    retention_days: int | None = None

    def in_force(self, purpose: str, now: datetime) -> bool:
        """Whether it is to this purpose and holds at this moment (E-03)."""
        return self.purpose == purpose and self.span.covers(now)


@dataclass(frozen=True, slots=True)
class Objected:
    """An objection of the person to a purpose."""

    purpose: str
    span: Span


class Unread:
    """What was not read for a question, because no rule about it can ask it.

    Whoever looks all the same is told so; it can never pass for "there is none".
    """

    def _refuse(self, *_: object) -> Any:
        raise LookupError("a fact was asked that was not read")

    __bool__ = __iter__ = __len__ = __contains__ = __getattr__ = __add__ = _refuse


UNREAD: Any = Unread()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of the subject, the person, and the two together.

    For a decision ``person_enrolments`` are those in the subject's classes, and what no
    rule about the question can ask is :data:`UNREAD`.
    """

    revision: int = 0
    subject: Account | None = None
    person: Account | None = None
    recipients: frozenset[str] = frozenset()
    grants: tuple[HeldRole, ...] = ()
    person_grants: tuple[HeldRole, ...] = ()
    memberships: tuple[Member, ...] = ()
    subject_enrolments: tuple[Enrolled, ...] = ()
    person_enrolments: tuple[Enrolled, ...] = ()
    links: tuple[Link, ...] = ()
    custody: tuple[Span, ...] = ()
    emancipated: Span | None = None
    contracts: tuple[Terms, ...] = ()
    order: OrderTerms | None = None
    ticket: Assignment | None = None
    case: Assignment | None = None
    goods: tuple[Goods, ...] = ()
    mentoring: tuple[Span, ...] = ()
    elevations: tuple[Elevated, ...] = ()
    consents: tuple[Consented, ...] = ()
    objections: tuple[Objected, ...] = ()
    restrictions: tuple[Span, ...] = ()
    subject_entity: Mapping[str, Any] | None = None
    resource_entity: Mapping[str, Any] | None = None
    settled: dict[tuple[str, bool], dict[str, bool]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """What :func:`authz.directory.tested.settled` found, for as long as these facts are kept."""
