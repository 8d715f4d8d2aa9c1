"""Who signs people in: an issuer of tokens, as a school's identity provider is."""

from __future__ import annotations

import json
import time
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

ISSUER, AUDIENCE = "https://id.example.test", "results"


class Issuer:
    """Signs tokens with a key of its own, and publishes the public half in a folder."""

    def __init__(self, folder: Path) -> None:
        self._key = OKPKey.generate_key("Ed25519", {"kid": "one"})
        keys = KeySet([self._key]).as_dict(private=False)
        (folder / "jwks.json").write_text(json.dumps(keys), encoding="utf-8")

    def token(self, person: str) -> str:
        """A token of an hour for that person."""
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": person, "exp": int(time.time()) + 3600}
        header = {"alg": "Ed25519", "kid": "one"}
        return jwt.encode(header, claims, self._key, algorithms=["Ed25519"])
