"""A token is believed only with its issuer, audience, time, signature and algorithm."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet, OctKey, OKPKey

from authz.errors import SettingError, UnauthenticatedError
from authz.middleware.bearer import Bearer
from tests.middleware.signing import AUDIENCE, ISSUER, bearer, key, mint, unsigned


def test_a_good_token_says_who_is_signed_in() -> None:
    who = bearer(second_factor=["otp"]).identity(f"Bearer {mint('mum', amr=['pwd', 'otp'])}")
    assert who is not None
    assert (who.id, who.type, who.mfa) == ("mum", "user", True)
    assert not bearer().identity(f"bearer {mint('mum')}").mfa  # type: ignore[union-attr]
    assert bearer().identity("") is None


FAR = 32_503_680_000
"""The year 3000: a moment that is the same for every process that collects the tests."""


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example.test"}, {"iss": None}, {"aud": "other"}, {"aud": None},
        {"aud": []}, {"exp": None}, {"exp": 1}, {"exp": "never"}, {"sub": None}, {"sub": ""},
        {"sub": 7}, {"nbf": FAR},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_with_other_claims_is_not_believed(claims: dict[str, Any]) -> None:
    with pytest.raises(UnauthenticatedError):
        bearer().identity(f"Bearer {mint('mum', **claims)}")


def test_a_token_signed_by_another_or_by_nobody_is_not_believed() -> None:
    stranger = OKPKey.generate_key("Ed25519", {"kid": "one"})
    public = json.dumps(key().as_dict(private=False))
    secret = OctKey.import_key(public, {"kid": "one"})
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "mum", "exp": int(time.time()) + 60}
    confused = jwt.encode({"alg": "HS256", "kid": "one"}, claims, secret)
    for token in (mint("mum", by=stranger), unsigned("mum"), confused, "x", "a.b.c", ""):
        with pytest.raises(UnauthenticatedError):
            bearer().identity(f"Bearer {token}")


@pytest.mark.parametrize(
    "header", ["Bearer", "Basic eDp5", "Bearer a b", "Bearer a, Bearer b", "Bearer\t{}", "{}"]
)
def test_a_header_of_another_form_is_not_believed(header: str) -> None:
    with pytest.raises(UnauthenticatedError):
        bearer().identity(header.format(mint("mum")))


@pytest.mark.parametrize(
    "wrong",
    [{"issuer": ""}, {"audience": ""}, {"algorithms": ["HS256"]}, {"algorithms": ["none"]}],
    ids=str,
)
def test_what_proves_nothing_is_no_setting(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        Bearer(
            **{"issuer": ISSUER, "audience": AUDIENCE, "keys": lambda _anew: KeySet([]), **wrong}
        )


@pytest.mark.parametrize("payload", [b"[" * 5000, b"[]", b'"x"'])
def test_a_token_that_says_nothing_is_not_believed(payload: bytes) -> None:
    token = jws.serialize_compact({"alg": "Ed25519", "kid": "one"}, payload, key(), ["Ed25519"])
    with pytest.raises(UnauthenticatedError):
        bearer().identity(f"Bearer {token}")


def test_a_second_factor_of_another_kind_is_none() -> None:
    who = bearer(second_factor=["otp"]).identity(f"Bearer {mint('mum', amr=[{'otp': 1}, ['otp']])}")
    assert who is not None
    assert not who.mfa
