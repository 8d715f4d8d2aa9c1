"""Callers' tokens: given, believed, taken back; keys made once and rotated (4.3)."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, KeySet, OctKey, OKPKey, RSAKey

from authz import clock
from authz.audit import trail
from authz.config import Settings, load
from authz.config.parties import TrustedIssuer
from authz.errors import (
    ForbiddenError,
    MalformedError,
    NotFoundError,
    SettingError,
    UnauthenticatedError,
)
from authz.service import belief, keys, tokens
from authz.service.database import reading
from tests.api.conftest import EVALUATION, Client, open_client, question
from tests.api.server import ROOT
from tests.waiting import PATIENCE

HOUR = timedelta(hours=1)
ISSUER = "https://idp.test"
AUDIENCE = "https://pdp.example.test/api"


def _caller(client: Client, token: str, now: datetime | None = None) -> Any:
    return tokens.authenticate(client.store, client.settings, f"Bearer {token}", now or clock.now())


def _unverified(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    found: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def _signed(client: Client, claims: dict[str, Any], **header: Any) -> str:
    """A token signed with our own key, whatever it claims."""
    key = belief.ours(client.settings).keys[-1]
    registry = belief.Registry(algorithms=["EdDSA"])
    whole = {"alg": "EdDSA", "kid": key.kid, "typ": belief.TYPE, **header}
    return jwt.encode(whole, claims, key, registry=registry)


def test_a_token_names_its_client_and_scopes(any_client: Client) -> None:
    token = tokens.create_token(
        any_client.store, any_client.settings, "app", ["pdp", "audit:read"], HOUR, by="op"
    )
    caller = _caller(any_client, token)
    assert (caller.client, caller.scopes) == ("app", {"pdp", "audit:read"})
    assert caller.asserts_mfa is False


def test_mfa_is_believed_only_from_who_asserts_it(client: Client) -> None:
    """Page 5, "Values"."""
    token = tokens.create_token(
        client.store, client.settings, "app", ["pdp"], HOUR, asserts=["mfa"], by="op"
    )
    assert _caller(client, token).asserts_mfa is True
    assert _caller(client, client.token).asserts_mfa is False


def test_giving_and_taking_back_are_recorded_without_the_token(any_client: Client) -> None:
    """Page 2.8, N-45."""
    token = tokens.create_token(
        any_client.store, any_client.settings, "app", ["pdp"], HOUR, by="op"
    )
    assert tokens.revoke(any_client.store, client="app", by="op") == 1
    with reading(any_client.store) as connection:
        found = trail.search(connection, person="app").records
        assert trail.verify(connection).whole
    assert [one.record["event"] for one in found] == ["token_revoked", "token_created"]
    assert all(one.record["detail"]["who"] == "op" for one in found)
    assert token not in str(found)
    assert token.split(".")[2] not in str(found)


def test_a_revoked_token_is_refused_at_once(any_client: Client) -> None:
    """Issue 2, part 6: on the next request, whoever remembers its signature."""
    assert any_client.post(EVALUATION, question()).status_code == 200
    jti = _unverified(any_client.token)["jti"]
    tokens.revoke(any_client.store, jti=jti, by="op")
    answer = any_client.post(EVALUATION, question())
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    with pytest.raises(NotFoundError):
        tokens.revoke(any_client.store, jti=jti, by="op")


def test_no_token_has_no_error_code(client: Client) -> None:
    """RFC 6750, 3.1; item 28."""
    for sent in (None, "", "Basic YTpi"):
        answer = client.post(EVALUATION, question(), authorization=sent)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="authz"'


def test_a_missing_scope_is_403(client: Client) -> None:
    """Item 27; page 4.3."""
    token = tokens.create_token(client.store, client.settings, "app", ["scim"], HOUR, by="op")
    answer = client.post(EVALUATION, question(), authorization=f"Bearer {token}")
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    challenge = answer.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in challenge
    assert 'scope="pdp"' in challenge


def test_an_expiry_is_exact(client: Client) -> None:
    """Issue 2, "Bad input": an expired token is 401."""
    expires = datetime.fromtimestamp(_unverified(client.token)["exp"], UTC)
    assert _caller(client, client.token, expires - timedelta(microseconds=1))
    with pytest.raises(UnauthenticatedError):
        _caller(client, client.token, expires)


WRONG: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another issuer": lambda c: {**c, "iss": "https://evil.test"},
    "another audience": lambda c: {**c, "aud": "https://other.test"},
    "no audience": lambda c: {k: v for k, v in c.items() if k != "aud"},
    "no expiry": lambda c: {k: v for k, v in c.items() if k != "exp"},
    "expiry as text": lambda c: {**c, "exp": str(c["exp"])},
    "expiry true": lambda c: {**c, "exp": True},
    "expiry never": lambda c: {**c, "exp": float("inf")},
    "expiry of many digits": lambda c: {**c, "exp": 10**400},
    "begin of many digits": lambda c: {**c, "nbf": 10**400},
    "expiry not a number": lambda c: {**c, "exp": float("nan")},
    "issued in the future": lambda c: {**c, "iat": c["iat"] + 3600},
    "not before tomorrow": lambda c: {**c, "nbf": c["iat"] + 86400},
    "an unknown id": lambda c: {**c, "jti": "0" * 32},
    "no id": lambda c: {k: v for k, v in c.items() if k != "jti"},
}


@pytest.mark.parametrize("name", list(WRONG))
def test_what_is_wrong_is_refused_though_it_is_signed(client: Client, name: str) -> None:
    claims = _unverified(client.token)
    assert _caller(client, _signed(client, claims))
    with pytest.raises(UnauthenticatedError):
        _caller(client, _signed(client, WRONG[name](claims)))


def test_only_our_type_of_token_is_ours(client: Client) -> None:
    """Another document that this key signs is no token."""
    with pytest.raises(UnauthenticatedError):
        _caller(client, _signed(client, _unverified(client.token), typ="JWT"))


def _b64(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_an_algorithm_that_is_not_listed_is_refused(client: Client) -> None:
    claims, key = _unverified(client.token), belief.ours(client.settings).keys[-1]
    public = json.dumps(key.as_dict(private=False)).encode()
    secret = OctKey.import_key(public)
    forged = jwt.encode({"alg": "HS256", "kid": str(key.kid)}, claims, secret)
    header, payload, signature = client.token.split(".")
    wrong = [
        forged,
        f"{_b64({'alg': 'none', 'typ': belief.TYPE})}.{payload}.",
        f"{_b64({'alg': 'EdDSA', 'kid': 'x', 'typ': belief.TYPE})}.{payload}.{signature}",
        f"{header}.{_b64({**claims, 'scope': 'pdp scim'})}.{signature}",
        f"{header}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",
    ]
    for token in wrong:
        with pytest.raises(UnauthenticatedError):
            _caller(client, token)


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "x" * 9000, "é", _b64([1]) * 2, f".{_b64({'iss': []})}."]
)
def test_garbage_is_refused(client: Client, token: str) -> None:
    with pytest.raises(UnauthenticatedError):
        _caller(client, token)


@pytest.mark.parametrize("deep", ["[" * 6000, '{"iss":' * 1000])
def test_a_deep_payload_is_refused(client: Client, deep: str) -> None:
    payload = urlsafe_b64encode(deep.encode()).decode()
    for token in (f"{_b64({})}.{payload[:8000]}.x", f"{payload[:8000]}.{_b64({'iss': 1})}.x"):
        with pytest.raises(UnauthenticatedError):
            _caller(client, token)


@pytest.mark.parametrize(
    ("name", "scopes", "ttl"),
    [
        ("", ["pdp"], HOUR),
        ("a\nb", ["pdp"], HOUR),
        ("x" * 201, ["pdp"], HOUR),
        ("app", [], HOUR),
        ("app", ["root"], HOUR),
        ("app", ["pdp"], timedelta(0)),
        ("app", ["pdp"], timedelta(days=999_999_999)),
    ],
)
def test_what_cannot_be_given_is_not(
    client: Client, name: str, scopes: list[str], ttl: timedelta
) -> None:
    with pytest.raises(MalformedError):
        tokens.create_token(client.store, client.settings, name, scopes, ttl, by="op")


def test_no_token_lasts_longer_than_the_setting_says(client: Client) -> None:
    """N-45: as long as a year where nobody says otherwise."""
    year = timedelta(days=365)
    with pytest.raises(MalformedError, match="lasts 365 days at most"):
        tokens.create_token(
            client.store, client.settings, "app", ["pdp"], year + timedelta(seconds=1), by="op"
        )
    made = tokens.create_token(client.store, client.settings, "app", ["pdp"], year, by="op")
    assert _caller(client, made).client == "app"
    shorter = client.settings.model_copy(update={"token_days": 30})
    with pytest.raises(MalformedError, match="lasts 30 days at most"):
        tokens.create_token(client.store, shorter, "app", ["pdp"], year, by="op")


def test_keys_are_private_files(client: Client) -> None:
    folder = client.settings.key_folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_the_key_set_holds_no_private_half(client: Client) -> None:
    """Page 4.3."""
    keys = client.ask("GET", "/.well-known/jwks.json").json["keys"]
    assert [set(key) for key in keys] == [{"kty", "crv", "x", "kid", "use", "alg"}]


def test_rotation_keeps_a_public_half_while_it_is_needed(client: Client) -> None:
    old = {key["kid"] for key in client.ask("GET", "/.well-known/jwks.json").json["keys"]}
    new = tokens.rotate_key(client.store, client.settings, by="op")
    now = clock.now()
    keys = tokens.jwks(client.store, client.settings, now)["keys"]
    assert {key["kid"] for key in keys} == {*old, new}
    assert client.post(EVALUATION, question()).status_code == 200
    token = tokens.create_token(client.store, client.settings, "app", ["pdp"], HOUR, by="op")
    assert _caller(client, token)
    later = tokens.jwks(client.store, client.settings, now + timedelta(hours=2))["keys"]
    assert [key["kid"] for key in later] == [new]
    files = sorted(client.settings.key_folder.iterdir())
    private = ["d" in json.loads(file.read_text()) for file in files]
    assert private == [False, True]


def test_who_comes_second_uses_the_key_of_who_came_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both looked when there was no key; one file can have the first number."""
    first, looked, look = keys.new_key(tmp_path), [False], keys.key_files

    def looked_too_early(folder: Path) -> list[Path]:
        seen, looked[0] = looked[0], True
        return look(folder) if seen else []

    monkeypatch.setattr(keys, "key_files", looked_too_early)
    assert keys.new_key(tmp_path, first=True).kid == first.kid
    assert [path.name for path in tmp_path.iterdir()] == ["000001.json"]


def test_processes_that_start_together_use_one_key(tmp_path: Path) -> None:
    """The first key is made by one of them, whole."""
    code = (
        "from authz import config; from authz.service import keys;"
        "print(keys.signing_key(config.load().key_folder).kid)"
    )
    environment = {**os.environ, "AUTHZ_KEY_FOLDER": str(tmp_path / "keys")}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    assert len({process.communicate(timeout=2 * PATIENCE)[0] for process in started}) == 1
    assert len(list((tmp_path / "keys").iterdir())) == 1


KEYS: dict[str, Key] = {
    "EdDSA": OKPKey.generate_key("Ed25519", auto_kid=True),
    "ES256": ECKey.generate_key("P-256", auto_kid=True),
    "RS256": RSAKey.generate_key(2048, auto_kid=True),
}


@pytest.fixture
def trusting(sqlite_url: str, tmp_path: Path) -> Iterator[Client]:
    """A service that believes another issuer, as far as its setting goes."""
    path = tmp_path / "issuer.json"
    path.write_text(json.dumps(KeySet(list(KEYS.values())).as_dict(private=False)))
    issuer = TrustedIssuer(issuer=ISSUER, audience=AUDIENCE, jwks=path, asserts=["mfa"])
    yield from open_client(sqlite_url, tmp_path, issuers=[issuer])


def _foreign(alg: str = "EdDSA", **more: Any) -> str:
    now = int(clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": [AUDIENCE, "x"],
        "sub": "portal",
        "scope": "pdp scim",
        "asserts": ["mfa", "x"],
        "iat": now,
        "exp": now + 3600,
        **more,
    }
    registry = belief.Registry(algorithms=list(KEYS))
    key = KEYS[alg]
    return jwt.encode({"alg": alg, "kid": str(key.kid)}, claims, key, registry=registry)


@pytest.mark.parametrize("alg", list(KEYS))
def test_a_configured_issuer_is_believed_within_its_setting(trusting: Client, alg: str) -> None:
    """Page 4.3: scopes are cut to what the issuer may give, and clients cannot be mistaken."""
    caller = _caller(trusting, _foreign(alg))
    assert caller.client == f"{ISSUER}|portal"
    assert caller.scopes == {"pdp"}
    assert caller.asserts_mfa is True
    token = _foreign(alg)
    assert trusting.post(EVALUATION, question(), authorization=f"Bearer {token}").status_code == 200


@pytest.mark.parametrize("more", [{"aud": "https://pdp.example.test"}, {"exp": 1}, {"sub": ""}])
def test_another_issuer_is_checked_as_we_are(trusting: Client, more: dict[str, Any]) -> None:
    with pytest.raises(UnauthenticatedError):
        _caller(trusting, _foreign(**more))


@pytest.mark.parametrize("scope", ["", "scim", None, ["pdp"]])
def test_another_issuer_gives_no_scope_that_it_does_not_name(
    trusting: Client, scope: object
) -> None:
    with pytest.raises(ForbiddenError):
        _caller(trusting, _foreign(scope=scope))


def test_another_issuer_cannot_speak_for_us(trusting: Client) -> None:
    """Its keys are good for its own name alone."""
    ours = trusting.settings.public_url
    with pytest.raises(UnauthenticatedError):
        _caller(trusting, _foreign(iss=ours, aud=ours))


def test_another_issuer_without_its_keys_is_believed_by_nobody(
    trusting: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """A token that was verified before is not believed either; it is once the file is back.

    Whoever asks again and again fills no log.
    """
    path = trusting.settings.issuers[0].jwks
    token, ask = _foreign(), question()
    keys = path.read_bytes()
    assert trusting.post(EVALUATION, ask, authorization=f"Bearer {token}").status_code == 200
    path.unlink()
    belief_is_stale()
    for _ in range(3):
        found = trusting.post(EVALUATION, ask, authorization=f"Bearer {token}")
        assert (found.status_code, found.json["code"]) == (503, "keys_unavailable")
        assert "WWW-Authenticate" not in found.headers
    errors = [each for each in caplog.records if each.levelname == "ERROR"]
    assert len(errors) == 1
    own = trusting.post(EVALUATION, ask)
    assert own.status_code == 200
    path.write_bytes(keys)
    belief_is_stale()
    assert trusting.post(EVALUATION, ask, authorization=f"Bearer {token}").status_code == 200


def belief_is_stale() -> None:
    """Let the moment pass for which the files of keys are taken to be as they were."""
    for each in belief._remembered.values():
        each.sure = float("-inf")


def test_settings_have_no_issuer_twice(tmp_path: Path) -> None:
    """The second would never count, and nobody would know why its tokens are refused."""
    twice = [{"issuer": ISSUER, "jwks": str(tmp_path), "audience": each} for each in ("a", "b")]
    with pytest.raises(SettingError, match="same issuer"):
        load(issuers=twice)


def test_settings_have_no_issuer_without_an_audience(tmp_path: Path) -> None:
    """Page 4.3."""
    with pytest.raises(SettingError, match="AUDIENCE"):
        load(issuers=[{"issuer": ISSUER, "jwks": str(tmp_path)}])
    assert Settings.model_fields["issuers"].get_default(call_default_factory=True) == []
