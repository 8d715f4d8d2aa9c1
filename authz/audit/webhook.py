"""The signature of Standard Webhooks, and the message that carries records (N-49).

https://www.standardwebhooks.com: what is signed is ``<id>.<timestamp>.<body>``. A secret that
begins with ``whsec_`` signs with HMAC-SHA256 (``v1``), one with ``whsk_`` is an Ed25519 seed
(``v1a``). This module is pure.
"""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authz.audit.outgoing import Placed

SHARED: Final = "whsec_"
PRIVATE: Final = "whsk_"
_LEAST: Final = 24
_SEED: Final = 32


def signatures(secrets: Sequence[str], ident: str, timestamp: int, body: bytes) -> str:
    """A signature by each secret: while one is exchanged, both sign. ValueError of a bad one."""
    signed = f"{ident}.{timestamp}.".encode() + body
    return " ".join(_signature(secret, signed) for secret in secrets)


def _signature(secret: str, signed: bytes) -> str:
    if secret.startswith(SHARED):
        key = b64decode(secret.removeprefix(SHARED), validate=True)
        if len(key) < _LEAST:
            raise ValueError(f"a shared secret has at least {_LEAST} bytes")
        return "v1," + b64encode(hmac.digest(key, signed, "sha256")).decode()
    if secret.startswith(PRIVATE):
        seed = b64decode(secret.removeprefix(PRIVATE), validate=True)[:_SEED]
        return "v1a," + b64encode(Ed25519PrivateKey.from_private_bytes(seed).sign(signed)).decode()
    raise ValueError(f"a secret begins with {SHARED} or {PRIVATE}")


def message(log: str, records: Sequence[Placed]) -> bytes:
    """The body: which log, and the records; the same records always make the same bytes."""
    time = json.loads(records[-1].body)["time"]
    head = json.dumps({"type": "audit.records", "timestamp": time, "log": log}, ensure_ascii=False)
    lines = b",".join(record.line().rstrip(b"\n") for record in records)
    return head[:-1].encode() + b',"data":[' + lines + b"]}"
