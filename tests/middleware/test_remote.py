"""What a client sends, and how little: discovery, one batch for many, kept answers, pages."""

from __future__ import annotations

import os
import ssl
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from authz.errors import MalformedError, PointUnavailableError, SettingError, TooLargeError
from authz.middleware.answer import RUBBISH, TIMEOUT, UNAVAILABLE, Answer
from authz.middleware.breaker import Breaker
from authz.middleware.cache import Cache
from authz.middleware.lists import permitted
from authz.middleware.options import (
    LONGEST_KEPT,
    Endpoints,
    Keeping,
    Limits,
    Patience,
    Remote,
)
from authz.middleware.question import Question
from authz.middleware.remote import RemotePoint
from tests.middleware.asking import (
    LIMITS,
    PATIENT,
    QUESTION,
    SOON,
    Maker,
    hasty,
    keeping,
    waiting,
)
from tests.middleware.loopback import IDENTIFIER, LONG, METADATA, PATHS, Heard, Loopback
from tests.waiting import PATIENCE, until

EVALUATION, EVALUATIONS, SEARCH = PATHS.values()


def about(count: int) -> list[Question]:
    return [replace(QUESTION, person=f"p-{number}") for number in range(count)]


def even(heard: Heard) -> None:
    """Permits people with an even number."""
    items = heard.json.get("evaluations", [heard.json])
    told = [{"decision": int(each["resource"]["id"][2:]) % 2 == 0} for each in items]
    heard.answer({"evaluations": told} if "evaluations" in heard.json else told[0])


def test_the_point_is_found_by_its_identifier_and_asked_where_it_says(
    make: Maker, server: Loopback
) -> None:
    point = make(server, endpoints=None, reached_at=server.url)
    assert point.decide([QUESTION])[0].permit
    assert point.decide(about(2))[0].permit
    assert point.decide([QUESTION])[0].permit
    assert server.paths == [METADATA, EVALUATION, EVALUATIONS, EVALUATION]
    assert server.connections == 1, "connections are kept"
    sent = server.heard[1]
    assert sent.json == QUESTION.to_wire()
    assert sent.headers["authorization"] == "Bearer t-1"
    assert "authorization" not in server.heard[0].headers


def test_an_identifier_with_a_path_has_its_metadata_after_the_host() -> None:
    remote = Remote("https://pdp.example.test/tenant1", "http://127.0.0.1:9/inner")
    assert remote.metadata == "http://127.0.0.1:9/inner/.well-known/authzen-configuration/tenant1"
    assert remote.here("https://pdp.example.test/tenant1/x") == "http://127.0.0.1:9/inner/tenant1/x"
    assert not remote.here("https://other.example.test/x")
    assert not remote.here("http://pdp.example.test/tenant1/x")


@pytest.mark.parametrize(
    ("address", "goes"),
    [
        ("https://pdp.example.test/x", True), ("https://PDP.example.test:443/x", True),
        ("https://decide.example.test/x", True), ("https://decide.example.test:443/x", True),
        ("https://pdp.example.test:8443/x", False), ("https://evil.test/x", False),
        ("https://decide.example.test.evil.test/x", False),
        ("https://decide.example.test:1/x", False),
        ("https://sub.decide.example.test/x", False), ("http://decide.example.test/x", False),
        ("https://pdp.example.test.:443/x", False), ("https://[::1]/x", False),
    ],
)  # fmt: skip
def test_a_point_is_asked_at_its_own_origin_and_at_those_that_are_named(
    address: str, goes: bool
) -> None:
    remote = Remote("https://pdp.example.test", origins=["https://decide.example.test/"])
    assert remote.here(address) == (address if goes else "")


@pytest.mark.parametrize(
    "wrong",
    ["http://a.test", "a.test", "https://a.test/path", "https://a.test?x", "https://u@a.test"],
)
def test_an_origin_that_is_none_is_no_setting(wrong: str) -> None:
    with pytest.raises(SettingError):
        Remote("https://pdp.example.test", origins=[wrong])
    with pytest.raises(SettingError):
        Remote("https://pdp.example.test", origins="https://a.test")


@pytest.mark.parametrize("name", ["access_evaluation", "access_evaluations", "search_resource"])
def test_metadata_alone_sends_no_token_and_no_question_to_another_host(
    name: str, make: Maker, server: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither to the one that it names, nor to the others: who changed one may have changed all."""
    asked: list[str] = []

    def moved(heard: Heard) -> None:
        asked.append(heard.path)
        known = {
            "policy_decision_point": IDENTIFIER,
            **{each: f"{IDENTIFIER}{path}" for each, path in named.items()},
            f"{name}_endpoint": "https://127.0.0.1:1/evil",
        }
        heard.answer(known)

    named = dict(
        zip(
            [
                "access_evaluation_endpoint",
                "access_evaluations_endpoint",
                "search_resource_endpoint",
            ],
            PATHS.values(),
            strict=True,
        )
    )
    server.behave = moved
    point = make(server, endpoints=None, reached_at=server.url)
    assert point.decide([QUESTION])[0].reason == RUBBISH
    assert asked == [METADATA]
    assert "https://127.0.0.1:1, which is none of its origins" in caplog.text


def test_metadata_may_name_an_origin_that_the_application_names_too(
    server: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    """It is asked there with its token; here nobody answers at that port."""

    def moved(heard: Heard) -> None:
        there = "https://127.0.0.1:1/access/v1/evaluation"
        heard.answer({"policy_decision_point": IDENTIFIER, "access_evaluation_endpoint": there})

    server.behave = moved
    point = RemotePoint(
        IDENTIFIER, "t-1", reached_at=server.url, origins=["https://127.0.0.1:1"], options=PATIENT
    )
    assert point.decide([QUESTION])[0].reason == UNAVAILABLE
    assert "none of its origins" not in caplog.text
    point.close()


@pytest.mark.parametrize(
    "address",
    ["http://pdp.example.test", "pdp.example.test", "https://", "https://a@b", "https://b?x", ""],
)
def test_an_identifier_that_is_no_https_url_is_no_point(address: str) -> None:
    with pytest.raises(SettingError):
        Remote(address)


@pytest.mark.parametrize("seconds", [0, -1, 301, float("nan")])
def test_patience_has_an_end(seconds: float) -> None:
    with pytest.raises(SettingError):
        Patience(total=seconds)


def test_a_page_of_rows_costs_one_call(make: Maker, server: Loopback) -> None:
    server.behave = even
    answers = make(server).decide(about(100))
    assert [each.permit for each in answers] == [number % 2 == 0 for number in range(100)]
    assert len(server.heard) == 1


def test_more_rows_than_a_batch_holds_cost_a_call_for_each_batch(
    make: Maker, server: Loopback
) -> None:
    server.behave = even
    answers = make(server).decide(about(250))
    assert [each.permit for each in answers] == [number % 2 == 0 for number in range(250)]
    assert len(server.heard) == 3


def test_without_a_batch_endpoint_each_question_is_asked_alone(
    make: Maker, server: Loopback
) -> None:
    server.behave = even
    point = make(server, endpoints=Endpoints(server.url + EVALUATION))
    assert [each.permit for each in point.decide(about(6))] == [True, False] * 3
    assert server.paths == [EVALUATION] * 6


def test_concurrent_questions_share_exchanges_and_each_has_its_own_answer(
    make: Maker, server: Loopback
) -> None:
    """Coalesced equals single."""
    released = Event()

    def slow(heard: Heard) -> None:
        released.wait(PATIENCE)
        even(heard)

    server.behave = slow
    point, questions = make(server), about(40)

    def ask(question: Question) -> list[Answer]:
        return point.decide([question])

    with ThreadPoolExecutor(40) as threads:
        asked = []
        for each in questions[:2]:  # a lane is busy before the next question comes
            asked.append(threads.submit(ask, each))
            until(lambda: len(server.heard) == len(asked))
        asked += [threads.submit(ask, each) for each in questions[2:]]
        until(lambda: waiting(point) == len(questions[2:]))
        released.set()
        answers = [each.result()[0] for each in asked]
    assert answers == [point.decide([each])[0] for each in questions]
    assert len(server.heard) - len(questions) <= 2 + 2, "two lanes, then at most two batches"


def test_too_much_waiting_is_refused_at_once(make: Maker, server: Loopback) -> None:
    point = make(server, replace(PATIENT, limits=replace(LIMITS, waiting=3)))
    began = time.monotonic()
    assert {each.reason for each in point.decide(about(4))} == {UNAVAILABLE}
    assert time.monotonic() - began < SOON
    assert not server.heard
    assert point.decide(about(3))[0].permit


def test_questions_that_a_point_may_confuse_go_apart(make: Maker, server: Loopback) -> None:
    """Cerbos 0.55 answers two items about one resource with the first one's properties."""
    one, other = ({"class": "C-1"}, {"class": "C-2"})
    questions = [replace(QUESTION, properties=each) for each in (one, other, one)]
    questions.append(replace(questions[0], action="update"))
    make(server).decide(questions)
    assert [len(each.json.get("evaluations", [1])) for each in server.heard] == [3, 1]
    server.heard.clear()
    told = Endpoints(server.url + EVALUATION, server.url + EVALUATIONS, independent=True)
    make(server, endpoints=told).decide(questions)
    assert [len(each.json["evaluations"]) for each in server.heard] == [4]


def test_what_is_no_json_is_asked_of_nobody(make: Maker, server: Loopback) -> None:
    with pytest.raises(MalformedError):
        make(server).decide([QUESTION, replace(QUESTION, context={"x": object()})])
    assert not server.heard


def test_a_point_that_is_closed_refuses(make: Maker, server: Loopback) -> None:
    point = make(server)
    point.decide([QUESTION])
    if isinstance(point, RemotePoint):
        point.close()
    else:
        point.run(point.point.close())
    assert point.decide([QUESTION])[0].reason == UNAVAILABLE


def test_a_token_that_renews_itself_is_asked_for_each_time(make: Maker, server: Loopback) -> None:
    tokens = iter(["t-1", "t-2"])
    point = make.kind(IDENTIFIER, lambda: next(tokens), endpoints=_at(server), options=PATIENT)
    make.made.append(point)
    assert point.decide([QUESTION])[0].permit
    assert point.decide([QUESTION])[0].permit
    assert [each.headers["authorization"] for each in server.heard] == ["Bearer t-1", "Bearer t-2"]
    assert point.decide([QUESTION])[0].reason == UNAVAILABLE, "there is no further token"


def _at(server: Loopback) -> Endpoints:
    return Endpoints(server.url + EVALUATION, server.url + EVALUATIONS, server.url + SEARCH)


@pytest.mark.parametrize("token", ["two\r\nlines", "ไทย"])
def test_a_token_that_is_none_is_sent_to_nobody(server: Loopback, token: str) -> None:
    point = RemotePoint(IDENTIFIER, token, endpoints=_at(server), options=PATIENT)
    assert point.decide([QUESTION])[0].reason == UNAVAILABLE
    assert not server.heard
    point.close()


def test_whatever_hangs_on_the_way_whoever_asks_is_back_in_time(server: Loopback) -> None:
    """As a name server might, which knows of no time-out of ours."""
    hanging = Event()

    def hangs() -> str:
        hanging.wait(LONG)
        return ""

    point = RemotePoint(IDENTIFIER, hangs, endpoints=_at(server), options=hasty(0.5))
    began = time.monotonic()
    assert point.decide([QUESTION])[0].reason == TIMEOUT
    assert time.monotonic() - began < SOON
    hanging.set()
    point.close()


@pytest.mark.parametrize(
    ("address", "told"),
    [("http://127.0.0.1:1", 0), ("https://pdp.internal", 0), ("http://pdp.internal:8080", 1)],
)
def test_who_asks_without_tls_beyond_this_machine_is_told(
    caplog: pytest.LogCaptureFixture, address: str, told: int
) -> None:
    RemotePoint(IDENTIFIER, reached_at=address).close()
    assert len([each for each in caplog.records if "without TLS" in each.message]) == told


# Kept answers.


def revised(word: str, body: Any) -> Any:
    return lambda heard: heard.answer(body, X_Authz_Revision=word)


PERMIT = {"decision": True}
NOTICE = {"decision": True, "context": {"obligations": [{"id": "notify", "value": ["dpo"]}]}}


def test_nothing_is_kept_unless_it_is_asked_for(make: Maker, server: Loopback) -> None:
    server.behave = revised("r1", PERMIT)
    point = make(server)
    point.decide([QUESTION])
    point.decide([QUESTION])
    assert len(server.heard) == 2


def test_the_same_question_is_answered_by_what_is_kept_and_no_other(
    make: Maker, server: Loopback
) -> None:
    server.behave = revised("r1", PERMIT)
    point = make(server, keeping(LONGEST_KEPT))
    for _ in range(3):
        assert point.decide([QUESTION])[0].permit
    assert len(server.heard) == 1
    others = [
        replace(QUESTION, subject="u-2"),
        replace(QUESTION, action="update"),
        replace(QUESTION, properties={"fields": ["score"]}),
        replace(QUESTION, context={"purpose": "service", "mfa": True}),
        replace(QUESTION, subject_type="service"),
    ]
    for each in others:
        point.decide([each])
    assert len(server.heard) == 1 + len(others)


def test_another_revision_forgets_everything(make: Maker, server: Loopback) -> None:
    server.behave = revised("r1", PERMIT)
    point = make(server, keeping(LONGEST_KEPT))
    point.decide([QUESTION])
    server.behave = revised("r2", {"decision": False})
    point.decide(about(1))
    assert not point.decide([QUESTION])[0].permit


@pytest.mark.parametrize(
    ("word", "body"), [("", PERMIT), ("r1", NOTICE), ("r1", {}), ("r1", {"decision": None})]
)
def test_what_must_not_be_given_twice_is_not_kept(
    make: Maker, server: Loopback, word: str, body: Any
) -> None:
    server.behave = revised(word, body)
    point = make(server, keeping(LONGEST_KEPT))
    point.decide([QUESTION])
    point.decide([QUESTION])
    assert len(server.heard) == 2


def test_a_kept_answer_ends_with_its_time_whatever_was_heard_since() -> None:
    """A right may end by its date, without any change of the directory."""
    cache, permit = Cache(Keeping(10)), Answer(permit=True)
    assert cache.hear("r1", 0)
    cache.put(b"q", permit, "r1", 0)
    assert cache.hear("r1", 9)
    assert cache.get(b"q", 9.9) is permit
    assert cache.get(b"q", 10) is None


def test_an_answer_that_was_overtaken_is_not_kept() -> None:
    cache = Cache(Keeping(10))
    assert cache.hear("r2", 5)
    assert not cache.hear("r1", 4), "it was asked before the revision heard last"
    cache.put(b"q", Answer(permit=True), "r1", 4)
    assert cache.get(b"q", 6) is None


def test_no_more_answers_are_kept_than_asked_for() -> None:
    cache = Cache(Keeping(10, most=2))
    cache.hear("r", 0)
    for name in (b"1", b"2", b"3"):
        cache.put(name, Answer(permit=True), "r", 0)
    assert [cache.get(name, 1) is None for name in (b"1", b"2", b"3")] == [True, False, False]


# The breaker.


def test_a_breaker_rests_longer_each_time_and_lets_one_try() -> None:
    breaker = Breaker(Limits(failures=2, rest=1, longest_rest=3))
    breaker.failed(0)
    assert breaker.passes(0)
    breaker.failed(0)
    assert not breaker.passes(0.9)
    for now, rest in ((1.0, 2.0), (3.0, 3.0), (6.0, 3.0)):
        assert breaker.passes(now)
        assert not breaker.passes(now), "only one tries"
        breaker.failed(now)
        assert not breaker.passes(now + rest - 0.1)
    assert breaker.passes(9.0)
    breaker.undecided()
    assert breaker.passes(9.0)
    breaker.went_well()
    assert breaker.passes(9.0)
    assert breaker.passes(9.0)


# Lists.


def paged(pages: Sequence[Sequence[str]]) -> Any:
    def behave(heard: Heard) -> None:
        page = int(heard.json.get("page", {}).get("token", "0"))
        more = str(page + 1) if page + 1 < len(pages) else ""
        results = [{"type": heard.json["resource"]["type"], "id": each} for each in pages[page]]
        heard.answer({"page": {"next_token": more}, "results": results})

    return behave


def test_a_search_gives_every_page_and_one_call_for_each(make: Maker, server: Loopback) -> None:
    server.behave = paged([["a", "b"], [], ["c"]])
    assert list(make(server).search(QUESTION, limit=2)) == ["a", "b", "c"]
    assert server.paths == [SEARCH] * 3
    assert "id" not in server.heard[0].json["resource"]
    assert [each.json["page"]["limit"] for each in server.heard] == [2, 2, 2]


class Column:
    def in_(self, ids: list[str]) -> list[str]:
        return ids


class Statement:
    def where(self, ids: list[str]) -> list[str]:
        return ids


def test_a_query_is_narrowed_by_the_pages_of_a_search_and_never_cut(server: Loopback) -> None:
    server.behave = paged([["a", "b"], ["c"]])
    point = RemotePoint(IDENTIFIER, endpoints=_at(server), options=PATIENT)
    found = permitted(point, Statement(), QUESTION, person=Column(), most=3)
    assert found == ["a", "b", "c"]
    with pytest.raises(TooLargeError):
        permitted(point, Statement(), QUESTION, person=Column(), most=2)
    point.close()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"results": [{"type": "other", "id": "a"}]},
        {"results": [{"type": "assessment_result"}]},
        {"results": ["a"]},
        {"results": [], "page": {"next_token": 7}},
        {"results": [], "page": []},
    ],
)
def test_results_that_are_none_are_an_error(make: Maker, server: Loopback, body: Any) -> None:

    server.behave = lambda heard: heard.answer(body)
    with pytest.raises(PointUnavailableError):
        list(make(server).search(QUESTION))


def test_a_search_that_goes_in_a_wide_circle_is_an_error(make: Maker, server: Loopback) -> None:
    def behave(heard: Heard) -> None:
        given = heard.json.get("page", {}).get("token", "")
        following = {"": "a", "a": "b", "b": "a"}[given]
        heard.answer({"results": [], "page": {"next_token": following}})

    server.behave = behave
    with pytest.raises(PointUnavailableError):
        list(make(server).search(QUESTION))
    assert len(server.heard) == 3


def test_a_search_that_goes_in_circles_is_an_error(make: Maker, server: Loopback) -> None:

    server.behave = lambda heard: heard.answer({"results": [], "page": {"next_token": "t"}})
    with pytest.raises(PointUnavailableError):
        list(make(server).search(QUESTION))


# Processes.


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_asks_on_connections_of_its_own(server: Loopback) -> None:
    point = RemotePoint(IDENTIFIER, endpoints=_at(server), options=PATIENT)
    assert point.decide([QUESTION])[0].permit
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os.write(writer, b"yes" if point.decide([QUESTION])[0].permit else b"no")
        finally:
            os._exit(0)
    os.close(writer)
    assert os.read(reader, 9) == b"yes"
    os.waitpid(child, 0)
    os.close(reader)
    assert server.connections == 2
    assert point.decide([QUESTION])[0].permit
    point.close()


def test_a_point_that_speaks_no_tls_is_a_refusal(server: Loopback) -> None:
    address = server.url.replace("http:", "https:")
    there = Endpoints(address + "/x")
    point = RemotePoint(address, endpoints=there, tls=ssl.create_default_context(), options=PATIENT)
    assert point.decide([QUESTION])[0].fault
    point.close()
