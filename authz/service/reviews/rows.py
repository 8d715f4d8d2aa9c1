"""Items as rows and as the values that the rules are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, update

from authz.review import item as pure
from authz.review.item import Answer, Item
from authz.review.tables import CampaignItem
from authz.review.words import Flag, ItemState, Kind, Verdict
from authz.service.reviews.records import moment, text

ITEM: Final[Table] = CampaignItem.__table__  # type: ignore[assignment]


def item_of(row: Any) -> Item:
    """A row as the value that the rules are about."""
    answer = None
    if row.verdict:
        answer = Answer(
            Verdict(row.verdict),
            by=row.verdict_by,
            reason=row.verdict_reason,
            until=moment(row.verdict_until),
            for_whom=row.verdict_for,
            bulk=row.verdict_bulk,
        )
    return Item(
        kind=Kind(row.kind),
        holder=row.holder,
        person=row.person,
        rostered=row.rostered,
        until=moment(row.until),
        flags=frozenset(Flag(each) for each in row.flags),
        reviewer=row.reviewer,
        fallback=row.fallback,
        passed=row.passed,
        stage=row.stage,
        state=ItemState(row.state),
        answer=answer,
    )


def values_of(item: Item) -> dict[str, Any]:
    """What of a value can change, as columns."""
    answer = item.answer
    return {
        "reviewer": item.reviewer,
        "passed": item.passed,
        "stage": item.stage,
        "state": item.state.value,
        "verdict": answer.verdict.value if answer else "",
        "verdict_until": text(answer.until) if answer else None,
        "verdict_reason": answer.reason if answer else "",
        "verdict_by": answer.by if answer else "",
        "verdict_for": answer.for_whom if answer else "",
        "verdict_bulk": answer.bulk if answer else False,
        "remediation": pure.remediation(item).value if item.state is ItemState.FINAL else "",
    }


def write(connection: Connection, campaign: str, changed: Mapping[int, Mapping[str, Any]]) -> None:
    """Write the changed columns of some items, all with the same names, in one statement."""
    if not changed:
        return
    names = list(next(iter(changed.values())))
    statement = (
        update(ITEM)
        .where(ITEM.c.campaign == bindparam("b_campaign"), ITEM.c.number == bindparam("b_number"))
        .values({name: bindparam(f"v_{name}") for name in names})
    )
    connection.execute(
        statement,
        [
            {"b_campaign": campaign, "b_number": number}
            | {f"v_{name}": value for name, value in values.items()}
            for number, values in changed.items()
        ],
    )
