"""What an enforcer says about an answer, and about what it could not compile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Uncompiled(NamedTuple):
    """Something that Casbin's own evaluation answers: the matcher's name and text, and why.

    Where it is one rule alone, ``columns`` are those of its columns that hold expressions.
    """

    matcher: str
    text: str
    reason: str
    columns: tuple[str, ...] = ()


class Explanation(list[Any]):
    """The rule that Casbin names, and :attr:`rules`: all that have the answer's effect.

    A list equal to Casbin's, so that code and tests written for Casbin find what they know.
    """

    def __init__(self, rule: list[Any], find: Callable[[], list[list[Any]]]) -> None:
        super().__init__(rule)
        self._find = find

    @property
    def rules(self) -> list[list[Any]]:
        """All deciding rules, in the order of the policy; found when they are asked for."""
        return self._find()

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)
