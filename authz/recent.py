"""What was used lately, kept in memory within a bound."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Told = Callable[[str], Value]


class Recent(Generic[Key, Value]):
    """Values by key, of many threads; those not asked for the longest go first.

    They are kept in two halves: what is asked for comes into the younger one, and when that
    is full it becomes the older, and what nobody asked for since is gone. So finding needs no
    lock and moves little; two threads at once may at worst make the same value twice.
    """

    def __init__(self, most: int) -> None:
        """``most`` are how many are kept; 0 keeps none."""
        self._half = most // 2
        self._young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._young.keys() | self._old.keys())

    def get(self, key: Key) -> Value | None:
        """What is kept under this key."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.keep(key, found)
        return found

    def keep(self, key: Key, value: Value) -> None:
        """Keep it, in the place of what was kept under this key."""
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        if self._half:
            self._young[key] = value


def remembered(most: int, *, longest: int = 64) -> Callable[[Told[Value]], Told[Value]]:
    """Keeps what a function says of so many texts, if they have at most ``longest`` characters.

    Callers choose the names of headers, and many long ones would fill the memory.
    """

    def over(told: Told[Value]) -> Told[Value]:
        known = lru_cache(maxsize=most)(told)

        @wraps(told)
        def tell(text: str) -> Value:
            return known(text) if len(text) <= longest else told(text)

        return tell

    return over
