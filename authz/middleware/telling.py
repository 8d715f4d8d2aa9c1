"""A refusal as an answer: a problem document, or a small page for a browser (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import Final

from authz.errors import AuthzError, TooManyError
from authz.middleware.refusals import PROBLEM, problem
from authz.recent import remembered

Headers = list[tuple[str, str]]
NO_STORE: Final = (("Cache-Control", "no-store"),)
_CACHES: Final = frozenset(
    {"cache-control", "expires", "pragma", "surrogate-control", "edge-control", "x-accel-expires"}
)
_PAGE: Final = """\
<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title></head>
<body style="font: 1.1rem/1.6 system-ui, sans-serif; max-width: 36rem; margin: 4rem auto; \
padding: 0 1rem">
<h1 style="font-size: 1.4rem">{title}</h1>
{detail}</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it leaves."""

    status: int
    headers: Headers
    body: bytes


def told(error: AuthzError, accept: str = "", languages: str = "") -> Reply:
    """The answer that this refusal is, to a client that accepts this; kept in no cache."""
    language = preferred(languages)
    status, members = problem(error, language)
    html = "text/html" in accept and "json" not in accept
    kind = "text/html; charset=utf-8" if html else PROBLEM
    body = _page(members, language) if html else json.dumps(members, ensure_ascii=False)
    headers = [
        ("Content-Type", kind),
        ("Content-Language", language),
        ("Vary", "Accept, Accept-Language"),
        *NO_STORE,
    ]
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append(("WWW-Authenticate", "Bearer"))
    if isinstance(error, TooManyError):
        headers.append(("Retry-After", str(error.wait)))
    data = body.encode()
    return Reply(status, [*headers, ("Content-Length", str(len(data)))], data)


@remembered(1024)
def caching(name: str) -> bool:
    """Whether this header says how long something is kept: to all caches, or to one kind alone.

    What is said to one kind goes before ``Cache-Control`` (RFC 9213; nginx: ``X-Accel-Expires``).
    """
    word = name.lower()
    return word in _CACHES or word.endswith("-cache-control")


def preferred(languages: str) -> str:
    """Thai or English, by an Accept-Language header; English where it names neither."""
    return max(_wishes(languages), default=(0.0, 0, "en"))[2]


def _wishes(languages: str) -> Iterator[tuple[float, int, str]]:
    """Each known language with its weight; of equal ones the first that is named."""
    for place, each in enumerate(languages.split(",")):
        tag, _, weight = each.partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language in {"th", "en"} and (wish := _weight(weight)) > 0:
            yield wish, -place, language


def _weight(text: str) -> float:
    _, _, value = text.partition("q=")
    try:
        return float(value or 1)
    except ValueError:
        return 0.0


def _page(members: dict[str, object], language: str) -> str:
    detail = members.get("detail")
    said = f"<p>{escape(str(detail))}</p>\n" if detail else ""
    return _PAGE.format(language=language, title=escape(str(members["title"])), detail=said)
