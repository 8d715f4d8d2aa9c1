"""Reads JSON strictly: what two readers could understand differently is refused.

AuthZEN 10.1.1 asks for I-JSON (RFC 7493): UTF-8, unique member names, no unpaired
surrogates, numbers that a double can hold; and no deeper than is allowed (11.7), which is
checked before anything is built. Whatever is wrong is told with the path of the member.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from math import isinf
from typing import Any, Final

from authz.errors import MalformedError

WHOLE: Final = "body"
_DIGITS: Final = 310
_SURELY: Final = 300
"""So many digits are within a double's range."""
_LARGEST: Final = int(float.fromhex("0x1.fffffffffffffp+1023"))
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS: Final = bytes.maketrans(b"{}", b"[]")
_OTHER: Final = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_UNPAIRED: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Stands where a value should be that cannot be taken."""

    message: str


def parse(data: bytes, depth: int) -> dict[str, Any]:
    """The object that these bytes spell."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise MalformedError("The body is not UTF-8.", where=WHOLE) from error
    _check_depth(data, depth)
    try:
        value = whatever(text)
    except json.JSONDecodeError as error:
        raise MalformedError(
            "The body is not JSON.",
            where=WHOLE,
            hint=f"See line {error.lineno}, column {error.colno}: {error.msg}.",
        ) from error
    except MalformedError as error:
        raise MalformedError(error.message, where=error.where or WHOLE) from error
    if not isinstance(value, dict):
        raise MalformedError("It must be a JSON object.", where=WHOLE)
    return value


def whatever(text: str) -> Any:
    """What a text spells, an object or not, for whoever bounds its depth in another way.

    Raises MalformedError with the path of what is no I-JSON, which is empty where that is the
    whole; json.JSONDecodeError where the text is not even JSON; RecursionError.
    """
    try:
        value, troubled = _QUICK.decode(text), False
    except (_StrangeError, json.JSONDecodeError):
        value, troubled = _decode(text)
    if troubled or _SURROGATE.search(text):
        where, found = _first_trouble(value)
        if found:
            raise MalformedError(found.message, where=where.removeprefix("."))
    return value


def _check_depth(data: bytes, depth: int) -> None:
    """Refuse deep nesting without following it: each round takes the innermost pairs away."""
    if data.count(b"{") + data.count(b"[") <= depth:
        return
    left = _STRING.sub(b"", data).translate(_BRACKETS, _OTHER)
    for _ in range(depth):
        shorter = left.replace(b"[]", b"")
        if len(shorter) == len(left):
            break
        left = shorter
    if b"[]" in left:
        raise MalformedError(
            "The body is nested too deeply.", where=WHOLE, hint=f"At most {depth} levels."
        )
    if left:
        raise MalformedError("The body is not JSON: a bracket is missing.", where=WHOLE)


class _StrangeError(Exception):
    """There is something that may be no I-JSON: it is to be read again, with its place."""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _StrangeError
    return found


def _whole(digits: str) -> int:
    if len(digits) > _SURELY:
        raise _StrangeError
    return int(digits)


def _real(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise _StrangeError
    return number


def _constant(_: str) -> Any:
    raise _StrangeError


_QUICK: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_int=_whole, parse_float=_real, parse_constant=_constant
)
"""Reads what has no trouble in it, and says of the rest only that it has."""


def _decode(text: str) -> tuple[Any, bool]:
    """The value, and whether a :class:`_Trouble` is in it."""
    troubles: list[_Trouble] = []

    def trouble(message: str) -> _Trouble:
        troubles.append(_Trouble(message))
        return troubles[-1]

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            times = Counter(name for name, _ in pairs)
            twice = next(name for name in found if times[name] > 1)
            found[twice] = trouble("The member stands there twice.")
        return found

    def whole(digits: str) -> int | _Trouble:
        if len(digits) <= _DIGITS and abs(number := int(digits)) <= _LARGEST:
            return number
        return trouble("The number is too large.")

    def real(digits: str) -> float | _Trouble:
        number = float(digits)
        return trouble("The number is too large.") if isinf(number) else number

    def constant(name: str) -> _Trouble:
        return trouble(f"{name} is no JSON.")

    decoder = json.JSONDecoder(
        object_pairs_hook=members, parse_int=whole, parse_float=real, parse_constant=constant
    )
    return decoder.decode(text), bool(troubles)


def _first_trouble(value: Any) -> tuple[str, _Trouble | None]:
    """The first trouble, those of names included, and its path from here.

    The path is made on the way back. On the way down, a long name would be copied for each of
    a million members that have no trouble.
    """
    if isinstance(value, _Trouble):
        return "", value
    if isinstance(value, str):
        return "", _alone(value)
    if isinstance(value, list):
        for number, each in enumerate(value):
            where, found = _first_trouble(each)
            if found:
                return f"[{number}]{where}", found
    elif isinstance(value, dict):
        for name, each in value.items():
            if found := _alone(name):
                return "", found
            where, found = _first_trouble(each)
            if found:
                return f".{name}{where}", found
    return "", None


def _alone(text: str) -> _Trouble | None:
    return _Trouble("A surrogate stands alone.") if _UNPAIRED.search(text) else None
