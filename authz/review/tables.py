"""Review items, and rights that somebody asks for (2.7, N-43, N-44, N-46)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The base of the review tables."""

    metadata = MetaData(
        naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"}
    )


class ReviewItem(Base):
    """One use that must be reviewed, once per subject, person, elevation and day (page 5).

    Times are UTC texts in the spelling of the audit record that caused the item.
    """

    __tablename__ = "review_item"
    subject: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    elevation: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    rule: Mapped[str]
    opened_at: Mapped[str] = mapped_column(String(40))
    due_at: Mapped[str] = mapped_column(String(40), index=True)
    request_id: Mapped[str]
    verdict: Mapped[str | None]


class RightRequest(Base):
    """That somebody asks for a right with an end, and what became of it (N-43, N-44).

    ``hours`` is of an elevation, ``until`` of a role; ``begun`` is the begin of the right
    that is to be extended. Times are UTC texts.
    """

    __tablename__ = "right_request"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    person: Mapped[str] = mapped_column(index=True)
    role: Mapped[str]
    organisation: Mapped[str | None] = mapped_column(index=True)
    hours: Mapped[int | None]
    until: Mapped[str | None] = mapped_column(String(40))
    begun: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str]
    asked_at: Mapped[str] = mapped_column(String(40), index=True)
    needed: Mapped[int]
    state: Mapped[str] = mapped_column(index=True)
    decided_at: Mapped[str | None] = mapped_column(String(40))


class RightVote(Base):
    """What one approver said of such a request, and why."""

    __tablename__ = "right_vote"
    request: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str] = mapped_column(primary_key=True)
    approves: Mapped[bool]
    at: Mapped[str] = mapped_column(String(40))
    why: Mapped[str]
