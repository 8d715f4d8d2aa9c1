"""Who uses the application, as far as the application has made sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """The one who is signed in: ``type`` is ``user`` for a person, else ``service`` (2.4).

    ``mfa`` says that a second factor was shown; the point believes it only of applications
    that may assert it (page 5). ``claims`` are for the application and are never sent.
    """

    id: str
    type: str = "user"
    mfa: bool = False
    claims: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
