"""Notices: what the service must tell the person or the data-protection officer (2.7)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import MetaData, String
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
