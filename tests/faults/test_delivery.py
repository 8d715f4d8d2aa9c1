"""Receivers get the whole trail, though the keeper is killed and they are slow, dead and back."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from authz.audit import outgoing
from authz.service.database import open_store, reading
from tests.api.conftest import EVALUATION, question
from tests.api.server import ROOT, Place, Server
from tests.receivers import receiving

TOKEN = "a-token-of-prometheus"
SECONDS = 60.0
KILLED = (40, 80)
"""After which decisions the keeper is killed."""


def _until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < until, "it takes too long"
        time.sleep(0.1)


def _keeper(server: Server) -> int:
    """The process that keeps for this server, whichever of its threads started it."""
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"keep" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                return int(child)
    raise AssertionError("there is no keeper")


def _metric(server: Server, name: str) -> float:
    answer = server.ask("GET", "/metrics", authorization=f"Bearer {TOKEN}")
    families = text_string_to_metric_families(answer.body.decode())
    return sum(s.value for family in families for s in family.samples if s.name == name)


@pytest.mark.slow
def test_a_killed_keeper_loses_nothing_and_holds_up_no_decision(
    store_url: str, tmp_path: Path
) -> None:
    with receiving() as siem, receiving() as dying:
        siem.seconds, dead = 0.1, dying.url
        more = {"batch": 7, "seconds": 1}
        receivers = [
            {"name": "siem", "url": siem.url, **more},
            {"name": "dead", "url": dead, **more},
        ]
        dying.status = 500
        place = Place(
            tmp_path,
            ROOT / "policies" / "school",
            store_url,
            audit_receivers=json.dumps(receivers),
            checkpoint_folder=str(tmp_path / "checkpoints"),
            metrics_token=TOKEN,
            audit_interval="0.2",
        )
        with place.serving(workers=2) as server:
            server.token = place.token()
            slowest = 0.0
            for number in range(120):
                began = time.monotonic()
                assert server.post(EVALUATION, question(person=f"p-{number}")).status == 200
                slowest = max(slowest, time.monotonic() - began)
                if number in KILLED:
                    _until(partial(_has_started, server, KILLED.index(number) + 1))
                    os.kill(_keeper(server), signal.SIGKILL)
            assert slowest < 5, "a decision waited for a receiver"
            _until(lambda: _tip(store_url) >= 120 and len(set(siem.taken())) == _tip(store_url))
            assert _starts(server) == len(KILLED) + 1
            assert _metric(server, "authz_decisions_total") == 120
            assert _metric(server, "authz_receiver_failing") >= 1
        places = [position for position, _ in siem.taken()]
        assert sorted(set(places)) == list(range(_tip(store_url)))
        first = list(dict.fromkeys(places))
        assert first == sorted(first), "no record comes before one that stands before it"
        repeated = [h["webhook-id"] for h, _, _ in siem.requests]
        bodies = {(h["webhook-id"], body) for h, body, _ in siem.requests}
        assert len(bodies) == len(set(repeated)), "what comes again comes as it was"
        assert dying.taken() == []


def _starts(server: Server) -> float:
    return _metric(server, "authz_keeper_starts_total")


def _has_started(server: Server, times: int) -> bool:
    return _starts(server) == times


def _tip(url: str) -> int:
    engine = open_store(url)
    try:
        with reading(engine) as connection:
            return outgoing.page(connection, 0, 1).tip
    finally:
        engine.dispose()


def test_the_command_streams_what_it_just_recorded(tmp_path: Path) -> None:
    place = Place(tmp_path, ROOT / "policies" / "school")
    place.token()
    lines = [json.loads(line) for line in place.apart("audit", "stream").splitlines()]
    assert [each["position"] for each in lines] == list(range(len(lines)))
    assert "token_created" in {each["record"]["event"] for each in lines}
    after = str(lines[-1]["position"])
    (read,) = place.apart("audit", "stream", "--after", after, "--ocsf").splitlines()
    assert json.loads(read)["metadata"]["sequence"] == len(lines)
