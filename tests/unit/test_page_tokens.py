"""A page token is good for its own question and for nothing that anybody can make of it."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz.errors import MalformedError
from authz.service.page_tokens import LIFETIME, Place, seal, unseal

KEY = b"k" * 32
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PLACE = Place("student-7", 3)
BOUND: list[Any] = ["resource", "client", {"purpose": "service"}]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def claims(token: str) -> list[Any]:
    text = token.partition(".")[0]
    found: list[Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def forged(token: str, *said: object) -> str:
    """The same signature under other claims."""
    text = urlsafe_b64encode(json.dumps(said, separators=(",", ":")).encode()).rstrip(b"=")
    return f"{text.decode()}.{token.partition('.')[2]}"


def refused(token: str, bound: Any = BOUND, now: datetime = NOW, key: bytes = KEY) -> None:
    with pytest.raises(MalformedError) as caught:
        unseal(key, token, bound, now)
    assert caught.value.where == "page.token"


@given(st.text(max_size=30), st.integers(0, 5000), JSON)
def test_what_was_sealed_is_told_until_it_expires(after: str, limit: int, bound: Any) -> None:
    token = seal(KEY, Place(after, limit), bound, NOW)
    last = NOW + LIFETIME - timedelta(seconds=1)
    assert unseal(KEY, token, bound, last) == Place(after, limit)
    refused(token, bound, NOW + LIFETIME)


@given(JSON, JSON)
def test_no_other_question_opens_it(one: Any, other: Any) -> None:
    assume(json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True))
    refused(seal(KEY, PLACE, one, NOW), other)


@given(st.data())
def test_no_change_of_a_letter_is_believed(data: st.DataObject) -> None:
    """Base64 has letters of which some bits do not count: they are no other spelling either."""
    token = seal(KEY, PLACE, BOUND, NOW)
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(codec="ascii") | st.sampled_from("AB-_.=+/ \n"))
    assume(letter != token[at])
    refused(token[:at] + letter + token[at + 1 :])


@given(st.text(max_size=80))
def test_whatever_is_sent_is_refused_and_never_an_error(text: str) -> None:
    refused(text)
    refused("x" + text)


def test_claims_cannot_be_changed_under_a_signature() -> None:
    token = seal(KEY, PLACE, BOUND, NOW)
    after, limit, until = claims(token)
    assert forged(token, after, limit, until) == token
    refused(forged(token, "", limit, until))
    refused(forged(token, after, 1000, until))
    refused(forged(token, after, limit, until + 3600), now=NOW + LIFETIME)
    refused(forged(token, after, limit))
    refused(forged(token))


def test_two_tokens_cannot_be_put_together() -> None:
    one, other = seal(KEY, PLACE, BOUND, NOW), seal(KEY, Place("student-9", 3), BOUND, NOW)
    refused(f"{one.partition('.')[0]}.{other.partition('.')[2]}")
    refused(f"{other.partition('.')[2]}.{one.partition('.')[0]}")


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"K" * 32])
def test_another_key_opens_nothing(key: bytes) -> None:
    refused(seal(KEY, PLACE, BOUND, NOW), key=key)


def test_a_token_tells_nothing_of_the_question() -> None:
    """Who reads a log of addresses learns where a page begins, and not what was asked."""
    assert claims(seal(KEY, PLACE, BOUND, NOW)) == ["student-7", 3, 1780318800]
