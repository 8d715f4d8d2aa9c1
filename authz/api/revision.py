"""Of which state an answer is: policy, settings and directory, as one opaque word.

Two answers with the same word follow from the same rules and facts, so a caller may know by it
that what it keeps is of another state (docs/explanation/client.md). It says nothing of the
time, by which a right may end as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from authz.api.plain import REVISION, Answer
from authz.directory.facts import Place
from authz.service.decide import DecisionPoint
from authz.service.decided import Decided


def put(made: Answer, point: DecisionPoint, decided: Sequence[Decided]) -> Answer:
    """The answer with the header; without it where nothing was decided."""
    found = next((one.revision for one in decided if one.revision is not None), None)
    if found is not None:
        made.headers[REVISION] = word(point.policy.digest, point.place, found)
    return made


@lru_cache(maxsize=256)
def word(digest: str, place: Place, revision: int | None) -> str:
    """The word for this policy, these settings and this revision of the directory."""
    said = f"{digest} {place} {revision}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]
