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
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from authz import clock
from authz.errors import SettingError, UnauthenticatedError
from authz.middleware.identity import Identity
from authz.middleware.options import LOOPBACK, Limits, Options, Patience, is_address
from authz.middleware.transport import Transport
from authz.middleware.wire import Call, Fault

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
UNREADABLE: Final = (OSError, ValueError, KeyError, TypeError, JoseError, RecursionError)
"""What is raised by a set of keys, or a token, that is none."""
_PATIENT: Final = Options(
    Patience(SECONDS, SECONDS, SECONDS), Limits(lanes=1, answer_bytes=1024 * 1024)
)
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
        told = methods if isinstance(methods, list) else ()
        shown = self._second_factor & {each for each in told if isinstance(each, str)}
        return Identity(name, mfa=bool(shown), claims=claims)

    def _verified(self, token: str) -> dict[str, Any]:
        try:
            try:
                found = jwt.decode(token, self._keys(False), algorithms=self._algorithms)  # noqa: FBT003
            except InvalidKeyIdError:
                found = jwt.decode(token, self._keys(True), algorithms=self._algorithms)  # noqa: FBT003
            self._claims.validate(found.claims)
        except UNREADABLE as error:
            raise _invalid() from error
        return dict(found.claims)


def jwks_file(path: Path) -> Keys:
    """The keys of a JWK set in a file, read anew when the file changes.

    While it is away, or holds none, the last keys are used, as with an address.
    """
    held: list[tuple[tuple[int, int] | None, KeySet]] = []

    def keys(_anew: bool) -> KeySet:  # noqa: FBT001 (as Keys has it)
        seen = _state(path)
        if not held or held[0][0] != seen:
            held[:] = [(seen, _read(path, held[0][1] if held else None))]
        return held[0][1]

    return keys


def jwks_url(url: str, fetch: Callable[[str], bytes] | None = None) -> Keys:
    """The keys of a JWK set at an https address; kept for a while, and while it does not answer.

    One request asks for them, and nobody else waits while there are some. SettingError where the
    address is not safe. UnauthenticatedError where there never were keys.
    """
    near = urlsplit(url).hostname in LOOPBACK
    if not is_address(url, ("https", "http") if near else ("https",)):
        raise SettingError("Keys come by https, from a URL without query.", where="jwks")
    get = fetch or _get
    held: list[tuple[float, KeySet]] = []
    tried = [-PAUSE]
    guard = Lock()

    def keys(anew: bool) -> KeySet:  # noqa: FBT001 (as Keys has it)
        due = anew or not held or clock.monotonic() >= held[0][0] + FRESH
        if due and guard.acquire(blocking=not held):
            try:
                moment = clock.monotonic()
                if moment >= tried[0] + PAUSE:
                    tried[0] = moment
                    if (found := _fetched(get, url)) is not None:
                        held[:] = [(moment, found)]
            finally:
                guard.release()
        if not held:
            raise _invalid()
        return held[0][1]

    return keys


def _get(url: str) -> bytes:
    """The body at an address, without following it elsewhere; ValueError of another answer.

    All of it is here within ``SECONDS``, whatever the other side does.
    """
    transport = Transport(_PATIENT, "", None)
    try:
        reply = transport.exchange(Call(url), clock.monotonic() + SECONDS)
    finally:
        transport.close()
    if isinstance(reply, Fault):
        raise ValueError(f"{reply.reason} ({reply.detail})")
    if reply.status != HTTPStatus.OK:
        raise ValueError(f"it answered {reply.status}")
    return reply.body


def _fetched(get: Callable[[str], bytes], url: str) -> KeySet | None:
    try:
        return KeySet.import_key_set(json.loads(get(url)))
    except UNREADABLE as error:
        _log.warning("the keys at %s cannot be had: %s", url, error)
        return None


def _state(path: Path) -> tuple[int, int] | None:
    """What changes when a file does; None while there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def _read(path: Path, last: KeySet | None) -> KeySet:
    try:
        return KeySet.import_key_set(json.loads(path.read_bytes()))
    except UNREADABLE as error:
        if last is None:
            raise
        _log.warning("the keys in %s cannot be read, the last ones are used: %s", path, error)
        return last


def _invalid() -> UnauthenticatedError:
    return UnauthenticatedError("The token is not valid here.", where="Authorization")
