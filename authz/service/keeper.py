"""The keeper: what is done to the trail behind the answers, again and again (N-49, N-51).

One process keeps a folder: it holds the lock of ``keeper.lock`` there. A second one waits
until the first is gone. Each step is done in each round and once more at the end; a step
that fails is told, the others are done, and the next round tries again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Final

from sqlalchemy import Engine

from authz.audit.journal_files import take_lock
from authz.errors import AuthzError
from authz.service.journals import catch_up

Step = Callable[[Engine], object]
STEPS: Final[tuple[tuple[str, Step], ...]] = (("ship", catch_up),)
"""What a round does, in this order; whatever stands on shipped records comes after it."""
LOCK: Final = "keeper.lock"
_STANDBY_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


def keep(store: Engine, folder: Path, interval: float, stop: Event) -> None:
    """Do the steps every ``interval`` seconds until ``stop``, and once more then."""
    handle = _sole(folder, stop)
    try:
        while not stop.wait(interval):
            round_of(store)
        round_of(store)
    finally:
        if handle is not None:
            os.close(handle)


def round_of(store: Engine) -> list[AuthzError]:
    """Do each step once; what went wrong is logged and returned."""
    wrong: list[AuthzError] = []
    for name, step in STEPS:
        try:
            step(store)
        except AuthzError as error:
            _log.error("%s: %s", name, error)
            wrong.append(error)
        except Exception:  # noqa: BLE001 (the keeper outlives the mistakes of its steps)
            _log.exception("%s failed", name)
            wrong.append(AuthzError(f"The step {name} of the keeper failed.", hint="See its log."))
    return wrong


def _sole(folder: Path, stop: Event) -> int | None:
    """The lock of the folder, waited for; nothing when it is time to stop first."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    path.touch(mode=0o600)
    handle = take_lock(path)
    if handle is None:
        _log.info("another keeper keeps %s; standing by", folder)
    while handle is None and not stop.wait(_STANDBY_SECONDS):
        handle = take_lock(path)
    return handle
