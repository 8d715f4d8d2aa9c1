"""Who is signed in, by a verified JWT: issuer, audience, times and algorithm are all looked at.

::

    bearer = Bearer("https://id.school.ac.th", "results", jwks_file(Path("jwks.json")))
    who = bearer.identity(request.headers.get("Authorization", ""))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet

from authz.errors import KeysError, SettingError, UnauthenticatedError
from authz.keyfile import NO_KEYS
from authz.middleware.identity import Identity
from authz.middleware.keys import Keys

ALGORITHMS: Final = ("Ed25519", "ES256", "RS256")
"""Signatures with a public key; a shared secret would let each who verifies sign as well."""
LEEWAY: Final = 30
"""Seconds by which the clocks of two machines may differ."""
LONGEST: Final = 8192


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
        self._refused: Counter[str] = Counter()
        self._claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
        )

    def identity(self, header: str) -> Identity | None:
        """Whose token it is; None without a header, UnauthenticatedError of a bad one.

        KeysError, which is one too, where the issuer's keys cannot be had.
        """
        if not header:
            return None
        kind, _, token = header.partition(" ")
        plain = token.isascii() and token.isprintable() and len(token) <= LONGEST
        if kind.lower() != "bearer" or not plain or "," in token or " " in token:
            raise _invalid()
        try:
            claims = self._verified(token)
        except KeysError as error:
            self._refused[error.code] += 1
            raise
        name = claims.get(self._claim)
        if not isinstance(name, str) or not name:
            raise _invalid()
        methods = claims.get("amr")
        told = methods if isinstance(methods, list) else ()
        shown = self._second_factor & {each for each in told if isinstance(each, str)}
        return Identity(name, mfa=bool(shown), claims=claims)

    def counts(self) -> dict[str, int]:
        """How many tokens were refused since there were no keys, by the error's code."""
        return dict(self._refused)

    def keys(self) -> KeySet:
        """The keys that are believed now: another object as soon as they are others. KeysError."""
        return self._keys(False)  # noqa: FBT003 (as Keys has it)

    def _verified(self, token: str) -> dict[str, Any]:
        try:
            try:
                found = jwt.decode(token, self._keys(False), algorithms=self._algorithms)  # noqa: FBT003 (as Keys has it)
            except InvalidKeyIdError:
                found = jwt.decode(token, self._keys(True), algorithms=self._algorithms)  # noqa: FBT003 (as Keys has it)
            self._claims.validate(found.claims)
        except (OSError, *NO_KEYS) as error:
            raise _invalid() from error
        return dict(found.claims)


def _invalid() -> UnauthenticatedError:
    return UnauthenticatedError("The token is not valid here.", where="Authorization")
