"""Faults behind the HTTP API: no record, no answer; no facts, no permit (pages 2.8, 3.5)."""

from __future__ import annotations

import errno
import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, select, text

from authz import clock
from authz.audit import proven, trail
from authz.audit.ship import SHIPPER, Shipper
from authz.audit.tables import AuditRecord
from authz.service.database import open_store, reading
from tests.api.conftest import EVALUATION, EVALUATIONS, Client, open_client, question
from tests.api.server import ROOT, Place, Server
from tests.faults.servers import busiest_first, has_ended, keepers, listening, loaded, workers
from tests.journals import verified
from tests.postgres import Postgres
from tests.waiting import until

UNWRITABLE = {
    "sqlite": "CREATE TRIGGER full BEFORE INSERT ON audit_record"
    " BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
    "postgresql": "ALTER TABLE audit_record ADD CONSTRAINT never CHECK (false) NOT VALID",
}
PACK = ROOT / "tests" / "packs" / "certification"
THREADS = 8
ENOUGH = 20
"""Answers that each client has before something is killed."""


@pytest.fixture
def any_client(store_url: str, tmp_path: Path) -> Iterator[Client]:
    """Records go to the database at once; what fails with a journal is in its own tests."""
    yield from open_client(store_url, tmp_path, audit_folder="")


def _count(store: Engine) -> int:
    with store.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM audit_record")).scalar_one())


@pytest.mark.parametrize("size", [0, 1, 3])
def test_no_record_no_answer(any_client: Client, size: int) -> None:
    """N-49; page 5, "No record": 503 and no decision, for a whole batch."""
    before = _count(any_client.store)
    with any_client.store.begin() as connection:
        connection.execute(text(UNWRITABLE[connection.dialect.name]))
    for semantic in ("execute_all", "permit_on_first_permit"):
        body = {
            **question(),
            "options": {"evaluations_semantic": semantic},
            "evaluations": [{}] * size,
        }
        answer = any_client.post(EVALUATIONS, body, x_request_id="lost")
        assert (answer.status_code, answer.json["code"]) == (503, "audit_unavailable")
        assert answer.content_type == "application/problem+json"
        assert answer.headers["X-Request-ID"] == "lost"
        assert "X-Decision-Id" not in answer.headers
        assert "decision" not in answer.json
        assert "true" not in answer.text
    assert any_client.post(EVALUATION, question()).status_code == 503
    ready = any_client.ask("GET", "/readyz")
    assert (ready.status_code, ready.json["field"]) == (503, "audit")
    assert any_client.ask("GET", "/healthz").status_code == 200
    assert _count(any_client.store) == before


def test_a_record_that_can_be_written_again_is_an_answer_again(any_client: Client) -> None:
    undo = {
        "sqlite": "DROP TRIGGER full",
        "postgresql": "ALTER TABLE audit_record DROP CONSTRAINT never",
    }
    with any_client.store.begin() as connection:
        connection.execute(text(UNWRITABLE[connection.dialect.name]))
    assert any_client.post(EVALUATION, question()).status_code == 503
    with any_client.store.begin() as connection:
        connection.execute(text(undo[connection.dialect.name]))
    assert any_client.post(EVALUATION, question()).json["decision"] is True
    with reading(any_client.store) as connection:
        assert trail.verify(connection).whole


def _gone(client: Client) -> None:
    for path, body in ((EVALUATION, question()), (EVALUATIONS, {"evaluations": [question()]})):
        answer = client.post(path, body)
        assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
        assert "decision" not in answer.json
        assert int(answer.headers["Retry-After"]) > 0
    assert client.ask("GET", "/.well-known/jwks.json").status_code == 503
    ready = client.ask("GET", "/readyz")
    assert (ready.status_code, ready.json["field"]) == (503, "database")
    assert client.ask("GET", "/healthz").status_code == 200


def test_a_database_that_is_gone_gives_no_answer(sqlite_url: str, tmp_path: Path) -> None:
    """Page 3.5: no facts, no permit."""
    for client in open_client(sqlite_url, tmp_path):
        client.store.dispose()
        for file in tmp_path.glob("authz.db*"):
            file.unlink()
        (tmp_path / "authz.db").mkdir()
        _gone(client)


def test_a_server_that_dropped_the_database_gives_no_answer(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    """Page 3.5: no facts, no permit."""
    with postgres_server.database() as url:
        clients = list(open_client(url, tmp_path))
        assert clients[0].post(EVALUATION, question()).json["decision"] is True
    _gone(clients[0])
    clients[0].store.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("fixture", ["sqlite_url", "durable_postgres_url"])
def test_every_answer_received_has_its_record_after_kill_9(
    request: pytest.FixtureRequest, tmp_path: Path, fixture: str
) -> None:
    """N-49; issue 2, "Must show": the chain verifies, no answer that arrived is missing."""
    place = Place(tmp_path, PACK, str(request.getfixturevalue(fixture)))
    place.authz("import", "entities", PACK / "entities.json")
    with place.serving(workers=2) as server:
        server.token = place.token()
        with loaded(server, THREADS) as load:
            load.enough(ENOUGH)
            server.kill()
            load.ended()
        with pytest.raises(ConnectionRefusedError):
            server.ask("GET", "/healthz")
    received = load.received()
    assert len(received) >= THREADS * ENOUGH
    checked(place, received)
    with place.serving() as again:
        again.token = server.token
        received.update(_one_more(again))
    checked(place, received)


def _one_more(server: Server) -> dict[str, bool]:
    body = {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"}}
    resource = {"type": "record", "id": "record-1"}
    answer = server.post(EVALUATION, {**body, "resource": resource}, x_request_id="after")
    assert answer.status == 200
    return {"after": answer.json["decision"]}


def checked(place: Place, received: dict[str, bool]) -> None:
    store = open_store(place.database_url)
    shipper = Shipper(store, place.folder / "audit")
    store.update_execution_options(**{SHIPPER: shipper})
    # A keeper, or what is left of a killed one, may be shipping: then its records are its to move.
    found = until(lambda: stored if (stored := _stored(store)).keys() >= received.keys() else {})
    assert {each: found[each] for each in received} == received
    shipper.close()
    store.dispose()


def _stored(store: Engine) -> dict[str, bool]:
    """The answers by request id that are in the trail now, which is whole."""
    verdict = verified(store)
    assert verdict.whole, verdict.damage
    with reading(store) as connection:
        rows = connection.execute(
            select(AuditRecord.request_id, AuditRecord.decision).where(AuditRecord.decision != "")
        ).all()
    stored = {request_id: decision == "permit" for request_id, decision in rows}
    assert len(stored) == len(rows), "each answer has one record"
    return stored


@pytest.mark.slow
def test_a_worker_killed_under_load_loses_no_answer_and_its_chain_is_closed(
    sqlite_url: str, tmp_path: Path
) -> None:
    """The others answer on; another worker takes its place and begins a chain of its own."""
    place = Place(tmp_path, PACK, sqlite_url)
    place.authz("import", "entities", PACK / "entities.json")
    with place.serving(workers=2) as server:
        server.token = place.token()
        until(lambda: listening(server) == 2)
        with loaded(server, THREADS) as load:
            load.enough(ENOUGH)
            first, second = until(lambda: busiest_first(server, 2))
            os.kill(first, signal.SIGKILL)
            load.enough(ENOUGH)
            until(lambda: len({*workers(server)} - {first, second}) == 1)
        received = load.received()
        assert load.cut, "the killed worker's connections ended without an answer"
        checked(place, received)
        until(lambda: _ended(sqlite_url) & {"killed", "torn"})
        server.kill()
    checked(place, received)


def test_the_keeper_ships_is_started_again_and_ends_with_the_server(
    sqlite_url: str, tmp_path: Path
) -> None:
    """N-51: it is niced, restarted when it is killed, and gone when the server is killed."""
    place = Place(tmp_path, PACK, sqlite_url, audit_interval="0.1")
    place.authz("import", "entities", PACK / "entities.json")
    with place.serving() as server:
        server.token = place.token()
        (first,) = until(lambda: keepers(server))
        nice = min(19, os.getpriority(os.PRIO_PROCESS, server.process.pid) + 10)
        until(lambda: os.getpriority(os.PRIO_PROCESS, first) == nice)
        os.kill(first, signal.SIGKILL)
        (second,) = until(lambda: [each for each in keepers(server) if each != first])
        received = _one_more(server)
        store = open_store(sqlite_url)
        until(lambda: "decision" in _events(store))
        ending = [server.process.pid, *workers(server)]  # the first would start others anew
        for process in ending:
            os.kill(process, signal.SIGKILL)
        until(lambda: all(map(has_ended, [*ending, second])))
    place.authz("audit", "keep", "--once")
    assert "writer_closed" in _events(store)
    store.dispose()
    checked(place, received)


def _ended(url: str) -> set[str]:
    """How the chains ended of which the trail says so."""
    store = open_store(url)
    asked = "SELECT body FROM audit_record WHERE event = 'writer_closed'"
    with store.connect() as connection:
        found = {json.loads(each)["detail"]["ended"] for each in connection.scalars(text(asked))}
    store.dispose()
    return found


def _events(store: Engine) -> set[str]:
    with store.connect() as connection:
        return set(connection.execute(text("SELECT event FROM audit_record")).scalars())


@pytest.mark.parametrize("kind", ["sqlite_url", "postgres_url"])
def test_a_journal_that_cannot_be_written_gives_no_answer(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """N-49; page 5, "No record": and the service is not ready."""
    for client in open_client(str(request.getfixturevalue(kind)), tmp_path):
        assert client.post(EVALUATION, question()).json["decision"] is True

        def fail(*_: object) -> int:
            raise OSError(errno.EIO, "the disk is gone")

        monkeypatch.setattr(os, "pwrite", fail)
        answer = client.post(EVALUATION, question())
        assert (answer.status_code, answer.json["code"]) == (503, "audit_unavailable")
        assert "decision" not in answer.json
        ready = client.ask("GET", "/readyz")
        assert (ready.status_code, ready.json["field"]) == (503, "audit")
        monkeypatch.undo()
        assert client.post(EVALUATION, question()).json["decision"] is True
        assert client.ask("GET", "/readyz").status_code == 200
        assert verified(client.store).whole


def _tries(store: Engine) -> list[str]:
    """What is tried to be written to the trail from now on."""
    found: list[str] = []

    def note(*asked: object) -> None:
        found.extend([str(asked[2])] if "INSERT INTO audit_record" in str(asked[2]) else [])

    event.listen(store, "before_cursor_execute", note)
    return found


def test_who_asks_often_whether_all_is_ready_writes_seldom(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-51: it needs no token, and takes the lock that every record waits for."""
    moment = clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: moment)
    for client in open_client(store_url, tmp_path):
        assert client.ask("GET", "/readyz").status_code == 200  # which begins the journal
        proven.doubt()
        tries = _tries(client.store)
        with ThreadPoolExecutor(THREADS) as pool:
            asked = [pool.submit(client.ask, "GET", "/readyz") for _ in range(5 * THREADS)]
        assert {answer.result().status_code for answer in asked} == {200}
        assert len(tries) == 1


def test_what_was_ready_a_moment_ago_is_not_once_a_record_failed(any_client: Client) -> None:
    """Nobody is told for seconds that all is well, while nothing is decided."""
    assert any_client.ask("GET", "/readyz").status_code == 200
    with any_client.store.begin() as connection:
        connection.execute(text(UNWRITABLE[connection.dialect.name]))
    assert any_client.post(EVALUATION, question()).status_code == 503
    ready = any_client.ask("GET", "/readyz")
    assert (ready.status_code, ready.json["field"]) == (503, "audit")


def test_what_was_ready_is_tried_again_after_a_while(
    any_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert any_client.ask("GET", "/readyz").status_code == 200
    with any_client.store.begin() as connection:
        connection.execute(text(UNWRITABLE[connection.dialect.name]))
    later = clock.monotonic() + proven.KEPT
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    assert any_client.ask("GET", "/readyz").status_code == 503
