"""Is a closing report what the trail says? For whoever was handed one (N-46, N-49).

Nothing is believed of the report: its hash, the range that it names, the checkpoint over it
and the verdicts in it are held against the records, the tree and the snapshot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, select

from authz.audit import note, search, tree
from authz.audit.tables import AuditRecord
from authz.config import Settings
from authz.errors import AuthzError, MalformedError
from authz.review import snapshot
from authz.review.tables import Snapshot
from authz.service import audit_keys, verification
from authz.service.database import reading
from authz.service.reviews.campaigns import Bench
from authz.vocabulary import Event

_STREAM: Final = {"yield_per": 1000}


class Problem(StrEnum):
    """What of a report the trail does not bear out."""

    HASH = "hash"
    RECORDS = "records"
    RANGE = "range"
    CHECKPOINT = "checkpoint"
    VERDICTS = "verdicts"
    SNAPSHOT = "snapshot"


SENTENCES: Final[Mapping[Problem, str]] = {
    Problem.HASH: "The trail has no record that a report of this hash was made.",
    Problem.RECORDS: "The records of the range are not as they were written.",
    Problem.RANGE: "The range does not begin and end with the records that the report names.",
    Problem.CHECKPOINT: "No checkpoint of our keys covers the range, where the report says.",
    Problem.VERDICTS: "A verdict is another one than was recorded, or was not recorded.",
    Problem.SNAPSHOT: "The snapshot is not the one that the review began with.",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """The hash of the report, how many records its range has, and what is wrong with it."""

    digest: str
    records: int
    problems: tuple[Problem, ...]


def read(path: Path) -> Mapping[str, Any]:
    """The report of a file; MalformedError where it holds none."""
    try:
        found = json.loads(path.read_text("utf-8"))
        wanted = (found["review"]["id"], found["trail"]["chain"], found["items"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MalformedError("It is no report of a review.", where=str(path)) from error
    if not all(wanted) or not isinstance(found, dict):
        raise MalformedError("It is no report of a review.", where=str(path))
    return found


def check(bench: Bench, settings: Settings, document: Mapping[str, Any]) -> Checked:
    """Hold a report against what is on file."""
    digest = snapshot.digest(snapshot.canonical(document))
    span = document["trail"]
    chain, first, last = (str(span["chain"]), int(span["first"]), int(span["last"]))
    whole = verification.verify_range(bench.store, chain, first=first, last=last)
    with reading(bench.store) as connection:
        problems = {
            Problem.HASH: not _made(connection, document, digest),
            Problem.RECORDS: not whole.whole,
            Problem.RANGE: not _bounds(connection, span),
            Problem.CHECKPOINT: not _covered(connection, settings, span),
            Problem.VERDICTS: not _said(connection, document),
            Problem.SNAPSHOT: not _snapshot(connection, document),
        }
    return Checked(
        digest, last - first + 1, tuple(name for name, wrong in problems.items() if wrong)
    )


def _made(connection: Connection, document: Mapping[str, Any], digest: str) -> bool:
    """Whether a record says that a report of this hash was made of this review."""
    after = ""
    while True:
        page = search.search(
            connection,
            person=document["review"]["id"],
            event=Event.REVIEW_CHANGED,
            limit=search.MOST,
            after=after,
        )
        for each in page.records:
            record = each.record
            if record["action"] == "report" and record["detail"].get("digest") == digest:
                return True
        after = page.after
        if not after:
            return False


def _bounds(connection: Connection, span: Mapping[str, Any]) -> bool:
    ends = (span["first"], span["last"])
    hashes = connection.execute(
        select(AuditRecord.sequence, AuditRecord.hash).where(
            AuditRecord.chain == span["chain"], AuditRecord.sequence.in_(ends)
        )
    ).all()
    found = {row.sequence: row.hash.hex() for row in hashes}
    return [found.get(end) for end in ends] == [span["first_hash"], span["last_hash"]]


def _covered(connection: Connection, settings: Settings, span: Mapping[str, Any]) -> bool:
    """Whether the checkpoint of the report is ours, and the tree's that has the range."""
    try:
        signed = note.parse(span["checkpoint"]["note"])
        said = note.checkpoint(signed.text)
        ours = note.signers(signed, audit_keys.verifiers(settings))
        for name in ("first", "last"):
            place = tree.include(connection, span["chain"], span[name], said.size)
            if place.place != span[f"{name}_leaf"] or place.root != said.root:
                return False
    except (AuthzError, KeyError):
        return False
    return bool(ours)


def _said(connection: Connection, document: Mapping[str, Any]) -> bool:
    """Whether each verdict that somebody gave is the last one recorded of its item."""
    recorded = _answers(connection, document)
    return all(
        recorded.get(item["number"]) == item["verdict"]
        for item in document["items"]
        if item["verdict"] and item["verdict_by"]
    )


def _answers(connection: Connection, document: Mapping[str, Any]) -> dict[Any, Any]:
    """The last verdict of each item within the range."""
    span, review = document["trail"], document["review"]["id"]
    asked = (
        select(AuditRecord.body)
        .where(
            *search.between(span["chain"], span["first"], span["last"]),
            AuditRecord.event == Event.REVIEW_CHANGED.value,
            AuditRecord.action == "answer",
        )
        .order_by(AuditRecord.sequence)
    )
    found: dict[Any, Any] = {}
    with connection.execution_options(**_STREAM).execute(asked) as rows:
        for (body,) in rows:
            detail = _detail(body)
            if detail.get("review") == review:
                found[detail.get("item")] = detail.get("verdict")
    return found


def _detail(body: bytes) -> Mapping[str, Any]:
    """What a record says; nothing where it is none, which the range is told for."""
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError):
        return {}
    return detail if isinstance(detail, Mapping) else {}


def _snapshot(connection: Connection, document: Mapping[str, Any]) -> bool:
    review = document["review"]
    body = connection.scalar(select(Snapshot.body).where(Snapshot.campaign == review["id"])) or ""
    return bool(snapshot.digest(body) == review["digest"])
