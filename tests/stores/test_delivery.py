"""The trail goes out whole, to receivers of every kind, on both stores."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text, update
from standardwebhooks.webhooks import Webhook

from authz import clock
from authz.audit import outgoing
from authz.audit.log import append, record
from authz.audit.tables import AuditReceiver
from authz.config import Settings, load
from authz.config.parties import Receiver
from authz.errors import SettingError
from authz.service import delivery, health
from authz.service.checkpoints import sequence_all
from authz.service.database import reading, writing
from authz.service.delivery import LONGEST_WAIT, attempt, cursor_of, deliver, join, lags
from tests.api.server import HOST, free_port
from tests.receivers import Receiver as Server
from tests.receivers import receiving
from tests.stores.test_audit_support import entries
from tests.waiting import PATIENCE, until
from tests.world import frozen

LOG = "pdp.example.test"
SECRET = "whsec_" + b64encode(bytes(range(32))).decode()


@pytest.fixture
def server() -> Iterator[Server]:
    with receiving() as found:
        yield found


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    """The clock stands still: nothing falls due because the machine is slow."""
    with frozen(clock.now()):
        yield


def to(server: Server, name: str = "siem", **more: Any) -> Receiver:
    return Receiver.model_validate({"name": name, "url": server.url, "seconds": 60, **more})


def write(store: Engine, count: int) -> None:
    record(store, entries(count))
    sequence_all(store)


def everything(store: Engine) -> list[tuple[int, str]]:
    with reading(store) as connection:
        return [(each.position, each.id) for each in outgoing.page(connection, 0, 10**6).records]


def due_now(store: Engine) -> None:
    with writing(store) as connection:
        connection.execute(update(AuditReceiver).values(due=""))


def drain(store: Engine, receiver: Receiver) -> int:
    count = 0
    while attempt(store, LOG, receiver):
        count += 1
    return count


def test_all_records_come_in_their_order_and_once(store: Engine, server: Server) -> None:
    write(store, 25)
    assert drain(store, to(server, batch=10)) == 3
    write(store, 5)
    assert drain(store, to(server, batch=10)) == 1
    assert server.taken() == everything(store)
    assert len(everything(store)) == 30


def test_pages_follow_each_other_over_the_batches_of_many_chains(store: Engine) -> None:
    for number in range(5):
        write(store, 3)
        with writing(store) as connection:
            append(connection, entries(2, number))
        sequence_all(store)
    with reading(store) as connection:
        whole = outgoing.page(connection, 0, 100)
        assert [each.position for each in whole.records] == list(range(25))
        for start in range(26):
            for most in (1, 2, 4, 7):
                found = outgoing.page(connection, start, most)
                assert found.records == whole.records[start : start + most]
                assert (found.end, found.tip) == (min(start + most, 25), 25)
        assert outgoing.page(connection, 99, 5) == outgoing.Page([], 99, 25)


def test_a_record_that_was_taken_away_is_passed_over(store: Engine, server: Server) -> None:
    write(store, 6)
    guard = "audit_record_refuse ON audit_record"
    sqlite = store.dialect.name == "sqlite"
    with store.begin() as connection:
        connection.execute(text(f"DROP TRIGGER {'audit_record_delete' if sqlite else guard}"))
        connection.execute(text("DELETE FROM audit_record WHERE sequence IN (1, 2, 4)"))
    assert drain(store, to(server, batch=2)) == 3
    assert [position for position, _ in server.taken()] == [2, 4, 5]


def test_what_is_not_taken_is_sent_again_as_it_was(store: Engine, server: Server) -> None:
    write(store, 4)
    server.coming = [500, 503, 404]
    receiver = to(server)
    for failures in (1, 2, 3):
        assert not attempt(store, LOG, receiver)
        assert not attempt(store, LOG, receiver)  # not before its time
        cursor = cursor_of(store, receiver)
        assert (cursor.failures, cursor.position) == (failures, 0)
        write(store, 3)
        due_now(store)
    assert drain(store, receiver) == 2
    idents = [headers["webhook-id"] for headers, _, _ in server.requests]
    assert idents == ["siem.0-3"] * 4 + ["siem.4-12"]
    assert len({body for _, body, _ in server.requests[:4]}) == 1
    assert server.taken() == everything(store)
    assert cursor_of(store, receiver).failures == 0


def test_a_wait_doubles_up_to_a_limit_and_heeds_what_is_asked(
    store: Engine, server: Server
) -> None:
    write(store, 1)
    server.status = 500
    receiver, waits = to(server), []
    for _ in range(12):
        attempt(store, LOG, receiver)
        due = datetime.fromisoformat(cursor_of(store, receiver).due)
        waits.append((due - clock.now()).total_seconds())
        due_now(store)
    for number, wait in enumerate(waits):
        most = min(LONGEST_WAIT, 2.0**number)
        assert most / 2 <= wait <= most
    assert len({round(wait / min(LONGEST_WAIT, 2.0**n), 3) for n, wait in enumerate(waits)}) > 1


def test_a_clock_that_was_set_back_holds_nobody_up(store: Engine, server: Server) -> None:
    write(store, 1)
    receiver = to(server)
    cursor_of(store, receiver)
    ahead = (clock.now() + timedelta(days=1)).isoformat()
    with writing(store) as connection:
        connection.execute(update(AuditReceiver).values(due=ahead))
    assert drain(store, receiver) == 1


def test_a_batch_that_is_too_large_gets_smaller(store: Engine, server: Server) -> None:
    write(store, 40)
    server.most = 3000
    receiver = to(server)
    for _ in range(60):
        attempt(store, LOG, receiver)
        due_now(store)
    assert server.taken() == everything(store)


def test_the_signature_and_the_token_come_from_files(
    store: Engine, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "token").write_text("let-me-in\n")
    write(store, 2)
    assert drain(store, to(server, secrets=tmp_path / "secret", token=tmp_path / "token")) == 1
    headers, body, _ = server.requests[0]
    assert headers["authorization"] == "Bearer let-me-in"
    assert Webhook(SECRET).verify(body.decode(), headers)["type"] == "audit.records"
    with pytest.raises(SettingError):
        attempt(store, LOG, to(server, "other", secrets=tmp_path / "nowhere"))


@pytest.mark.parametrize(("form", "kind"), [("ocsf", "x-ndjson"), ("otlp", "json")])
def test_other_forms(store: Engine, server: Server, form: str, kind: str) -> None:
    write(store, 3)
    assert drain(store, to(server, form=form)) == 1
    headers, body, _ = server.requests[0]
    assert headers["content-type"] == f"application/{kind}"
    assert body.count(b'"main-2"') >= 1


def test_one_that_begins_now_gets_what_comes_later(store: Engine, server: Server) -> None:
    write(store, 3)
    receiver = to(server, begins="now")
    assert drain(store, receiver) == 0
    write(store, 2)
    assert drain(store, receiver) == 1
    assert [position for position, _ in server.taken()] == [3, 4]


def test_of_several_keepers_one_sends(store: Engine, server: Server) -> None:
    write(store, 60)
    server.seconds = 0.05
    receiver = to(server, batch=5)
    cursor_of(store, receiver)

    def keep() -> None:
        for _ in range(40):
            attempt(store, LOG, receiver)

    threads = [threading.Thread(target=keep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drain(store, receiver)
    assert server.taken() == everything(store)


def settings_for(tmp_path: Path, *receivers: Receiver) -> Settings:
    return load(
        audit_receivers=[each.model_dump() for each in receivers],
        public_url=f"https://{LOG}",
        key_folder=tmp_path / "keys",
        checkpoint_folder=tmp_path / "checkpoints",
    )


def test_the_slow_and_the_dead_hold_up_nobody(
    store: Engine, server: Server, tmp_path: Path
) -> None:
    """Nor the keeper, and they lose nothing."""
    write(store, 10)
    slow_port, dead_port = free_port(), free_port()  # where nobody listens
    dead = Receiver(name="dead", url=f"http://{HOST}:{dead_port}/records", seconds=60)
    with receiving(slow_port) as slow:
        slow.open.clear()
        known = settings_for(tmp_path, to(slow, "slow"), dead, to(server, "good"))
        deliver(store, known)
        record(store, entries(1))
        assert len(until(server.taken)) == 10
        assert slow.taken() == []
        slow.open.set()
        join(store, PATIENCE)
        assert len(slow.taken()) == 10
    found = {lag.name: lag for lag in lags(store, known)}
    assert (found["slow"].records, found["slow"].failures) == (0, 0), "it was waited for, in vain"
    assert (found["dead"].records, found["dead"].failures) == (10, 1)
    assert "not reached" in found["dead"].error
    sequence_all(store)
    with receiving(dead_port) as back:
        due_now(store)
        deliver(store, known)
        join(store, PATIENCE)
        assert back.taken() == everything(store)
    assert [lag.records for lag in lags(store, known)] == [1, 0, 0]


def test_what_fails_again_and_again_is_told(store: Engine, server: Server, tmp_path: Path) -> None:
    write(store, 1)
    server.status = 500
    known = settings_for(tmp_path, to(server))
    for _ in range(health.FAILURES):
        attempt(store, LOG, known.audit_receivers[0])
        due_now(store)
    check = health._look("receivers", lambda: health._receivers(store, known))
    assert not check.well
    assert "siem took nothing 3 times: It refuses (500)." in check.detail


def test_nothing_is_sent_where_nothing_is_to_be_sent(store: Engine, tmp_path: Path) -> None:
    write(store, 1)
    deliver(store, settings_for(tmp_path))
    join(store, 1)
    assert lags(store, settings_for(tmp_path)) == []
    assert delivery.join(store, 0) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    "harm",
    [
        {"url": "http://siem.example.test/"},
        {"url": "https://user:pass@siem.example.test/"},
        {"url": "https://siem.example.test/#x"},
        {"url": "ftp://siem.example.test/"},
        {"url": "https:///x"},
        {"url": "https://siem.example.test/a b"},
        {"name": "No Name"},
        {"form": "xml"},
        {"batch": 0},
        {"batch": 1001},
        {"secret": "whsec_in_the_environment"},
    ],
)
def test_a_receiver_that_cannot_be_used_stops_the_start(harm: dict[str, Any]) -> None:
    good = {"name": "siem", "url": "https://siem.example.test/"}
    assert load(audit_receivers=[good]).audit_receivers[0].form == "records"
    with pytest.raises(SettingError, match="AUTHZ_AUDIT_RECEIVERS"):
        load(audit_receivers=[{**good, **harm}])


def test_two_of_a_name_stop_the_start() -> None:
    good = {"name": "siem", "url": "https://siem.example.test/"}
    with pytest.raises(SettingError, match="AUTHZ_AUDIT_RECEIVERS"):
        load(audit_receivers=[good, good])
