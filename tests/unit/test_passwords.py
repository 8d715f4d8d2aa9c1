"""What a password costs whoever guesses it, which tests do not pay (N-45)."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY

from authz.service import passwords
from tests.conftest import STRONG


def test_outside_of_tests_a_hash_has_the_second_parameters_of_rfc_9106() -> None:
    assert not STRONG.check_needs_rehash(
        PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY).hash("x")
    )
    assert STRONG.check_needs_rehash(passwords.hashed("x"))
