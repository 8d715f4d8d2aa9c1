"""The tables of the directory: every fact of page 4.4, each with its validity.

All times are UTC. An interval is half-open; a missing end is unbounded (2.1). A row that
has ended is kept with its ``ended_at``, so that a reviewer sees what once held; it holds
no longer from that moment. ``origin`` says where a row came from: ``roster:<source>``
or ``fact``. Only what decisions need is kept: no e-mail address, telephone, password or
mark ever enters the directory (E-01, N-45).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, ForeignKey, Index, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from authz.directory.collation import name_order

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcTime(TypeDecorator[datetime]):
    """A moment: aware and in UTC in Python, on SQLite as on PostgreSQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without zone, which would be compared wrongly later."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """A statement compares one moment with many columns: it is spelt once."""
        spelt = super().bind_processor(dialect)
        return None if spelt is None else lru_cache(maxsize=64)(spelt)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 (the signature is SQLAlchemy's)
    ) -> datetime | None:
        """Give the moment its zone back where the database keeps none."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


BYTEWISE = String().with_variant(String(collation="C"), "postgresql")
"""A text that is ordered by its bytes on both databases."""


def _name_order(context: Any) -> str:
    """The order of a person that is inserted by their names (Thai collation)."""
    values = context.get_current_parameters()
    return name_order(values.get("given_name"), values.get("family_name"))


class Base(DeclarativeBase):
    """The base of the directory's tables, with names that migrations can rely on."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {datetime: UtcTime, dict[str, Any]: JSON, list[str]: JSON}


class Recorded:
    """Who put a row on file, why and when, and since when it holds no longer (N-02, N-43)."""

    origin: Mapped[str] = mapped_column(String(300), index=True)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(default="")
    recorded_because: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]


class Dated:
    """The interval in which a fact is valid: ``from <= now < until``."""

    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]


class Revision(Base):
    """The directory's revision: one row, one more with each change (named in records)."""

    __tablename__ = "directory_revision"
    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    revision: Mapped[int] = mapped_column(BigInteger, default=0)


class Organisation(Recorded, Base):
    """A school, district, department or other organisation, with the one above it."""

    __tablename__ = "organisation"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    type: Mapped[str] = mapped_column(default="")
    parent: Mapped[str | None] = mapped_column(index=True)


class Person(Recorded, Base):
    """A person with an account; ``status`` is active, suspended or deregistered."""

    __tablename__ = "person"
    id: Mapped[str] = mapped_column(primary_key=True)
    given_name: Mapped[str] = mapped_column(default="")
    family_name: Mapped[str] = mapped_column(default="")
    name_order: Mapped[str] = mapped_column(BYTEWISE, default=_name_order)
    """Where the name stands among names (:mod:`authz.directory.collation`)."""
    birth_date: Mapped[date | None]
    birth_date_from: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="active")
    cancelled_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class Membership(Recorded, Dated, Base):
    """That a person belongs to an organisation, in a role where the roster names one."""

    __tablename__ = "membership"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    organisation: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    role: Mapped[str] = mapped_column(default="")


class Term(Recorded, Base):
    """An academic session: the dates that its classes take."""

    __tablename__ = "term"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(default="")
    type: Mapped[str] = mapped_column(default="")
    begins: Mapped[datetime | None]
    ends: Mapped[datetime | None]
    parent: Mapped[str | None]


class Course(Recorded, Base):
    """A course, kept so that a later delta can refer to it."""

    __tablename__ = "course"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(default="")
    organisation: Mapped[str | None]


class Class(Recorded, Base):
    """A class. ``terms`` names its academic sessions, known or not (2.4)."""

    __tablename__ = "class"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(default="")
    course: Mapped[str | None]
    organisation: Mapped[str | None] = mapped_column(index=True)
    terms: Mapped[list[str]]


class Enrolment(Recorded, Dated, Base):
    """That a person takes part in a class, as student, teacher, aide or proctor."""

    __tablename__ = "enrolment"
    id: Mapped[str] = mapped_column(primary_key=True)
    class_id: Mapped[str] = mapped_column("class", ForeignKey("class.id"), index=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[str]


class Guardianship(Recorded, Dated, Base):
    """A link of an adult to a student: parent, guardian or relative.

    A row of origin ``fact``, even one that has ended, supersedes the roster's of its pair.
    """

    __tablename__ = "guardianship"
    id: Mapped[str] = mapped_column(primary_key=True)
    guardian: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    student: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str]


class Grant(Recorded, Dated, Base):
    """A role held by a person, at an organisation or everywhere (N-43)."""

    __tablename__ = "role_grant"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[str] = mapped_column(index=True)
    organisation: Mapped[str | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    granted_by: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")


class CustodyRestriction(Recorded, Dated, Base):
    """It stops the subject named, towards the person named, and not the reverse."""

    __tablename__ = "custody_restriction"
    id: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(index=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    basis: Mapped[str] = mapped_column(default="")


class Emancipation(Recorded, Base):
    """Since when a person counts as adult before their age says so."""

    __tablename__ = "emancipation"
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    valid_from: Mapped[datetime | None]


class Recipient(Recorded, Base):
    """An outside processor or an authority (N-24, N-25); ``kind`` says which."""

    __tablename__ = "recipient"
    kind: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    country: Mapped[str] = mapped_column(default="")


class RecipientMember(Base):
    """A subject that acts for a recipient; it need not be a person of the directory."""

    __tablename__ = "recipient_member"
    kind: Mapped[str] = mapped_column(primary_key=True)
    recipient: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True, index=True)


class Contract(Recorded, Dated, Base):
    """What a processor may do. ``schools`` is null for all of them (N-24, N-26)."""

    __tablename__ = "contract"
    id: Mapped[str] = mapped_column(primary_key=True)
    processor: Mapped[str] = mapped_column(index=True)
    purposes: Mapped[list[str]]
    categories: Mapped[dict[str, Any]]
    actions: Mapped[list[str]]
    schools: Mapped[list[str] | None]
    transfer: Mapped[str]
    country: Mapped[str] = mapped_column(default="")
    sub_processing: Mapped[bool] = mapped_column(default=False)


class Order(Recorded, Dated, Base):
    """An authority's order: the people and categories that it covers (N-25)."""

    __tablename__ = "legal_order"
    id: Mapped[str] = mapped_column(primary_key=True)
    authority: Mapped[str] = mapped_column(index=True)
    categories: Mapped[list[str]]


class OrderPerson(Base):
    """A person whom an order covers."""

    __tablename__ = "legal_order_person"
    order: Mapped[str] = mapped_column("legal_order", primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)


class Ticket(Recorded, Base):
    """A request for support of a person, assigned to an agent."""

    __tablename__ = "ticket"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    assignee: Mapped[str] = mapped_column(index=True)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Purchase(Recorded, Base):
    """An order of goods of a person, assigned to a clerk; it exists from ``ordered_at``."""

    __tablename__ = "purchase"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    assignee: Mapped[str] = mapped_column(index=True)
    ordered_at: Mapped[datetime]
    received_at: Mapped[datetime | None]


class Mentoring(Recorded, Dated, Base):
    """That a mentor is assigned to a person."""

    __tablename__ = "mentoring"
    id: Mapped[str] = mapped_column(primary_key=True)
    mentor: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)


class Case(Recorded, Base):
    """A rights request or an incident, assigned to a data-protection officer."""

    __tablename__ = "privacy_case"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    assignee: Mapped[str] = mapped_column(index=True)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class CasePerson(Base):
    """A person whom a case covers."""

    __tablename__ = "privacy_case_person"
    case: Mapped[str] = mapped_column("privacy_case", primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)


class Elevation(Recorded, Dated, Base):
    """A break-glass grant of a person at a school, for 24 hours at most (N-44)."""

    __tablename__ = "elevation"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    school: Mapped[str] = mapped_column(ForeignKey("organisation.id"), index=True)
    justification: Mapped[str]
    approved_by: Mapped[str | None]


class Consent(Recorded, Base):
    """A person's consent to a purpose, until it is withdrawn (E-03)."""

    __tablename__ = "consent"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    purpose: Mapped[str]
    project: Mapped[str | None]
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class Project(Recorded, Base):
    """A customer's event: its data go a number of days after it ended (E-02)."""

    __tablename__ = "project"
    id: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(default="")
    project_ended_at: Mapped[datetime | None]
    retention_days: Mapped[int | None]


class Objection(Recorded, Dated, Base):
    """A person's objection to a purpose (N-32)."""

    __tablename__ = "objection"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    purpose: Mapped[str]


class Restriction(Recorded, Dated, Base):
    """A restriction of the processing of a person's data (N-35)."""

    __tablename__ = "restriction"
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)


class Erasure(Recorded, Base):
    """An approved erasure of a person's data (N-34)."""

    __tablename__ = "erasure"
    person: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    approved_at: Mapped[datetime | None]


class Entity(Recorded, Base):
    """A subject or resource of a pack that is not about people (3.3)."""

    __tablename__ = "entity"
    type: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    properties: Mapped[dict[str, Any]]


Index("ix_person_name_order", Person.name_order, Person.id)
Index("ix_enrolment_person_live", Enrolment.person, Enrolment.role, Enrolment.class_id)
