"""A token is believed only with its issuer, audience, time, signature and algorithm."""

from __future__ import annotations

import json
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import KeySet, OctKey, OKPKey

from authz import clock
from authz.errors import SettingError, UnauthenticatedError
from authz.middleware.bearer import Bearer, jwks_file, jwks_url
from tests.middleware.loopback import loopback
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


def test_keys_come_from_a_file_that_may_change(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(KeySet([OKPKey.generate_key("Ed25519", {"kid": "two"})]).as_dict()))
    reading = Bearer(ISSUER, AUDIENCE, jwks_file(path))
    with pytest.raises(UnauthenticatedError):
        reading.identity(f"Bearer {mint('mum')}")
    path.write_text(json.dumps(KeySet([key()]).as_dict(private=False)) + "\n")
    assert reading.identity(f"Bearer {mint('mum')}") is not None


def test_keys_come_from_an_address_and_stay_while_it_is_away() -> None:
    asked: list[str] = []
    answers = [json.dumps(KeySet([key()]).as_dict(private=False)).encode()]

    def answer(url: str) -> bytes:
        asked.append(url)
        return answers.pop() if answers else b"<h1>away</h1>"

    reading = Bearer(ISSUER, AUDIENCE, jwks_url("https://id.example.test/jwks", answer))
    for _ in range(3):
        assert reading.identity(f"Bearer {mint('mum')}") is not None
    assert len(asked) == 1
    unknown = Bearer(ISSUER, AUDIENCE, jwks_url("http://127.0.0.1:9/jwks"))
    with pytest.raises(UnauthenticatedError):
        unknown.identity(f"Bearer {mint('mum')}")


@pytest.mark.parametrize(
    "url",
    [
        "http://id.example.test/jwks", "http://127.0.0.1.example.test/jwks",
        "http://localhost.example.test/jwks", "http://127.0.0.1@example.test/jwks", "file:///jwks",
    ],
)  # fmt: skip
def test_keys_that_anybody_on_the_way_could_change_are_no_setting(url: str) -> None:
    with pytest.raises(SettingError):
        jwks_url(url)


def test_nobody_waits_for_new_keys_while_there_are_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """An issuer that hangs, and a token of an unknown key, hold up one request and no other."""
    entered, leave = Event(), Event()
    good = json.dumps(KeySet([key()]).as_dict(private=False)).encode()
    asked: list[str] = []

    def hangs_later(url: str) -> bytes:
        asked.append(url)
        if len(asked) > 1:
            entered.set()
            leave.wait(5)
        return good

    keys = jwks_url("https://id.example.test/jwks", hangs_later)
    assert keys(False)
    later = clock.monotonic() + 3600
    monkeypatch.setattr(clock, "monotonic", lambda: later)
    waits = Thread(target=keys, args=(True,))
    waits.start()
    assert entered.wait(5)
    assert keys(False)
    assert waits.is_alive()
    leave.set()
    waits.join(5)


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b"{}", b"[]", b"5"])
def test_an_address_with_no_keys_or_no_end_is_none(body: bytes) -> None:
    good = json.dumps(KeySet([key()]).as_dict(private=False)).encode()
    endless = good + b" " * 1024 * 1024
    with loopback(lambda heard: heard.answer(body or endless)) as server:
        reading = Bearer(ISSUER, AUDIENCE, jwks_url(f"{server.url}/jwks"))
        with pytest.raises(UnauthenticatedError):
            reading.identity(f"Bearer {mint('mum')}")


def test_a_file_of_keys_that_goes_away_leaves_the_last_ones(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(KeySet([key()]).as_dict(private=False)))
    reading = Bearer(ISSUER, AUDIENCE, jwks_file(path))
    assert reading.identity(f"Bearer {mint('mum')}") is not None
    for broken in ("", "{"):
        path.write_text(broken)
        assert reading.identity(f"Bearer {mint('mum')}") is not None
    path.unlink()
    assert reading.identity(f"Bearer {mint('mum')}") is not None


@pytest.mark.parametrize("payload", [b"[" * 5000, b"[]", b'"x"'])
def test_a_token_that_says_nothing_is_not_believed(payload: bytes) -> None:
    token = jws.serialize_compact({"alg": "Ed25519", "kid": "one"}, payload, key(), ["Ed25519"])
    with pytest.raises(UnauthenticatedError):
        bearer().identity(f"Bearer {token}")


def test_a_second_factor_of_another_kind_is_none() -> None:
    who = bearer(second_factor=["otp"]).identity(f"Bearer {mint('mum', amr=[{'otp': 1}, ['otp']])}")
    assert who is not None
    assert not who.mfa
