"""A place in JSON by the names on the way to it (RFC 6901), through objects alone."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_WRITTEN: Final = re.compile(r"(?:/(?:[^~/]|~[01])+)*")
Way = tuple[str, ...]
"""The names from the outside in; none for the whole."""


@lru_cache(maxsize=1024)
def read(text: str) -> Way:
    """The names of ``/data/items``; ValueError where it is no such place."""
    if not _WRITTEN.fullmatch(text):
        raise ValueError("a place is written as in /data/items, and is empty for the whole")
    return tuple(each.replace("~1", "/").replace("~0", "~") for each in text.split("/")[1:])
