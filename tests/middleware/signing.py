"""Tokens for the sites of the tests: a good one, and what only looks like one."""

from __future__ import annotations

import base64
import json
import time
from functools import cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from authz.middleware.bearer import Bearer
from tests.middleware.bypass import Tokens
from tests.middleware.site import MUM

ISSUER, AUDIENCE = "https://id.example.test", "results"
LASTS = 24 * 3600
"""Seconds for which a token is good, longer than any module of tests takes."""


@cache
def key() -> OKPKey:
    return OKPKey.generate_key("Ed25519", {"kid": "one"})


def bearer(**more: Any) -> Bearer:
    return Bearer(ISSUER, AUDIENCE, lambda _anew: KeySet([key()]), **more)


def mint(subject: str, *, by: OKPKey | None = None, **claims: Any) -> str:
    """A token of our issuer, with these claims in place of its own; None leaves one out."""
    end = int(time.time()) + LASTS
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "exp": end, **claims}
    kept = {name: value for name, value in said.items() if value is not None}
    return jwt.encode({"alg": "Ed25519", "kid": "one"}, kept, by or key(), algorithms=["Ed25519"])


def unsigned(subject: str) -> str:
    """A token whose header says that it needs no signature."""
    end = int(time.time()) + LASTS
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "exp": end}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def tokens() -> Tokens:
    """All that the table of attempts signs in with."""
    stranger = OKPKey.generate_key("Ed25519", {"kid": "one"})
    return Tokens(
        token=mint(MUM),
        forged=unsigned(MUM),
        expired=mint(MUM, exp=int(time.time()) - 3600),
        foreign=mint(MUM, by=stranger),
    )
