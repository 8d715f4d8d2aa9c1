"""A batch of questions out of one body (AuthZEN 7, "boxcar").

What stands at the top is the default of what an item leaves out, a whole entity at a time
and never a part of one (7.1.1); only the merged item is looked at, so that an incomplete
default hurts nobody. An item that is no question is refused in its place, alone (7.2.1).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from authz.decision.request import MEMBERS, Request, parse
from authz.errors import MalformedError, TooLargeError
from authz.service.decided import Semantic

ITEMS: Final = "evaluations"
OPTIONS: Final = "options"
SEMANTIC: Final = "evaluations_semantic"


LARGEST: Final = 16 * 1024 * 1024
"""Bytes that the defaults come to in all evaluations: a small body must not become a huge one."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The items in their order, and when to stop."""

    items: Sequence[Request | MalformedError]
    semantic: Semantic


def read(body: Mapping[str, Any], most: int) -> Batch | None:
    """The batch of a body; none where it is to be answered as a single question (7.1)."""
    items = body.get(ITEMS)
    if items is None or items == []:
        return None
    if not isinstance(items, list):
        raise MalformedError("It must be a JSON array.", where=ITEMS)
    if len(items) > most:
        raise TooLargeError(
            "There are too many evaluations.", where=ITEMS, hint=f"At most {most} in a batch."
        )
    semantic = _semantic(body)
    for name in MEMBERS:
        if body.get(name) is not None and not isinstance(body[name], dict):
            raise MalformedError("It must be a JSON object.", where=name)
    if len(items) * _size(body) > LARGEST:
        raise TooLargeError(
            "The defaults are too large for so many evaluations.",
            where=ITEMS,
            hint=f"At most {LARGEST} bytes once every evaluation has them.",
        )
    return Batch([_item(body, each, number) for number, each in enumerate(items)], semantic)


def _size(body: Mapping[str, Any]) -> int:
    """How long the defaults are as JSON: each evaluation is recorded with them."""
    return len(json.dumps([body[name] for name in MEMBERS if name in body]))


def _semantic(body: Mapping[str, Any]) -> Semantic:
    options = body.get(OPTIONS)
    if options is None:
        return Semantic.EXECUTE_ALL
    if not isinstance(options, dict):
        raise MalformedError("It must be a JSON object.", where=OPTIONS)
    asked = options.get(SEMANTIC)
    if asked is None:
        return Semantic.EXECUTE_ALL
    try:
        return Semantic(asked)
    except ValueError as error:
        raise MalformedError(
            "The semantic is unknown.", where=f"{OPTIONS}.{SEMANTIC}", hint=", ".join(Semantic)
        ) from error


def _item(body: Mapping[str, Any], item: Any, number: int) -> Request | MalformedError:
    where = f"{ITEMS}[{number}]"
    if not isinstance(item, dict):
        return MalformedError("It must be a JSON object.", where=where)
    merged = {
        name: item[name] if item.get(name) is not None else body.get(name) for name in MEMBERS
    }
    try:
        return parse(merged, f"{where}.")
    except MalformedError as error:
        return error
