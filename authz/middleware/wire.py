"""What goes over the wire and what it means, without sending anything: AuthZEN's JSON (7, 8, 9).

An answer is believed only if all of it is as it should be: status 200, JSON of a bounded size,
and in a batch an answer for each question. Anything else is a :class:`Fault`, which refuses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from authz.middleware.answer import RUBBISH, UNAVAILABLE, Answer
from authz.middleware.options import Endpoints, Remote, is_address, origin
from authz.middleware.question import Question

REVISION: Final = "x-authz-revision"
DECISION_ID: Final = "x-decision-id"
BY_POINT: Final = "obligations_carried_out"
"""The member of our metadata that names what the point carries out itself (page 5)."""
OK: Final = 200
OURS: Final = frozenset({400, 413, 422})
"""Statuses that speak of what was sent, not of the point."""
_DEEP: Final = 100


@dataclass(frozen=True, slots=True)
class Call:
    """One exchange: a POST of JSON, or a GET where there is no body."""

    url: str
    body: bytes | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever its status; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """No answer. ``again``: surely nothing was done with the question, so it may be sent anew.

    ``ours`` says that what was sent is at fault, and not the point. ``detail`` is for the log.
    """

    reason: str
    detail: str
    again: bool = False
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """The answers of one exchange, in the order of its questions, and the point's revision."""

    answers: list[Answer]
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a search: ids, and the token of the next page, empty on the last."""

    ids: list[str]
    next_token: str = ""


def single(question: Question) -> bytes:
    """The body of one question."""
    return _encoded(question.to_wire())


def batch(questions: Sequence[Question]) -> bytes:
    """The body of several: each is answered, whatever the others come to (7.1.2)."""
    items = [question.to_wire() for question in questions]
    return _encoded({"evaluations": items, "options": {"evaluations_semantic": "execute_all"}})


def apart(questions: Sequence[Question]) -> list[list[int]]:
    """The places of questions that may go together where items are not independent.

    In none of the groups is a subject or resource described in two ways.
    """
    groups: list[tuple[dict[tuple[str, ...], bytes], list[int]]] = []
    for place, question in enumerate(questions):
        name = (question.subject_type, question.subject, question.category, question.person)
        said = replace(question, action="").key()
        for described, places in groups:
            if described.setdefault(name, said) == said:
                places.append(place)
                break
        else:
            groups.append(({name: said}, [place]))
    return [places for _, places in groups]


def search(question: Question, token: str, limit: int | None) -> bytes:
    """The body of a search for the people that the question is permitted for (8.4)."""
    wire = question.to_wire()
    del wire["resource"]["id"]
    page = {name: value for name, value in (("token", token), ("limit", limit)) if value}
    return _encoded({**wire, "page": page} if page else wire)


def answers(reply: Reply, count: int, by_point: frozenset[str], *, one: bool) -> Told | Fault:
    """The answers to ``count`` questions, sent as ``one`` body or as a batch."""
    body = document(reply)
    if isinstance(body, Fault):
        return body
    revision = reply.headers.get(REVISION, "")
    if one:
        place = reply.headers.get(DECISION_ID, "")
        found = Answer.from_wire(body, by_point=by_point, decision_id=place)
        return _rubbish("no decision") if found.reason == RUBBISH else Told([found], revision)
    items = body.get("evaluations")
    if not isinstance(items, list) or len(items) != count:
        return _rubbish("not an answer for each question")
    return Told([Answer.from_wire(item, by_point=by_point) for item in items], revision)


def page(reply: Reply, kind: str) -> Page | Fault:
    """A page of resources of this type; a fault where it holds anything else."""
    body = document(reply)
    if isinstance(body, Fault):
        return body
    results, turn = body.get("results"), body.get("page")
    if not isinstance(results, list) or not isinstance(turn, dict | None):
        return _rubbish("no results")
    following = (turn or {}).get("next_token", "")
    ids = [
        each.get("id") for each in results if isinstance(each, dict) and each.get("type") == kind
    ]
    texts = [each for each in ids if isinstance(each, str)]
    if len(texts) != len(results) or not isinstance(following, str):
        return _rubbish("results of another kind")
    return Page(texts, following)


def endpoints(reply: Reply, remote: Remote) -> Endpoints | Fault:
    """Where the point is asked; a fault where the metadata is another point's (9.1, 9.3).

    It may name endpoints of any host. Questions are about people and carry a token, so they go to
    the point's own origin, and to those that the application has named.
    """
    body = document(reply)
    if isinstance(body, Fault):
        return Fault(body.reason, f"metadata: {body.detail}")
    if body.get("policy_decision_point") != remote.identifier:
        return _rubbish("metadata of another point")
    names = ("access_evaluation", "access_evaluations", "search_resource")
    told = [body.get(f"{name}_endpoint", "") for name in names]
    if elsewhere := _elsewhere(told, remote):
        return _rubbish(f"metadata that names {elsewhere}, which is none of its origins")
    known = [remote.here(each) if isinstance(each, str) else "" for each in told]
    if not known[0] or any(each and not here for each, here in zip(told, known, strict=True)):
        return _rubbish("metadata without usable endpoints")
    done = body.get(BY_POINT)
    ours = isinstance(done, list)
    by_point = frozenset(each for each in done or () if isinstance(each, str)) if ours else None
    return Endpoints(
        *(known[0], known[1], known[2]), by_point=by_point or frozenset(), independent=ours
    )


def _elsewhere(told: Sequence[Any], remote: Remote) -> str:
    """An origin that the metadata names, and the application does not; empty without one."""
    safe = (each for each in told if is_address(each, ("https",)))
    return next((origin(each) for each in safe if not remote.here(each)), "")


def document(reply: Reply) -> dict[str, Any] | Fault:
    """The JSON object that a good answer is."""
    if reply.status != OK:
        return _status(reply.status)
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return _rubbish("no JSON by its content type")
    try:
        body = json.loads(reply.body.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return _rubbish("no JSON")
    return body if isinstance(body, dict) else _rubbish("no JSON object")


def _status(status: int) -> Fault:
    if status in OURS:
        return Fault(RUBBISH, f"status {status}: the question is not accepted", ours=True)
    if status in (401, 403):
        return Fault(UNAVAILABLE, f"status {status}: the token is not accepted")
    kind = RUBBISH if status < 400 else UNAVAILABLE  # noqa: PLR2004 (a redirect and the like)
    return Fault(kind, f"status {status}")


def _rubbish(detail: str) -> Fault:
    return Fault(RUBBISH, detail)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names stand there once: of two, each reader might take another."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
