"""Outside processors and authorities: their contracts and orders (N-24, N-25)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from authz.directory.tables.base import Base, Dated, Recorded


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
