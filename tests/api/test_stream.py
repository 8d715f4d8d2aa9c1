"""The trail as a stream, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from authz import clock
from authz.api import stream
from authz.service import streaming
from authz.service.checkpoints import sequence_all
from authz.service.tokens import create_token
from authz.vocabulary import Event
from tests.api.conftest import EVALUATION, Client, open_client, question
from tests.world import frozen, placed

STREAM = stream.STREAM


@pytest.fixture
def auditor(store_url: str, tmp_path: Path) -> Iterator[Client]:
    streaming._told.clear()
    for client in open_client(store_url, tmp_path, checkpoint_folder=tmp_path / "checkpoints"):
        for _ in range(3):
            assert client.post(EVALUATION, question()).status_code == 200
        scopes, day = ["audit:read"], timedelta(days=1)
        token = create_token(client.store, client.settings, "siem", scopes, day, by="tests")
        yield replace(client, token=token)


def lines(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = client.ask("GET", f"{STREAM}{query}")
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_all_records_and_then_what_is_after(auditor: Client) -> None:
    found = lines(auditor)
    assert [each["position"] for each in found] == list(range(len(found)))
    assert {each["id"] for each in found} == {f"{c}-{n}" for c, n in placed(auditor.store)}
    assert sum(each["record"]["event"] == "decision" for each in found) == 3
    last = found[-1]["position"]
    assert lines(auditor, f"?after={last}") == []
    assert lines(auditor, f"?after={last - 2}") == found[-2:]
    assert lines(auditor, "?limit=2") == found[:2]
    assert lines(auditor, f"?after={10**9}") == []


def test_reading_is_recorded_once_an_hour_and_not_without_end(auditor: Client) -> None:
    """N-49; a record of each look would be the next line, for ever."""
    with frozen(clock.now()):
        for _ in range(3):
            lines(auditor, "?after=0&wait=0")
    rows = placed(auditor.store).values()
    reads = [row for row in rows if row["event"] == Event.TRAIL_READ]
    assert [(row["subject"]["id"], row["action"]) for row in reads] == [("siem", "stream")]


class Pauses:
    """Time as who waits knows it: their pauses alone, and in the first one comes a record."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if not self.now:
            settings, hour = self.client.settings, timedelta(hours=1)
            create_token(self.client.store, settings, "new", ["pdp"], hour, by="tests")
            sequence_all(self.client.store)
        self.now += seconds


def test_who_waits_gets_what_comes(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    last = lines(auditor)[-1]["position"]
    pauses = Pauses(auditor)
    monkeypatch.setattr(streaming, "time", pauses)
    found = lines(auditor, f"?after={last}&wait=3")
    assert [each["record"]["event"] for each in found] == ["token_created"]
    assert pauses.now == 3


def test_events_of_ocsf(auditor: Client) -> None:
    found = lines(auditor, "?form=ocsf")
    assert {each["metadata"]["version"] for each in found} == {"1.4.0"}
    assert [each["metadata"]["sequence"] for each in found] == list(range(len(found)))


@pytest.mark.parametrize("query", ["?after=-1", "?after=x", "?form=xml", "?wait=a", "?other=1"])
def test_what_cannot_be_asked(auditor: Client, query: str) -> None:
    assert auditor.ask("GET", STREAM + query).status_code == 400


def test_it_needs_the_scope(auditor: Client, client: Client) -> None:
    assert auditor.ask("GET", STREAM, authorization=None).status_code == 401
    assert client.ask("GET", STREAM).status_code == 403


def test_few_read_at_once_and_a_place_is_given_back(auditor: Client) -> None:
    held = [stream._places.acquire(blocking=False) for _ in range(stream.AT_A_TIME)]
    assert all(held)
    answer = auditor.ask("GET", STREAM)
    assert (answer.status_code, answer.json["code"]) == (429, "too_many")
    for _ in held:
        stream._places.release()
    for _ in range(stream.AT_A_TIME + 2):
        lines(auditor)
        auditor.ask("GET", STREAM + "?form=none")
