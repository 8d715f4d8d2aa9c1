"""Where each microsecond of an evaluation goes: its parts one by one, in one thread.

``python -m benchmarks.parts`` prints them; they know the inside, and are no part of the report.
Each part is called as a request calls it, many times, on the warm demo school; the least of
several rounds counts, so that other work on the machine disturbs little. The parts need not
add up to the whole: what is between them is the difference.
"""

from __future__ import annotations

import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from authz import clock, config
from authz.api import body, create_app, plain
from authz.api.context import NAME, Service
from authz.api.evaluation import EVALUATION, EVALUATIONS
from authz.audit import log
from authz.cli.demo.school import write
from authz.decision.answer import outward
from authz.decision.request import parse
from authz.service.belief import believe
from authz.service.database import open_store, reading
from authz.service.decision_records import DecisionRecords
from authz.service.tokens import authenticate
from benchmarks.directories import authz, environment

ROUNDS = 5
GROUP = 4
ITEMS = 100
Part = tuple[str, float]


def least(work: Callable[[], object], times: int = 400) -> float:
    """Microseconds of one call, in the best of some rounds."""
    found = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        for _ in range(times):
            work()
        found.append((time.perf_counter() - begin) / times)
    return min(found) * 1e6


def parts(environment: Mapping[str, str], requests: Sequence[Any], token: str) -> list[Part]:
    """Every part with its microseconds; the settings are those of the environment."""
    os.environ.update(environment)
    app = create_app()
    here: Service = app.extensions[NAME]
    quick = open_store(here.settings.database_url, durability="os")
    message = json.dumps(requests[0], ensure_ascii=False).encode()
    environ = _environ(EVALUATION, requests[0], token)
    header, now, settings = f"Bearer {token}", clock.now(), config.load()
    caller = authenticate(here.store, settings, header, now)
    point, asked = here.point, parse(requests[0])

    def decided() -> Any:
        with reading(here.store) as connection:
            return point.decide(connection, point.question(asked, caller), now)

    one = decided()

    def entry() -> Any:
        return DecisionRecords(point.policy, caller, plain.own_id(), now).entry(one)

    exchange, made = plain.begin(environ), plain.answer({"decision": True}, spoken="en")
    entries = [entry()] * ITEMS

    def record(number: int) -> object:
        return log.record(quick, entries[:number])

    def told() -> dict[str, Any]:
        return outward(one.decision, point.policy.catalogue, "en")

    def call(work: Callable[[], object]) -> float:
        return least(work, 40)

    found = [
        ("request id, language", least(lambda: plain.begin(environ))),
        ("token: remembered, its times", least(lambda: believe(settings, token, now.timestamp()))),
        (
            "token: taken back? (with the above)",
            least(lambda: authenticate(here.store, settings, header, now)),
        ),
        ("JSON in, strictly", least(lambda: body.parse(message, settings.max_depth))),
        ("the question", least(lambda: parse(requests[0]))),
        ("facts and decision, in a snapshot", call(decided)),
        ("the record: its bytes", least(lambda: log.encode(entry()))),
        ("the record: one, bytes and commit", call(lambda: record(1))),
        (
            f"the record: {GROUP} together, each",
            call(lambda: record(GROUP)) / GROUP,
        ),
        (
            f"the record: {ITEMS} together, each",
            least(lambda: record(ITEMS), 5) / ITEMS,
        ),
        ("the disk (shared by a commit)", _forced(here)),
        ("JSON out", least(lambda: plain.answer(told(), spoken="en"))),
        ("headers", least(lambda: plain.headers(exchange, made))),
        ("the whole, one question", call(lambda: _ask(app, EVALUATION, requests[0], token))),
        (
            f"the whole, {ITEMS} in a batch, each",
            least(lambda: _ask(app, EVALUATIONS, _batch(requests), token), 3) / ITEMS,
        ),
    ]
    quick.dispose()
    here.store.dispose()
    return found


def _forced(here: Service) -> float:
    """The median of a commit that is forced, less one that is not."""
    times = []
    for _ in range(60):
        begin = time.perf_counter()
        with here.store.connect() as connection, log.forced(connection):
            connection.execution_options(authz_write=True)
            with connection.begin():
                connection.exec_driver_sql("UPDATE audit_head SET sequence = sequence")
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e6


def _batch(requests: Sequence[Any]) -> dict[str, Any]:
    return {"evaluations": [requests[number % len(requests)] for number in range(ITEMS)]}


def _environ(path: str, asked: Any, token: str) -> dict[str, Any]:
    data = json.dumps(asked, ensure_ascii=False).encode()
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(data)),
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.input": io.BytesIO(data),
    }


def _ask(app: Any, path: str, asked: Any, token: str) -> None:
    def start(status: str, _headers: object) -> None:
        assert status.startswith("200"), status

    b"".join(app.wsgi_app(_environ(path, asked, token), start))


def main() -> None:
    """The demo school in a folder of its own, and the table of the parts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/authz.db"
        demo = write(folder / "demo", clock.now().date())
        authz(url, "db", "upgrade", folder=folder)
        authz(url, "import", "oneroster", str(demo.roster), folder=folder)
        authz(url, "import", "facts", str(demo.facts), folder=folder)
        token = authz(url, "token", "create", "--client", "bench", folder=folder).strip()
        requests = [scene.request for scene in demo.scenes]
        for part, cost in parts(environment(url, folder), requests, token):
            print(f"| {part} | {cost:.0f} |")


if __name__ == "__main__":
    main()
