"""The name of the log, which every checkpoint is signed under."""

from __future__ import annotations

import pytest

from authz.audit.note import is_name
from authz.config import load
from authz.errors import SettingError


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://127.0.0.1:8080", "127.0.0.1:8080"),
        ("https://pdp.example.org/tenant1/", "pdp.example.org/tenant1"),
        ("https://[::1]:8443", "[::1]:8443"),
        ("https://h.test/a+b c", "h.test/a%2Bb%20c"),
    ],
)
def test_it_follows_from_the_url_that_callers_know(url: str, origin: str) -> None:
    found = load(public_url=url).origin
    assert found == origin
    assert is_name(found)


def test_it_may_be_named() -> None:
    assert load(audit_origin="log.example/authz").origin == "log.example/authz"


@pytest.mark.parametrize("name", ["a b", "a+b", "a\nb", "a\u00a0b"])
def test_a_name_that_no_note_can_carry(name: str) -> None:
    with pytest.raises(SettingError, match="AUTHZ_AUDIT_ORIGIN"):
        load(audit_origin=name)
