"""The endpoint by which a single-page application asks what it may show.

``POST {"questions": [{"action", "category", "person", "purpose"?}]}`` is answered by
``{"answers": [true, false]}``, for whoever is signed in and for nobody else: the subject is
never taken from the body. An answer is for what the page shows of itself; the data are asked
for anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from authz.errors import AuthzError, MalformedError, TooLargeError, UnauthenticatedError
from authz.middleware.gateway import strict
from authz.middleware.guard import Guard
from authz.middleware.identity import Identity
from authz.middleware.pages import may
from authz.middleware.telling import NO_STORE, Reply, told

MOST: Final = 200
LARGEST: Final = 256 * 1024
REQUIRED: Final = ("action", "category", "person")
MEMBERS: Final = frozenset({*REQUIRED, "purpose"})
Key = tuple[str, str, str, str]


def answer(
    guard: Guard,
    who: Callable[[], Identity | None],
    kind: str,
    body: bytes,
    wishes: tuple[str, str] = ("", ""),
) -> Reply:
    """The answer to one request, with this media type and body."""
    try:
        known = signed_in(who())
        return said(may(guard, known, questions(kind, body)))
    except AuthzError as error:
        return told(error, *wishes)


def questions(kind: str, body: bytes) -> list[Key]:
    """The questions of a body; MalformedError or TooLargeError of what is none.

    A form of another site can send no JSON without being asked first, hence the media type.
    """
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise MalformedError("It must be application/json.", where="Content-Type")
    if len(body) > LARGEST:
        raise TooLargeError("The body is too large.")
    document = strict.parse(body)
    if not isinstance(document, dict) or document.keys() != {"questions"}:
        raise MalformedError("It holds questions, and nothing else.", where="body")
    listed = document["questions"]
    if not isinstance(listed, list):
        raise MalformedError("It must be a list.", where="questions")
    if len(listed) > MOST:
        raise TooLargeError(f"There are more than {MOST} questions.", where="questions")
    return [_key(each, place) for place, each in enumerate(listed)]


def said(answers: list[bool]) -> Reply:
    """The answers as they leave; kept in no cache."""
    body = json.dumps({"answers": answers}).encode()
    headers = [("Content-Type", "application/json"), *NO_STORE]
    return Reply(200, [*headers, ("Content-Length", str(len(body)))], body)


def signed_in(who: Identity | None) -> Identity:
    """Whoever is signed in; UnauthenticatedError where nobody is."""
    if who is None:
        raise UnauthenticatedError("Nobody is signed in.")
    return who


def _key(one: Any, place: int) -> Key:
    where = f"questions[{place}]"
    if not isinstance(one, dict) or not one.keys() <= MEMBERS:
        raise MalformedError(f"It holds {', '.join(sorted(MEMBERS))} alone.", where=where)
    texts = [one.get(name, "") for name in (*REQUIRED, "purpose")]
    if not all(isinstance(text, str) for text in texts) or not all(texts[:3]):
        raise MalformedError(f"{', '.join(REQUIRED)} are texts.", where=where)
    action, category, person, purpose = texts
    return action, category, person, purpose
