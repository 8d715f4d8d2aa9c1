"""Callers' tokens: signing keys, giving a token, taking it back, believing one (4.3).

A token is a JWT signed with Ed25519. The keys are files of :attr:`Settings.key_folder`,
``000001.json`` and so on, of which the last one signs. A key is made whole and then
linked into place, so that of two processes that make the first one at once, one wins and
both use it. Rotation takes the private half of the older keys away; a public half stays
in the key set while a token that it signed has not expired.

Tokens of other issuers are believed as :attr:`Settings.issuers` says. What such a token
may do is what it claims (``scope``, ``asserts``) *and* what the setting lets the issuer
give; its client is named ``<issuer>|<client>``, so that it is taken for nobody else.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import isfinite
from typing import Any, Final
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, UnsupportedAlgorithmError
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry
from sqlalchemy import Engine, bindparam, func, insert, select, update

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.config import Settings
from authz.errors import (
    ForbiddenError,
    MalformedError,
    NotFoundError,
    UnauthenticatedError,
)
from authz.service import keys
from authz.service.database import reading, writing
from authz.service.decide import Caller
from authz.service.tables import ClientToken
from authz.vocabulary import Event, Scope

TYPE: Final = "at+jwt"
MFA: Final = "mfa"
REALM: Final = "authz"
WHERE: Final = "Authorization"
LEEWAY: Final = 30.0
"""Seconds by which the clocks of two machines may differ; an expiry is not extended by it."""

_OWN: Final = frozenset({"EdDSA"})
_FOREIGN: Final = frozenset({"EdDSA", "ES256", "RS256"})
_LONGEST: Final = 8192
_NAME: Final = 200
_KNOWN: Final = 1024
_STATE: Final = select(ClientToken.revoked_at).where(ClientToken.jti == bindparam("jti"))


class _Registry(JWSRegistry):
    """The algorithms that are allowed, without joserfc's word that EdDSA has a newer name."""

    def get_alg(self, name: str) -> Any:
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError("The algorithm is not allowed.")
        return self.algorithms[name]


@dataclass(frozen=True)
class _Issuer:
    """Whose tokens are believed: the keys, and the state of the files that hold them."""

    name: str
    audience: str
    algorithms: Collection[str]
    keys: Sequence[Key]
    state: tuple[object, ...]
    scopes: Collection[str] | None = None
    asserts: Collection[str] | None = None

    @property
    def own(self) -> bool:
        """Whether it is this service."""
        return self.scopes is None


def create_token(
    store: Engine,
    settings: Settings,
    client: str,
    scopes: Iterable[str],
    ttl: timedelta,
    *,
    asserts: Iterable[str] = (),
    by: str,
) -> str:
    """A new token of this client, recorded; the only copy is the one returned."""
    now = clock.now().replace(microsecond=0)
    key = keys.signing_key(settings.key_folder)
    try:
        row: dict[str, Any] = {
            "jti": uuid4().hex,
            "client": _name(client),
            "scopes": sorted({Scope(scope).value for scope in scopes}),
            "asserts": sorted(set(asserts)),
            "issued_at": now,
            "issued_by": by,
            "expires_at": now + ttl,
        }
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"It cannot be given: {error}.", where="token") from error
    if row["expires_at"] <= now or not row["scopes"]:
        raise MalformedError("It needs a scope and a time to live.", where="token")
    claims = {
        "iss": settings.public_url,
        "aud": settings.public_url,
        "sub": row["client"],
        "client_id": row["client"],
        "jti": row["jti"],
        "iat": int(now.timestamp()),
        "exp": int(row["expires_at"].timestamp()),
        "scope": " ".join(row["scopes"]),
        **({"asserts": row["asserts"]} if row["asserts"] else {}),
    }
    header = {"alg": "EdDSA", "kid": key.kid, "typ": TYPE}
    token = jwt.encode(header, claims, key, registry=_Registry(algorithms=_OWN))
    with writing(store) as connection:
        connection.execute(insert(ClientToken), row)
        log.append(connection, [_entry(Event.TOKEN_CREATED, row, by, now)])
    return token


def revoke(store: Engine, *, client: str = "", jti: str = "", by: str) -> int:
    """Take back one token, or all of a client's; how many. No process believes them any more."""
    now = clock.now()
    named = ClientToken.jti == jti if jti else ClientToken.client == client
    table = ClientToken.__table__
    with writing(store) as connection:
        found = connection.execute(
            select(*table.c).where(named, ClientToken.revoked_at.is_(None)).with_for_update()
        ).mappings()
        rows = [dict(row) for row in found]
        if not rows:
            raise NotFoundError("There is no such token in force.", where=jti or client)
        change = update(ClientToken).where(named, ClientToken.revoked_at.is_(None))
        connection.execute(change.values(revoked_at=now))
        log.append(connection, [_entry(Event.TOKEN_REVOKED, row, by, now) for row in rows])
    return len(rows)


def rotate_key(settings: Settings) -> str:
    """Sign with a new key from now on; its id. The older private halves are destroyed."""
    return str(keys.rotate(settings.key_folder).kid)


def jwks(store: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
    """The public keys that a token in force may be signed with (RFC 7517).

    A key signs until the next one is made; so what was issued first of all that has not
    expired says which keys are still needed.
    """
    keys.signing_key(settings.key_folder)
    oldest = select(func.min(ClientToken.issued_at)).where(ClientToken.expires_at > now)
    with reading(store) as connection:
        since: datetime | None = connection.execute(oldest).scalar_one()
    found = _ours(settings).keys
    needed = [
        key
        for key, following in pairwise(found)
        if since is not None and since.timestamp() <= keys.made_at(following) + LEEWAY
    ]
    return {"keys": [keys.public(key) for key in (*needed, found[-1])]}


def authenticate(
    store: Engine, settings: Settings, header: str | None, now: datetime, scope: str = Scope.PDP
) -> Caller:
    """Who sent this ``Authorization`` header; 401 or 403 where nobody may who did (4.3).

    Whether a token was revoked is looked up each time; that its signature is right is
    remembered for as long as the key files stay as they are.
    """
    token = _bearer(header)
    issuer = _issuer(settings, token)
    claims = _claims(token, issuer)
    _check(claims, issuer, now.timestamp())
    if issuer.own:
        _check_in_force(store, claims)
    caller = _caller(claims, issuer)
    if scope not in caller.scopes:
        raise ForbiddenError("The token does not have the scope that is needed.", where=scope)
    return caller


def challenge(error: UnauthenticatedError | ForbiddenError) -> str:
    """The ``WWW-Authenticate`` that belongs to a refused caller (RFC 6750, 3)."""
    realm = f'Bearer realm="{REALM}"'
    if isinstance(error, ForbiddenError):
        return f'{realm}, error="insufficient_scope", scope="{error.where}"'
    return f'{realm}, error="invalid_token"' if error.where else realm


def _ours(settings: Settings) -> _Issuer:
    found, state = keys.ring(settings.key_folder)
    return _Issuer(settings.public_url, settings.public_url, _OWN, found, state)


def _bearer(header: str | None) -> str:
    scheme, _, token = (header or "").strip().partition(" ")
    if scheme.lower() != "bearer":
        raise UnauthenticatedError("A bearer token is needed.")
    return token.strip()


def _issuer(settings: Settings, token: str) -> _Issuer:
    """Whose token it says it is; nothing of it is believed yet."""
    try:
        if len(token) > _LONGEST:
            raise ValueError
        payload = token.split(".")[1]
        name = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["iss"]
    except (*keys.UNREADABLE, IndexError) as error:
        raise _invalid() from error
    if name == settings.public_url:
        return _ours(settings)
    for trusted in settings.issuers:
        if trusted.issuer == name:
            found, state = keys.key_set(trusted.jwks)
            return _Issuer(
                name, trusted.audience, _FOREIGN, found, state, trusted.scopes, trusted.asserts
            )
    raise _invalid()


def _claims(token: str, issuer: _Issuer) -> Mapping[str, Any]:
    """What the token says, with its signature verified."""
    known = (hashlib.sha256(token.encode("utf-8", "replace")).digest(), issuer.name, issuer.state)
    claims = _verified.get(known)
    if claims is None:
        registry = _Registry(algorithms=issuer.algorithms, strict_check_header=issuer.own)
        try:
            read = jwt.decode(
                token, lambda asked: _named(issuer.keys, asked.headers()), registry=registry
            )
            if issuer.own and read.header["typ"] != TYPE:
                raise ValueError
        except keys.UNREADABLE as error:
            raise _invalid() from error
        if len(_verified) >= _KNOWN:
            _verified.clear()
        claims = _verified[known] = read.claims
    return claims


_verified: dict[tuple[object, ...], Mapping[str, Any]] = {}


def _named(keys: Sequence[Key], header: Mapping[str, Any]) -> Key:
    """The key that the header names; without a name, the only one there is."""
    kid = header.get("kid")
    found = [key for key in keys if kid is None or key.kid == kid]
    right = [key for key in found if key.get("alg") in (None, header["alg"])]
    if len(right) != 1 or right[0].get("use") not in (None, "sig"):
        raise InvalidKeyIdError("No key fits.")
    return right[0]


def _check(claims: Mapping[str, Any], issuer: _Issuer, now: float) -> None:
    """Issuer, audience and times (RFC 7519, 4.1)."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    begins = [claims[name] for name in ("nbf", "iat") if name in claims]
    if claims.get("iss") != issuer.name or issuer.audience not in audiences:
        raise _invalid()
    if not all(_is_time(each) and each <= now + LEEWAY for each in begins):
        raise _invalid("The token is not valid yet.")
    if not _is_time(claims.get("exp")) or claims["exp"] <= now:
        raise _invalid("The token has expired.")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _check_in_force(store: Engine, claims: Mapping[str, Any]) -> None:
    with reading(store) as connection:
        found = connection.execute(_STATE, {"jti": str(claims.get("jti"))}).one_or_none()
    if found is None or found.revoked_at is not None:
        raise _invalid("The token was revoked.")


def _caller(claims: Mapping[str, Any], issuer: _Issuer) -> Caller:
    client = claims.get("client_id") or claims.get("azp") or claims.get("sub")
    scope, asserts = claims.get("scope"), claims.get("asserts")
    if not isinstance(client, str) or not client:
        raise _invalid()
    scopes = frozenset(scope.split()) if isinstance(scope, str) else frozenset()
    asserted = frozenset(map(str, asserts)) if isinstance(asserts, list) else frozenset()
    if issuer.scopes is not None:
        client = f"{issuer.name}|{client}"
        scopes, asserted = scopes & set(issuer.scopes), asserted & set(issuer.asserts or ())
    return Caller(client=client, asserts_mfa=MFA in asserted, scopes=scopes)


def _invalid(message: str = "The token is not valid here.") -> UnauthenticatedError:
    return UnauthenticatedError(message, where=WHERE)


def _name(client: str) -> str:
    if not client.strip() or len(client) > _NAME or not client.isprintable():
        raise ValueError("the client needs a name of one line")
    return client


def _entry(event: Event, row: Mapping[str, Any], by: str, now: datetime) -> Entry:
    detail = {name: row[name] for name in ("jti", "scopes", "asserts", "expires_at")}
    return Entry(
        event=event,
        time=now,
        application="authz",
        subject=Ref("operator", by),
        action=event.value,
        resource=Ref("client", row["client"]),
        detail={**detail, "who": by},
    )
