"""Who is signed in, by a verified JWT: issuer, audience, times and algorithm are all looked at.

::

    bearer = Bearer("https://id.school.ac.th", "results", jwks_file(Path("jwks.json")))
    who = bearer.identity(request.headers.get("Authorization", ""))
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Any, Final

import httpcore2
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from authz import clock
from authz.errors import SettingError, UnauthenticatedError
from authz.middleware.identity import Identity

ALGORITHMS: Final = ("Ed25519", "ES256", "RS256")
"""Signatures with a public key; a shared secret would let each who verifies sign as well."""
LEEWAY: Final = 30
"""Seconds by which the clocks of two machines may differ."""
LONGEST: Final = 8192
FRESH: Final = 300.0
"""Seconds for which fetched keys are used without asking for them anew."""
PAUSE: Final = 10.0
"""Seconds between two fetches, whatever key ids the tokens name."""
SECONDS: Final = 5.0
FAULTS: Final = (
    httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError,
    httpcore2.TimeoutException, httpcore2.UnsupportedProtocol,
)  # fmt: skip
_log = logging.getLogger("authz.middleware")
Keys = Callable[[bool], KeySet]
"""The issuer's keys; with True, anew if that is possible, as a token names one unknown."""


class Bearer:
    """Reads ``Authorization: Bearer`` of one issuer, for one audience."""

    def __init__(
        self,
        issuer: str,
        audience: str,
        keys: Keys,
        *,
        algorithms: Collection[str] = ALGORITHMS,
        claim: str = "sub",
        second_factor: Collection[str] = (),
    ) -> None:
        """``claim`` names the person for ever; ``second_factor`` are values of ``amr``.

        SettingError without issuer or audience, or with an algorithm that verifies by a secret.
        """
        if not issuer or not audience:
            raise SettingError("A token has an issuer and an audience.", where="issuer")
        if strange := [name for name in algorithms if name == "none" or name.startswith("HS")]:
            raise SettingError(f"{strange[0]} proves nothing about who signed.", where="alg")
        self._keys = keys
        self._algorithms = [*algorithms, *(["EdDSA"] if "Ed25519" in algorithms else [])]
        self._claim = claim
        self._second_factor = frozenset(second_factor)
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
        )

    def identity(self, header: str) -> Identity | None:
        """Whose token it is; None without a header, UnauthenticatedError of a bad one."""
        if not header:
            return None
        kind, _, token = header.partition(" ")
        plain = token.isascii() and token.isprintable() and len(token) <= LONGEST
        if kind.lower() != "bearer" or not plain or "," in token or " " in token:
            raise _invalid()
        claims = self._verified(token)
        name = claims.get(self._claim)
        if not isinstance(name, str) or not name:
            raise _invalid()
        methods = claims.get("amr")
        shown = self._second_factor & set(methods if isinstance(methods, list) else ())
        return Identity(name, mfa=bool(shown), claims=claims)

    def _verified(self, token: str) -> dict[str, Any]:
        try:
            try:
                found = jwt.decode(token, self._keys(False), algorithms=self._algorithms)  # noqa: FBT003
            except InvalidKeyIdError:
                found = jwt.decode(token, self._keys(True), algorithms=self._algorithms)  # noqa: FBT003
            self._claims.validate(found.claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _invalid() from error
        return dict(found.claims)


def jwks_file(path: Path) -> Keys:
    """The keys of a JWK set in a file, read anew when the file changes."""
    held: list[tuple[tuple[int, int], KeySet]] = []

    def keys(_anew: bool) -> KeySet:  # noqa: FBT001 (as Keys has it)
        state = path.stat()
        seen = (state.st_mtime_ns, state.st_size)
        if not held or held[0][0] != seen:
            held[:] = [(seen, KeySet.import_key_set(json.loads(path.read_bytes())))]
        return held[0][1]

    return keys


def jwks_url(url: str, fetch: Callable[[str], bytes] | None = None) -> Keys:
    """The keys of a JWK set at an https address; kept for a while, and while it does not answer.

    SettingError where the address is not safe. UnauthenticatedError where there never were keys.
    """
    if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise SettingError("Keys come by https.", where="jwks")
    get = fetch or _get
    held: list[tuple[float, KeySet]] = []
    tried = [-PAUSE]
    guard = Lock()

    def keys(anew: bool) -> KeySet:  # noqa: FBT001 (as Keys has it)
        with guard:
            moment = clock.monotonic()
            due = anew or not held or moment >= held[0][0] + FRESH
            if due and moment >= tried[0] + PAUSE:
                tried[0] = moment
                if (found := _fetched(get, url)) is not None:
                    held[:] = [(moment, found)]
            if not held:
                raise _invalid()
            return held[0][1]

    return keys


def _get(url: str) -> bytes:
    """The body at an address, without following it elsewhere; ValueError of another answer."""
    patience = dict.fromkeys(("connect", "read", "write", "pool"), SECONDS)
    answer = httpcore2.request("GET", url, extensions={"timeout": patience})
    if answer.status != HTTPStatus.OK:
        raise ValueError(f"{url} answered {answer.status}")
    return answer.content


def _fetched(get: Callable[[str], bytes], url: str) -> KeySet | None:
    try:
        return KeySet.import_key_set(json.loads(get(url)))
    except (*FAULTS, OSError, ValueError, KeyError, TypeError, JoseError) as error:
        _log.warning("the keys at %s cannot be had: %s", url, error)
        return None


def _invalid() -> UnauthenticatedError:
    return UnauthenticatedError("The token is not valid here.", where="Authorization")
