"""Whether a record could be written lately: so that nobody tries again for each who asks.

To try costs the write lock and a forced write, and `/readyz` asks for no token. What was tried
counts for :data:`KEPT` seconds in this process, and no longer than until a record fails.
"""

from __future__ import annotations

import os
from typing import Final
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from authz import clock

KEPT: Final = 2.0
"""Seconds; whoever looks after a service asks less often."""
_at: WeakKeyDictionary[Engine, float] = WeakKeyDictionary()


def lately(engine: Engine) -> bool:
    """Whether it was tried a moment ago, and nothing has failed since."""
    at = _at.get(engine)
    return at is not None and clock.monotonic() - at < KEPT


def note(engine: Engine) -> None:
    """A record could be written now."""
    _at[engine] = clock.monotonic()


def doubt() -> None:
    """A record could not be written: what was tried before says nothing any more."""
    _at.clear()


os.register_at_fork(after_in_child=doubt)
