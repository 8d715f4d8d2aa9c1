"""What people decided about their own data: consents, objections, restrictions, erasures (2.3)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from authz.directory.tables.base import Base, Dated, Recorded


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
