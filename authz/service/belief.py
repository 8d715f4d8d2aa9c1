"""Whether a caller's token is to be believed: its issuer, signature, audience and times (4.3).

Tokens of other issuers are believed as :attr:`Settings.issuers` says. What such a token
may do is what it claims (``scope``, ``asserts``) *and* what the setting lets the issuer
give; its client is named ``<issuer>|<client>``, so that it is taken for nobody else.

A token is verified once and remembered until it expires, for as long as the files of its
issuer's keys stay as they are, which is looked at every :data:`EVERY` seconds. What may
change without them is looked at each time: its times here, whether it was taken back in
:mod:`authz.service.tokens`.
"""

from __future__ import annotations

import hashlib
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, UnsupportedAlgorithmError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

from authz.config import Settings
from authz.config.parties import TrustedIssuer
from authz.errors import UnauthenticatedError
from authz.service import keys
from authz.service.decided import Caller
from authz.service.keys import State

TYPE: Final = "at+jwt"
MFA: Final = "mfa"
WHERE: Final = "Authorization"
LEEWAY: Final = 30.0
"""Seconds by which the clocks of two machines may differ; an expiry is not extended by it."""
OWN: Final = frozenset({"EdDSA"})
FOREIGN: Final = frozenset({"EdDSA", "ES256", "RS256"})
EVERY: Final = 0.05
"""Seconds for which the files of keys are taken to be as they were."""
MOST: Final = 1024
"""Tokens that a process remembers."""
_LONGEST: Final = 8192
_LAST: Final = 1e12
"""Seconds after which no token's time is; neither is what is infinite, or no number."""


class Registry(JWSRegistry):
    """The algorithms that are allowed, without joserfc's word that EdDSA has a newer name."""

    def get_alg(self, name: str) -> Any:
        """The algorithm, if it is one of the allowed."""
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError("The algorithm is not allowed.")
        return self.algorithms[name]


@dataclass(frozen=True)
class Issuer:
    """Whose tokens are believed: the keys, and the state of the files that hold them."""

    name: str
    audience: str
    algorithms: Collection[str]
    keys: Sequence[Key]
    state: State
    trusted: TrustedIssuer | None = None

    @property
    def own(self) -> bool:
        """Whether it is this service."""
        return self.trusted is None


@dataclass(slots=True)
class Believed:
    """A token that was verified: whose it is, its times, and what it was verified with.

    ``sure`` is when the files of its keys were last as they were.
    """

    caller: Caller
    begins: tuple[float, ...]
    expires: float
    jti: str | None
    """The id to look for among those taken back; none where another issuer gave it."""
    settings: Settings
    issuer: Issuer
    sure: float = 0.0

    def fits(self, settings: Settings) -> bool:
        """Whether it would be verified by the same settings and the same keys today."""
        if self.settings is not settings:
            return False
        moment = time.monotonic()
        if moment >= self.sure + EVERY:
            if self.issuer.state != _state(settings, self.issuer):
                return False
            self.sure = moment
        return True


def believe(settings: Settings, token: str, now: float) -> Believed:
    """What this token says, verified; UnauthenticatedError where it is not to be believed."""
    digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
    found = _remembered.get(digest)
    if found is None or not found.fits(settings):
        found = _verified(settings, token)
        _remember(digest, found)
    if any(begin > now + LEEWAY for begin in found.begins):
        raise invalid("The token is not valid yet.")
    if found.expires <= now:
        with _guard:
            _remembered.pop(digest, None)
        raise invalid("The token has expired.")
    return found


_remembered: dict[bytes, Believed] = {}
_guard = Lock()


def _remember(digest: bytes, found: Believed) -> None:
    """Keep it; where there are too many, the one kept longest is verified anew next time."""
    with _guard:
        _remembered[digest] = found
        if len(_remembered) > MOST:
            del _remembered[next(iter(_remembered))]


def ours(settings: Settings) -> Issuer:
    """This service as an issuer."""
    found, state = keys.ring(settings.key_folder)
    return Issuer(settings.public_url, settings.public_url, OWN, found, state)


def invalid(message: str = "The token is not valid here.") -> UnauthenticatedError:
    """The refusal of a token."""
    return UnauthenticatedError(message, where=WHERE)


def _state(settings: Settings, issuer: Issuer) -> State:
    """The state of the issuer's key files now."""
    if issuer.trusted is None:
        return keys.ring_state(settings.key_folder)
    return (keys.key_set(issuer.trusted.jwks),)


def _verified(settings: Settings, token: str) -> Believed:
    issuer = _issuer(settings, token)
    claims = _claims(token, issuer)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    begins = tuple(claims[name] for name in ("nbf", "iat") if name in claims)
    if claims.get("iss") != issuer.name or issuer.audience not in audiences:
        raise invalid()
    if not all(map(_is_time, begins)):
        raise invalid("The token is not valid yet.")
    if not _is_time(claims.get("exp")):
        raise invalid("The token has expired.")
    jti = str(claims.get("jti")) if issuer.own else None
    caller = replace(_caller(claims, issuer), token_id=jti or "")
    return Believed(caller, begins, claims["exp"], jti, settings, issuer)


def _issuer(settings: Settings, token: str) -> Issuer:
    """Whose token it says it is; nothing of it is believed yet."""
    try:
        if len(token) > _LONGEST:
            raise ValueError
        payload = token.split(".")[1]
        name = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["iss"]
    except (*keys.UNREADABLE, IndexError) as error:
        raise invalid() from error
    if name == settings.public_url:
        return ours(settings)
    for trusted in settings.issuers:
        if trusted.issuer == name:
            found = keys.key_set(trusted.jwks)
            return Issuer(name, trusted.audience, FOREIGN, found.keys, (found,), trusted)
    raise invalid()


def _claims(token: str, issuer: Issuer) -> Mapping[str, Any]:
    """What the token says, with its signature verified."""
    registry = Registry(algorithms=issuer.algorithms, strict_check_header=issuer.own)
    try:
        read = jwt.decode(
            token, lambda asked: _named(issuer.keys, asked.headers()), registry=registry
        )
        if issuer.own and read.header["typ"] != TYPE:
            raise ValueError
    except keys.UNREADABLE as error:
        raise invalid() from error
    return read.claims


def _named(keys: Sequence[Key], header: Mapping[str, Any]) -> Key:
    """The key that the header names; without a name, the only one there is."""
    kid = header.get("kid")
    found = [key for key in keys if kid is None or key.kid == kid]
    right = [key for key in found if key.get("alg") in (None, header["alg"])]
    if len(right) != 1 or right[0].get("use") not in (None, "sig"):
        raise InvalidKeyIdError("No key fits.")
    return right[0]


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LAST


def _caller(claims: Mapping[str, Any], issuer: Issuer) -> Caller:
    client = claims.get("client_id") or claims.get("azp") or claims.get("sub")
    scope, asserts = claims.get("scope"), claims.get("asserts")
    if not isinstance(client, str) or not client:
        raise invalid()
    scopes = frozenset(scope.split()) if isinstance(scope, str) else frozenset()
    asserted = frozenset(map(str, asserts)) if isinstance(asserts, list) else frozenset()
    if issuer.trusted is not None:
        client = f"{issuer.name}|{client}"
        scopes, asserted = (
            scopes & set(issuer.trusted.scopes),
            asserted & set(issuer.trusted.asserts),
        )
    return Caller(client=client, asserts_mfa=MFA in asserted, scopes=scopes)
