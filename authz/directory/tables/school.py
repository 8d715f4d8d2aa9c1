"""Organisations, people, classes, and the roles that people hold in them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from authz.directory.collation import name_order
from authz.directory.tables.base import BYTEWISE, Base, Dated, Recorded


def _name_order(context: Any) -> str:
    """The order of a person that is inserted by their names (Thai collation)."""
    values = context.get_current_parameters()
    return name_order(values.get("given_name"), values.get("family_name"))


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


Index("ix_person_name_order", Person.name_order, Person.id)
Index("ix_enrolment_person_live", Enrolment.person, Enrolment.role, Enrolment.class_id)
