"""What the statements about two people are made of: parts, in one shape.

An arm of the ``UNION ALL`` says in ``part`` what its rows are; which columns it fills
stands in its function in :mod:`authz.directory.arms`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Date,
    Select,
    String,
    and_,
    bindparam,
    cast,
    literal_column,
    null,
    select,
)

from authz.directory import tables as t
from authz.vocabulary import Role

SUBJECT: BindParameter[str] = bindparam("subject", type_=String)
PERSON: BindParameter[str] = bindparam("person", type_=String)
BOTH = (SUBJECT, PERSON)

SHAPE: Mapping[str, Any] = {
    **dict.fromkeys(("key", "who", "a", "b", "c"), String),
    **dict.fromkeys(("since", "until", "ended", "first", "last"), t.UtcTime),
    "day": Date,
    "number": BigInteger,
}
"""The columns of every arm after ``part``."""
DATED = ("since", "until", "ended")


class Part(StrEnum):
    """What a row tells of."""

    REVISION = "revision"
    ACCOUNT = "account"
    RECIPIENT = "recipient"
    GRANT = "grant"
    ENROLMENT = "enrolment"
    ATTENDANCE = "attendance"
    ATTENDED = "attended"
    LINK = "link"
    CUSTODY = "custody"
    EMANCIPATION = "emancipation"
    ORDER = "order"
    TICKET = "ticket"
    CASE = "case"
    GOODS = "goods"
    MENTORING = "mentoring"
    ELEVATION = "elevation"
    CONSENT = "consent"
    OBJECTION = "objection"
    RESTRICTION = "restriction"
    ERASURE = "erasure"
    MEMBER = "member"
    ORGANISATION = "organisation"
    CONTRACT = "contract"


def text(name: str) -> BindParameter[str]:
    """A parameter that is a text."""
    return bindparam(name, type_=String)


def arm(part: Part, filled: Mapping[str, Any]) -> Select[Any]:
    """The columns of one part in the common shape; what it does not fill is null."""
    columns: list[Any] = [literal_column(f"'{part}'").label("part")]
    for name, kind in SHAPE.items():
        value = filled.get(name)
        column = cast(null(), kind) if value is None else value
        columns.append(column.label(name))
    return select(*columns)


def dated(table: Any) -> dict[str, Any]:
    """The interval of a row, and the moment from which it holds no longer."""
    values = (table.valid_from, table.valid_until, table.ended_at)
    return dict(zip(DATED, values, strict=True))


def acting(kind: Role | None = None) -> Select[Any]:
    """What the subject acts for, where that still stands; of one kind, or all."""
    member, recipient = t.RecipientMember, t.Recipient
    same = and_(recipient.kind == member.kind, recipient.id == member.recipient)
    chosen = member.kind if kind is None else member.recipient
    found = select(chosen).join(recipient, same)
    found = found.where(member.subject == SUBJECT, recipient.ended_at.is_(None))
    return found if kind is None else found.where(member.kind == literal_column(f"'{kind}'"))
