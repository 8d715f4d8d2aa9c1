"""Receivers get the whole trail, though the keeper is killed and they are slow, dead and back."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from authz.audit import outgoing
from authz.service.database import open_store, reading
from tests.api.conftest import EVALUATION, question
from tests.api.server import ROOT, Place, Server
from tests.faults.servers import keepers
from tests.receivers import Receiver, receiving
from tests.waiting import until

TOKEN = "a-token-of-prometheus"
DECISIONS = 120
KILLED = (40, 80)
"""After which decisions the keeper is killed."""


def _metric(server: Server, name: str) -> float:
    answer = server.ask("GET", "/metrics", authorization=f"Bearer {TOKEN}")
    families = text_string_to_metric_families(answer.body.decode())
    return sum(s.value for family in families for s in family.samples if s.name == name)


def _place(folder: Path, url: str, *receivers: dict[str, Any]) -> Place:
    return Place(
        folder,
        ROOT / "policies" / "school",
        url,
        audit_receivers=json.dumps(receivers),
        checkpoint_folder=str(folder / "checkpoints"),
        metrics_token=TOKEN,
        audit_interval="0.2",
    )


@pytest.mark.slow
def test_a_killed_keeper_loses_nothing_and_holds_up_no_decision(
    store_url: str, tmp_path: Path
) -> None:
    """Nor does a receiver that says nothing for longer than anybody waits for a decision."""
    with receiving() as siem, receiving() as dying, receiving() as silent:
        siem.seconds = 0.1
        dying.status = 500
        silent.open.clear()
        place = _place(
            tmp_path,
            store_url,
            {"name": "siem", "url": siem.url, "batch": 7, "seconds": 1},
            {"name": "dead", "url": dying.url, "batch": 7, "seconds": 1},
            {"name": "silent", "url": silent.url, "batch": 7, "seconds": 60},
        )
        with place.serving(workers=2) as server:
            server.token = place.token()
            until(lambda: silent.begun)
            for number in range(DECISIONS):
                assert server.post(EVALUATION, question(person=f"p-{number}")).status == 200
                if number in KILLED:
                    _kill_keeper(server, KILLED.index(number) + 1)
            tip = until(lambda: _all_taken(siem, store_url), every=0.2)
            assert _starts(server) == len(KILLED) + 1
            assert _metric(server, "authz_decisions_total") == DECISIONS
            until(lambda: _metric(server, "authz_receiver_failing") >= 1)
        assert silent.came() == []
        assert dying.taken() == []
        _in_order(siem, tip)


def _kill_keeper(server: Server, times: int) -> None:
    """Once so many have begun to keep."""
    until(lambda: _starts(server) == times)
    (keeper,) = until(lambda: keepers(server))
    os.kill(keeper, signal.SIGKILL)


def _starts(server: Server) -> float:
    return _metric(server, "authz_keeper_starts_total")


def _all_taken(receiver: Receiver, url: str) -> int:
    """How many records there are, once the receiver has them and each decision is among them."""
    engine = open_store(url)
    try:
        with reading(engine) as connection:
            page = outgoing.page(connection, 0, 10 * DECISIONS)
    finally:
        engine.dispose()
    decisions = sum(b'"event":"decision"' in each.body for each in page.records)
    placed = {(each.position, each.id) for each in page.records}
    return page.tip if decisions == DECISIONS and placed == set(receiver.taken()) else 0


def _in_order(receiver: Receiver, tip: int) -> None:
    came = receiver.came()
    places = [position for position, _ in receiver.taken()]
    assert sorted(set(places)) == list(range(tip))
    first = list(dict.fromkeys(places))
    assert first == sorted(first), "no record comes before one that stands before it"
    bodies = {(headers["webhook-id"], body) for headers, body, _ in came}
    assert len(bodies) == len({ident for ident, _ in bodies}), "what comes again comes as it was"


def test_the_command_streams_what_it_just_recorded(tmp_path: Path) -> None:
    place = Place(tmp_path, ROOT / "policies" / "school")
    place.token()
    lines = [json.loads(line) for line in place.apart("audit", "stream").splitlines()]
    assert [each["position"] for each in lines] == list(range(len(lines)))
    assert "token_created" in {each["record"]["event"] for each in lines}
    after = str(lines[-1]["position"])
    (read,) = place.apart("audit", "stream", "--after", after, "--ocsf").splitlines()
    assert json.loads(read)["metadata"]["sequence"] == len(lines)
