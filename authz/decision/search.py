"""A search request: an evaluation with one part left open (AuthZEN 8).

The open part is filled in so that the rest is read exactly as an evaluation is: the same
members are required, of the same types. An id that is sent for the open part is ignored,
and so is the action of an action search (8.4, 8.5, 8.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from authz.decision.request import Request, parse
from authz.errors import MalformedError

OPEN = ""
"""What stands for the open part."""


class Kind(StrEnum):
    """What is looked for."""

    SUBJECT = "subject"
    RESOURCE = "resource"
    ACTION = "action"


@dataclass(frozen=True, slots=True)
class Search:
    """A question with an open part, and which page of its answers is wanted.

    ``limit`` is None where the caller leaves it to us; ``paged`` says that they spoke of
    pages at all, so that they are told of the next one even where there is none.
    """

    kind: Kind
    request: Request
    limit: int | None = None
    token: str | None = None
    paged: bool = False


def parse_search(kind: Kind, body: object) -> Search:
    """The search that ``body`` holds; MalformedError with the path of what is wrong."""
    if not isinstance(body, dict):
        raise MalformedError("It must be a JSON object.", where="body")
    page = body.get("page")
    if page is not None and not isinstance(page, dict):
        raise MalformedError("It must be a JSON object.", where="page")
    return Search(
        kind=kind,
        request=parse({**body, kind.value: _filled(kind, body)}),
        limit=_limit(page or {}),
        token=_token(page or {}),
        paged=page is not None,
    )


def _filled(kind: Kind, body: Mapping[str, Any]) -> Any:
    if kind is Kind.ACTION:
        return {"name": OPEN}
    entity = body.get(kind.value)
    return {**entity, "id": OPEN} if isinstance(entity, dict) else entity


def _limit(page: Mapping[str, Any]) -> int | None:
    limit = page.get("limit")
    if limit is None:
        return None
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise MalformedError("It must be a whole number, 0 or more.", where="page.limit")
    return limit


def _token(page: Mapping[str, Any]) -> str | None:
    """The token; an empty one, as the last page has it, asks for the first page."""
    token = page.get("token")
    if token is not None and not isinstance(token, str):
        raise MalformedError("It must be a string.", where="page.token")
    if page.get("properties") is not None and not isinstance(page["properties"], dict):
        raise MalformedError("It must be a JSON object.", where="page.properties")
    return token or None
