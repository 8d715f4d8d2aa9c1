"""Notices, incidents, requests of people's own rights, announcements, and habits of reading.

Times are UTC texts in the spelling of the audit records, which sorts as time does
(2.7, E-07, N-30 to N-37, N-48, N-52).
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Index, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The base of the privacy tables."""

    metadata = MetaData(
        naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"}
    )


class Notice(Base):
    """A notice to be delivered, once per subject, person, elevation and day (page 5).

    ``recipient`` is ``person`` (the data subject) or ``dpo``. It waits here, in the same
    transaction as the record of its decision, until ``sent_at`` says it was delivered.
    """

    __tablename__ = "notice"
    recipient: Mapped[str] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    elevation: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    opened_at: Mapped[str] = mapped_column(String(40), index=True)
    request_id: Mapped[str]
    sent_at: Mapped[str | None] = mapped_column(String(40))


class IncidentRow(Base):
    """An incident as it stands (E-07, N-50); how it came to be so is in its steps."""

    __tablename__ = "incident"
    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    opened_at: Mapped[str] = mapped_column(String(40))
    known_at: Mapped[str] = mapped_column(String(40))
    assignee: Mapped[str | None]
    cause: Mapped[str]
    effect: Mapped[str]
    remedy: Mapped[str]
    reported_at: Mapped[str | None] = mapped_column(String(40))
    not_reported: Mapped[str]
    closed_at: Mapped[str | None] = mapped_column(String(40))


class IncidentStep(Base):
    """One change of an incident: who, when, and the text that was given then.

    The trail holds that the change was made and by whom; words about people stay here.
    """

    __tablename__ = "incident_step"
    incident: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(40))
    by: Mapped[str]
    action: Mapped[str]
    because: Mapped[str]
    members: Mapped[str]


class IncidentPerson(Base):
    """A person whom an incident concerns."""

    __tablename__ = "incident_person"
    incident: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True, index=True)


class ReadingHour(Base):
    """The data of how many distinct people a subject used in an hour, and in which role (N-48).

    It follows from the trail and can be made anew from it; it is kept because habit is
    what many hours have in common.
    """

    __tablename__ = "reading_hour"
    hour: Mapped[str] = mapped_column(String(40), primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    people: Mapped[int]
    alerted: Mapped[bool]

    __table_args__ = (
        Index("ix_reading_hour_subject_hour", "subject", "hour"),
        Index("ix_reading_hour_role_hour", "role", "hour"),
    )


class RightsRequest(Base):
    """What a person asks for under N-30 to N-36; the case of the same id says who works on it.

    Times are UTC texts. ``details`` are the members of the fact that an approval writes.
    """

    __tablename__ = "rights_request"
    id: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]
    details: Mapped[str]
    """JSON."""
    asked: Mapped[str]
    """What the person wrote or said."""
    state: Mapped[str] = mapped_column(index=True)
    granted: Mapped[bool | None]
    answer: Mapped[str]
    answered_at: Mapped[str | None] = mapped_column(String(40))
    answered_by: Mapped[str | None]


class Announcement(Base):
    """A notice of a policy version, in Thai and English, to be acknowledged (N-52, E-08)."""

    __tablename__ = "announcement"
    id: Mapped[str] = mapped_column(primary_key=True)
    policy: Mapped[str]
    """The digest of the pack that it tells of."""
    audience: Mapped[str]
    title_th: Mapped[str]
    title_en: Mapped[str]
    text_th: Mapped[str]
    text_en: Mapped[str]
    published_at: Mapped[str] = mapped_column(String(40), index=True)
    published_by: Mapped[str]


class Acknowledgement(Base):
    """That somebody read an announcement, and when."""

    __tablename__ = "acknowledgement"
    announcement: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True, index=True)
    at: Mapped[str] = mapped_column(String(40))
