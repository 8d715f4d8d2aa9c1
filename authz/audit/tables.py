"""The tables of the audit trail (page 2.8, N-49).

``body`` and ``hash`` are the record; the other columns are an index over it, made by
:func:`authz.audit.record.index` and compared with it by verification. They are texts
without nulls, so that what is compared is what is stored. Times are the record's own
spelling, which sorts as time does. The chain is part of every key, so that there can be
one for each writer.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Dialect, Index, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Octets(LargeBinary):
    """Bytes as the database has them: what damage made another type is seen, not converted."""

    def result_processor(self, _dialect: Dialect, _coltype: object) -> None:
        """Nothing to do: both drivers give bytes."""


class Base(DeclarativeBase):
    """The base of the trail's tables; apart from the directory's, its sibling layer."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {int: BigInteger, bytes: Octets, str: String}


class AuditRecord(Base):
    """One record of the trail. Nothing updates or deletes one (N-49)."""

    __tablename__ = "audit_record"
    chain: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[bytes]
    hash: Mapped[bytes]
    time: Mapped[str]
    event: Mapped[str]
    application: Mapped[str]
    request_id: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[str]
    action: Mapped[str]
    resource_type: Mapped[str]
    resource_id: Mapped[str]
    purpose: Mapped[str]
    decision: Mapped[str]
    reason: Mapped[str]
    rules: Mapped[str]

    __table_args__ = (
        Index("ix_audit_record_time", "time"),
        Index("ix_audit_record_resource_id_time", "resource_id", "time"),
        Index("ix_audit_record_subject_id_time", "subject_id", "time"),
        Index("ix_audit_record_application_time", "application", "time"),
        Index("ix_audit_record_request_id", "request_id"),
    )


class AuditHead(Base):
    """The newest record of a chain; its row is what writers of the chain wait for."""

    __tablename__ = "audit_head"
    chain: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int]
    hash: Mapped[bytes]


class AuditBatch(Base):
    """Leaves of the tree: ``count`` records of a chain from ``sequence`` on, from ``position`` on.

    Every writer has a chain of its own; the batches put the records of all chains in one
    order, in which they are the leaves of a Merkle tree (RFC 9162). Batches follow each
    other without a gap, and nothing updates or deletes one.
    """

    __tablename__ = "audit_batch"
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chain: Mapped[str]
    sequence: Mapped[int]
    count: Mapped[int]

    __table_args__ = (Index("ix_audit_batch_chain_sequence", "chain", "sequence", unique=True),)


class AuditTile(Base):
    """Up to 256 hashes of one level of the tree, side by side; only the last of a level grows.

    ``level`` 0 holds hashes of leaves, level n the roots of whole tiles of level n-1 (the
    layout of C2SP's tlog-tiles).
    """

    __tablename__ = "audit_tile"
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hashes: Mapped[bytes]


class AuditCheckpoint(Base):
    """A signed checkpoint (C2SP tlog-checkpoint), as it was published; ``note`` is its text."""

    __tablename__ = "audit_checkpoint"
    time: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    root: Mapped[bytes]
    note: Mapped[str]

    __table_args__ = (Index("ix_audit_checkpoint_size", "size"),)


class AuditHour(Base):
    """How many decisions an hour (UTC) saw, permitted and refused; see :mod:`audit.counts`."""

    __tablename__ = "audit_hour"
    hour: Mapped[str] = mapped_column(primary_key=True)
    decision: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


class AuditCounted(Base):
    """Up to which record of a chain the hours have been counted."""

    __tablename__ = "audit_counted"
    chain: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int]


INDEX_COLUMNS: tuple[str, ...] = tuple(
    column.name
    for column in AuditRecord.__table__.columns
    if column.name not in {"chain", "sequence", "body", "hash"}
)
"""The columns that follow from the record, in the order of :func:`record.index`."""
