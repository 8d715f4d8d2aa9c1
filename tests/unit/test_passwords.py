"""What a password costs whoever guesses it, which tests do not pay (N-45)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY

from authz.errors import TooManyError
from authz.service import passwords
from tests.conftest import STRONG
from tests.waiting import until


def test_outside_of_tests_a_hash_has_the_second_parameters_of_rfc_9106() -> None:
    assert not STRONG.check_needs_rehash(
        PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY).hash("x")
    )
    assert STRONG.check_needs_rehash(passwords.hashed("x"))


def test_the_queue_is_short_and_who_finds_it_full_is_sent_away_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A flood of passwords holds no more threads than there are places (N-51)."""
    kept = passwords.hashed("another")
    monkeypatch.setattr(passwords, "QUEUE_SECONDS", 600)
    with ThreadPoolExecutor(passwords.QUEUED) as pool:
        with ExitStack() as full:
            for _ in range(passwords.AT_ONCE):
                full.enter_context(passwords._turn())
            waiting = [pool.submit(passwords.verified, kept, "x") for _ in range(passwords.QUEUED)]
            until(lambda: not passwords._queue._value)
            with pytest.raises(TooManyError):
                passwords.verified(kept, "x")
        assert [each.result() for each in waiting] == [False] * passwords.QUEUED
    assert not passwords.verified(kept, "x")
