"""What a gateway is made of, from what its file says: who is believed, and who decides."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from joserfc.jwk import KeySet

from authz import clock
from authz.errors import KeysError, RoutesError
from authz.middleware.bearer import Bearer
from authz.middleware.gateway.config import MOST_ROWS, Config, GatewayTable
from authz.middleware.gateway.front import Gateway
from authz.middleware.gateway.onward import Assertions, secret
from authz.middleware.gateway.parties import IdentityTable
from authz.middleware.gateway.pool import Pool
from authz.middleware.gateway.routes import Table
from authz.middleware.guard import Guard
from authz.middleware.identity import Identity
from authz.middleware.keys import Keys, jwks_file, jwks_url
from authz.middleware.obligations.pseudonyms import PseudonymKey
from authz.middleware.options import Limits, Options, Patience, Token
from authz.middleware.point import Point
from authz.middleware.remote import RemotePoint

REMEMBERED: Final = 30.0
"""Seconds for which a token that was verified is believed without verifying it again."""
MOST: Final = 4096


class Verifier:
    """Whose token it is. A token costs more to verify than to decide, so it is remembered.

    It is believed for as long as the issuer's keys are those that it was verified by, half a
    minute at most, and never past its own end.
    """

    def __init__(self, bearer: Bearer, kind: str) -> None:
        self._bearer, self._kind = bearer, kind
        self._known: dict[str, tuple[Identity, float, KeySet]] = {}

    def __call__(self, header: str) -> Identity | None:
        """Nobody without a header; UnauthenticatedError of a token that is not believed."""
        if not header:
            return None
        keys = self._bearer.keys()
        found = self._known.get(header)
        moment = clock.monotonic()
        if found is not None and found[2] is keys and moment < found[1]:
            return found[0]
        who = self._bearer.identity(header)
        if who is None:
            return None
        known = Identity(who.id, self._kind, who.mfa, who.claims)
        left = float(who.claims["exp"]) - clock.microseconds() / 1e6
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[header] = (known, moment + min(REMEMBERED, max(left, 0.0)), keys)
        return known


def verifier(table: IdentityTable, folder: Path) -> Verifier:
    """Who reads the tokens of that issuer; RoutesError where its keys cannot be read."""
    bearer = Bearer(
        table.issuer,
        table.audience,
        _keys(table, folder),
        algorithms=table.algorithms,
        claim=table.subject,
        second_factor=table.mfa,
    )
    return Verifier(bearer, table.type)


def opened(config: Config, folder: Path) -> Point:
    """The decision point that the file names; RoutesError or SettingError where it cannot be."""
    table = config.point
    if table is None:
        raise RoutesError("There is no table point.", where=str(folder))
    if table.mode == "embedded":
        from authz.middleware.embedded import EmbeddedPoint  # noqa: PLC0415 (brings the service)

        return EmbeddedPoint(table.client, asserts_mfa=bool(config.identity.mfa))
    ca = folder / table.ca if table.ca is not None else None
    return RemotePoint(
        table.url,
        token(folder / table.token) if table.token is not None else "",
        reached_at=table.reached_at,
        origins=table.origins,
        tls=None if ca is None else ssl.create_default_context(cafile=ca),
        options=Options(
            Patience(min(1.0, table.seconds), table.seconds, table.seconds),
            Limits(batch=MOST_ROWS),
        ),
    )


def token(path: Path) -> Token:
    """The token in a file, read anew when the file changes, so that it can be replaced."""
    held: list[tuple[int, str]] = []

    def current() -> str:
        state = path.stat().st_mtime_ns
        if not held or held[0][0] != state:
            held[:] = [(state, path.read_text("ascii").strip())]
        return held[0][1]

    try:
        current()
    except (OSError, ValueError) as error:
        raise RoutesError("It cannot be read.", where=str(path)) from error
    return current


def gateway(config: Config, table: Table, point: Point, folder: Path) -> Gateway:
    """The gateway of that file; paths in it are looked for beside it."""
    settings = config.gateway
    if settings is None:
        raise RoutesError("There is no table gateway.", where=str(folder))
    urls = {settings.upstream, *(one.route.upstream for one in table.declared)} - {""}
    key = settings.pseudonym_key
    pseudonyms = (
        None if key is None else PseudonymKey(secret(folder / key), settings.pseudonym_contract)
    )
    signing = settings.assertion_key
    return Gateway(
        settings,
        table,
        Guard(point, pseudonyms=pseudonyms),
        verifier(config.identity, folder),
        {url: _pool(url, settings, folder) for url in urls},
        Assertions(folder / signing) if signing is not None else None,
    )


def _pool(url: str, settings: GatewayTable, folder: Path) -> Pool:
    return Pool(
        url,
        connect=settings.connect_seconds,
        read=settings.read_seconds,
        kept=settings.connections,
        ca=folder / settings.ca if settings.ca is not None else None,
    )


def _keys(table: IdentityTable, folder: Path) -> Keys:
    """The keys, read once so that a file without any does not start."""
    place = table.jwks
    if "://" in place:
        return jwks_url(place, kept=table.jwks_seconds)
    keys = jwks_file(folder / place)
    try:
        keys(False)  # noqa: FBT003 (as Keys has it)
    except KeysError as error:
        raise RoutesError("It is no JWK set.", where=str(folder / place)) from error
    return keys
