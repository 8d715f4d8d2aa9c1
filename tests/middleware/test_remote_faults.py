"""A point that is away, slow, or answers rubbish: refused in time, and well again by itself."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Thread

import pytest

from authz.errors import PointUnavailableError
from authz.middleware.answer import RUBBISH, TIMEOUT, UNAVAILABLE, Answer
from authz.middleware.options import Options
from authz.middleware.question import Question
from authz.middleware.remote import RemotePoint
from authz.middleware.remote_async import AsyncRemotePoint
from tests.middleware.asking import LIMITS, PATIENT, QUESTION, SOON, Maker, endpoints, hasty
from tests.middleware.loopback import IDENTIFIER, METADATA, Heard, Loopback, away, loopback
from tests.middleware.loops import run
from tests.middleware.steady import Time
from tests.waiting import until

YES = {"decision": True}
HASTE = (0.5, 5.0, 20.0)


def half(heard: Heard) -> None:
    heard.raw(
        b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"de'
    )
    heard.close()


def drip(heard: Heard) -> None:
    """A byte now and then, faster than any time-out between two."""
    heard.raw(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not heard.server.over.wait(0.05):
        heard.raw(b"x")


def drip_body(heard: Heard) -> None:
    heard.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n")
    while not heard.server.over.wait(0.05):
        heard.raw(b" ")


def endless(heard: Heard) -> None:
    heard.raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    while True:
        heard.raw(b"1000\r\n" + b" " * 4096 + b"\r\n")


def redirect(heard: Heard) -> None:
    heard.answer(b"", 302, Location=heard.server.url + "/elsewhere")


FAULTS: dict[str, tuple[Callable[[Heard], None], str]] = {
    "hangs": (Heard.hang, TIMEOUT),
    "drips headers": (drip, TIMEOUT),
    "drips the body": (drip_body, TIMEOUT),
    "half an answer": (half, RUBBISH),
    "hangs up": (Heard.close, UNAVAILABLE),
    "no HTTP": (lambda heard: heard.raw(b"\x00\xff nonsense\r\n\r\n"), RUBBISH),
    "no JSON": (lambda heard: heard.answer(b"<html>"), RUBBISH),
    "not UTF-8": (lambda heard: heard.answer(b'{"decision": true, "x": "\xff"}'), RUBBISH),
    "another coding of text": (
        lambda heard: heard.answer('{"decision": true}'.encode("utf-16")),
        RUBBISH,
    ),
    "a list": (lambda heard: heard.answer([True]), RUBBISH),
    "no decision": (lambda heard: heard.answer({}), RUBBISH),
    "a decision of text": (lambda heard: heard.answer({"decision": "true"}), RUBBISH),
    "a decision of 1": (lambda heard: heard.answer({"decision": 1}), RUBBISH),
    "two decisions": (lambda heard: heard.answer(b'{"decision":false,"decision":true}'), RUBBISH),
    "nested without end": (lambda heard: heard.answer(b"[" * 90_000), RUBBISH),
    "another type": (
        lambda heard: heard.answer({"decision": True}, Content_Type="text/html"),
        RUBBISH,
    ),
    "compressed": (
        lambda heard: heard.answer({"decision": True}, Content_Encoding="gzip"),
        RUBBISH,
    ),
    "a redirect": (redirect, RUBBISH),
    "a huge body told": (lambda heard: heard.answer(b" " * 100_001), RUBBISH),
    "a huge body untold": (endless, RUBBISH),
    "no content": (lambda heard: heard.answer(b"", 204), RUBBISH),
    "created": (lambda heard: heard.answer({"decision": True}, 201), RUBBISH),
    "token not accepted": (lambda heard: heard.answer({}, 401), UNAVAILABLE),
    "not ready": (lambda heard: heard.answer({"decision": True}, 503), UNAVAILABLE),
    "broken": (lambda heard: heard.answer({"decision": True}, 500), UNAVAILABLE),
}


@pytest.mark.parametrize(("behave", "reason"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_a_refusal_in_time_and_the_next_good_answer_counts(
    make: Maker, behave: Callable[[Heard], None], reason: str
) -> None:
    """Whoever is soon out of time tries again with more, where the machine stood still."""
    options = [hasty(seconds) for seconds in HASTE] if reason == TIMEOUT else [PATIENT]
    tries = (_refused_then_asked(make, each, behave, reason) for each in options)
    heard, following = next(each for each in tries if each[0] and each[1].reason != TIMEOUT)
    assert heard == 1, "an answer that came or may come is never asked for twice"
    assert following.permit


def _refused_then_asked(
    make: Maker, options: Options, behave: Callable[[Heard], None], reason: str
) -> tuple[int, Answer]:
    """How often the question was heard that was refused, and the answer to the next one."""
    with loopback(behave) as server:
        point = make(server, options)
        began = time.monotonic()
        (answer,) = point.decide([QUESTION])
        assert time.monotonic() - began < SOON
        assert (answer.permit, answer.reason, answer.fault) == (False, reason, True)
        assert point.counts()[reason] == 1
        heard = len(server.heard)
        server.behave = Heard.well
        return heard, point.decide([QUESTION])[0]


def test_a_point_that_refuses_connections_is_a_refusal(make: Maker) -> None:
    with away() as listener:
        point = make(Loopback(listener))
        assert point.decide([QUESTION])[0].reason == UNAVAILABLE


def test_a_point_comes_back_by_itself(
    make: Maker, steady: Time, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "authz.middleware")
    listener = away()
    point = make(Loopback(listener))
    refused = [point.decide([QUESTION])[0] for _ in range(20)]
    assert {each.reason for each in refused} == {UNAVAILABLE}
    assert point.counts()[UNAVAILABLE] == 20
    assert point.counts()["exchanges"] == LIMITS.failures, "a point that is away is left alone"
    with loopback(listener=listener) as server:
        assert not point.decide([QUESTION])[0].permit
        assert not server.heard, "for as long as the breaker rests"
        steady.now += LIMITS.rest
        assert point.decide([QUESTION])[0].permit
    told = [record.levelname for record in caplog.records if record.name == "authz.middleware"]
    assert told == ["ERROR", "WARNING"], "once that it is away, once that it is back"


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_a_batch_of_another_length_refuses_all(make: Maker, server: Loopback, count: int) -> None:
    server.behave = lambda heard: heard.answer({"evaluations": [{"decision": True}] * count})
    answers = make(server).decide([QUESTION] * 4)
    assert [each.reason for each in answers] == [RUBBISH] * 4


def test_one_item_that_is_no_answer_refuses_its_question_alone(
    make: Maker, server: Loopback
) -> None:
    items = [{"decision": True}, {"decision": None}, {"decision": True}]
    server.behave = lambda heard: heard.answer({"evaluations": items})
    answers = make(server).decide([QUESTION] * 3)
    assert [each.permit for each in answers] == [True, False, True]


def test_a_kept_connection_that_the_server_closed_costs_no_refusal(
    make: Maker, server: Loopback
) -> None:
    """A server may close an idle connection at the moment at which it is used again."""
    point = make(server)
    assert point.decide([QUESTION])[0].permit

    def once(heard: Heard) -> None:
        server.behave = Heard.well
        heard.close()

    server.behave = once
    assert point.decide([QUESTION])[0].permit
    assert len(server.heard) == 3


def test_a_fresh_connection_that_breaks_is_not_tried_again(make: Maker, server: Loopback) -> None:
    server.behave = Heard.close
    assert make(server).decide([QUESTION])[0].reason == UNAVAILABLE
    assert len(server.heard) == 1


def test_a_question_that_is_not_accepted_refuses_no_other(make: Maker, server: Loopback) -> None:
    """A point may answer 400 to a whole batch for one bad item; nobody else must feel it."""
    bad = "worse"

    def choosy(heard: Heard) -> None:
        if bad in heard.body.decode():
            heard.answer({}, 400)
        else:
            heard.well()

    server.behave = choosy
    point = make(server)
    questions = [QUESTION, replace(QUESTION, person=bad), QUESTION, QUESTION]
    for _ in range(5):  # nor does it open the breaker
        answers = point.decide(questions)
        assert [each.permit for each in answers] == [True, False, True, True]
        assert (answers[1].reason, answers[1].fault) == ("malformed", False)


def test_a_search_that_breaks_off_is_an_error_and_never_a_short_list(
    make: Maker, server: Loopback
) -> None:
    def second_fails(heard: Heard) -> None:
        if "page" in heard.json and "token" in heard.json["page"]:
            heard.answer({}, 503)
        else:
            results = [{"type": "assessment_result", "id": "p-1"}]
            heard.answer({"page": {"next_token": "t"}, "results": results})

    server.behave = second_fails
    with pytest.raises(PointUnavailableError):
        list(make(server).search(QUESTION))


@pytest.mark.parametrize(
    "change",
    [
        {"policy_decision_point": "https://other.example.test"},
        {"access_evaluation_endpoint": None},
        {"access_evaluation_endpoint": "http://pdp.example.test/access/v1/evaluation"},
        {"access_evaluations_endpoint": ["https://pdp.example.test/x"]},
        {"access_evaluation_endpoint": "https://pdp.example.test@evil.test/x"},
    ],
)
def test_metadata_of_another_point_is_not_used(
    make: Maker, server: Loopback, change: dict[str, object]
) -> None:
    def changed(heard: Heard) -> None:
        if heard.path != METADATA:
            heard.well()
            return
        known = {
            "policy_decision_point": "https://pdp.example.test",
            "access_evaluation_endpoint": "https://pdp.example.test/access/v1/evaluation",
        }
        heard.answer({**known, **change})

    server.behave = changed
    point = make(server, endpoints=None, reached_at=server.url)
    assert point.decide([QUESTION])[0].reason == RUBBISH
    assert server.paths == [METADATA]
    server.behave = Heard.well
    assert point.decide([QUESTION])[0].permit


def test_who_asks_while_a_lane_ends_is_answered(server: Loopback) -> None:
    """It asks after the lane has seen that nothing waits, and before its task is over."""

    async def both() -> list[Answer]:
        one = replace(PATIENT, limits=replace(LIMITS, lanes=1))
        point = AsyncRemotePoint(IDENTIFIER, "t-1", endpoints=endpoints(server), options=one)
        inner = point._answers
        late: list[asyncio.Future[list[Answer]]] = []

        async def answers(questions: Sequence[Question]) -> list[Answer]:
            found = await inner(questions)
            if not late:
                late.append(asyncio.ensure_future(point.decide([replace(QUESTION, person="p-2")])))
            return found

        point._answers = answers  # type: ignore[method-assign]
        try:
            return [*await point.decide([QUESTION]), *await late[0]]
        finally:
            await point.close()

    assert [answer.permit for answer in run(both())] == [True, True]


def test_a_process_that_has_no_threads_left_asks_once_it_has_some(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(_thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    point = RemotePoint(IDENTIFIER, "t-1", endpoints=endpoints(server), options=hasty(0.5))
    try:
        with monkeypatch.context() as patched:
            patched.setattr(Thread, "start", none_left)
            for _ in range(LIMITS.lanes + 1):
                assert point.decide([QUESTION])[0].reason == TIMEOUT
        found = until(lambda: [a for a in point.decide([QUESTION]) if a.reason != TIMEOUT])
        assert found[0].permit
    finally:
        point.close()
