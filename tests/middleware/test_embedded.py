"""The point inside an application: the same decisions, records and refusals as over HTTP."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, String, Table, insert, select

from authz.audit import search as trail
from authz.config import load
from authz.errors import PolicyError, SettingError
from authz.middleware.answer import NOTIFY, REVIEW, UNAVAILABLE, Answer
from authz.middleware.embedded import EmbeddedPoint
from authz.middleware.lists import permitted
from authz.middleware.question import Question
from authz.middleware.threads import InThreads
from authz.service.database import reading
from authz.service.journals import catch_up
from authz.service.record_facts import import_facts
from tests.api.conftest import EVALUATION, Client, open_client
from tests.middleware.loops import run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def client(sqlite_url: str, tmp_path: Path) -> Iterator[Client]:
    yield from open_client(sqlite_url, tmp_path)


@pytest.fixture
def any_client(store_url: str, tmp_path: Path) -> Iterator[Client]:
    yield from open_client(store_url, tmp_path)


@pytest.fixture
def point(client: Client) -> Iterator[EmbeddedPoint]:
    yield from opened(client)


@pytest.fixture
def any_point(any_client: Client) -> Iterator[EmbeddedPoint]:
    yield from opened(any_client)


def opened(client: Client) -> Iterator[EmbeddedPoint]:
    made = EmbeddedPoint("gradebook", settings=client.settings)
    yield made
    made.close()


def asked(subject: str = "mali", person: str = "mali", **more: Any) -> Question:
    return Question(
        subject, more.pop("action", "read"), more.pop("category", "identity"), person, **more
    )


QUESTIONS = [
    asked(),
    asked(properties={"fields": ["given_name", "nonsense"]}),
    asked("anan"),
    asked("nobody"),
    asked(person="nobody"),
    asked(category="nonsense"),
    asked(action="nonsense"),
    asked(context={"purpose": "nonsense"}),
    asked(context={"purpose": "commerce", "mfa": True}),
    asked(subject_type="service"),
    asked(category="credentials", action="update"),
]


def test_an_embedded_answer_is_the_answer_over_http(
    any_client: Client, any_point: EmbeddedPoint
) -> None:
    for question in [*QUESTIONS, *QUESTIONS]:
        reply = any_client.post(EVALUATION, question.to_wire())
        place = reply.headers["X-Decision-Id"]
        over_http = Answer.from_wire(
            reply.json, by_point=frozenset({NOTIFY, REVIEW}), decision_id=place
        )
        (embedded,) = any_point.decide([question])
        assert {**_told(embedded), "decision_id": place} == _told(over_http)


def _told(answer: Answer) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in answer.__slots__}


def test_what_is_asked_again_is_answered_alike_and_recorded_each_time(
    any_client: Client, any_point: EmbeddedPoint
) -> None:
    asked_of_it = [*QUESTIONS, asked(context={"purpose": 7})]
    together = any_point.decide(asked_of_it)
    places = {answer.decision_id for answer in together}
    for _ in range(3):
        for question, before in zip(asked_of_it, together, strict=True):
            (answer,) = any_point.decide([question])
            assert _told(answer) == {**_told(before), "decision_id": answer.decision_id}
            places.add(answer.decision_id)
    catch_up(any_client.store)
    with reading(any_client.store) as connection:
        page = trail.search(connection, application="gradebook", limit=100)
    assert len(page.records) == 4 * len(asked_of_it)
    assert places - {""} <= {f"{each.chain}-{each.sequence}" for each in page.records}


def test_a_right_that_ended_is_refused_when_it_is_asked_next(
    client: Client, point: EmbeddedPoint
) -> None:
    for _ in range(3):
        assert point.decide([asked()])[0].permit
    fact = {"fact": "person", "id": "mali", "status": "suspended"}
    import_facts(
        client.store, lambda: [json.dumps(fact)], name="f", by="tests",
        catalogue=client.service.point.policy.catalogue, local=client.settings.local,
    )  # fmt: skip
    assert not point.decide([asked()])[0].permit


def test_each_embedded_decision_is_recorded_under_the_application(
    any_client: Client, any_point: EmbeddedPoint
) -> None:
    answers = any_point.decide(QUESTIONS)
    catch_up(any_client.store)
    with reading(any_client.store) as connection:
        page = trail.search(connection, application="gradebook", limit=100)
    assert len(page.records) == len(QUESTIONS)
    places = {f"{each.chain}-{each.sequence}" for each in page.records}
    assert places == {answer.decision_id for answer in answers}
    assert {each.record["application"] for each in page.records} == {"gradebook"}


def test_a_question_is_answered_as_it_was_asked_whatever_its_maker_does_to_it(
    client: Client, point: EmbeddedPoint
) -> None:
    fields = ["given_name"]
    (first,) = point.decide([asked(properties={"fields": fields})])
    fields.append("family_name")
    fact = {"fact": "person", "id": "another"}
    import_facts(
        client.store, lambda: [json.dumps(fact)], name="f", by="tests",
        catalogue=client.service.point.policy.catalogue, local=client.settings.local,
    )  # fmt: skip
    again, more = point.decide(
        [asked(properties={"fields": ["given_name"]}), asked(properties={"fields": fields})]
    )
    assert first.fields == again.fields == frozenset({"given_name"})
    assert more.fields == frozenset({"given_name", "family_name"})


def test_what_is_no_question_is_refused_alone(point: EmbeddedPoint) -> None:
    bad = asked(context={"purpose": 7})
    answers = point.decide([asked(), bad, asked()])
    assert [each.permit for each in answers] == [True, False, True]
    assert (answers[1].reason, answers[1].fault) == ("malformed", False)
    assert point.decide([bad])[0] == answers[1]


def test_a_database_that_is_away_is_a_refusal_and_well_again_by_itself(
    sqlite_url: str, tmp_path: Path
) -> None:
    found = Path(sqlite_url.removeprefix("sqlite:///"))
    hidden = tmp_path / "away"
    found.rename(hidden)
    found.mkdir()
    settings = load(database_url=sqlite_url, policy=ROOT / "policies" / "school")
    point = EmbeddedPoint("gradebook", settings=settings)
    (answer,) = point.decide([asked()])
    assert (answer.permit, answer.reason) == (False, UNAVAILABLE)
    assert point.counts()[UNAVAILABLE] == 1
    found.rmdir()
    hidden.rename(found)
    (answer,) = point.decide([asked("nobody")])
    assert answer.reason == "refused"
    point.close()


def test_a_point_that_cannot_be_opened_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        EmbeddedPoint("gradebook", settings=load(policy=tmp_path))
    with pytest.raises(SettingError):
        EmbeddedPoint("", settings=load(policy=ROOT / "policies" / "school"))


def test_a_list_is_a_condition_in_the_query_and_equals_the_search(
    any_client: Client, any_point: EmbeddedPoint
) -> None:
    results = Table("results", MetaData(), Column("student", String))
    people = ["mali", "anan", "wanida", "somchai", "stranger"]
    with any_client.store.begin() as connection:
        results.create(connection)
        connection.execute(insert(results), [{"student": each} for each in people])
    question = asked("mali")
    statement = permitted(any_point, select(results.c.student), question, person=results.c.student)
    with reading(any_client.store) as connection:
        found = set(connection.scalars(statement))
    assert found == set(any_point.search(question)) == {"mali"}


def test_a_search_gives_all_pages(point: EmbeddedPoint) -> None:
    question = Question("mali", "read", "identity", "", context={"purpose": "service"})
    assert list(point.search(question, limit=1)) == ["mali"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_decides_too(point: EmbeddedPoint) -> None:
    assert point.decide([asked()])[0].permit
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        word = b"no"
        try:
            word = b"yes" if point.decide([asked()])[0].permit else b"no"
        finally:
            os.write(writer, word)
            os._exit(0)
    os.close(writer)
    assert os.read(reader, 9) == b"yes"
    os.waitpid(child, 0)
    assert point.decide([asked()])[0].permit


async def _all(point: EmbeddedPoint) -> tuple[list[Answer], list[str]]:
    threads = InThreads(point)
    found = [each async for each in threads.search(asked())]
    return await threads.decide(QUESTIONS), found


def test_in_an_event_loop_it_answers_alike(point: EmbeddedPoint) -> None:
    answers, found = run(_all(point))
    assert [each.permit for each in answers] == [each.permit for each in point.decide(QUESTIONS)]
    assert found == ["mali"]
