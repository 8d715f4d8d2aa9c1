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
from threading import Event, Thread
from typing import Final, NamedTuple

from sqlalchemy import Engine

from authz import clock
from authz.audit.journal_files import take_lock
from authz.config import Settings
from authz.errors import AuthzError
from authz.measures import DONE, KEEPERS
from authz.measures import STEPS as STEPS_FAILED
from authz.service import bulk_reading, checkpoints, delivery, ways_in_notices
from authz.service.journals import catch_up, folder_of
from authz.service.overview import counted
from authz.service.reviews import keeping as reviews


class Step(NamedTuple):
    """Something the keeper does; ``seconds`` is how long it rests, as the settings want it.

    One that may take long is done ``aside``, in a thread, and the others do not wait for it.
    """

    name: str
    run: Callable[[Engine, Settings], object]
    seconds: Callable[[Settings], float] = lambda _: 0
    aside: bool = False


STEPS: Final = (
    Step("ship", lambda store, _: catch_up(store)),
    Step("count", lambda store, _: counted(store)),
    Step("sequence", lambda store, _: checkpoints.sequence_all(store)),
    Step("checkpoint", checkpoints.checkpoint, lambda settings: settings.checkpoint_seconds),
    Step("bulk reading", bulk_reading.keep, lambda _: WATCH_SECONDS, aside=True),
    Step("reviews", reviews.keep, lambda _: REVIEW_SECONDS, aside=True),
    Step("ways in", ways_in_notices.deliver, lambda _: REVIEW_SECONDS, aside=True),
    Step("deliver", delivery.deliver),
)
"""What a round does, in this order; whatever stands on shipped records comes after it."""
WATCH_SECONDS: Final = 300.0
REVIEW_SECONDS: Final = 60.0
END_SECONDS: Final = 10.0
"""How long receivers are waited for at the end; what they did not get, they get next time."""
LOCK: Final = "keeper.lock"
_STANDBY_SECONDS: Final = 1.0

_threads: dict[str, Thread] = {}
_log = logging.getLogger(__name__)


def keep(store: Engine, settings: Settings, stop: Event) -> None:
    """Do the steps when they are due until ``stop``, and once more then."""
    handle = _sole(folder(settings), stop)
    KEEPERS.add()
    rests = {step.name: 0.0 for step in STEPS}
    try:
        while not stop.wait(settings.audit_interval):
            for name in rests:
                rests[name] -= settings.audit_interval
            due = [step for step in STEPS if rests[step.name] <= 0]
            rests |= {step.name: step.seconds(settings) for step in due}
            aside = [step for step in due if step.aside]
            round_of(store, settings, [step for step in due if not step.aside])
            _aside(store, settings, aside)
        round_of(store, settings, [step for step in STEPS if not step.aside])
        delivery.join(store, END_SECONDS)
    finally:
        if handle is not None:
            os.close(handle)


def once(store: Engine, settings: Settings) -> list[AuthzError]:
    """One round, and what receivers can be sent in some seconds; what went wrong."""
    wrong = round_of(store, settings)
    delivery.join(store, END_SECONDS)
    return wrong


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
            STEPS_FAILED.add(step.name)
            wrong.append(error)
        except Exception:  # noqa: BLE001 (the keeper outlives the mistakes of its steps)
            _log.exception("%s failed", step.name)
            STEPS_FAILED.add(step.name)
            text = f"The step {step.name} of the keeper failed."
            wrong.append(AuthzError(text, hint="See its log."))
        else:
            DONE.at(clock.now().timestamp(), step.name)
    return wrong


def _aside(store: Engine, settings: Settings, steps: list[Step]) -> None:
    """Do the steps in a thread of their own; one that is not done yet is left to go on."""
    for step in steps:
        before = _threads.get(step.name)
        if before is None or not before.is_alive():
            doing = Thread(target=round_of, args=(store, settings, [step]), daemon=True)
            _threads[step.name] = doing
            doing.start()


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
