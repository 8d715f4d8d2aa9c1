"""What a provider, or whoever stands between, may send: none of it is believed (N-40)."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, Response, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

from authz import clock
from authz.config import load
from authz.config.parties import SignInProvider, Words
from authz.errors import SettingError, UnauthenticatedError
from authz.service import providers
from authz.service.providers import Identity
from tests.waiting import PATIENCE
from tests.world import frozen

BACK = "https://authz.test/admin/sign-in/back/fake"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)


def _same(value: Any) -> Any:
    return value


@dataclass
class Fake:
    """A provider that a test breaks: each hook changes one answer."""

    issuer: str = ""
    metadata: Callable[[dict[str, Any]], Any] = _same
    claims: Callable[[dict[str, Any]], Any] = _same
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    key: Any = field(default_factory=lambda: KEY)
    published: Any = field(default_factory=lambda: KEY)
    sign: Callable[[str], str] = _same
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: int = 0

    def provider(self, **more: Any) -> SignInProvider:
        name = Words(th="ปลอม", en="fake")
        return SignInProvider(key="fake", issuer=self.issuer, client_id="us", name=name, **more)

    def allow(self, url: str) -> dict[str, str]:
        """What the browser brings back after somebody signed in there."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["code_challenge_method"] == "S256"
        assert query["response_type"] == "code"
        assert query["redirect_uri"] == BACK
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"]}

    def id_token(self, nonce: str) -> str:
        now = int(clock.now().timestamp())
        claims = {"iss": self.issuer, "sub": "7", "aud": "us", "iat": now, "exp": now + 300}
        said = self.claims({**claims, "nonce": nonce})
        return self.sign(jwt.encode(self.header, said, self.key))


def _app(fake: Fake) -> Flask:
    app = Flask("fake")

    @app.get("/.well-known/openid-configuration")
    def _metadata() -> Any:
        said = {
            "issuer": fake.issuer,
            "authorization_endpoint": f"{fake.issuer}/auth",
            "token_endpoint": f"{fake.issuer}/token",
            "jwks_uri": f"{fake.issuer}/keys",
            "end_session_endpoint": f"{fake.issuer}/end",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        return fake.metadata(said)

    @app.get("/keys")
    def _keys() -> Any:
        fake.asked += 1
        return {"keys": [fake.published.as_dict(private=False)]}

    @app.post("/token")
    def _token() -> Any:
        query = fake.codes.pop(request.form["code"], None)
        verifier = request.form["code_verifier"].encode()
        challenge = urlsafe_b64encode(sha256(verifier).digest()).decode().rstrip("=")
        if query is None or query["code_challenge"] != challenge:
            return {"error": "invalid_grant"}, 400
        id_token = fake.id_token(query["nonce"])
        return {"access_token": "a", "token_type": "Bearer", "id_token": id_token}

    return app


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """The provider, on loopback."""
    made = Fake()
    server = make_server("127.0.0.1", 0, _app(made), threaded=True)
    made.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    monkeypatch.setattr(providers, "TIMEOUT", PATIENCE)
    providers.forget()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
    providers.forget()


def sign_in(fake: Fake, provider: SignInProvider | None = None, **changed: Any) -> Identity:
    """All of it; ``changed`` is what the browser brings back in another form."""
    known = provider or fake.provider()
    started = providers.start(known, BACK)
    answer = {**fake.allow(started.url), **changed}
    return providers.finish(known, BACK, started.kept, answer)


def refused(fake: Fake, **changed: Any) -> None:
    with pytest.raises(UnauthenticatedError, match="not to be believed"):
        sign_in(fake, **changed)


def test_an_honest_provider_is_believed(fake: Fake) -> None:
    assert sign_in(fake) == Identity(fake.issuer, "7", mfa=False)


@pytest.mark.parametrize(
    ("claims", "mfa"),
    [
        ({"amr": ["pwd", "otp"]}, True),
        ({"acr": "gold"}, True),
        ({"amr": ["pwd"]}, False),
        ({}, False),
    ],
)
def test_a_second_factor_is_what_the_setting_says(
    fake: Fake, claims: dict[str, Any], mfa: bool
) -> None:
    fake.claims = lambda said: {**said, **claims}
    assert sign_in(fake, fake.provider(amr=["otp"], acr=["gold"])).mfa is mfa


def test_the_claim_of_the_setting_names_the_person(fake: Fake) -> None:
    fake.claims = lambda said: {**said, "oid": "person-9"}
    assert sign_in(fake, fake.provider(claim="oid")).subject == "person-9"


BROKEN_CLAIMS: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "somebody-else"},
    "audiences without azp": {"aud": ["us", "somebody-else"]},
    "issued to somebody else": {"azp": "somebody-else"},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://evil.test"},
    "no issuer": {"iss": None},
    "expired": {"exp": 1_000_000_000},
    "no expiry": {"exp": None},
    "issued tomorrow": {"iat": 9_000_000_000},
    "not valid yet": {"nbf": 9_000_000_000},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is a number": {"sub": 7},
    "a subject too long": {"sub": "7" * 256},
    "of another access token": {"at_hash": "AAAA"},
}


@pytest.mark.parametrize("name", BROKEN_CLAIMS)
def test_a_token_with_a_broken_claim_is_refused(fake: Fake, name: str) -> None:
    wrong = BROKEN_CLAIMS[name]
    fake.claims = lambda said: {k: v for k, v in {**said, **wrong}.items() if v is not None}
    refused(fake)


def test_a_token_of_another_key_is_refused(fake: Fake) -> None:
    fake.key = OTHER
    refused(fake)


def test_a_token_without_a_signature_is_refused(fake: Fake) -> None:
    def unsigned(token: str) -> str:
        header = urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
        return f"{header}.{token.split('.')[1]}."

    fake.sign = unsigned
    refused(fake)


def test_a_token_signed_by_the_public_key_as_a_secret_is_refused(fake: Fake) -> None:
    def by_secret(token: str) -> str:
        header = urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').decode().rstrip("=")
        said = f"{header}.{token.split('.')[1]}"
        mac = hmac.digest(KEY.as_pem(private=False), said.encode(), "sha256")
        return f"{said}.{urlsafe_b64encode(mac).decode().rstrip('=')}"

    fake.sign = by_secret
    refused(fake)


@pytest.mark.parametrize(
    "changed",
    [{"state": "another"}, {"state": ""}, {"code": "another"}, {"iss": "https://evil.test"}],
)
def test_an_answer_that_does_not_belong_to_the_browser_is_refused(
    fake: Fake, changed: dict[str, str]
) -> None:
    refused(fake, **changed)


def test_a_code_counts_once(fake: Fake) -> None:
    provider = fake.provider()
    started = providers.start(provider, BACK)
    answer = fake.allow(started.url)
    providers.finish(provider, BACK, started.kept, answer)
    with pytest.raises(UnauthenticatedError):
        providers.finish(provider, BACK, started.kept, answer)


def test_a_stolen_code_is_nothing_without_the_browser_that_asked(fake: Fake) -> None:
    provider = fake.provider()
    stolen = fake.allow(providers.start(provider, BACK).url)
    thief = providers.start(provider, BACK)
    state = json.loads(thief.kept)["state"]
    with pytest.raises(UnauthenticatedError):
        providers.finish(provider, BACK, thief.kept, {**stolen, "state": state})


def test_an_answer_of_another_provider_is_refused(fake: Fake) -> None:
    provider = fake.provider()
    started = providers.start(provider, BACK)
    other = provider.model_copy(update={"key": "other"})
    with pytest.raises(UnauthenticatedError):
        providers.finish(other, BACK, started.kept, fake.allow(started.url))


@pytest.mark.parametrize(
    "metadata",
    [
        lambda said: {**said, "issuer": "https://evil.test"},
        lambda said: {**said, "token_endpoint": "http://evil.test/token"},
        lambda said: {**said, "authorization_endpoint": "javascript:alert(1)"},
        lambda said: {**said, "jwks_uri": None},
        lambda _: {},
        lambda _: [],
        lambda _: "no json",
        lambda _: Response("x" * 300_000),
        lambda _: Response(status=500),
        lambda _: Response(status=302, headers={"Location": "http://evil.test/"}),
    ],
)
def test_a_provider_that_says_something_else_of_itself_is_refused(
    fake: Fake, metadata: Callable[[Any], Any]
) -> None:
    fake.metadata = metadata
    refused(fake)
    assert providers.leaving(fake.provider(), BACK) == ""


def test_a_provider_that_is_not_there_is_refused(fake: Fake) -> None:
    gone = fake.provider().model_copy(update={"issuer": "http://127.0.0.1:9"})
    with pytest.raises(UnauthenticatedError):
        providers.start(gone, BACK)


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock shows that nobody sets: that of a machine that has just begun."""
    shown = [1.0]
    monkeypatch.setattr(clock, "monotonic", lambda: shown[0])
    return shown


@pytest.fixture(params=["as it goes", "set back"])
def set_back(request: pytest.FixtureRequest) -> timedelta:
    """How far the clock on the wall is set back meanwhile, which changes nothing."""
    return timedelta(days=1 if request.param == "set back" else 0)


def test_a_provider_that_is_silent_is_not_asked_at_every_click(
    fake: Fake, steady: list[float], set_back: timedelta
) -> None:
    def silent(_: Any) -> Response:
        fake.asked += 1
        return Response(status=500)

    fake.metadata = silent
    for _ in range(5):
        refused(fake)
    assert fake.asked == 1
    steady[0] += providers.SILENT_SECONDS + 1
    with frozen(clock.now() - set_back):
        refused(fake)
    assert fake.asked == 2


def test_new_keys_are_asked_for_no_oftener_than_once_a_minute(
    fake: Fake, steady: list[float], set_back: timedelta
) -> None:
    sign_in(fake)
    fresh = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"}, private=True)
    fake.key = fake.published = fresh
    fake.header = {"alg": "RS256", "kid": "two"}
    refused(fake)  # within the minute
    assert fake.asked == 1
    steady[0] += providers.AGAIN_SECONDS + 1
    with frozen(clock.now() - set_back):
        sign_in(fake)
    assert fake.asked == 2


def test_the_keys_of_a_provider_that_is_away_are_believed_no_longer_than_kept(
    fake: Fake, steady: list[float], set_back: timedelta
) -> None:
    sign_in(fake)
    fake.published = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"}, private=True)
    sign_in(fake)  # within the hour, nobody asks
    steady[0] += providers.KEPT_SECONDS + 1
    with frozen(clock.now() - set_back):
        refused(fake)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://login.school.test"},
        {"issuer": "https://login.school.test/?a=b"},
        {"issuer": "login.school.test"},
        {"claim": "email"},
        {"claim": "preferred_username"},
        {"key": "Not A Key"},
        {"client_id": ""},
    ],
)
def test_a_provider_that_cannot_be_trusted_does_not_start(
    wrong: dict[str, str], tmp_path: Path
) -> None:
    name = {"th": "ก", "en": "a"}
    right = {"key": "a", "issuer": "https://login.school.test", "client_id": "us", "name": name}
    url = f"sqlite:///{tmp_path}/authz.db"
    assert load(database_url=url, oidc=[right]).oidc[0].claim == "sub"
    other = {**right, "key": "b", "issuer": "https://other.school.test"}  # another of the same name
    for several in ([{**right, **wrong}], [right, right], [right, other]):
        with pytest.raises(SettingError):
            load(database_url=url, oidc=several)
