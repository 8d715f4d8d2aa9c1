"""What was decided, done: item by item, each with its record, each to be undone (N-47, N-49).

A right ends by its row: the next decision reads it so. Rows are read and written a kind at a
time. What was changed meanwhile by somebody else is left as it is, and told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.directory import tables as t
from authz.directory.recording.revision import advance
from authz.errors import NotFoundError, SeparationError
from authz.privacy.tables import Notice
from authz.review import campaign as steps
from authz.review.item import RefusedError
from authz.review.tables import ReviewItem
from authz.review.words import ItemState, Kind, Remediation, State, Step, Wrong
from authz.service import separation
from authz.service.database import writing
from authz.service.reviews import campaigns, uses
from authz.service.reviews.campaigns import Bench, Reach
from authz.service.reviews.records import Actor, moment, needs, record, text
from authz.service.reviews.rows import ITEM, write
from authz.service.tables import ConsoleSession, SignIn
from authz.vocabulary import Event

Row = dict[str, Any]
TABLES: Final[Mapping[Kind, Table]] = {
    kind: table.__table__  # type: ignore[misc]
    for kind, table in {
        Kind.GRANT: t.Grant,
        Kind.GUARDIANSHIP: t.Guardianship,
        Kind.MENTORING: t.Mentoring,
        Kind.CONTRACT: t.Contract,
        Kind.ELEVATION: t.Elevation,
        Kind.SIGN_IN: SignIn,
    }.items()
}
SECRET: Final = frozenset({"password_hash", "totp_secret", "totp_step", "recovery_codes"})


def apply(connection: Connection, campaign: str, who: Actor, now: datetime) -> list[str]:
    """Carry out what follows from the verdicts; what became of each item."""
    rows = connection.execute(
        select(ITEM)
        .where(ITEM.c.campaign == campaign, ITEM.c.state == ItemState.FINAL.value)
        .order_by(ITEM.c.number)
    ).all()
    changed: dict[int, Row] = {}
    entries: list[Entry] = []
    for kind, some in _by_kind(rows).items():
        _end(connection, kind, some, now, (changed, entries, who, campaign))
    for row in rows:
        changed.setdefault(
            row.number, {"state": ItemState.APPLIED.value, "applied_at": text(now), "before": None}
        )
    _uses(connection, rows, now)
    if entries:
        revision = advance(connection)
        log.append(connection, [_at(each, revision) for each in entries])
    write(connection, campaign, changed)
    return [
        row.remediation
        if changed[row.number]["state"] == ItemState.APPLIED.value
        else ItemState.OVERTAKEN.value
        for row in rows
    ]


def _by_kind(rows: Iterable[Any]) -> dict[Kind, list[Any]]:
    found: dict[Kind, list[Any]] = defaultdict(list)
    for row in rows:
        if row.remediation in {Remediation.END.value, Remediation.LIMIT.value}:
            found[Kind(row.kind)].append(row)
    return found


Told = tuple[dict[int, Row], list[Entry], Actor, str]


def _end(connection: Connection, kind: Kind, items: Sequence[Any], now: datetime, to: Told) -> None:
    """End or limit rights of one kind, and note what was done and what it was before."""
    changed, entries, who, campaign = to
    table = TABLES[kind]
    stored = _stored(connection, table, [item.right_id for item in items])
    writes: dict[str, Row] = {}
    for item in items:
        before = stored.get(item.right_id)
        if before is None or not _unchanged(kind, before, item, now):
            changed[item.number] = {
                "state": ItemState.OVERTAKEN.value, "applied_at": text(now), "before": None,
            }  # fmt: skip
            continue
        new = _new(kind, item, now)
        writes[item.right_id] = new
        kept = {name: _plain(before[name]) for name in new}
        changed[item.number] = {
            "state": ItemState.APPLIED.value, "applied_at": text(now), "before": kept,
        }  # fmt: skip
        entries.append(_entry(who, campaign, item, before, {**before, **new}))
    _update(connection, table, writes)
    if kind is Kind.SIGN_IN and writes:
        connection.execute(delete(ConsoleSession).where(ConsoleSession.name.in_(writes)))


def _new(kind: Kind, item: Any, now: datetime) -> Row:
    if kind is Kind.SIGN_IN:
        return {"disabled_at": now}
    recorded = {
        "recorded_at": now,
        "recorded_by": item.verdict_by or "authz",
        "recorded_because": item.verdict_reason or "unanswered",
    }
    if item.remediation == Remediation.LIMIT.value:
        return {"valid_until": moment(item.verdict_until), **recorded}
    return {"ended_at": now, **recorded}


def _unchanged(kind: Kind, row: Row, item: Any, now: datetime) -> bool:
    """Whether the right is still as it was when the review began."""
    if kind is Kind.SIGN_IN:
        return row["disabled_at"] is None
    until = row["valid_until"]
    same = text(row["recorded_at"]) == item.facts.get("recorded_at")
    return same and row["ended_at"] is None and (until is None or until > now)


def _stored(connection: Connection, table: Table, ids: Sequence[str]) -> dict[str, Row]:
    (key,) = table.primary_key.columns
    found: dict[str, Row] = {}
    for some in uses.slices(sorted(ids)):
        for row in connection.execute(select(table).where(key.in_(some)).with_for_update()):
            mapping = dict(row._mapping)  # noqa: SLF001 (public under this name)
            found[mapping[key.name]] = mapping
    return found


def _update(connection: Connection, table: Table, writes: Mapping[str, Row]) -> None:
    """One statement for each set of columns."""
    (key,) = table.primary_key.columns
    by_names: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for ident, values in writes.items():
        by_names[tuple(values)].append(
            {"b_key": ident} | {f"v_{name}": value for name, value in values.items()}
        )
    for names, rows in by_names.items():
        statement = (
            update(table)
            .where(key == bindparam("b_key"))
            .values({name: bindparam(f"v_{name}") for name in names})
        )
        connection.execute(statement, rows)


def _uses(connection: Connection, rows: Sequence[Any], now: datetime) -> None:
    """A use that was made gets its verdict; one that was not justified is told to the officer."""
    used = [row for row in rows if row.kind == Kind.USE.value]
    if not used:
        return
    table: Any = ReviewItem.__table__
    keys = ("subject", "person", "elevation")
    statement = update(table).where(
        *(table.c[name] == bindparam(f"b_{name}") for name in keys),
        table.c.day == bindparam("b_day"),
        table.c.verdict.is_(None),
    )
    connection.execute(
        statement.values(verdict=bindparam("v_verdict")),
        [
            {"b_subject": row.holder, "b_person": row.person, "b_elevation": row.facts["elevation"]}
            | {"b_day": date.fromisoformat(row.facts["day"]), "v_verdict": row.verdict}
            for row in used
        ],
    )
    told = [
        {"recipient": "dpo", "rule": "review", "subject": row.holder, "person": row.person}
        | {"elevation": row.facts["elevation"], "day": now.date(), "opened_at": text(now)}
        | {"request_id": row.campaign}
        for row in used
        if row.remediation == Remediation.REPORT.value
    ]
    if told:
        connection.execute(insert(Notice), told)


def undo(bench: Bench, campaign: str, number: int, who: Actor, because: str, reach: Reach) -> None:
    """Put back what an item took away, while that can be; RefusedError where it cannot."""
    needs(because)
    now = clock.now()
    with writing(bench.store) as connection:
        row = campaigns.locked(connection, campaign, reach)
        steps.after(State(row.state), Step.UNDO)
        steps.may_undo(moment(row.undo_until), now)
        item = connection.execute(
            select(ITEM).where(ITEM.c.campaign == campaign, ITEM.c.number == number)
        ).one_or_none()
        if item is None:
            raise NotFoundError("There is no such item.", where=campaign)
        if item.before is None or item.state != ItemState.APPLIED.value:
            raise RefusedError(Wrong.NOT_NOW)
        if who.id in {item.holder, item.person}:
            raise RefusedError(Wrong.YOUR_OWN)
        if item.kind == Kind.GRANT.value:
            _apart(connection, bench, item, now)
        _restore(connection, campaign, item, who, because)
        changed = {"state": ItemState.UNDONE.value, "undone_at": text(now), "undone_by": who.id}
        write(connection, campaign, {number: changed})
        receipt = record(
            connection, who, "undo", campaign, because=because, detail={"item": number}
        )
        campaigns.change(connection, campaign, trail_last=receipt.sequence)


def _apart(connection: Connection, bench: Bench, item: Any, now: datetime) -> None:
    """RefusedError where a role that comes back would meet one that was granted meanwhile."""
    if item.remediation != Remediation.END.value:
        return
    try:
        separation.check(connection, bench.policy.catalogue, item.holder, item.role, now)
    except SeparationError as error:
        raise RefusedError(Wrong.APART) from error


def _restore(connection: Connection, campaign: str, item: Any, who: Actor, because: str) -> None:
    kind = Kind(item.kind)
    stored = _stored(connection, TABLES[kind], [item.right_id]).get(item.right_id)
    mark = "disabled_at" if kind is Kind.SIGN_IN else "recorded_at"
    if stored is None or text(stored[mark]) != item.applied_at:
        raise RefusedError(Wrong.CHANGED)
    back = {name: _moment(name, value) for name, value in item.before.items()}
    _update(connection, TABLES[kind], {item.right_id: back})
    told = _entry(who, campaign, item, stored, {**stored, **back}, because)
    log.append(connection, [_at(told, advance(connection))])


def _entry(
    who: Actor,
    campaign: str,
    item: Any,
    before: Row,
    after: Row,
    because: str = "",
) -> Entry:
    """The record of a fact that a review changed, as one that was changed by hand."""
    about = Ref("sign_in", item.right_id) if item.kind == Kind.SIGN_IN.value else None
    ended = item.remediation == Remediation.END.value
    return Entry(
        event=Event.USER_DISABLED if about and not because else Event.FACT_CHANGED,
        time=clock.now(),
        application="authz",
        action="record" if because or not ended else "delete",
        subject=who.as_ref(),
        resource=about or Ref("person", item.person or item.holder),
        detail={
            "fact": item.kind,
            "key": item.right_id,
            "before": _shown(before),
            "after": _shown(after),
            "who": who.id if because else item.verdict_by or who.id,
            "why": because or item.verdict_reason or "unanswered",
            "review": campaign,
            "item": item.number,
        },
    )


def _at(entry: Entry, revision: int) -> Entry:
    return replace(entry, directory_revision=revision)


def _shown(row: Row) -> Row:
    return {
        name: _plain(value)
        for name, value in row.items()
        if value not in (None, "") and name not in SECRET
    }


def _plain(value: Any) -> Any:
    return text(value) if isinstance(value, datetime) else value


def _moment(name: str, value: Any) -> Any:
    return moment(value) if name.endswith(("_at", "_until")) else value
