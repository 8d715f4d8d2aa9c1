"""The public keys of somebody whose tokens are believed, in a file: no file, no keys (4.3).

A file that is away, or cannot be read, takes its keys with it at once, and gives them back when it
is there again: nothing has to be started anew. A file that can be read and holds no JWK set is one
that an editor cuts off and writes anew; its last keys are believed for :data:`BRIEF` seconds more.
Whoever puts the new file in place by a rename has neither moment.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from threading import Lock
from typing import Final

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from authz import clock
from authz.errors import KeysError

BRIEF: Final = 5.0
"""Seconds for which a file that holds no JWK set leaves its last keys believed."""
SETTLED: Final = 2_000_000
"""Microseconds after which a file's time is surely another than that of its next change."""
LARGEST: Final = 1024 * 1024
NO_KEYS: Final = (ValueError, KeyError, TypeError, AttributeError, JoseError, RecursionError)
"""What is raised by bytes that are no JWK set."""
State = tuple[int, int, int]
"""What changes when a file does: its time in nanoseconds, its length, its number."""
_log = logging.getLogger("authz.keys")


def key_set(raw: bytes) -> KeySet:
    """The JWK set that these bytes are, which may be empty: then nobody is believed, at once.

    One of :data:`NO_KEYS` where they are none.
    """
    members = json.loads(raw)
    if isinstance(members, dict) and members.get("keys") == []:
        return KeySet([])
    return KeySet.import_key_set(members)


class KeyFile:
    """The keys of one file; safe for threads."""

    def __init__(self, path: Path) -> None:
        """Nothing is read before the keys are asked for."""
        self.path = path
        self._guard = Lock()
        self._refused = 0
        self._raw = b""
        self._found: KeySet | None = None
        self._seen: State | None = None
        self._whole = False
        self._broken: float | None = None
        self._outage: int | None = None

    def keys(self) -> KeySet:
        """The keys, the same object for as long as they are the same; KeysError without any."""
        with self._guard:
            try:
                state = self._state()
                if state != self._seen:
                    self._read(state)
            except OSError as error:
                self._lost()
                raise self._none(error) from error
            if self._whole and self._found is not None:
                self._well()
                return self._found
            return self._brief()

    def _state(self) -> State:
        status = os.stat(self.path)  # noqa: PTH116 (a third of Path.stat)
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self, state: State) -> None:
        """Read the file; looked at again until its time tells it from its next change."""
        with self.path.open("rb") as file:
            raw = file.read(LARGEST + 1)
        self._whole = True
        if self._found is None or raw != self._raw:
            try:
                if len(raw) > LARGEST:
                    raise ValueError("it is too large")
                self._found, self._raw = key_set(raw), raw
            except NO_KEYS:
                self._whole = False
        self._seen = state if clock.microseconds() - state[0] // 1000 > SETTLED else None

    def _brief(self) -> KeySet:
        """The last keys, while the file is being written; KeysError once that takes too long."""
        now = clock.monotonic()
        if self._broken is None:
            self._broken = now
        if self._found is None or now >= self._broken + BRIEF:
            self._found = None
            raise self._none(ValueError("it holds no JWK set"))
        return self._found

    def _lost(self) -> None:
        self._found, self._seen, self._whole = None, None, False

    def _none(self, error: Exception) -> KeysError:
        """Told to the log once, until there are keys again."""
        self._refused += 1
        if self._outage is None:
            self._outage = self._refused - 1
            why = error.strerror if isinstance(error, OSError) else str(error)
            _log.error("%s: no keys (%s); no token of theirs is believed", self.path, why)
        return KeysError("The keys that tokens are verified by cannot be read.", where="keys")

    def _well(self) -> None:
        self._broken = None
        if self._outage is not None:
            refused, self._outage = self._refused - self._outage, None
            _log.warning("%s: keys again; %d tokens were refused", self.path, refused)
