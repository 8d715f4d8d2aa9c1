"""Signing in at an OpenID Connect provider, by Authlib: code flow, PKCE, nonce (N-40).

Nothing of an answer is believed but an ID token that the provider signed, for us, for this
browser, now. A provider that does not answer, or answers with anything else, is refused in
the same words as a wrong password.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from math import inf
from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from authz import clock
from authz.config.parties import LOOPBACK, SignInProvider
from authz.errors import UnauthenticatedError
from authz.service.belief import LEEWAY, Registry

TIMEOUT: Final = 5.0
"""Seconds that a provider has for each answer."""
KEPT_SECONDS: Final = 3600
AGAIN_SECONDS: Final = 60
"""How long what a provider says of itself is kept, and how soon its keys are asked for anew."""
SILENT_SECONDS: Final = 5
"""How soon a provider that did not answer is asked again: waiting costs a thread."""
LARGEST: Final = 256 * 1024
"""Bytes of an answer."""
ALGORITHMS: Final = frozenset({"RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"})
"""Signatures that are believed; never one by a shared secret, and never none."""
LONGEST: Final = 255
"""Characters of a subject (OpenID Connect Core 2)."""
_ANSWERS: Final = (
    AuthlibBaseError, JoseError, requests.RequestException, ValueError, KeyError, TypeError,
    AttributeError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a provider says it is, and whether it saw a second factor."""

    issuer: str
    subject: str
    mfa: bool


@dataclass(frozen=True, slots=True)
class Started:
    """Where the browser goes, and what is kept until it comes back; that is a secret."""

    url: str
    kept: str


def start(provider: SignInProvider, back: str) -> Started:
    """The way to the provider; ``back`` is our address to which it returns the browser.

    UnauthenticatedError where the provider does not answer as it should.
    """
    kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    try:
        with _client(provider, back) as client:
            url, _state = client.create_authorization_url(
                _metadata(provider)["authorization_endpoint"],
                state=kept["state"],
                nonce=kept["nonce"],
                code_verifier=kept["verifier"],
            )
    except _ANSWERS as error:
        raise refusal() from error
    return Started(url, json.dumps({**kept, "key": provider.key}))


def finish(provider: SignInProvider, back: str, kept: str, answer: Mapping[str, str]) -> Identity:
    """Whom the provider says it is; UnauthenticatedError where it is not to be believed.

    ``kept`` is what :func:`start` gave, ``answer`` the query with which the browser came back.
    """
    try:
        known = json.loads(kept)
        _ours(provider, known, answer)
        metadata = _metadata(provider)
        _from(provider, metadata, answer)
        with _client(provider, back) as client:
            token = client.fetch_token(
                metadata["token_endpoint"],
                code=answer["code"],
                code_verifier=known["verifier"],
                allow_redirects=False,
            )
        return _identity(provider, _claims(provider, metadata, token, known["nonce"]))
    except _ANSWERS as error:
        raise refusal() from error


def leaving(provider: SignInProvider, back: str) -> str:
    """Where to end the session at the provider too; empty where it offers no such thing."""
    try:
        endpoint = _metadata(provider).get("end_session_endpoint")
        if not endpoint or not _safe(provider, endpoint):
            return ""
    except _ANSWERS:
        return ""
    query = {"client_id": provider.client_id, "post_logout_redirect_uri": back}
    return str(requests.Request("GET", endpoint, params=query).prepare().url)


def refusal() -> UnauthenticatedError:
    """What is said of every answer that is not believed."""
    return UnauthenticatedError("The provider's answer is not to be believed.", where="provider")


def forget() -> None:
    """Ask every provider anew."""
    with _guard:
        _known.clear()


def _ours(provider: SignInProvider, known: Mapping[str, str], answer: Mapping[str, str]) -> None:
    """Whether the browser that comes back is the one that went, from where it went."""
    state = answer.get("state", "").encode()
    if known["key"] != provider.key or not compare_digest(known["state"].encode(), state):
        raise ValueError("another state")


def _from(provider: SignInProvider, metadata: Mapping[str, Any], answer: Mapping[str, str]) -> None:
    """Whether the answer says that it is of this issuer, where it says so at all (RFC 9207)."""
    said = metadata.get("authorization_response_iss_parameter_supported") is True
    if (said or "iss" in answer) and answer.get("iss") != provider.issuer:
        raise ValueError("another issuer")


def _client(provider: SignInProvider, back: str) -> OAuth2Session:
    secret = provider.client_secret
    found = OAuth2Session(
        client_id=provider.client_id,
        client_secret=secret.read_text(encoding="utf-8").strip() if secret else None,
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
        scope="openid",
        redirect_uri=back,
        code_challenge_method="S256",
        default_timeout=TIMEOUT,
    )
    found.trust_env = False  # no password of a .netrc, no proxy that nobody asked for
    return found


def _claims(
    provider: SignInProvider, metadata: Mapping[str, Any], token: Mapping[str, Any], nonce: str
) -> CodeIDToken:
    """What the ID token says, with signature, issuer, audience, times and nonce verified."""
    offered = metadata.get("id_token_signing_alg_values_supported", ["RS256"])
    registry = Registry(algorithms=ALGORITHMS & set(offered), strict_check_header=False)
    text = token["id_token"]
    try:
        read = jwt.decode(text, _keys(metadata), registry=registry)
    except InvalidKeyIdError:  # it changed its keys
        read = jwt.decode(text, _keys(metadata, anew=True), registry=registry)
    options: Any = {
        "iss": {"essential": True, "value": provider.issuer},
        "sub": {"essential": True},
        "aud": {"essential": True, "value": provider.client_id},
        "exp": {"essential": True},
        "iat": {"essential": True},
        "nonce": {"essential": True, "value": nonce},
    }
    params = {"nonce": nonce, "client_id": provider.client_id}
    params["access_token"] = token.get("access_token", "")
    claims = CodeIDToken(read.claims, read.header, options, params)
    claims.validate(now=int(clock.now().timestamp()), leeway=int(LEEWAY))
    return claims


def _identity(provider: SignInProvider, claims: Mapping[str, Any]) -> Identity:
    subject = claims[provider.claim]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST:
        raise ValueError("no subject")
    methods = claims.get("amr") or []
    mfa = bool(set(methods) & set(provider.amr)) or claims.get("acr") in provider.acr
    return Identity(provider.issuer, subject, mfa)


# What a provider says of itself, kept for a while; by the clock that nobody sets back.

_known: dict[str, tuple[float, Any]] = {}
_guard = Lock()


def _metadata(provider: SignInProvider) -> Mapping[str, Any]:
    url = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    found = _asked(url, KEPT_SECONDS)
    if found["issuer"] != provider.issuer:
        raise ValueError("another issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not _safe(provider, found[name]):
            raise ValueError(f"{name} is not safe")
    return dict(found)


def _safe(provider: SignInProvider, url: str) -> bool:
    """Whether what passes there is encrypted, or stays on this machine as the issuer does."""
    here = urlsplit(provider.issuer).hostname in LOOPBACK
    parts = urlsplit(url)
    return parts.scheme == "https" or (here and parts.hostname in LOOPBACK)


def _keys(metadata: Mapping[str, Any], *, anew: bool = False) -> KeySet:
    found = _asked(metadata["jwks_uri"], AGAIN_SECONDS if anew else KEPT_SECONDS)
    return KeySet.import_key_set(found)


def _asked(url: str, seconds: int) -> Any:
    """What is at this address, asked for no longer ago than that."""
    now = clock.monotonic()
    with _guard:
        asked_at, found = _known.get(url, (-inf, None))
    if asked_at < now - (seconds if found is not None else SILENT_SECONDS):
        found = None
        try:
            found = _fetched(url)
        finally:
            with _guard:
                _known[url] = (now, found)
    if found is None:
        raise ValueError("it did not answer a moment ago")
    return found


def _fetched(url: str) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        with session.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True) as reply:
            if reply.status_code != requests.codes.ok:
                raise ValueError(f"status {reply.status_code}")
            body = reply.raw.read(LARGEST + 1, decode_content=True)
    if len(body) > LARGEST:
        raise ValueError("too large")
    return json.loads(body)
