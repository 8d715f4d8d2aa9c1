"""Subjects and resources that are not about people (3.3)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from authz.directory.tables.base import Base, Recorded


class Entity(Recorded, Base):
    """A subject or resource of a pack that is not about people (3.3)."""

    __tablename__ = "entity"
    type: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    properties: Mapped[dict[str, Any]]
