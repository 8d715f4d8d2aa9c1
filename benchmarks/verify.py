"""How fast the trail is verified: records a second, by one process and by more.

    python -m benchmarks.verify [--records N] [--folder DIR] [--url URL] [--processes N ...]

A store of N records (about 700 bytes each, of four writers and the main chain) is made once
where a folder is kept, sequenced and signed; then it is verified whole.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, func, insert, select

from authz.audit import log, tree
from authz.audit.chain import Tip, digest, genesis
from authz.audit.mentions import rows as mention_rows
from authz.audit.note import Checkpoint, public, sign
from authz.audit.record import Entry, Ref, timestamp
from authz.audit.tables import (
    INDEX_COLUMNS,
    AuditCheckpoint,
    AuditHead,
    AuditMention,
    AuditRecord,
)
from authz.audit.verify import verify
from authz.service.checkpoints import sequence_all
from authz.service.database import open_store, reading, upgrade, writing
from authz.service.sharing import shared
from authz.vocabulary import Event

BEGAN = datetime(2026, 5, 4, 1, 30, tzinfo=UTC)
WRITERS = [f"20260504T013000Z-0000000{number}" for number in range(4)]
ORIGIN = "authz.example/benchmark"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
AT_ONCE = 10_000
MENTION = AuditMention.__table__.columns.keys()


def entry(number: int) -> Entry:
    """A decision as the service records it, with the lists that a school's rules bring."""
    return Entry(
        event=Event.DECISION,
        time=BEGAN + timedelta(milliseconds=10 * number),
        application="gradebook.school.example",
        request_id=f"9f1c2d3e-{number:012d}",
        subject=Ref("user", f"teacher-{number % 997:06d}"),
        action="read",
        resource=Ref("assessment_result", f"student-{number % 20011:08d}"),
        properties={"class": f"class-{number % 613}", "fields": ["assessment", "score", "date"]},
        context={"purpose": "teaching", "mfa": True, "justified": True},
        purpose="teaching",
        decision=number % 9 > 0,
        rules=["teacher-read-assessment"] if number % 9 else ["custody", "retention-ended"],
        reason="" if number % 9 else "custody",
        obligations=[{"id": "fields", "value": ["assessment", "score", "date", "feedback"]}],
        policy="sha256:4f0c2f1d9a5be1f8c3d7a6b5e4f3021f",
        directory_revision=48_211,
    )


def fill(store: Engine, records: int) -> None:
    """Write that many records as writers' journals would bring them, and sequence them."""
    opened = [
        Entry(event=Event.WRITER_OPENED, time=BEGAN, resource=Ref("writer", each))
        for each in WRITERS
    ]
    log.record(store, opened)
    tips = {chain: genesis(chain) for chain in WRITERS}
    for numbers in batched_numbers(records):
        chain = WRITERS[numbers[0] // AT_ONCE % len(WRITERS)]
        rows, mentioned = [], []
        for number in numbers:
            encoded = log.encode(entry(number))
            body, (columns, found) = encoded.body, encoded.found()
            place = tips[chain].sequence + 1
            tips[chain] = Tip(place, digest(tips[chain].hash, place, body))
            link = {"chain": chain, "sequence": place, "body": body, "hash": tips[chain].hash}
            rows.append(link | dict(zip(INDEX_COLUMNS, columns, strict=True)))
            mentioned += [
                dict(zip(MENTION, row, strict=True))
                for row in mention_rows(chain, place, columns[0], found)
            ]
        with writing(store) as connection:
            connection.execute(insert(AuditRecord), rows)
            connection.execute(insert(AuditMention), mentioned)
    with writing(store) as connection:
        heads = [{"chain": chain, **tip._asdict()} for chain, tip in tips.items() if tip.sequence]
        connection.execute(insert(AuditHead), heads)
    sequence_all(store)


def sign_all(store: Engine) -> None:
    """Sign where the tree stands."""
    with writing(store) as connection:
        size = tree.size(connection)
        time, root = timestamp(BEGAN), tree.root(connection, size)
        text = str(sign(str(Checkpoint(ORIGIN, size, root, time)), ORIGIN, [KEY]))
        row = {"time": time, "size": size, "root": root, "note": text}
        connection.execute(insert(AuditCheckpoint), [row])


def batched_numbers(records: int) -> Sequence[Sequence[int]]:
    """The numbers of the records, as many as go into one transaction."""
    return [range(at, min(at + AT_ONCE, records)) for at in range(0, records, AT_ONCE)]


def measure(store: Engine, processes: int) -> None:
    """Verify the whole store once, and print what it took."""
    began, used = perf_counter(), cpu()
    with reading(store) as connection, shared(store, connection, processes) as run:
        found = verify(connection, keys=[public(ORIGIN, KEY)], run=run)
    seconds, used = perf_counter() - began, cpu() - used
    assert found.whole, found.damage
    assert found.checkpoints == 1
    print(
        f"{store.dialect.name:<10}  {processes} processes  {found.records:>9} records  "
        f"{seconds:6.1f} s  {found.records / seconds:>9,.0f} records/s  "
        f"{used / found.records * 1e6:5.1f} us of CPU a record  "
        f"load {os.getloadavg()[0]:.1f}"
    )


def cpu() -> float:
    """Seconds of CPU that this process and those that it waited for have used."""
    return sum(os.times()[:4])


def main() -> None:
    """Make the store where it is not there yet, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("var/bench/verify"))
    parser.add_argument("--url", default="")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    store = open_store(given.url or f"sqlite:///{given.folder}/{given.records}.db", durability="os")
    upgrade(store)
    with reading(store) as connection:
        there = connection.execute(select(func.count()).select_from(AuditRecord)).scalar_one()
        size = func.avg(func.length(AuditRecord.body))
    if not there:
        fill(store, given.records)
        sign_all(store)
    with reading(store) as connection:
        print(f"{connection.execute(select(size)).scalar_one():.0f} bytes a record")
    for processes in given.processes:
        measure(store, processes)
    store.dispose()


if __name__ == "__main__":
    main()
