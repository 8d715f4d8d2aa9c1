"""The first page of every kind of search in a long trail, and what the database plans for it.

    python -m benchmarks.trail_search [--records N] [--rounds N] [--postgresql] [--plans] [--cold]

Records are spelt as the service spells them (the first thousand are held against it), and
inserted in bulk with what they mention, before there are indexes: teachers of many schools,
one busy script, one search in a hundred records, refusals at three in a hundred, no two
alike. Every search asks for 100 records. The first round reads pages that nobody has read
since the database was opened.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Engine, Table, event, insert, text

from authz.audit.chain import MAIN
from authz.audit.log import encode
from authz.audit.record import Entry, Ref, timestamp
from authz.audit.search import search
from authz.audit.tables import AuditMention, AuditRecord
from authz.service.database import open_store, upgrade
from authz.vocabulary import Event
from tests.postgres import Postgres, find_binaries

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 20_000
STUDENTS, TEACHERS = 200_000, 10_000
REFUSED, BY_THE_SCRIPT = 0.03, 0.2
POLICY = "sha256:" + "0" * 64
RULES = {"teacher-read": "service", "school-read": "service", "parent-read": "learner_profile"}
_RULES = list(RULES)


class Spelt(NamedTuple):
    """A record as it is inserted: its bytes, its index columns, its mentions."""

    body: bytes
    columns: tuple[str, ...]
    mentions: Sequence[tuple[str, str, str]]


def entries(count: int) -> Iterator[Entry]:
    """Records over a year; the same with every run."""
    chance = random.Random(7)
    step = timedelta(days=365) / count
    for number in range(count):
        yield _entry(_drawn(chance, number), number, BEGAN + number * step)


def spelt(count: int) -> Iterator[Spelt]:
    """The same records spelt here, in a tenth of the time; the first thousand are compared."""
    chance, step = random.Random(7), timedelta(days=365) / count
    for number, entry in enumerate(islice(entries(count), 1000)):
        encoded = encode(entry)
        mine = _spelt(_drawn(chance, number), number, timestamp(entry.time))
        columns, found = encoded.found()
        assert mine == Spelt(
            encoded.body, tuple(columns), [(each.what, each.name, each.how) for each in found]
        ), number
        yield mine
    for number in range(1000, count):
        yield _spelt(_drawn(chance, number), number, timestamp(BEGAN + number * step))


class Drawn(NamedTuple):
    """What chance says of a record."""

    refused: bool
    rule: str
    script: bool
    person: str
    listed: list[str]
    request_id: str
    subject: str


def _drawn(chance: random.Random, number: int) -> Drawn:
    refused = chance.random() < REFUSED
    rule = _RULES[int(chance.random() * len(_RULES))]
    script = chance.random() < BY_THE_SCRIPT
    person = f"S-{int(chance.random() * STUDENTS)}"
    listed = (
        [f"S-{int(chance.random() * STUDENTS)}" for _ in range(30)] if number % 100 == 0 else []
    )
    request_id = _request_id(number)
    subject = "script" if script else f"T-{int(chance.random() * TEACHERS)}"
    return Drawn(refused, rule, script, person, listed, request_id, subject)


def _request_id(number: int) -> str:
    """One like the next in nothing but its length, as chance would make it."""
    return sha256(b"%d" % number).hexdigest()[:32]


def _entry(drawn: Drawn, number: int, time: datetime) -> Entry:
    about: dict[str, Any] = {
        "event": Event.DECISION,
        "decision": not drawn.refused,
        "rules": [_cited(drawn)],
        "reason": "custody" if drawn.refused else "",
        "obligations": [{"id": "fields", "value": ["assessment", "score", "taken_at"]}],
        "resource": Ref("assessment_result", drawn.person),
    }
    if drawn.listed:
        about = {"event": Event.SEARCH, "resource": Ref("assessment_result", "")}
        about["detail"] = {"search": "resource", "listed": drawn.listed, "more": False}
    return Entry(
        **about,
        time=time,
        application="analytics" if drawn.script else f"app-{number % 5}",
        request_id=drawn.request_id,
        subject=Ref("user", drawn.subject),
        action="read",
        purpose="improvement" if drawn.script else RULES[drawn.rule],
        policy=POLICY,
        directory_revision=number // 1000,
    )


def _cited(drawn: Drawn) -> str:
    return "custody" if drawn.refused else "analyst-read" if drawn.script else drawn.rule


def _spelt(drawn: Drawn, number: int, time: str) -> Spelt:
    application = "analytics" if drawn.script else f"app-{number % 5}"
    purpose = "improvement" if drawn.script else RULES[drawn.rule]
    if drawn.listed:
        event, decided, rule, reason, person = "search", "", "", "", ""
        listed = '","'.join(drawn.listed)
        head = f'"detail":{{"listed":["{listed}"],"more":false,"search":"resource"}},'
        obliged = named = ""
        mentions = [("person", each, "listed") for each in dict.fromkeys(drawn.listed)]
    else:
        event, rule, person = "decision", _cited(drawn), drawn.person
        decided = "refuse" if drawn.refused else "permit"
        reason = "custody" if drawn.refused else ""
        head = f'"decision":{"false" if drawn.refused else "true"},'
        obliged = '"obligations":[{"id":"fields","value":["assessment","score","taken_at"]}],'
        named = f'"rules":["{rule}"],'
        mentions = [("person", person, "about"), ("rule", rule, "cited")]
    why = f'"reason":"{reason}",' if reason else ""
    body = (
        f'{{"action":"read","application":"{application}",{head}'
        f'"directory_revision":{number // 1000},"event":"{event}",{obliged}"policy":"{POLICY}",'
        f'"purpose":"{purpose}",{why}"request_id":"{drawn.request_id}",'
        f'"resource":{{"id":"{person}","type":"assessment_result"}},{named}'
        f'"subject":{{"id":"{drawn.subject}","type":"user"}},"time":"{time}","v":1}}'
    ).encode()
    columns = (
        *(time, event, application, drawn.request_id, "user", drawn.subject, "read"),
        *("assessment_result", person, purpose, decided, reason, f"|{rule}|" if rule else ""),
    )
    return Spelt(body, columns, mentions)


@contextmanager
def unindexed(store: Engine) -> Iterator[None]:
    """Take the indexes away, and make them again at the end: a tenth of the time for millions."""
    indexes = [
        index
        for table in (AuditRecord.__table__, AuditMention.__table__)
        for index in cast("Table", table).indexes
    ]
    for change in ("drop", "create"):
        with store.connect() as connection:
            connection.execution_options(authz_write=True)
            with connection.begin():
                for index in indexes:
                    getattr(index, change)(connection)
        if change == "drop":
            yield


def fill(store: Engine, count: int) -> None:
    """Insert that many records with their mentions, as fast as the database takes them."""
    made = spelt(count)
    done = 0
    while batch := list(islice(made, BATCH)):
        records: list[tuple[Any, ...]] = []
        mentioned: list[tuple[Any, ...]] = []
        for sequence, (body, columns, found) in enumerate(batch, done + 1):
            records.append((MAIN, sequence, body, bytes(32), *columns))
            mentioned += [
                (MAIN, sequence, what, name, columns[0], how) for what, name, how in found
            ]
        with store.connect() as connection:
            connection.execution_options(authz_write=True)
            with connection.begin():
                _put(connection, AuditRecord, records)
                _put(connection, AuditMention, mentioned)
        done += len(batch)


def _put(connection: Connection, table: type, values: list[tuple[Any, ...]]) -> None:
    names = [column.name for column in table.__table__.columns]  # type: ignore[attr-defined]
    raw: Any = connection.connection.cursor()
    if connection.dialect.name == "postgresql":
        with raw.copy(f"COPY {table.__table__.name} ({', '.join(names)}) FROM STDIN") as copy:  # type: ignore[attr-defined]
            for row in values:
                copy.write_row(row)
    else:
        raw.executemany(str(insert(table).compile(dialect=connection.dialect)), values)


def questions(count: int) -> dict[str, dict[str, Any]]:
    """Every kind of search, alone and together; the last ones find little or nothing."""
    middle, later = BEGAN + timedelta(days=180), BEGAN + timedelta(days=181)
    number = count // 2 + 1
    return {
        "nothing (the newest)": {},
        "person": {"person": "S-77"},
        "subject": {"subject": "T-77"},
        "subject, busy": {"subject": "script"},
        "application": {"application": "app-3"},
        "time": {"since": middle, "until": later},
        "permits": {"decision": True},
        "refusals": {"decision": False},
        "rule": {"rule": "parent-read"},
        "rule, refusing": {"rule": "custody"},
        "purpose": {"purpose": "learner_profile"},
        "request id": {"request_id": _request_id(number)},
        "event": {"event": "search"},
        "person + application": {"person": "S-77", "application": "app-3"},
        "person + time": {"person": "S-77", "since": middle},
        "application + refusals": {"application": "app-3", "decision": False},
        "application + rule": {"application": "app-3", "rule": "parent-read"},
        "rule + purpose + time": {"rule": "parent-read", "purpose": "service", "until": middle},
        "busy subject + refusals": {"subject": "script", "decision": False},
        "busy subject + a rule never its": {"subject": "script", "rule": "parent-read"},
        "application + a purpose never its": {"application": "analytics", "purpose": "service"},
        "permits + an application unknown": {"decision": True, "application": "none"},
    }


def plan(store: Engine, asked: dict[str, Any]) -> list[str]:
    """What the database says that it does for this search."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _k: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        seen.append((statement, parameters))

    with store.connect() as connection:
        event.listen(connection, "before_cursor_execute", note)
        search(connection, **asked)
        event.remove(connection, "before_cursor_execute", note)
        word = "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) "
        word = word if store.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        statement, parameters = seen[0]
        told = connection.exec_driver_sql(word + statement, parameters).all()
        return [str(row[-1]) for row in told]


def forgotten(store: Engine) -> None:
    """Let the kernel forget what it has of the file, and SQLite too: the next page is from disk."""
    store.dispose()
    path = Path(str(store.url.database))
    for each in (path, path.with_name(f"{path.name}-wal")):
        if each.exists():
            with each.open("rb") as stream:
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure(store: Engine, rounds: int, count: int, *, plans: bool, cold: bool) -> None:
    """Each kind in turn: the first time, the median and the worst, in milliseconds."""
    print(f"{'search':36}{'first':>8}{'median':>8}{'worst':>8}  found")
    for name, asked in questions(count).items():
        times, found = [], 0
        if cold:
            forgotten(store)
        for _ in range(rounds):
            began = perf_counter()
            with store.connect() as connection:
                found = len(search(connection, **asked).records)
            times.append((perf_counter() - began) * 1000)
        print(f"{name:36}{times[0]:8.1f}{median(times):8.1f}{max(times):8.1f}  {found}")
        if plans:
            print("\n".join(f"    {line}" for line in plan(store, asked)))


@contextmanager
def opened(*, postgresql: bool, folder: Path | None) -> Iterator[Callable[[], Engine]]:
    """A database of its own, and how to open it anew."""
    if not postgresql:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            yield lambda: open_store(f"sqlite:///{scratch}/trail.db", durability="os")
        return
    binaries = find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed.")
    server = Postgres.start(binaries, fsync=False)
    try:
        url = server.url.render_as_string(hide_password=False)
        yield lambda: open_store(url)
    finally:
        server.stop()


def main() -> None:
    """Fill, open anew, measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--postgresql", action="store_true", help="PostgreSQL, not SQLite.")
    options.add_argument("--plans", action="store_true", help="Print what the database plans.")
    options.add_argument("--cold", action="store_true", help="First from disk (SQLite).")
    options.add_argument("--folder", type=Path, help="Where the SQLite file is put.")
    given = options.parse_args()
    with opened(postgresql=given.postgresql, folder=given.folder) as open_:
        store = open_()
        upgrade(store)
        began = perf_counter()
        with unindexed(store):
            fill(store, given.records)
        spent = perf_counter() - began
        print(
            f"{store.dialect.name}: {given.records} records, {given.records / spent:.0f} a second"
        )
        with store.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()
        store.dispose()
        measure(open_(), given.rounds, given.records, plans=given.plans, cold=given.cold)


if __name__ == "__main__":
    main()
