"""The keeper: what is done to the trail behind the answers, again and again (N-49, N-51).

One process keeps a folder: it holds the lock of ``keeper.lock`` there. A second one waits
until the first is gone. Each step is done when it is due and once more at the end; a step
that fails is told, the others are done, and the next round tries again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Final, NamedTuple

from sqlalchemy import Engine

from authz.audit.journal_files import take_lock
from authz.config import Settings
from authz.errors import AuthzError
from authz.service import checkpoints
from authz.service.journals import catch_up, folder_of


class Step(NamedTuple):
    """Something the keeper does; ``seconds`` is how long it rests, as the settings want it."""

    name: str
    run: Callable[[Engine, Settings], object]
    seconds: Callable[[Settings], float] = lambda _: 0


STEPS: Final = (
    Step("ship", lambda store, _: catch_up(store)),
    Step("sequence", lambda store, _: checkpoints.catch_up(store)),
    Step("checkpoint", checkpoints.checkpoint, lambda settings: settings.checkpoint_seconds),
)
"""What a round does, in this order; whatever stands on shipped records comes after it."""
LOCK: Final = "keeper.lock"
_STANDBY_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


def keep(store: Engine, settings: Settings, stop: Event) -> None:
    """Do the steps when they are due until ``stop``, and once more then."""
    handle = _sole(folder(settings), stop)
    rests = {step.name: 0.0 for step in STEPS}
    try:
        while not stop.wait(settings.audit_interval):
            for name in rests:
                rests[name] -= settings.audit_interval
            due = [step for step in STEPS if rests[step.name] <= 0]
            rests |= {step.name: step.seconds(settings) for step in due}
            round_of(store, settings, due)
        round_of(store, settings)
    finally:
        if handle is not None:
            os.close(handle)


def folder(settings: Settings) -> Path:
    """The folder that one keeper keeps: of the journals, or else of the checkpoints."""
    return folder_of(settings) or settings.checkpoint_folder


def round_of(
    store: Engine, settings: Settings, steps: tuple[Step, ...] | list[Step] = STEPS
) -> list[AuthzError]:
    """Do each step once; what went wrong is logged and returned."""
    wrong: list[AuthzError] = []
    for step in steps:
        try:
            step.run(store, settings)
        except AuthzError as error:
            _log.error("%s: %s", step.name, error)
            wrong.append(error)
        except Exception:  # noqa: BLE001 (the keeper outlives the mistakes of its steps)
            _log.exception("%s failed", step.name)
            text = f"The step {step.name} of the keeper failed."
            wrong.append(AuthzError(text, hint="See its log."))
    return wrong


def _sole(place: Path, stop: Event) -> int | None:
    """The lock of the folder, waited for; nothing when it is time to stop first."""
    place.mkdir(parents=True, exist_ok=True)
    path = place / LOCK
    path.touch(mode=0o600)
    handle = take_lock(path)
    if handle is None:
        _log.info("another keeper keeps %s; standing by", place)
    while handle is None and not stop.wait(_STANDBY_SECONDS):
        handle = take_lock(path)
    return handle
