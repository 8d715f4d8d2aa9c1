"""What an application waits for its point: over HTTP by our client, and in its own process."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from authz.config import load
from authz.decision.request import parse
from authz.middleware.embedded import EmbeddedPoint
from authz.middleware.options import Keeping, Options
from authz.middleware.question import Question
from authz.middleware.remote import RemotePoint
from authz.middleware.remote_async import AsyncRemotePoint
from authz.service.decided import Caller
from benchmarks import served
from benchmarks.client import EVALUATION, HOST
from benchmarks.directories import SCHOOLS, Case, authz, cases, directory
from benchmarks.results import Section, Table, target
from benchmarks.rosters import SCHOOL
from benchmarks.timing import Pass, Timing, in_turn, number, over

IDENTIFIER = "https://127.0.0.1:8080"
RAW, THREADS, LOOP = "The round trip alone (http.client)", "RemotePoint", "AsyncRemotePoint"
PAGE, KEPT = "RemotePoint, 100 in one call", "RemotePoint, answer kept"
SERVICE, EMBEDDED = "The service's own function", "EmbeddedPoint"
TOGETHER = 100
BUSY = 32
"""Threads that ask at once."""
SECTION = Section(
    "client",
    "What an application waits",
    """One thread asks the same questions of `authz serve` (two workers, every decision on disk
before it is answered) with the standard library's `http.client` on one kept connection, which is
the round trip, and with our clients; then 32 threads do. The embedded point decides in the
measuring process, on the same database and as durably, beside the function of the service that
it calls. Times are of the wall; the contestants take turns.""",
)


def run(section: Section, *, quick: bool) -> None:
    """Start the service, compare the answers, and measure."""
    of = directory(SCHOOL * (10 if quick else SCHOOLS))
    seconds = 1.5 if quick else 4.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(of.path, folder / "authz.db")
        url = f"sqlite:///{folder}/authz.db"
        token = authz(
            url, "token", "create", "--client", "bench", "--ttl", "1h", folder=folder
        ).strip()
        asked = cases(of)[:TOGETHER]
        with served.ours(url, folder) as port:
            remote = _remote(port, token, asked, seconds)
            busy = _busy(port, token, asked, seconds)
        embedded = _embedded(url, folder, asked, seconds)
    _tell(section, remote, busy, embedded)


def _questions(asked: list[Case]) -> list[Question]:
    found = [case.request() for case in asked]
    return [
        Question(
            each["subject"]["id"],
            each["action"]["name"],
            each["resource"]["type"],
            each["resource"]["id"],
            properties=each["resource"].get("properties", {}),
            context=each.get("context", {}),
        )
        for each in found
    ]


def _point(port: int, token: str, options: Options | None = None) -> RemotePoint:
    at = f"http://{HOST}:{port}"
    return RemotePoint(IDENTIFIER, token, reached_at=at, options=options or Options())


def _raw(port: int, token: str) -> Callable[[Question], bool]:
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    def call(question: Question) -> bool:
        connection.request("POST", EVALUATION, json.dumps(question.to_wire()), headers)
        decision: bool = json.loads(connection.getresponse().read())["decision"]
        return decision

    return call


def _remote(port: int, token: str, asked: list[Case], seconds: float) -> dict[str, Timing]:
    questions, expected = _questions(asked), [case.permit for case in asked]
    each = [(question,) for question in questions]
    raw, point = _raw(port, token), _point(port, token)
    kept = _point(port, token, Options(keeping=Keeping(300)))
    assert [answer.permit for answer in point.decide(questions)] == expected
    assert [raw(question) for question in questions] == expected
    with asyncio.Runner() as runner:
        works: dict[str, Pass] = {
            RAW: over(raw, each),
            THREADS: over(lambda question: point.decide([question]), each),
            LOOP: _looped(
                runner,
                AsyncRemotePoint(IDENTIFIER, token, reached_at=f"http://{HOST}:{port}"),
                questions,
            ),
            PAGE: lambda: len(point.decide(questions)),
            KEPT: over(lambda question: kept.decide([question]), each[:1] * TOGETHER),
        }
        found = in_turn(works, seconds, time.perf_counter)
    point.close()
    kept.close()
    return found


def _looped(runner: asyncio.Runner, point: AsyncRemotePoint, questions: list[Question]) -> Pass:
    async def each() -> int:
        for question in questions:
            await point.decide([question])
        return len(questions)

    return lambda: runner.run(each())


def _busy(port: int, token: str, asked: list[Case], seconds: float) -> dict[str, float]:
    """Decisions a second of many threads."""
    point = _point(port, token)
    questions = _questions(asked)
    raws = [_raw(port, token) for _ in range(BUSY)]
    calls: dict[str, list[Callable[[Question], object]]] = {
        RAW: list(raws),
        THREADS: [lambda question: point.decide([question])] * BUSY,
    }
    found = {}
    for name, own in calls.items():
        until = time.perf_counter() + seconds

        def work(call: Callable[[Question], object], until: float = until) -> int:
            count = 0
            while time.perf_counter() < until:
                call(questions[count % len(questions)])
                count += 1
            return count

        with ThreadPoolExecutor(BUSY) as threads:
            found[name] = sum(threads.map(work, own)) / seconds
    refused = sum(count for name, count in point.counts().items() if name != "exchanges")
    assert not refused, "what was refused for a fault is no decision"
    found["exchanges"] = point.counts()["exchanges"] / seconds
    point.close()
    return found


def _embedded(url: str, folder: Path, asked: list[Case], seconds: float) -> dict[str, Timing]:
    settings = load(database_url=url, key_folder=folder / "keys", audit_folder=str(folder / "own"))
    point = EmbeddedPoint("bench", settings=settings)
    questions = _questions(asked)
    assert [one.permit for one in point.decide(questions)] == [case.permit for case in asked]
    inner, caller = point._point, Caller("bench")  # noqa: SLF001 (what it stands on)
    works = {
        SERVICE: over(
            lambda question: inner.evaluate([parse(question.to_wire())], caller),
            [(question,) for question in questions],
        ),
        EMBEDDED: over(lambda question: point.decide([question]), [(q,) for q in questions]),
    }
    found = in_turn(works, seconds, time.perf_counter)
    point.close()
    return found


def _tell(
    section: Section,
    remote: dict[str, Timing],
    busy: dict[str, float],
    embedded: dict[str, Timing],
) -> None:
    columns = ["", "µs a question", "10 % – 90 %", "… of the first"]
    for title, found in (("One thread, over HTTP", remote), ("In the same process", embedded)):
        first = next(iter(found.values())).p50
        rows = [
            [name, own.shown(), own.spread(), number(own.p50 / first)]
            for name, own in found.items()
        ]
        section.tables.append(Table(title, columns, rows))
    rows = [
        [RAW, f"{busy[RAW]:,.0f}", f"{busy[RAW]:,.0f}"],
        [THREADS, f"{busy[THREADS]:,.0f}", f"{busy['exchanges']:,.0f}"],
    ]
    section.tables.append(
        Table(f"{BUSY} threads at once", ["", "decisions/s", "exchanges/s"], rows)
    )
    section.targets += [
        target(
            "A remote question costs at most one more round trip than the bare exchange",
            remote[THREADS].p50 / remote[RAW].p50,
            2,
        ),
        target(
            "An embedded question costs little more than the decision itself",
            embedded[EMBEDDED].p50 / embedded[SERVICE].p50,
            1.25,
        ),
    ]
