"""Outside processors and their contracts: what each may do, and when it ends (N-24, N-26)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from authz.directory.tables import Contract, Recipient, RecipientMember
from authz.errors import NotFoundError
from authz.service import by_hand
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint
from authz.vocabulary import Role

SOON = timedelta(days=60)
"""A contract that ends within this time is warned of."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """A contract on file; ``state`` is coming, in_force, soon or ended."""

    id: str
    processor: str
    purposes: list[str]
    categories: dict[str, list[str]]
    actions: list[str]
    schools: list[str] | None
    transfer: str
    country: str
    sub_processing: bool
    since: datetime | None
    until: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor with its members and contracts."""

    id: str
    name: str
    country: str
    members: list[str]
    contracts: list[Agreed]


def register(point: DecisionPoint, at: datetime) -> list[Processor]:
    """All processors, by name; their contracts, the next to end first, those ended last."""
    with reading(point.store) as connection:
        kind = Recipient.kind == Role.PROCESSOR.value
        recipients = connection.execute(
            select(Recipient.id, Recipient.name, Recipient.country)
            .where(kind, Recipient.ended_at.is_(None))
            .order_by(Recipient.name, Recipient.id)
        ).all()
        members = connection.execute(
            select(RecipientMember.recipient, RecipientMember.subject)
            .where(RecipientMember.kind == Role.PROCESSOR.value)
            .order_by(RecipientMember.subject)
        ).all()
        contracts = connection.execute(select(*Contract.__table__.c)).all()
    agreed = sorted((_agreed(row, at) for row in contracts), key=lambda each: _order(each, at))
    return [
        Processor(
            row.id,
            row.name,
            row.country,
            [each.subject for each in members if each.recipient == row.id],
            [each for each in agreed if each.processor == row.id],
        )
        for row in recipients
    ]


def _order(each: Agreed, at: datetime) -> tuple[bool, bool, datetime, str]:
    return (each.state == "ended", each.until is None, each.until or at, each.id)


def _agreed(row: Any, at: datetime) -> Agreed:
    until = row.ended_at if row.ended_at is not None else row.valid_until
    return Agreed(
        row.id, row.processor, row.purposes, row.categories, row.actions, row.schools,
        row.transfer, row.country, row.sub_processing, row.valid_from, until,
        _state(row.valid_from, until, at),
    )  # fmt: skip


def _state(since: datetime | None, until: datetime | None, at: datetime) -> str:
    if until is not None and until <= at:
        return "ended"
    if since is not None and since > at:
        return "coming"
    return "soon" if until is not None and until <= at + SOON else "in_force"


def find(point: DecisionPoint, ident: str, at: datetime) -> Agreed:
    """One contract; NotFoundError where there is none."""
    with reading(point.store) as connection:
        row = connection.execute(
            select(*Contract.__table__.c).where(Contract.id == ident)
        ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such contract.", where=ident)
    return _agreed(row, at)


def record_processor(point: DecisionPoint, said: Mapping[str, Any], *, by: str, why: str) -> None:
    """Put a processor on file, or change it: id, name, country, members."""
    by_hand.put_down(point, [{"fact": "processor", **said}], by=by, why=why)


def record(point: DecisionPoint, said: Mapping[str, Any], *, by: str, why: str) -> None:
    """Put a contract on file, or change it, with the members of the fact ``contract``."""
    by_hand.put_down(point, [{"fact": "contract", **said}], by=by, why=why)


def end(point: DecisionPoint, ident: str, *, by: str, why: str) -> None:
    """End a contract now; NotFoundError where none is in force under that id."""
    made = by_hand.author(by, why)
    with writing(point.store) as connection:
        known = select(Contract.id).where(Contract.id == ident, Contract.ended_at.is_(None))
        if connection.scalar(known) is None:
            raise NotFoundError("There is no such contract.", where=ident)
        by_hand.within(connection, point, [{"fact": "contract", "id": ident, "delete": True}], made)
