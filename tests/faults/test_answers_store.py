"""What a client is answered while the store fails or was harmed, and afterwards (N-49, 2.8)."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Self

import pytest
from sqlalchemy import text

from authz import clock
from authz.audit.chain import Tip, digest, genesis
from authz.audit.ship import SHIPPER
from authz.config import Settings
from authz.errors import AuditDamagedError, AuditUnavailableError, CheckpointRefusedError
from authz.service import retention, verification
from authz.service.checkpoints import keep
from authz.service.database import reading
from authz.service.journals import catch_up, claim
from authz.service.tokens import create_token
from tests.api.conftest import EVALUATION, Client, question
from tests.faults.answers import SCOPES, answered, journal, refused, served, whole
from tests.faults.damages import PARTS
from tests.journals import journals, verified
from tests.postgres import Postgres
from tests.stores.test_audit_support import harm
from tests.waiting import PATIENCE, until


@pytest.fixture
def client(sqlite_url: str, tmp_path: Path) -> Iterator[Client]:
    yield from served(sqlite_url, tmp_path)


def test_postgresql_stopped_and_started_under_load(
    durable_postgres_server: Postgres, tmp_path: Path
) -> None:
    """Each answer is a decision that is recorded, or 503; afterwards all is as before."""
    if durable_postgres_server.folder is None:
        pytest.skip("a server that was given is not ours to stop")
    with durable_postgres_server.database() as url:
        service = served(url, tmp_path)
        client = next(service)
        answered(client, "before")
        with Heard(client) as heard:
            heard.until(lambda last: last == 200)
            durable_postgres_server.halt()
            try:
                heard.until(lambda last: last == 503)
                refused(client, "store_unavailable", "database")
            finally:
                durable_postgres_server.resume()
            heard.until(lambda last: last == 200)
        assert heard.statuses() == {200, 503}
        answered(client, "after")
        recorded(client, heard.told())
        assert next(service, None) is None


class Heard:
    """Clients that ask without end, and what each of them heard, by request id."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.stop = threading.Event()
        self.answers: list[dict[str, int]] = [{} for _ in range(4)]
        numbers = range(len(self.answers))
        self.threads = [threading.Thread(target=self._ask, args=(number,)) for number in numbers]

    def _ask(self, number: int) -> None:
        turn = 0
        while not self.stop.is_set():
            name = f"client-{number}-{turn}"
            answer = self.client.post(EVALUATION, question(), x_request_id=name)
            decided = answer.json.get("decision")
            fits = (answer.status_code, decided) in {(200, True), (503, None)}
            self.answers[number][name] = answer.status_code if fits else 0
            turn += 1

    def until(self, condition: Callable[[int], bool]) -> None:
        """Return when the last answer of each client is such."""
        until(lambda: all(condition(next(reversed(h.values()), 0)) for h in self._copies()))

    def _copies(self) -> list[dict[str, int]]:
        return [each.copy() for each in self.answers]

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def statuses(self) -> set[int]:
        """What was answered; 0 is what is no answer."""
        return {status for each in self.answers for status in each.values()}

    def told(self) -> set[str]:
        """The requests that were answered with a decision."""
        return {name for each in self.answers for name, status in each.items() if status == 200}


def recorded(client: Client, told: set[str]) -> None:
    """The trail is whole, and each decision that was told is in it."""
    found = verified(client.store)
    assert found.whole, found.damage
    with reading(client.store) as connection:
        rows = connection.scalars(text("SELECT request_id FROM audit_record WHERE decision <> ''"))
        assert told <= set(rows)


def test_a_clock_that_is_set_back(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is that of the numbers. A token that the clock says is still to come is refused."""
    now, day = clock.now, timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: now() - day)
    token = create_token(client.store, client.settings, "old", SCOPES, 2 * day, by="tests")
    monkeypatch.undo()
    old = replace(client, token=token)
    answered(old, "before")
    monkeypatch.setattr(clock, "now", lambda: now() - timedelta(hours=2))
    answered(old, "meanwhile")
    assert client.post(EVALUATION, question()).status_code == 401
    journal(client).close()
    answered(old, "later")
    monkeypatch.undo()
    answered(client, "after")
    whole(client, "before", "meanwhile", "later", "after")


@pytest.mark.parametrize("kind", ["sqlite_url", "postgres_url"])
def test_two_services_on_one_store(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    """On one machine with one folder, and on another machine with its own."""
    url = str(request.getfixturevalue(kind))
    one, two, three = (
        served(url, tmp_path / name, audit_folder=str(tmp_path / folder))
        for name, folder in (("keys", "audit"), ("keys", "audit"), ("other", "elsewhere"))
    )
    services = [next(one), next(two), next(three)]
    for number, client in enumerate(services):
        answered(client, f"service-{number}")
    catch_up(services[2].store)
    catch_up(services[1].store)
    whole(services[0], "service-0", "service-1", "service-2")
    chains = "SELECT count(DISTINCT chain) FROM audit_record WHERE chain <> 'main'"
    with reading(services[0].store) as connection:
        assert connection.scalar(text(chains)) == 3
    for each in (one, two, three):
        assert next(each, None) is None


def test_journals_of_another_store_in_the_folder(
    client: Client, sqlite_template: Path, tmp_path: Path
) -> None:
    """`authz serve` does not start with them; whoever is served otherwise is refused."""
    answered(client, "before")
    other = tmp_path / "other"
    other.mkdir()
    for each in sqlite_template.parent.glob("authz.db*"):
        shutil.copyfile(each, other / each.name)
    url, folder = f"sqlite:///{other / 'authz.db'}", str(tmp_path / "audit")
    for stranger in served(url, other, audit_folder=folder):
        with pytest.raises(AuditUnavailableError, match="another store"):
            claim(stranger.store, stranger.settings)
        refused(stranger)
        journal(client).close()
        whole(client, "before")


_COPY = (
    f"INSERT INTO audit_record (chain, sequence, {PARTS}) "  # noqa: S608
    f"SELECT chain, :last + 1, {PARTS} FROM audit_record WHERE chain = :it AND sequence = 1"
)
_OVER = (
    "UPDATE audit_record SET (body, hash) = (SELECT body, hash FROM audit_record "
    "WHERE chain = :it AND sequence = 1) WHERE chain = :it AND sequence = 2"
)
AT_REST = {
    "changed": ("UPDATE audit_record SET body = :flipped WHERE chain = :it AND sequence = 2",),
    "missing": ("DELETE FROM audit_record WHERE chain = :it AND sequence = 2",),
    "reordered": (
        "UPDATE audit_record SET sequence = 0 WHERE chain = :it AND sequence = 2",
        "UPDATE audit_record SET sequence = 2 WHERE chain = :it AND sequence = 3",
        "UPDATE audit_record SET sequence = 3 WHERE chain = :it AND sequence = 0",
    ),
    "duplicated": (_OVER,),
    "appended": (_COPY,),
    "tail_cut": ("DELETE FROM audit_record WHERE chain = :it AND sequence = :last",),
}
"""What is done to a chain that has ended, and what verification must say."""


@pytest.mark.parametrize("kind", AT_REST)
def test_a_trail_that_was_harmed_at_rest_stops_no_answer(client: Client, kind: str) -> None:
    answered(client, "before")
    journal(client).close()
    catch_up(client.store)
    with reading(client.store) as connection:
        asked = "SELECT chain, body FROM audit_record WHERE chain <> 'main' AND sequence = 2"
        it, body = connection.execute(text(asked)).one()
        last = connection.scalar(
            text("SELECT max(sequence) FROM audit_record WHERE chain = :it"), {"it": it}
        )
    flipped = bytes([body[0], body[1] ^ 1]) + body[2:]
    for statement in AT_REST[kind]:
        words = {"it": it, "flipped": flipped, "last": last}
        harm(client.store, statement, **{k: v for k, v in words.items() if f":{k}" in statement})
    answered(client, "after")
    found = verified(client.store).damage
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(("harm_to", "kind"), [("a bit", "changed"), ("a file", "missing")])
def test_a_journal_that_was_harmed_at_rest_stops_no_answer(
    client: Client, tmp_path: Path, harm_to: str, kind: str
) -> None:
    """Of a writer that was killed; the next one's records are moved all the same."""
    answered(client, "before")
    catch_up(client.store)
    client.store.get_execution_options()[SHIPPER].close()
    answered(client, "harmed")
    journal(client).forget()
    (path,) = journals(tmp_path)
    if harm_to == "a file":
        path.unlink()
    else:
        data = path.read_bytes()
        path.write_bytes(data.replace(b'"request_id":"harmed"', b'"request_id":"harmee"', 1))
    answered(client, "after")
    found = verified(client.store).damage
    assert found is not None
    assert found.kind == kind
    with reading(client.store) as connection:
        asked = "SELECT count(*) FROM audit_record WHERE request_id = 'after'"
        assert connection.scalar(text(asked))


@pytest.mark.parametrize("fault", ["backup", "stranger", "segment", "history"])
def test_what_was_published_and_then_undone_stops_no_answer(
    sqlite_url: str, tmp_path: Path, fault: str
) -> None:
    """An old backup, a checkpoint of another log, an edited segment: told, and nothing signed."""
    for client in served(sqlite_url, tmp_path, checkpoint_folder=tmp_path / "published"):
        answered(client, "before")
        journal(client).close()
        keep(client.store, client.settings)
        UNDO[fault](client, tmp_path)
        answered(client, "after")
        found = verification.verify(client.store, client.settings).damage
        assert found is not None
        assert found.kind == KINDS[fault]
        if fault == "segment":
            with pytest.raises(AuditDamagedError, match="segment 1"):
                gone(client)
        elif fault != "history":
            with pytest.raises(CheckpointRefusedError):
                keep(client.store, client.settings)


KINDS = {
    "backup": "tail_cut",
    "stranger": "checkpoint",
    "segment": "segment",
    "history": "rewritten",
}


def restored(client: Client, folder: Path) -> None:
    """The database is what it was before some answers; the published checkpoints are not."""
    backup = folder / "backup.db"
    with (
        closing(sqlite3.connect(folder / "authz.db")) as now,
        closing(sqlite3.connect(backup)) as to,
    ):
        now.backup(to)
    answered(client, "lost")
    journal(client).close()
    keep(client.store, client.settings)
    client.store.dispose()
    for each in folder.glob("authz.db*"):
        each.unlink()
    backup.rename(folder / "authz.db")


def replaced(client: Client, folder: Path) -> None:
    """The published checkpoint is one that another log signed, with a key of its own."""
    about = client.settings.model_dump()
    about |= {"audit_origin": "another.example/log", "key_folder": folder / "other"}
    harm(client.store, "DELETE FROM audit_checkpoint")
    shutil.rmtree(folder / "published")
    keep(client.store, Settings.model_validate(about))
    harm(client.store, "DELETE FROM audit_checkpoint")


def edited(client: Client, _: Path) -> None:
    """The oldest records are retired, and somebody edits what was left of them."""
    assert gone(client)
    harm(client.store, "UPDATE audit_segment SET why = 'no reason'")


def gone(client: Client) -> int:
    now = clock.now()
    return retention.retire(client.store, client.settings, older_than=now, by="owner", why="old")


def rewritten(client: Client, _: Path) -> None:
    """A record says something else, and all hashes of its chain follow from it."""
    with client.store.connect() as connection:
        asked = "SELECT chain, body FROM audit_record WHERE chain <> 'main' ORDER BY sequence"
        rows = connection.execute(text(asked)).all()
    tip = genesis(rows[0][0])
    for number, (chain, body) in enumerate(rows, 1):
        forged = body.replace(b'"policy":"', b'"policy":"f', 1)
        tip = Tip(number, digest(tip.hash, number, forged))
        row = {"it": chain, "number": number, "body": forged, "hash": tip.hash}
        harm(
            client.store,
            "UPDATE audit_record SET body = :body, hash = :hash "
            "WHERE chain = :it AND sequence = :number",
            **row,
        )
    head = "UPDATE audit_head SET hash = :hash WHERE chain = :it"
    harm(client.store, head, it=rows[0][0], hash=tip.hash)


UNDO = {"backup": restored, "stranger": replaced, "segment": edited, "history": rewritten}
