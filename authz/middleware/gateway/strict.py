"""JSON that has one reading: UTF-8, each name once, and no numbers that are none."""

from __future__ import annotations

import json
from typing import Any, Final

from authz.errors import MalformedError

WHOLE: Final = "body"


def parse(data: bytes) -> Any:
    """The value that these bytes spell; MalformedError where two readers could differ."""
    try:
        text = data.decode()
        value = _decode(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError("The body is not JSON that has one reading.", where=WHOLE) from error
    return value


def spell(value: Any) -> bytes:
    """The bytes of a value, in UTF-8; MalformedError where a number or text of it has none."""
    try:
        return _encode(value).encode()
    except ValueError as error:
        raise MalformedError("The body is not JSON that has one reading.", where=WHOLE) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands there twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


_decode: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_number).decode
_encode: Final = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False
).encode
