"""The statements that :mod:`authz.directory.reader` asks.

Everything keyed by the two people is one statement: a ``UNION ALL`` of arms of one shape,
so that a decision costs one round trip.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import CompoundSelect, Select, String, and_, cast, or_, select, union_all

from authz.directory import tables as t
from authz.directory.arms import ARMS
from authz.directory.shape import SUBJECT, Part, acting, dated, text
from authz.vocabulary import Role

Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]


def together(parts: Iterable[Part], dialect: str) -> Statement:
    """One statement for all these parts."""
    return union_all(*(ARMS[part](dialect) for part in parts))


def revision() -> Statement:
    """The directory's revision, alone."""
    return select(t.Revision.revision)


def entities() -> Statement:
    """The subject and the resource as generic entities."""
    e = t.Entity
    return select(e.type, e.id, cast(e.properties, String)).where(
        e.ended_at.is_(None),
        or_(
            and_(e.type == text("subject_type"), e.id == SUBJECT),
            and_(e.type == text("resource_type"), e.id == text("resource")),
        ),
    )


def contracts() -> Statement:
    """The contracts of the processors that the subject acts for."""
    c = t.Contract
    return select(
        cast(c.purposes, String),
        cast(c.categories, String),
        cast(c.actions, String),
        cast(c.schools, String),
        c.transfer,
        c.country,
        c.sub_processing,
        *dated(c).values(),
    ).where(c.processor.in_(acting(Role.PROCESSOR)))
