"""The closing report of a review: what was asked, answered and done, with its hash (N-46, N-49).

It names the snapshot that the review stood on and the records of the trail between its start
and its application, so that whoever holds it can hold it against both.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from authz.audit.tables import AuditRecord
from authz.directory.tables import Organisation, Person
from authz.review import snapshot
from authz.review.item import RefusedError
from authz.review.tables import CampaignItem, Handover, Snapshot
from authz.review.words import State, Wrong
from authz.service.database import reading, writing
from authz.service.reviews import running
from authz.service.reviews.records import Actor, record
from authz.service.reviews.running import Bench, Reach

COLUMNS = (
    "number", "kind", "right_id", "holder", "holder_name", "person", "organisation", "role",
    "rostered", "until", "last_used", "uses", "flags", "advice", "advice_reason", "reviewer",
    "stage", "verdict", "verdict_until", "verdict_reason", "verdict_by", "verdict_for",
    "verdict_bulk", "verdict_at", "remediation", "state", "applied_at", "undone_at", "undone_by",
)  # fmt: skip
HEAD = (
    "id", "name", "trigger", "organisation", "state", "items", "started_at", "started_by",
    "due_at", "closed_at", "closed_by", "guard", "confirmed_by", "applied_at", "undo_until",
    "digest", "trail_first", "trail_last",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """The report: its document, the SHA-256 of that, and whether the snapshot is as it was."""

    document: Mapping[str, Any]
    digest: str
    whole: bool

    @property
    def items(self) -> Sequence[Mapping[str, Any]]:
        """The rows of the report."""
        found: Sequence[Mapping[str, Any]] = self.document["items"]
        return found


def report(bench: Bench, campaign: str, who: Actor, reach: Reach) -> Report:
    """The report of a review that is closed; that it was made is recorded.

    The same review has the same hash as long as nothing is undone.
    """
    with reading(bench.store) as connection:
        row = running.found(connection, campaign, reach)
        if State(row.state) not in {State.CLOSED, State.APPLIED}:
            raise RefusedError(Wrong.NOT_NOW)
        document = _document(connection, row)
        body = connection.scalar(select(Snapshot.body).where(Snapshot.campaign == campaign)) or ""
    made = Report(
        document,
        snapshot.digest(snapshot.canonical(document)),
        snapshot.digest(body) == row.digest,
    )
    with writing(bench.store) as connection:
        record(connection, who, "report", campaign, detail={"digest": made.digest})
    return made


def _document(connection: Connection, row: Any) -> dict[str, Any]:
    item, person = CampaignItem, aliased(Person)
    rows = connection.execute(
        select(item.__table__, person.given_name, person.family_name)
        .outerjoin(person, person.id == item.holder)
        .where(item.campaign == row.id)
        .order_by(item.number)
    ).all()
    items = [dict(zip(COLUMNS, _cells(each), strict=True)) for each in rows]
    place = connection.scalar(select(Organisation.name).where(Organisation.id == row.organisation))
    handed = connection.execute(
        select(Handover.number, Handover.giver, Handover.taker, Handover.because, Handover.at)
        .where(Handover.campaign == row.id)
        .order_by(Handover.at, Handover.number)
    ).all()
    return {
        "review": {name: getattr(row, name) for name in HEAD},
        "place": place or "",
        "definition": row.members,
        "verdicts": dict(Counter(each["verdict"] or "none" for each in items)),
        "done": dict(Counter(each["remediation"] or "none" for each in items)),
        "handed": [dict(each._mapping) for each in handed],  # noqa: SLF001 (public so)
        "trail": _trail(connection, row),
        "items": items,
    }


def _cells(row: Any) -> Iterator[Any]:
    name = f"{row.given_name or ''} {row.family_name or ''}".strip()
    for column in COLUMNS:
        yield name if column == "holder_name" else getattr(row, column)


def _trail(connection: Connection, row: Any) -> dict[str, Any]:
    """From which record to which the review stands in the trail, with the hash of each."""
    wanted = (row.trail_first, row.trail_last)
    found = connection.execute(
        select(AuditRecord.sequence, AuditRecord.chain, AuditRecord.hash).where(
            AuditRecord.resource_id == row.id, AuditRecord.sequence.in_(wanted)
        )
    ).all()
    hashes = {each.sequence: each.hash.hex() for each in found}
    return {
        "first": row.trail_first,
        "last": row.trail_last,
        "first_hash": hashes.get(row.trail_first, ""),
        "last_hash": hashes.get(row.trail_last, ""),
    }


def as_csv(made: Report) -> str:
    """The items as comma-separated values, told what they belong to in the first lines."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    review = made.document["review"]
    writer.writerow(["review", review["id"], _cell(review["name"])])
    writer.writerow(["report_sha256", made.digest])
    writer.writerow(["snapshot_sha256", review["digest"]])
    writer.writerow(["trail", made.document["trail"]["first"], made.document["trail"]["last"]])
    writer.writerow(COLUMNS)
    writer.writerows([[_cell(each[name]) for name in COLUMNS] for each in made.items])
    return out.getvalue()


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula is quoted."""
    if isinstance(value, list):
        return " ".join(value)
    formula = isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}
    return f"'{value}" if formula else value
