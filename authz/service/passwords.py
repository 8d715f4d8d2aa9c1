"""Passwords: hashed by argon2id, a few at a time, and hashed anew when the parameters grow (N-45).

A hash takes 64 MiB and some ten milliseconds on purpose. So no more are made at once than a
machine has room for: whoever sends many names waits in a queue, and takes no memory meanwhile.
The queue is short, since who waits holds a thread that decisions are answered by.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from authz.errors import MalformedError, TooManyError

SHORTEST: Final = 12
LONGEST: Final = 200
"""Characters of a password: the least that guessing does not reach, the most that is hashed."""
AT_ONCE: Final = 4
QUEUED: Final = 8
"""Callers who wait for their turn; one more is sent away at once."""
QUEUE_SECONDS: Final = 5
BYTES: Final = 15
"""Bytes of chance in a password that is made here."""
HASHER = PasswordHasher()
"""The parameters of new hashes: RFC 9106's second recommendation, argon2-cffi's default."""
_queue = BoundedSemaphore(AT_ONCE + QUEUED)
_room = BoundedSemaphore(AT_ONCE)


def made() -> str:
    """A password of chance, to be shown once."""
    return secrets.token_urlsafe(BYTES)


def hashed(password: str) -> str:
    """What is kept of a password; TooManyError where too many are hashed already."""
    with _turn():
        return HASHER.hash(_composed(password))


def verified(kept: str, password: str) -> bool:
    """Whether this is the password. Without a hash it is not, after the same time.

    TooManyError where too many are hashed already.
    """
    hashes = kept or nobodys()
    with _turn():
        try:
            HASHER.verify(hashes, _composed(password[: LONGEST + 1]))
        except (VerificationError, InvalidHashError):
            return False
    return bool(kept)


def renewed(kept: str, password: str) -> str | None:
    """The hash under today's parameters, where the kept one has others."""
    return hashed(password) if HASHER.check_needs_rehash(kept) else None


@cache
def nobodys() -> str:
    """A hash that no password has, so that an unknown name costs the same time."""
    return hashed(secrets.token_urlsafe(32))


def acceptable(name: str, password: str) -> None:
    """MalformedError unless the password is long enough and is not the name again."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise MalformedError(f"A password has {SHORTEST} to {LONGEST} characters.", where="new")
    if name.lower() in password.lower() or len(set(password)) < SHORTEST // 2:
        raise MalformedError("The password is too easy to guess.", where="new")


def _composed(password: str) -> str:
    """The same text from every keyboard: Thai ำ is one character here and two there."""
    return unicodedata.normalize("NFKC", password)


@contextmanager
def _turn() -> Iterator[None]:
    with _taken(_queue, 0), _taken(_room, QUEUE_SECONDS):
        yield


@contextmanager
def _taken(places: BoundedSemaphore, seconds: float) -> Iterator[None]:
    """One of the places, if one is free within so many seconds."""
    if not places.acquire(timeout=seconds):
        raise TooManyError("Too many people sign in at this moment.", wait=QUEUE_SECONDS)
    try:
        yield
    finally:
        places.release()
