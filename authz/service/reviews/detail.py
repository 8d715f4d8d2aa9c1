"""All that is known of one item, for whoever judges it (N-46)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from authz import clock
from authz.audit import pseudonyms, trail
from authz.directory import tables as t
from authz.errors import NotFoundError
from authz.review.tables import Campaign, CampaignItem, GivenVerdict, Handover
from authz.review.words import ItemState, Kind
from authz.service.database import reading
from authz.service.journals import catch_up
from authz.service.reviews import campaigns, uses
from authz.service.reviews.campaigns import Bench, Reach
from authz.service.reviews.listing import standing_for
from authz.service.reviews.planning import NO_STAFF
from authz.service.reviews.rows import ITEM
from authz.service.reviews.schools import living
from authz.vocabulary import Event

SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Detail:
    """An item and what stands around it; lists hold the newest few."""

    campaign: Any
    item: Any
    names: dict[str, str]
    categories: Sequence[str]
    rules: Sequence[str]
    used: Sequence[dict[str, Any]]
    peers: Sequence[Any]
    others: Sequence[Any]
    given: Sequence[Any]
    earlier: Sequence[Any]
    changes: Sequence[dict[str, Any]]
    handed: Sequence[Any]
    following: int | None


def of_reviewer(bench: Bench, campaign: str, number: int, person: str) -> Detail:
    """The item, for its reviewer or who stands in; NotFoundError for anybody else."""
    catch_up(bench.store)
    with reading(bench.store) as connection:
        mine = standing_for(connection, person, clock.now())
        row = campaigns.found(connection, campaign, None)
        item = _item(connection, campaign, number)
        if item.reviewer not in mine:
            raise NotFoundError("There is no such item for you to review.", where=campaign)
        return _detail(connection, bench, row, item, mine)


def of_manager(bench: Bench, campaign: str, number: int, reach: Reach) -> Detail:
    """The item, for whoever runs the review."""
    catch_up(bench.store)
    with reading(bench.store) as connection:
        row = campaigns.found(connection, campaign, reach)
        item = _item(connection, campaign, number)
        return _detail(connection, bench, row, item, frozenset())


def _item(connection: Connection, campaign: str, number: int) -> Any:
    item = connection.execute(
        select(ITEM).where(ITEM.c.campaign == campaign, ITEM.c.number == number)
    ).one_or_none()
    if item is None:
        raise NotFoundError("There is no such item.", where=campaign)
    return item


def _detail(
    connection: Connection, bench: Bench, row: Any, item: Any, mine: frozenset[str]
) -> Detail:
    opened = uses.opened(bench.policy, Kind(item.kind), item.role)
    categories = item.facts.get("categories") or sorted(
        {c for some in opened.values() for c in some}
    )
    peers, others = _peers(connection, item)
    given = _given(connection, item)
    handed = connection.execute(
        select(Handover.__table__).where(
            Handover.campaign == item.campaign, Handover.number == item.number
        )
    ).all()
    people = {item.holder, item.person, item.reviewer, str(item.facts.get("granted_by", ""))}
    people |= {name for each in given for name in (each.by, each.for_whom)}
    people |= {name for each in handed for name in (each.giver, each.taker)}
    return Detail(
        campaign=row,
        item=item,
        names=_names(connection, people, item.organisation),
        categories=categories,
        rules=sorted(opened),
        used=_used(connection, item, frozenset(opened)),
        peers=peers,
        others=others,
        given=given,
        earlier=_earlier(connection, item),
        changes=_changes(connection, item),
        handed=handed,
        following=_following(connection, item, mine),
    )


def _names(connection: Connection, people: set[str], organisation: str) -> dict[str, str]:
    person, place = t.Person, t.Organisation
    rows = connection.execute(
        select(person.id, person.given_name, person.family_name).where(person.id.in_(people))
    ).all()
    found = {row.id: f"{row.given_name} {row.family_name}".strip() for row in rows}
    name = connection.scalar(select(place.name).where(place.id == organisation))
    return {**found, organisation: name or organisation}


def _used(connection: Connection, item: Any, rules: frozenset[str]) -> list[dict[str, Any]]:
    """The newest permits of the holder by what the right opens."""
    if item.kind in {Kind.SIGN_IN.value, Kind.CONTRACT.value} or not rules:
        return []
    person = pseudonyms.aliases(connection, item.person) if item.person else None
    found = trail.search(
        connection,
        subject=pseudonyms.aliases(connection, item.holder),
        person=person,
        event=Event.DECISION,
        decision=True,
        limit=50,
    )
    fitting = [each.record for each in found.records if rules & set(each.record.get("rules", ()))]
    return fitting[:SHOWN]


def _peers(connection: Connection, item: Any) -> tuple[Sequence[Any], Sequence[Any]]:
    """Staff of the same organisation who hold the role, and some who do not."""
    if item.kind != Kind.GRANT.value or not item.organisation:
        return (), ()
    member, person, grant, now = t.Membership, t.Person, t.Grant, clock.now()
    holders = select(grant.person).where(
        grant.role == item.role, grant.organisation == item.organisation, living(grant, now)
    )
    named = select(person.id, person.given_name, person.family_name)
    having = connection.execute(
        named.where(person.id.in_(holders), person.id != item.holder)
        .order_by(person.name_order, person.id)
        .limit(SHOWN)
    ).all()
    staff = select(member.person).where(
        member.organisation == item.organisation,
        member.role.not_in(NO_STAFF),
        member.role != "",
        living(member, now),
    )
    without = connection.execute(
        named.where(person.id.in_(staff), person.id.not_in(holders), person.status == "active")
        .order_by(person.name_order, person.id)
        .limit(SHOWN)
    ).all()
    return having, without


def _given(connection: Connection, item: Any) -> Sequence[Any]:
    return connection.execute(
        select(GivenVerdict.__table__)
        .where(GivenVerdict.campaign == item.campaign, GivenVerdict.number == item.number)
        .order_by(GivenVerdict.at.desc())
        .limit(SHOWN)
    ).all()


def _earlier(connection: Connection, item: Any) -> Sequence[Any]:
    """What earlier reviews said of the same right."""
    earlier = aliased(CampaignItem)
    return connection.execute(
        select(Campaign.name, Campaign.closed_at, earlier.verdict, earlier.verdict_reason)
        .add_columns(earlier.remediation, earlier.state)
        .join(Campaign, Campaign.id == earlier.campaign)
        .where(
            earlier.kind == item.kind,
            earlier.right_id == item.right_id,
            earlier.campaign != item.campaign,
            Campaign.closed_at.is_not(None),
            earlier.state != ItemState.LEFT.value,
        )
        .order_by(Campaign.closed_at.desc())
        .limit(SHOWN)
    ).all()


def _changes(connection: Connection, item: Any) -> list[dict[str, Any]]:
    """The records of what was changed about the right."""
    about = item.right_id if item.kind == Kind.SIGN_IN.value else item.person or item.holder
    page = trail.search(
        connection,
        person=pseudonyms.aliases(connection, about),
        event=Event.FACT_CHANGED,
        limit=50,
    )
    found = pseudonyms.shown(connection, [each.record for each in page.records])
    return [each for each in found if each["detail"].get("key") == item.right_id][:SHOWN]


def _following(connection: Connection, item: Any, mine: frozenset[str]) -> int | None:
    """The next open item of the same reviewer, round to the first one."""
    open_ = (
        select(ITEM.c.number)
        .where(
            ITEM.c.campaign == item.campaign,
            ITEM.c.reviewer.in_(mine),
            ITEM.c.state == "open",
            ITEM.c.number != item.number,
        )
        .order_by((ITEM.c.number < item.number), ITEM.c.number)
        .limit(1)
    )
    return connection.scalar(open_) if mine else None
