"""What a compiled matcher calls while it runs: Casbin's evaluator (simpleeval), node by node.

Casbin checks the value of *every* node of a matcher for modules and forbidden functions.
Values of the types in :data:`PLAIN` cannot be either, so that compiled code asks only of
the others; the checks themselves are the evaluator's own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

import simpleeval  # type: ignore[import-untyped]

PLAIN = frozenset({int, float, str, bool, type(None), bytes, complex})
"""Types whose values can be compared by hash and need no check."""
KEYS = frozenset({int, str, bool, type(None)})
"""Types of which an index may be made: equal values have equal hashes, and equal themselves."""

PARSING = threading.RLock()
"""Held around every ``ast.parse``: on Python 3.11 two at once may raise SystemError."""

_EVALUATOR = simpleeval.EvalWithCompoundTypes(functions={})
check: Callable[[Any], None] = _EVALUATOR._check_disallowed_items  # noqa: SLF001 (no other name)
"""Casbin's evaluator's own test of a value; raises for what must not be in a matcher."""


class Uncertain(BaseException):
    """This request holds something whose comparison may not be what it seems.

    Not an ``Exception``, so that a function in a matcher cannot swallow it.
    """


class Outdated(BaseException):
    """The roles were changed while this request was looked at; it is asked again."""


def clean(value: Any) -> bool:
    """Whether Casbin would let this value into a matcher at all."""
    try:
        check(value)
    except Exception:  # noqa: BLE001 (whatever it is, Casbin itself shall raise it)
        return False
    return True


def checked(value: Any) -> Any:
    """The value, if the evaluator lets it through."""
    if type(value) not in PLAIN:
        check(value)
    return value


def tested(value: Any) -> Any:
    """The value, after it was asked for its truth, which may raise."""
    if not value:
        return value
    return value


def attribute(value: Any, name: str, text: str) -> Any:
    """``value.name``, else ``value["name"]``, as the evaluator does it."""
    try:
        item = getattr(value, name)
    except (AttributeError, TypeError):
        try:
            item = value[name]
        except (KeyError, TypeError):
            raise simpleeval.AttributeDoesNotExist(name, text) from None
    if type(item) in PLAIN:
        return item
    if isinstance(item, ModuleType):
        raise simpleeval.FeatureNotAvailable("Sorry, modules are not allowed in attribute access")
    if callable(item) and item in simpleeval.DISALLOW_FUNCTIONS:
        raise simpleeval.FeatureNotAvailable("This function is forbidden")
    check(item)
    return item


def raising(make: Callable[[], Exception]) -> Callable[[], NoReturn]:
    """A function that raises what ``make`` makes, when the place is reached and not before."""

    def fail() -> NoReturn:
        raise make()

    return fail


def wrong_size(*_: Any) -> NoReturn:
    """What stands for a policy line of another length than the definition's."""
    raise RuntimeError("invalid policy size")
