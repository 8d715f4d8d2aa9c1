"""Where the public keys of an issuer come from: a file, or an https address (4.3).

Whoever has no keys believes nobody. What was fetched is believed for a bounded time after the
last fetch that went well, however long the issuer stays away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Final
from urllib.parse import urlsplit

from joserfc.jwk import KeySet

from authz import clock
from authz.errors import KeysError, SettingError
from authz.keyfile import NO_KEYS, KeyFile, key_set
from authz.middleware.options import LOOPBACK, Limits, Options, Patience, is_address
from authz.middleware.transport import Transport
from authz.middleware.wire import Call, Fault

FRESH: Final = 300.0
"""Seconds for which fetched keys are used without asking for them anew."""
KEPT: Final = 3600.0
"""Seconds for which they are believed, from the last fetch that went well."""
PAUSE: Final = 10.0
"""Seconds between two fetches, whatever key ids the tokens name."""
SECONDS: Final = 5.0
_PATIENT: Final = Options(
    Patience(SECONDS, SECONDS, SECONDS), Limits(lanes=1, answer_bytes=1024 * 1024)
)
_log = logging.getLogger("authz.keys")
Keys = Callable[[bool], KeySet]
"""The issuer's keys, the same object while they are the same; with True, anew if that is
possible, as a token names one unknown. KeysError where there are none."""


def jwks_file(path: Path) -> Keys:
    """The keys of a JWK set in a file, read anew when the file changes; without it, none.

    :mod:`authz.keyfile` says what a file means that is being written.
    """
    file = KeyFile(path)
    return lambda _anew: file.keys()


def jwks_url(url: str, fetch: Callable[[str], bytes] | None = None, *, kept: float = KEPT) -> Keys:
    """The keys of a JWK set at an https address, asked for every :data:`FRESH` seconds.

    While it does not answer, the last ones are believed until they are ``kept`` seconds old. One
    request asks for them, and nobody else waits while there are some. SettingError where the
    address is not safe, or the time is none.
    """
    near = urlsplit(url).hostname in LOOPBACK
    if not is_address(url, ("https", "http") if near else ("https",)):
        raise SettingError("Keys come by https, from a URL without query.", where="jwks")
    if not kept > 0:
        raise SettingError("Keys are kept for more than 0 seconds.", where="kept")
    return _Address(url, fetch or _get, kept).keys


class _Address:
    """The keys that an address gave, and when."""

    def __init__(self, url: str, get: Callable[[str], bytes], kept: float) -> None:
        self._url, self._get, self._kept = url, get, kept
        self._held: tuple[float, KeySet] | None = None
        self._tried = float("-inf")
        self._guard = Lock()
        self._away = False

    def keys(self, anew: bool) -> KeySet:  # noqa: FBT001 (as Keys has it)
        """The keys; KeysError where there never were any, or none since ``kept`` seconds."""
        held = self._current()
        due = held is None or anew or clock.monotonic() >= held[0] + min(FRESH, self._kept)
        if due and self._guard.acquire(blocking=held is None):
            try:
                self._asked()
            finally:
                self._guard.release()
            held = self._current()
        if held is None:
            raise KeysError("The keys that tokens are verified by cannot be had.", where="keys")
        return held[1]

    def _current(self) -> tuple[float, KeySet] | None:
        held = self._held
        if held is None or clock.monotonic() >= held[0] + self._kept:
            return None
        return held

    def _asked(self) -> None:
        """Ask for them, unless that was done a moment ago; by one thread at a time."""
        moment = clock.monotonic()
        if moment < self._tried + PAUSE:
            return
        self._tried = moment
        try:
            found = key_set(self._get(self._url))
        except (OSError, *NO_KEYS) as error:
            self._failed(error)
            return
        self._held = (moment, found)
        if self._away:
            self._away = False
            _log.warning("%s: keys again", self._url)

    def _failed(self, error: Exception) -> None:
        """Told to the log once, until there are keys again."""
        if not self._away:
            self._away = True
            until = (
                "" if self._held is None else f"; the last are believed for {self._left():.0f} s"
            )
            _log.error("%s: no keys can be had (%s)%s", self._url, error, until)

    def _left(self) -> float:
        held = self._current()
        return 0.0 if held is None else held[0] + self._kept - clock.monotonic()


def _get(url: str) -> bytes:
    """The body at an address, without following it elsewhere; ValueError of another answer.

    All of it is here within ``SECONDS``, whatever the other side does.
    """
    transport = Transport(_PATIENT, "", None)
    try:
        reply = transport.exchange(Call(url), clock.monotonic() + SECONDS)
    finally:
        transport.close()
    if isinstance(reply, Fault):
        raise ValueError(f"{reply.reason} ({reply.detail})")
    if reply.status != HTTPStatus.OK:
        raise ValueError(f"it answered {reply.status}")
    return reply.body
