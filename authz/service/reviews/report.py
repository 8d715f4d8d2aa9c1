"""The closing report of a review: what was asked, answered and done, with its hash (N-46, N-49).

It names the snapshot that the review stood on, the records of the trail from its start to its
end, their places in the tree, and a signed checkpoint over them. Its hash is of its canonical
JSON (:mod:`authz.review.snapshot`), and is recorded when the report is made: whoever holds it
can hold it against all of these (:mod:`authz.service.reviews.checking`).
"""

from __future__ import annotations

import csv
import io
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.orm import aliased

from authz.audit import note, tree
from authz.audit.tables import AuditCheckpoint, AuditRecord
from authz.config import Settings
from authz.directory.tables import Organisation, Person
from authz.errors import AuthzError
from authz.review import campaign as steps
from authz.review import snapshot
from authz.review.item import RefusedError
from authz.review.tables import CampaignItem, Handover, Snapshot
from authz.review.words import State, Wrong
from authz.service import checkpoints
from authz.service.database import reading, writing
from authz.service.reports import spreadsheet
from authz.service.reviews import campaigns
from authz.service.reviews.campaigns import Bench, Reach
from authz.service.reviews.records import Actor, record

COLUMNS = (
    "number", "kind", "right_id", "holder", "holder_name", "person", "organisation", "role",
    "rostered", "until", "last_used", "uses", "flags", "advice", "advice_reason", "reviewer",
    "stage", "verdict", "verdict_until", "verdict_reason", "verdict_by", "verdict_for",
    "verdict_bulk", "verdict_at", "remediation", "state", "applied_at", "undone_at", "undone_by",
)  # fmt: skip
HEAD = (
    "id", "name", "trigger", "organisation", "state", "items", "started_at", "started_by",
    "due_at", "closed_at", "closed_by", "guard", "confirmed_by", "applied_at", "undo_until",
    "ended_because", "digest",
)  # fmt: skip
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Report:
    """The report: its document, the SHA-256 of that, and whether the snapshot is as it was."""

    document: Mapping[str, Any]
    digest: str
    whole: bool

    @property
    def canonical(self) -> str:
        """The JSON of which the digest is."""
        return snapshot.canonical(self.document)

    @property
    def items(self) -> Sequence[Mapping[str, Any]]:
        """The rows of the report."""
        found: Sequence[Mapping[str, Any]] = self.document["items"]
        return found


def report(
    bench: Bench, campaign: str, who: Actor, reach: Reach, settings: Settings | None = None
) -> Report:
    """The report of a review that is over; that it was made is recorded, with its hash.

    With ``settings`` a checkpoint is signed where none covers the review yet. The same review
    has the same hash from then on, as long as nothing is undone.
    """
    if settings is not None:
        _sign(bench, campaign, reach, settings)
    with reading(bench.store) as connection:
        row = campaigns.found(connection, campaign, reach)
        if State(row.state) not in steps.OVER or row.started_at is None:
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


def _sign(bench: Bench, campaign: str, reach: Reach, settings: Settings) -> None:
    """A checkpoint over the end of the review; a report is made without one where it fails."""
    with reading(bench.store) as connection:
        row = campaigns.found(connection, campaign, reach)
        if _covering(connection, row) is not None:
            return
    try:
        checkpoints.keep(bench.store, settings)
    except AuthzError as error:
        _log.error("%s", error)


def _covering(connection: Connection, row: Any) -> Any:
    """The first checkpoint whose tree has all records of the review; nothing before it."""
    last = tree.position(connection, row.trail_chain, row.trail_last)
    if last is None:
        return None
    signed = AuditCheckpoint
    return connection.execute(
        select(signed.time, signed.size, signed.note)
        .where(signed.size > last)
        .order_by(signed.size, signed.time)
        .limit(1)
    ).one_or_none()


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
    """From which record to which of a chain the review stands in the trail, and in the tree.

    ``first_hash`` and ``last_hash`` are of the chain; ``first_leaf`` and ``last_leaf`` are
    places in the tree that ``checkpoint`` signs.
    """
    wanted = (row.trail_first, row.trail_last)
    found = connection.execute(
        select(AuditRecord.sequence, AuditRecord.hash).where(
            AuditRecord.chain == row.trail_chain, AuditRecord.sequence.in_(wanted)
        )
    ).all()
    hashes = {each.sequence: each.hash.hex() for each in found}
    covering = _covering(connection, row)
    return {
        "chain": row.trail_chain,
        "first": row.trail_first,
        "last": row.trail_last,
        "first_hash": hashes.get(row.trail_first, ""),
        "last_hash": hashes.get(row.trail_last, ""),
        "first_leaf": tree.position(connection, row.trail_chain, row.trail_first),
        "last_leaf": tree.position(connection, row.trail_chain, row.trail_last),
        "checkpoint": _signed(covering) if covering is not None else {},
    }


def _signed(row: Any) -> dict[str, Any]:
    """A checkpoint as the report has it: what it says, and the note that is signed."""
    said = note.checkpoint(note.parse(row.note).text)
    return {"time": row.time, "size": row.size, "root": said.root.hex(), "note": row.note}


def as_csv(made: Report) -> str:
    """The items as comma-separated values, told what they belong to in the first lines."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    review = made.document["review"]
    writer.writerow(["review", review["id"], _cell(review["name"])])
    writer.writerow(["report_sha256", made.digest])
    writer.writerow(["snapshot_sha256", review["digest"]])
    trail = made.document["trail"]
    signed = [trail["checkpoint"].get(name, "") for name in ("size", "root")]
    place = [trail[name] for name in ("chain", "first", "last")]
    writer.writerow(["trail", *place, "checkpoint", *signed])
    writer.writerow(COLUMNS)
    writer.writerows([[_cell(each[name]) for name in COLUMNS] for each in made.items])
    return out.getvalue()


def _cell(value: Any) -> Any:
    """A text, or the texts of a list, as a spreadsheet may have it; numbers stay numbers."""
    text = " ".join(value) if isinstance(value, list) else value
    return spreadsheet.cell(text) if isinstance(text, str) else text
