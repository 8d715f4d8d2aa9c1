"""What a client is answered while a disk fails, and afterwards (N-49; pages 2.8, 3.5).

The whole service answers, on every way to a decision: 503 with no decision in it while the
fault lasts; then as before, without being told. Each answer has its record, and the trail is
whole.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, make_url, text

from authz.errors import StoreUnavailableError
from authz.service.database import reading
from authz.service.journals import catch_up
from tests.api.conftest import EVALUATION, Client, question
from tests.faults.answers import (
    answered,
    journal,
    refused,
    served,
    undecided,
    until_refused,
    whole,
)
from tests.faults.test_journal_disk import room
from tests.journals import verified

SMALL = 16 * 1024


@pytest.fixture
def client(sqlite_url: str, tmp_path: Path) -> Iterator[Client]:
    yield from served(sqlite_url, tmp_path)


def test_a_full_disk_of_the_journals(sqlite_url: str, tmp_path: Path) -> None:
    with room(tmp_path / "audit", 160 * 1024) as fill:
        for client in served(sqlite_url, tmp_path):
            journal(client).size = SMALL
            answered(client, "before")
            fill()
            until_refused(client, "meanwhile")
            refused(client)
            (tmp_path / "audit" / "filler").unlink()
            answered(client, "after")
            whole(client, "before", "meanwhile", "after")


@contextmanager
def immutable(folder: Path) -> Iterator[None]:
    """Nobody can write in the folder: no file of it, open or not, and no new one."""
    if subprocess.run(["chattr", "-R", "+i", folder], check=False, capture_output=True).returncode:
        pytest.skip("only root can make files immutable, and not on every file system")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-R", "-i", folder], check=True)


@pytest.mark.skipif(shutil.which("chattr") is None, reason="there is no chattr")
def test_journals_that_become_read_only_under_the_service(client: Client, tmp_path: Path) -> None:
    answered(client, "before")
    with immutable(tmp_path / "audit"):
        refused(client)
        assert client.post(EVALUATION, question()).status_code == 503
    answered(client, "after")
    whole(client, "before", "after")


def test_a_disk_of_the_journals_that_is_mounted_read_only(sqlite_url: str, tmp_path: Path) -> None:
    """As after an error of the file system, when the service is started again."""
    with room(tmp_path / "audit", 256 * 1024):
        for client in served(sqlite_url, tmp_path):
            journal(client).size = SMALL
            answered(client, "before")
            journal(client).close()
            mount(tmp_path, "ro")
            refused(client)
            mount(tmp_path, "rw")
            answered(client, "after")
            whole(client, "before", "after")


def mount(folder: Path, how: str) -> None:
    command = ["mount", "-o", f"remount,{how}", str(folder / "audit")]
    subprocess.run(command, check=True)


@pytest.mark.parametrize("kind", ["sqlite_url", "postgres_url"])
def test_a_disk_that_fails_when_it_is_forced(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Each write to a journal waits for the disk; what it has after a failure, nobody knows."""
    for client in served(str(request.getfixturevalue(kind)), tmp_path):
        answered(client, "before")
        put = os.pwrite

        def fail(handle: int, data: bytes, offset: int, put: Callable[..., int] = put) -> int:
            put(handle, data, offset)
            raise OSError(errno.EIO, "the disk is gone")

        monkeypatch.setattr(os, "pwrite", fail)
        refused(client)
        monkeypatch.undo()
        answered(client, "after")
        found = verified(client.store)
        assert found.whole, found.damage
        names = "SELECT count(DISTINCT chain) FROM audit_record WHERE request_id = 'after'"
        with reading(client.store) as connection:
            assert connection.scalar(text(names)) == 1


def test_a_folder_of_journals_that_is_taken_away(client: Client, tmp_path: Path) -> None:
    """One answer fails, because its record would be lost; the next chain has a new folder."""
    answered(client, "before")
    catch_up(client.store)
    shutil.rmtree(tmp_path / "audit")
    answer = client.post(EVALUATION, question())
    assert (answer.status_code, answer.json["code"]) == (503, "audit_unavailable")
    assert "decision" not in answer.json
    answered(client, "after")
    journal(client).close()
    whole(client, "before", "after")


def test_more_journals_than_may_wait(sqlite_url: str, tmp_path: Path) -> None:
    for client in served(sqlite_url, tmp_path, audit_backlog=20 * 1024):
        journal(client).size = SMALL
        until_refused(client, "before")
        refused(client)
        catch_up(client.store)
        answered(client, "after")
        whole(client, "before", "after")


def test_a_full_disk_of_the_database(sqlite_url: str, tmp_path: Path) -> None:
    """Records that go to the database at once need its disk."""
    path = Path(make_url(sqlite_url).database or "")
    with room(tmp_path / "small", 8 * 1024 * 1024) as fill:
        for each in path.parent.glob("authz.db*"):
            shutil.copyfile(each, tmp_path / "small" / each.name)
        url = f"sqlite:///{tmp_path / 'small' / path.name}"
        for client in served(url, tmp_path, audit_folder=""):
            answered(client, "before")
            fill()
            until_refused(client, "before")
            undecided(client)
            (tmp_path / "small" / "filler").unlink()
            answered(client, "after")
            whole(client, "before", "after")


def test_a_database_that_is_read_only(client: Client) -> None:
    """What is not recorded in a journal is not answered; where one is at hand, answers go on."""
    answered(client, "before")

    @event.listens_for(client.store, "connect")
    def only_read(connection: Any, _: object) -> None:
        connection.execute("PRAGMA query_only = 1").close()

    client.store.dispose()
    assert client.post(EVALUATION, question(), x_request_id="meanwhile").status_code == 200
    with pytest.raises(StoreUnavailableError):
        catch_up(client.store)
    journal(client).close()
    refused(client)
    event.remove(client.store, "connect", only_read)
    client.store.dispose()
    answered(client, "after")
    whole(client, "before", "meanwhile", "after")
