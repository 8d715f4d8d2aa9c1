"""Review items: what a person must look at afterwards (2.7, N-44, N-46)."""

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
