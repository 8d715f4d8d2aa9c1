"""The obligations that each rule of a pack cites: ids such as N-22, from its comments (N-23).

A comment speaks of the rules right below it, up to the next comment or an empty line.
"""

from __future__ import annotations

import re
from typing import Final

CLAUSE: Final = re.compile(r"\b[NE]-\d\d\b")


def clauses(text: str) -> dict[str, tuple[str, ...]]:
    """The ids that stand above each rule of this ``policy.csv``, by the rule's id."""
    found: dict[str, tuple[str, ...]] = {}
    cited: list[str] = []
    ruled = False
    for line in text.splitlines():
        words = line.strip()
        if not words or (ruled and words.startswith("#")):
            cited = []
        ruled = words.startswith("p,")
        if words.startswith("#"):
            cited += CLAUSE.findall(words)
        elif words.startswith("p,"):
            found[words.split(",")[1].strip()] = tuple(dict.fromkeys(cited))
    return found
