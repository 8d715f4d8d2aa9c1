"""What is assigned to somebody for their work: tickets, purchases, mentoring, cases, elevations."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from authz.directory.tables.base import Base, Dated, Recorded


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
