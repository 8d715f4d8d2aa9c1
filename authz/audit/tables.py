"""The tables of the audit trail (page 2.8, N-49).

``body`` and ``hash`` are the record; the other columns are an index over it, made by
:func:`authz.audit.record.index` and compared with it by verification. They are texts
without nulls, so that what is compared is what is stored. Times are the record's own
spelling, which sorts as time does. The chain is part of every key, so that there can be
one for each writer.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Dialect, Index, LargeBinary, MetaData, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


REFUSED = "decision = 'refuse'"
RARE_EVENT = "event <> 'decision'"
"""What the partial indexes hold: refusals, and what is no decision. A search that asks for
one of them says so in these words, by which both databases know the index."""


def _partial(name: str, *columns: str, of: str) -> Index:
    """An index over some of the rows, which the others pay nothing for."""
    return Index(name, *columns, sqlite_where=text(of), postgresql_where=text(of))


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
        Index("ix_audit_record_subject_id_time", "subject_id", "time"),
        Index("ix_audit_record_application_time", "application", "time"),
        Index("ix_audit_record_purpose_time", "purpose", "time"),
        Index("ix_audit_record_request_id", "request_id"),
        _partial("ix_audit_record_refused_time", "decision", "time", of=REFUSED),
        _partial("ix_audit_record_refused_subject", "decision", "subject_id", "time", of=REFUSED),
        _partial(
            "ix_audit_record_refused_application", "decision", "application", "time", of=REFUSED
        ),
        _partial("ix_audit_record_event_time", "event", "time", of=RARE_EVENT),
    )


class AuditMention(Base):
    """That a record mentions a person or a rule (:mod:`authz.audit.mentions`).

    It is an index over the records as their columns are: it follows from them, and a
    record is inserted together with what it mentions.
    """

    __tablename__ = "audit_mention"
    chain: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    what: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    time: Mapped[str]
    how: Mapped[str]

    __table_args__ = (
        Index("ix_audit_mention_name", "what", "name", "time", "chain", "sequence"),
        {"sqlite_with_rowid": False},
    )


class AuditHead(Base):
    """The newest record of a chain; its row is what writers of the chain wait for."""

    __tablename__ = "audit_head"
    chain: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int]
    hash: Mapped[bytes]


class AuditStore(Base):
    """Which store this is: journals name it, so that no store gets another one's records.

    It has one row, made with the first journal.
    """

    __tablename__ = "audit_store"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[str]


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

    __table_args__ = (Index("ix_audit_checkpoint_size_time", "size", "time"),)


class AuditReceiver(Base):
    """How far a receiver of the trail has come (:mod:`authz.service.delivery`).

    ``position`` is the leaf it gets next. ``until`` is where the batch that is being tried
    ends, 0 where none is, so that it is tried again as it was. It is not tried before ``due``,
    a moment as records spell it. ``error`` says how the last of the ``failures`` went.
    """

    __tablename__ = "audit_receiver"
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    until: Mapped[int]
    failures: Mapped[int]
    due: Mapped[str]
    delivered: Mapped[str]
    error: Mapped[str]


class AuditSegment(Base):
    """Records that retention took away: ``count`` leaves from ``position`` on.

    ``root`` is that of all leaves up to their end, ``chains`` where each chain stood then,
    ``seal`` the hash over the row and the segment before (:mod:`authz.audit.segments`).
    """

    __tablename__ = "audit_segment"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int]
    count: Mapped[int]
    root: Mapped[bytes]
    chains: Mapped[str]
    older_than: Mapped[str]
    checkpoint: Mapped[str]
    time: Mapped[str]
    retired_by: Mapped[str]
    why: Mapped[str]
    seal: Mapped[bytes]


class AuditPseudonym(Base):
    """The key of a person's name in the trail; without its row nobody can tell who it was.

    ``pseudonym`` is the keyed hash of ``person``, as records hold it. A row is made before the
    person's first record and deleted when their data are erased (N-34); none is ever changed.
    """

    __tablename__ = "audit_pseudonym"
    person: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[bytes]
    pseudonym: Mapped[str] = mapped_column(unique=True)


class AuditHour(Base):
    """How many decisions an hour (UTC) saw, permitted and refused; see :mod:`audit.counts`."""

    __tablename__ = "audit_hour"
    hour: Mapped[str] = mapped_column(primary_key=True)
    decision: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


class AuditPlaceHour(Base):
    """The same of each place (a school, or what is above it) whose people the decisions are about.

    A decision about somebody of several places is counted at each.
    """

    __tablename__ = "audit_place_hour"
    hour: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    decision: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]

    __table_args__ = (Index("ix_audit_place_hour_place_hour", "place", "hour"),)


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
