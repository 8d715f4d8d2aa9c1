"""What Prometheus reads: in its own format, for whoever may, and about nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from authz import clock
from authz.service.checkpoints import keep
from authz.service.tokens import create_token
from authz.service.verification import verify
from docs.generator import metrics
from tests.api.conftest import EVALUATION, EVALUATIONS, FACTS, Client, open_client, question
from tests.world import frozen

TOKEN = "a-token-of-prometheus"
Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def watched(store_url: str, tmp_path: Path) -> Iterator[Client]:
    """An application that Prometheus may ask with a token of its own."""
    more = {"metrics_token": TOKEN, "checkpoint_folder": tmp_path / "checkpoints"}
    yield from open_client(store_url, tmp_path, **more)


def samples(client: Client) -> Samples:
    answer = client.ask("GET", "/metrics", authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def grown(before: Samples, after: Samples, name: str, **labels: str) -> float:
    key = name, tuple(sorted(labels.items()))
    return after[key] - before.get(key, 0)


def test_decisions_and_problems_are_counted(watched: Client) -> None:
    before = samples(watched)
    for person in ("mali", "mali", "somchai"):
        assert watched.post(EVALUATION, question(person=person)).status_code == 200
    asked = {"evaluations": [question(), question(person="nobody")]}
    begun = perf_counter()
    assert watched.post(EVALUATIONS, asked).status_code == 200
    seconds = perf_counter() - begun
    assert watched.post(EVALUATION, b"no JSON").status_code == 400
    assert watched.ask("GET", "/nothing").status_code == 404
    after = samples(watched)
    count = "authz_decisions_total"
    assert grown(before, after, count, outcome="permit", reason="") == 3
    refused = {k: v for k, v in after.items() if k[0] == count and ("outcome", "refuse") in k[1]}
    assert sum(v - before.get(k, 0) for k, v in refused.items()) == 2
    problems = "authz_http_problems_total"
    assert grown(before, after, problems, status="400", code="malformed") == 1
    assert grown(before, after, problems, status="404", code="not_found") == 1
    times = "authz_evaluation_seconds"
    assert grown(before, after, f"{times}_count", endpoint="evaluation") == 4
    assert grown(before, after, f"{times}_bucket", endpoint="evaluation", le="+Inf") == 4
    assert 0 < grown(before, after, f"{times}_sum", endpoint="evaluations") < seconds
    assert grown(before, after, "authz_audit_records_total") == 5
    assert grown(before, after, "authz_audit_group_records_sum") == 5
    assert grown(before, after, "authz_audit_write_seconds_count") == 4


def test_how_the_trail_stands(watched: Client) -> None:
    with frozen(now := clock.now()):
        keep(watched.store, watched.settings)
    assert verify(watched.store, watched.settings).whole
    with frozen(now + timedelta(seconds=7)):
        found = samples(watched)
    size = found["authz_audit_tree_records", ()]
    assert found["authz_audit_stored_records", ()] == size > 0
    assert found["authz_audit_unsequenced_records", ()] == 0
    assert found["authz_audit_signed_records", ()] == size
    assert found["authz_audit_checkpoint_age_seconds", ()] == 7
    assert found["authz_audit_verified_timestamp_seconds", ()] > 1.7e9
    assert found["authz_store_up", ()] == 1


def test_nobody_is_named(watched: Client) -> None:
    for person in ("mali", "somchai"):
        watched.post(EVALUATION, question(subject="anan", person=person), x_request_id="req-77")
    told = watched.ask("GET", "/metrics", authorization=f"Bearer {TOKEN}").text
    people = {str(fact["id"]) for fact in FACTS if "id" in fact}
    assert [word for word in (*people, "req-77", "tests", "ใจดี") if f'"{word}"' in told] == []


def test_who_may_ask(watched: Client, client: Client) -> None:
    day = timedelta(days=1)
    reader = create_token(watched.store, watched.settings, "ops", ["audit:read"], day, by="tests")
    assert replace(watched, token=reader).ask("GET", "/metrics").status_code == 200
    assert watched.ask("GET", "/metrics", authorization=None).status_code == 401
    assert watched.ask("GET", "/metrics").status_code == 403
    assert watched.ask("GET", "/metrics", authorization="Bearer other").status_code == 401
    assert client.ask("GET", "/metrics", authorization="Bearer None").status_code == 401


def test_a_store_that_does_not_answer_is_told(watched: Client) -> None:
    with watched.store.begin() as connection:
        connection.execute(text("ALTER TABLE audit_checkpoint RENAME TO audit_checkpoint_gone"))
    found = samples(watched)
    assert found["authz_store_up", ()] == 0
    assert ("authz_audit_checkpoint_age_seconds", ()) not in found
    assert ("authz_audit_tree_records", ()) in found


def test_every_metric_is_documented_and_every_alert_is_about_one(watched: Client) -> None:
    root = Path(__file__).resolve().parents[2]
    answer = watched.ask("GET", "/metrics", authorization=f"Bearer {TOKEN}").text
    families = {family.name: family for family in text_string_to_metric_families(answer)}
    names = metrics.names()
    assert {name.removesuffix("_total") for name in names} == families.keys()
    assert [family.name for family in families.values() if not family.documentation] == []
    page = (root / "docs/how-to/watch-the-service.md").read_text("utf-8")
    used = metrics.used(page)
    assert used
    assert used <= set(names)


def test_ready_tells_how_old_the_checkpoint_is(watched: Client) -> None:
    assert watched.ask("GET", "/readyz").json == {"status": "ready"}
    with frozen(now := clock.now()):
        keep(watched.store, watched.settings)
    with frozen(now + timedelta(seconds=7)):
        told = watched.ask("GET", "/readyz").json
    assert told == {"status": "ready", "checkpoint_age": 7}
