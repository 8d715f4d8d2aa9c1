"""What a review would be, were it started now; nothing starts (N-46)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from authz import clock
from authz.directory import tables as t
from authz.review import campaign as steps
from authz.review.definition import Definition, from_dict
from authz.review.item import RefusedError
from authz.review.words import NoAnswer, State, Step, Verdict, Wrong
from authz.service.database import reading, writing
from authz.service.journals import catch_up
from authz.service.reviews import planning
from authz.service.reviews.campaigns import Bench, Reach, change, found, last_started, locked
from authz.service.reviews.planning import Planned
from authz.service.reviews.records import Actor, record
from authz.service.tables import SignIn


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
            connection, definition, bench.ground(clock.now(), last_started(connection, row))
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
