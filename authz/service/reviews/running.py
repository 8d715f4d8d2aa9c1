"""A review from its definition to its start: define, preview, start (N-46).

Starting freezes what is under review: the items, and a snapshot of them with its hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, or_, select, update

from authz import clock
from authz.directory import tables as t
from authz.directory.facts import Place
from authz.engine.policy import Policy
from authz.errors import NotFoundError
from authz.review import campaign as steps
from authz.review import snapshot
from authz.review.definition import Definition, check, from_dict
from authz.review.item import RefusedError
from authz.review.tables import Campaign, CampaignItem, ReviewDefinition, Snapshot
from authz.review.words import NoAnswer, State, Step, Trigger, Verdict, Wrong
from authz.service.database import reading, writing
from authz.service.journals import catch_up
from authz.service.reviews import planning, reminders
from authz.service.reviews.planning import Ground, Planned
from authz.service.reviews.records import Actor, moment, needs, new_id, record, text
from authz.service.tables import SignIn
from authz.vocabulary import Role

REVIEWING_ROLES: Final = (Role.SCHOOL_ADMIN.value, Role.DPO.value)
MOST_NAMED: Final = 500
Reach = frozenset[str] | None
"""The organisations whose reviews somebody runs; None is all of them."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where reviews are run: the store, and the policy and place that decisions stand on."""

    store: Engine
    policy: Policy
    place: Place

    def ground(self, now: datetime, last: datetime | None = None) -> Ground:
        """What a plan stands on."""
        return Ground(self.policy, self.place, now, last)


def define(bench: Bench, definition: Definition, who: Actor, because: str, reach: Reach) -> str:
    """Put a definition on file, and return the id of its first campaign.

    RefusedError where it cannot be; NotFoundError where its organisation is out of reach.
    """
    check(definition)
    needs(because)
    _within(definition.scope.organisation, reach)
    now = text(clock.now())
    with writing(bench.store) as connection:
        _on_file(connection, definition)
        ident = new_id()
        connection.execute(
            insert(ReviewDefinition).values(
                id=ident,
                name=definition.name,
                organisation=definition.scope.organisation,
                members=definition.as_dict(),
                created_at=now,
                created_by=who.id,
                because=because,
            )
        )
        campaign = _new(connection, definition, who, because, definition_id=ident)
        after = {"definition": definition.as_dict()}
        record(connection, who, "define", campaign, because=because, detail={"after": after})
    return campaign


def redefine(
    bench: Bench, campaign: str, definition: Definition, who: Actor, because: str, reach: Reach
) -> None:
    """Change a review that was not started; it wants a new preview."""
    check(definition)
    needs(because)
    _within(definition.scope.organisation, reach)
    with writing(bench.store) as connection:
        row = locked(connection, campaign, reach)
        if State(row.state) not in steps.PLANNED:
            raise RefusedError(Wrong.NOT_NOW)
        _on_file(connection, definition)
        change(
            connection,
            campaign,
            name=definition.name,
            organisation=definition.scope.organisation,
            members=definition.as_dict(),
            state=State.DEFINED.value,
        )
        detail = {"before": row.members, "after": definition.as_dict()}
        record(connection, who, "redefine", campaign, because=because, detail=detail)


def again(bench: Bench, definition: str, who: Actor, because: str, reach: Reach) -> str:
    """A further campaign of a definition, to be previewed."""
    needs(because)
    with writing(bench.store) as connection:
        row = connection.execute(
            select(ReviewDefinition.members, ReviewDefinition.organisation).where(
                ReviewDefinition.id == definition
            )
        ).one_or_none()
        if row is None:
            raise NotFoundError("There is no such definition.", where=definition)
        _within(row.organisation, reach)
        found = from_dict(row.members)
        campaign = _new(connection, found, who, because, definition_id=definition)
        detail = {"after": {"definition": row.members}}
        record(connection, who, "define", campaign, because=because, detail=detail)
    return campaign


@dataclass(frozen=True, slots=True)
class Load:
    """How much one reviewer would have; ``reminded``: whether they have a sign-in."""

    reviewer: str
    name: str
    items: int
    sign_in: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be, were it started now.

    ``ends`` are the rights that would end if every recommendation were taken, ``silent``
    how many if nobody answered; ``orphans`` are the items without a reviewer.
    """

    items: Sequence[Planned]
    loads: Sequence[Load]
    rerouted: int
    by_fallback: int
    orphans: Sequence[Planned]
    stale: Sequence[str]
    flagged: int
    ends: Sequence[Planned]
    silent: int
    kinds: Mapping[str, int]

    @property
    def ending(self) -> int:
        """How many would end by the recommendations."""
        return len(self.ends)

    @property
    def guarded(self) -> bool:
        """Whether taking every recommendation would need a second person."""
        return steps.guarded(self.ending, len(self.items))


def preview(bench: Bench, campaign: str, who: Actor, reach: Reach) -> Preview:
    """What the review would be; nothing starts. It may be started afterwards.

    That a definition was looked at for the first time is recorded: from then on it may start.
    """
    catch_up(bench.store)
    with reading(bench.store) as connection:
        row = found(connection, campaign, reach)
        if State(row.state) not in steps.PLANNED:
            raise RefusedError(Wrong.NOT_NOW)
        definition = from_dict(row.members)
        planned = planning.plan(
            connection, definition, bench.ground(clock.now(), _last(connection, row))
        )
        result = _preview(connection, definition, planned)
    if State(row.state) is State.DEFINED:
        with writing(bench.store) as connection:
            state = steps.after(State(locked(connection, campaign, reach).state), Step.PREVIEW)
            change(connection, campaign, state=state.value, items=len(planned))
            record(connection, who, "preview", campaign, detail={"items": len(planned)})
    return result


def _preview(connection: Connection, definition: Definition, planned: Sequence[Planned]) -> Preview:
    counts = Counter(each.assigned.reviewer for each in planned if each.assigned.reviewer)
    person = t.Person
    rows = connection.execute(
        select(person.id, person.given_name, person.family_name, SignIn.name)
        .outerjoin(SignIn, (SignIn.person == person.id) & SignIn.disabled_at.is_(None))
        .where(person.id.in_(counts))
    ).all()
    known = {row.id: row for row in rows}
    loads = [
        Load(
            ident,
            f"{known[ident].given_name} {known[ident].family_name}".strip() or ident
            if ident in known
            else ident,
            number,
            ident in known and known[ident].name is not None,
        )
        for ident, number in counts.most_common()
    ]
    endable = [each for each in planned if not each.right.rostered]
    silent = definition.no_answer is NoAnswer.REVOKE
    return Preview(
        items=planned,
        loads=loads,
        rerouted=sum(each.assigned.rerouted for each in planned),
        by_fallback=sum(each.assigned.by_fallback for each in planned),
        orphans=[each for each in planned if not each.assigned.reviewer],
        stale=sorted({e.right.origin for e in planned if "stale_source" in e.flags}),
        flagged=sum(bool(each.flags) for each in planned),
        ends=[each for each in endable if each.advice is Verdict.REVOKE],
        silent=len(endable) if silent else 0,
        kinds=Counter(each.right.kind.value for each in planned),
    )


def start(bench: Bench, campaign: str, who: Actor, because: str, reach: Reach) -> str:
    """Freeze what is under review and ask the reviewers; the hash of the snapshot.

    RefusedError where nothing is in scope, an item has no reviewer, or no preview was made.
    """
    needs(because)
    catch_up(bench.store)
    with writing(bench.store) as connection:
        row = locked(connection, campaign, reach)
        steps.after(State(row.state), Step.START)
        ground = bench.ground(clock.now(), _last(connection, row))
        planned = planning.plan(connection, from_dict(row.members), ground)
        return begin(connection, campaign, planned, ground, who, because)


def begin(
    connection: Connection,
    campaign: str,
    planned: Sequence[Planned],
    ground: Ground,
    who: Actor,
    because: str,
) -> str:
    """Write the items and the snapshot of a campaign, in its caller's transaction."""
    if not planned:
        raise RefusedError(Wrong.NO_ITEMS)
    if not all(each.assigned.reviewer for each in planned):
        raise RefusedError(Wrong.NO_REVIEWER)
    row = locked(connection, campaign, None)
    definition = from_dict(row.members)
    items = [_row(campaign, number, each) for number, each in enumerate(planned, 1)]
    body = snapshot.canonical(_document(connection, row, items, ground, who))
    digest = snapshot.digest(body)
    connection.execute(insert(Snapshot).values(campaign=campaign, body=body))
    connection.execute(insert(CampaignItem), items)
    due = ground.now + timedelta(days=definition.stages[0].days)
    receipt = record(
        connection,
        who,
        "start",
        campaign,
        because=because,
        detail={"items": len(items), "snapshot": digest, "due": due},
    )
    change(
        connection,
        campaign,
        state=State.STARTED.value,
        stage=1,
        items=len(items),
        started_at=text(ground.now),
        started_by=who.id,
        due_at=text(due),
        digest=digest,
        trail_chain=receipt.chain,
        trail_first=receipt.sequence,
    )
    reminders.queue(connection, campaign, ground.now)
    return digest


def _row(campaign: str, number: int, planned: Planned) -> dict[str, Any]:
    right = planned.right
    facts = {
        "name": right.name,
        "since": text(right.since),
        "granted_by": right.granted_by,
        "reason": right.reason,
        "origin": right.origin,
        "recorded_at": text(right.recorded_at),
        "conflicts": [
            {"rule": each.rule.id, "roles": list(each.roles)} for each in planned.conflicts
        ],
        **right.detail,
    }
    return {
        "campaign": campaign,
        "number": number,
        "kind": right.kind.value,
        "right_id": right.id,
        "holder": right.holder,
        "person": right.person,
        "organisation": right.organisation,
        "role": right.role,
        "resource": right.resource,
        "rostered": right.rostered,
        "until": text(right.until),
        "facts": {name: value for name, value in facts.items() if value},
        "flags": [flag.value for flag in planned.flags],
        "flagged": bool(planned.flags),
        "advice": planned.advice.value,
        "advice_reason": planned.why.value,
        "last_used": text(planned.use.last),
        "uses": planned.use.count,
        "peers": planned.peers,
        "having": planned.having,
        "reviewer": planned.assigned.reviewer,
        "rerouted": planned.assigned.rerouted,
        "fallback": planned.fallback,
        "passed": False,
        "stage": 1,
        "state": "open",
    }


def _document(
    connection: Connection, row: Any, items: Sequence[Mapping[str, Any]], ground: Ground, who: Actor
) -> dict[str, Any]:
    """What is frozen: ids and codes, and no names of people (E-01)."""
    revision = connection.scalar(select(t.Revision.revision)) or 0
    left_out = {"state", "passed", "stage", "campaign"}
    return {
        "review": row.id,
        "name": row.name,
        "definition": row.members,
        "started_at": text(ground.now),
        "started_by": who.id,
        "policy": ground.policy.digest,
        "directory_revision": revision,
        "items": [
            {
                **{name: value for name, value in item.items() if name not in left_out},
                "facts": {k: v for k, v in item["facts"].items() if k not in {"name", "reason"}},
            }
            for item in items
        ],
    }


def _new(
    connection: Connection,
    definition: Definition,
    who: Actor,
    because: str,
    *,
    definition_id: str = "",
    trigger: Trigger = Trigger.DEFINED,
    cause: str = "",
    state: State = State.DEFINED,
) -> str:
    ident = new_id()
    connection.execute(
        insert(Campaign).values(
            id=ident,
            definition=definition_id,
            trigger=trigger.value,
            cause=cause or ident,
            name=definition.name,
            organisation=definition.scope.organisation,
            members=definition.as_dict(),
            state=state.value,
            stage=1,
            items=0,
            created_at=text(clock.now()),
            created_by=who.id,
            because=because,
        )
    )
    return ident


def small(
    connection: Connection, definition: Definition, trigger: Trigger, cause: str, because: str
) -> str:
    """A campaign that an event opens, ready to be started in the same transaction."""
    who = Actor("authz", "service")
    return _new(
        connection, definition, who, because, trigger=trigger, cause=cause, state=State.PREVIEWED
    )


def found(connection: Connection, campaign: str, reach: Reach) -> Any:
    """The campaign's row; NotFoundError where it is not there or out of reach."""
    row = connection.execute(
        select(Campaign.__table__).where(Campaign.id == campaign)
    ).one_or_none()
    if row is None or (reach is not None and row.organisation not in reach):
        raise NotFoundError("There is no such review.", where=campaign)
    return row


def locked(connection: Connection, campaign: str, reach: Reach) -> Any:
    """The same, held until the transaction ends: one step at a time."""
    connection.execute(select(Campaign.id).where(Campaign.id == campaign).with_for_update())
    return found(connection, campaign, reach)


def change(connection: Connection, campaign: str, **values: Any) -> None:
    """Change the row of a campaign."""
    connection.execute(update(Campaign).where(Campaign.id == campaign).values(**values))


def _within(organisation: str, reach: Reach) -> None:
    if reach is not None and organisation not in reach:
        raise NotFoundError("There is no such organisation.", where=organisation)


def _on_file(connection: Connection, definition: Definition) -> None:
    """RefusedError where a reviewer that is named is nobody who could be asked."""
    people = {*definition.fallbacks, *(stage.named for stage in definition.stages)} - {""}
    known = connection.scalars(
        select(t.Person.id).where(t.Person.id.in_(people), t.Person.status == "active")
    )
    if set(known) != people:
        raise RefusedError(Wrong.NOT_A_REVIEWER)


def _last(connection: Connection, row: Any) -> datetime | None:
    """When the campaign before this one of the same definition began."""
    last = connection.scalar(
        select(Campaign.started_at)
        .where(
            Campaign.definition == row.definition,
            Campaign.started_at.is_not(None),
            Campaign.state != State.CANCELLED.value,
        )
        .order_by(Campaign.started_at.desc())
        .limit(1)
    )
    return moment(last) if row.definition else None


def possible_reviewers(connection: Connection, now: datetime) -> Sequence[Any]:
    """Who can be named as reviewer or fallback: administrators and officers who are active."""
    grant, person = t.Grant, t.Person
    return connection.execute(
        select(person.id, person.given_name, person.family_name, person.name_order)
        .join(grant, grant.person == person.id)
        .where(
            grant.role.in_(REVIEWING_ROLES),
            grant.ended_at.is_(None),
            or_(grant.valid_until.is_(None), grant.valid_until > now),
            person.status == "active",
        )
        .distinct()
        .order_by(person.name_order, person.id)
        .limit(MOST_NAMED)
    ).all()
