"""Callers' tokens: signing keys, giving a token, taking it back, whose request it is (4.3).

A token is a JWT signed with Ed25519. The keys are files of :attr:`Settings.key_folder`,
``000001.json`` and so on, of which the last one signs. A key is made whole and then
linked into place, so that of two processes that make the first one at once, one wins and
both use it. Rotation takes the private half of the older keys away; a public half stays
in the key set while a token that it signed has not expired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from joserfc import jwt
from joserfc.jwk import Key
from sqlalchemy import Engine, bindparam, func, insert, select, update

from authz import clock
from authz.audit.record import Entry, Ref
from authz.config import Settings
from authz.errors import ForbiddenError, MalformedError, NotFoundError, UnauthenticatedError
from authz.service import changing, keys
from authz.service.belief import LEEWAY, OWN, TYPE, Registry, believe, invalid, ours
from authz.service.changing import By
from authz.service.database import glance, reading, translated, writing
from authz.service.decided import Caller
from authz.service.tables import ClientToken
from authz.service.watch import watch
from authz.vocabulary import Event, Scope

REALM: Final = "authz"
_NAME: Final = 200
_SHOWN: Final = ("scopes", "asserts", "expires_at", "revoked_at")
_IN_FORCE: Final = select(ClientToken.revoked_at.is_(None)).where(
    ClientToken.jti == bindparam("jti")
)


def create_token(
    store: Engine,
    settings: Settings,
    client: str,
    scopes: Iterable[str],
    ttl: timedelta,
    *,
    asserts: Iterable[str] = (),
    by: str,
    because: str = "",
) -> str:
    """A new token of this client, recorded; the only copy is the one returned.

    MalformedError where it cannot be given, or not for so long (:attr:`Settings.token_days`): one
    that is lost is of no use to its finder for ever (N-45).
    """
    if ttl > timedelta(days=settings.token_days):
        raise MalformedError(
            f"A token lasts {settings.token_days} days at most.",
            where="ttl",
            hint="Ask for less, or set AUTHZ_TOKEN_DAYS.",
        )
    now = clock.now().replace(microsecond=0)
    key = _signing_key(store, settings, by)
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
    token = jwt.encode(header, claims, key, registry=Registry(algorithms=OWN))
    with writing(store) as connection:
        connection.execute(insert(ClientToken), row)
        author = By.now(by, because)
        changing.record(connection, [_entry(Event.TOKEN_CREATED, author, {}, row)])
    return token


def revoke(store: Engine, *, client: str = "", jti: str = "", by: str, because: str = "") -> int:
    """Take back one token, or all of a client's; how many. No process believes them any more."""
    author = By.now(by, because)
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
        connection.execute(change.values(revoked_at=author.at))
        changing.record(
            connection,
            [
                _entry(Event.TOKEN_REVOKED, author, row, {**row, "revoked_at": author.at})
                for row in rows
            ],
        )
    return len(rows)


def rotate_key(store: Engine, settings: Settings, *, by: str, because: str = "") -> str:
    """Sign with a new key from now on; its id. The older private halves are destroyed.

    They go once the record of the new key is kept; where it is not, the new key goes.
    """
    key = _new_key(store, settings.key_folder, By.now(by, because), first=False)
    keys.retire(settings.key_folder, key)
    return str(key.kid)


def _signing_key(store: Engine, settings: Settings, by: str) -> Key:
    """The key that signs; where there is none the first is made, and recorded."""
    found, _ = keys.ring(settings.key_folder)
    if found:
        return found[-1]
    return _new_key(store, settings.key_folder, By.now(by, "the first key"), first=True)


def _new_key(store: Engine, folder: Path, author: By, *, first: bool) -> Key:
    """A new key with its record; where the record is not kept, the key goes."""
    made = ""
    try:
        with writing(store) as connection:
            before, _ = keys.ring(folder)
            key, mine = keys.made_key(folder, first=first)
            if mine:
                made = str(key.kid)
                changing.record(connection, [_rotated(author, before, made)])
    except BaseException:
        keys.remove(folder, made)
        raise
    return key


def _rotated(author: By, before: Sequence[Key], kid: str) -> Entry:
    was = {"kid": before[-1].kid} if before else {}
    return changing.changed(Event.KEY_ROTATED, author, Ref("key", kid), was, {"kid": kid})


def jwks(store: Engine, settings: Settings, now: datetime) -> dict[str, Any]:
    """The public keys that a token in force may be signed with (RFC 7517).

    A key signs until the next one is made; so what was issued first of all that has not
    expired says which keys are still needed.
    """
    _signing_key(store, settings, REALM)
    oldest = select(func.min(ClientToken.issued_at)).where(ClientToken.expires_at > now)
    with reading(store) as connection:
        since: datetime | None = connection.execute(oldest).scalar_one()
    found = ours(settings).keys
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

    Whether a token was revoked is looked up anew whenever anything was committed, so that
    every process refuses it on its next request; the rest is remembered
    (:mod:`authz.service.belief`).
    """
    believed = believe(settings, _bearer(header), now.timestamp())
    if believed.jti is not None and not _in_force(store, believed.jti):
        raise invalid("The token was revoked.")
    if scope not in believed.caller.scopes:
        raise ForbiddenError("The token does not have the scope that is needed.", where=scope)
    return believed.caller


def _in_force(store: Engine, jti: str) -> bool:
    """Whether a token of our own is on file and was not taken back."""
    watching = watch(store)
    known = dict[object, bool]()
    if watching is not None:
        with translated():
            known = watching.look().known
    found = known.get(jti)
    if found is None:
        row = glance(store, _IN_FORCE, jti)
        found = known[jti] = row is not None and bool(row[0])
    return found


def challenge(error: UnauthenticatedError | ForbiddenError) -> str:
    """The ``WWW-Authenticate`` that belongs to a refused caller (RFC 6750, 3)."""
    realm = f'Bearer realm="{REALM}"'
    if isinstance(error, ForbiddenError):
        return f'{realm}, error="insufficient_scope", scope="{error.where}"'
    return f'{realm}, error="invalid_token"' if error.where else realm


def _bearer(header: str | None) -> str:
    scheme, _, token = (header or "").strip().partition(" ")
    if scheme.lower() != "bearer":
        raise UnauthenticatedError("A bearer token is needed.")
    return token.strip()


def _name(client: str) -> str:
    if not client.strip() or len(client) > _NAME or not client.isprintable():
        raise ValueError("the client needs a name of one line")
    return client


def _entry(event: Event, author: By, before: Mapping[str, Any], after: Mapping[str, Any]) -> Entry:
    """The record of a token: what it may be used for and how long, and nothing of itself."""
    return changing.changed(
        event,
        author,
        Ref("client", after["client"]),
        _shown(before),
        _shown(after),
        more={"jti": after["jti"]},
    )


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _SHOWN if row.get(name)}
