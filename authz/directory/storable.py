"""Which texts both databases can keep; an id that they cannot is nobody's (N-51)."""

from __future__ import annotations

import re
from typing import Final

_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> bool:
    """Whether a database can keep the text: no NUL, no half of a surrogate pair."""
    return not _UNSTORABLE.search(text)
