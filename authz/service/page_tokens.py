"""Page tokens of a search: opaque, signed, and of no use for any other question (AuthZEN 8.2).

A token says after which id the next page begins, how long a page is and until when the
token is believed. It is signed together with what it must not be used beyond: the whole
question, the client, the policy's digest and the limit. The key comes from the service's
signing key, so that every process and node knows it and no setting is added; when that key
is rotated, searches under way begin again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from authz.errors import MalformedError
from authz.service import keys

LIFETIME: Final = timedelta(hours=1)
WHERE: Final = "page.token"
_SALT: Final = b"authz search page token 1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins, and how many it may hold."""

    after: str
    limit: int


def page_key(folder: Path) -> bytes:
    """The key of the tokens, derived from the service's signing key."""
    secret = keys.signing_key(folder).as_dict(private=True)["d"]
    return hmac.digest(str(secret).encode(), _SALT, "sha256")


def seal(key: bytes, place: Place, bound: Any, now: datetime) -> str:
    """The token for the page that begins there, of this question."""
    until = int((now + LIFETIME).timestamp())
    claims = json.dumps([place.after, place.limit, until], separators=(",", ":")).encode()
    return _text(claims) + "." + _text(_signed(key, claims, bound))


def unseal(key: bytes, token: str, bound: Any, now: datetime) -> Place:
    """Where the page begins; MalformedError where the token is not of this question (400)."""
    claims_text, _, signed_text = token.partition(".")
    claims, signed = _bytes(claims_text), _bytes(signed_text)
    if not claims or not hmac.compare_digest(signed, _signed(key, claims, bound)):
        raise MalformedError(
            "The page token is not of this search.",
            where=WHERE,
            hint="Send the same question as for the first page, or begin again.",
        )
    after, limit, until = json.loads(claims)
    if until <= now.timestamp():
        raise MalformedError("The page token has expired.", where=WHERE, hint="Begin again.")
    return Place(after, limit)


def _signed(key: bytes, claims: bytes, bound: Any) -> bytes:
    text = json.dumps(bound, sort_keys=True, separators=(",", ":")).encode()
    return hmac.digest(key, hashlib.sha256(text).digest() + claims, "sha256")


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """What a part of a token says; nothing, where it is not spelt as we spell it."""
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
    return data if _text(data) == text else b""
