"""What the gateway itself tells the upstream of who asks and what was permitted.

Every header that begins with ``X-Authz-`` is the gateway's: those of a caller are taken away.
``X-Authz-Assertion`` proves it to an upstream that others can reach, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from joserfc import jwt
from joserfc.jwk import OctKey

from authz import clock
from authz.errors import RoutesError
from authz.middleware.declare import Needs
from authz.middleware.identity import Identity
from authz.middleware.permitted import Permitted

ASSERTION: Final = "X-Authz-Assertion"
LIVES: Final = 60
"""Seconds that an assertion is good for."""
LEAST: Final = 32
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~-]+")
_SAID: Final = (
    "X-Authz-Subject",
    "X-Authz-Subject-Type",
    "X-Authz-Action",
    "X-Authz-Category",
    "X-Authz-Person",
    "X-Authz-Purpose",
)
NOBODY: Final = dict.fromkeys(
    (
        *_SAID,
        "X-Authz-Decision-Id",
        "X-Authz-Fields",
        "X-Authz-Classes",
        "X-Authz-Pseudonymise",
    ),
    "",
)
"""All that is ever told, empty: what a proxy puts in the place of a caller's headers."""


class Assertions:
    """Signs what is told, with a secret that the gateway and the upstream share."""

    def __init__(self, path: Path) -> None:
        """RoutesError where the file holds no secret of 32 bytes."""
        self._key = OctKey.import_key(secret(path))

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The claims as a JWT of one minute."""
        now = clock.microseconds() // 1_000_000
        told = {"iss": "authz-gateway", "iat": now, "exp": now + LIVES, **claims}
        return jwt.encode({"alg": "HS256"}, told, self._key)


def secret(path: Path) -> bytes:
    """The secret in a file; RoutesError where it is none, or a short one."""
    try:
        found = path.read_bytes().strip()
    except OSError as error:
        raise RoutesError(f"It cannot be read: {error.strerror}.", where=str(path)) from error
    if len(found) < LEAST:
        raise RoutesError("It is no secret.", where=str(path), hint=f"Expected {LEAST} bytes.")
    return found


def told(permitted: Permitted) -> dict[str, str]:
    """The headers of a permit; text beyond ASCII is percent-encoded, as in an address."""
    question, answer = permitted.question, permitted.answer
    said = (
        question.subject,
        question.subject_type,
        question.action,
        question.category,
        question.person,
        answer.purpose,
    )
    made = dict(_of_permit(said, answer.fields, answer.classes, answer.pseudonymise))
    if answer.decision_id:
        made["X-Authz-Decision-Id"] = _spelt(answer.decision_id)
    return made


@lru_cache(maxsize=4096)
def _of_permit(
    said: tuple[str, ...],
    fields: frozenset[str] | None,
    classes: frozenset[str] | None,
    pseudonymise: bool,  # noqa: FBT001 (as an answer has it)
) -> Mapping[str, str]:
    """What all permits of one question have in common; ``said`` as in :data:`_SAID`."""
    made = {name: _spelt(value) for name, value in zip(_SAID, said, strict=True) if value}
    for name, limit in (("X-Authz-Fields", fields), ("X-Authz-Classes", classes)):
        if limit is not None:
            made[name] = ",".join(quote(each, safe="") for each in sorted(limit))
    if pseudonymise:
        made["X-Authz-Pseudonymise"] = "true"
    return made


def asks(needs: Needs, who: Identity) -> dict[str, str]:
    """The headers of a list, before anybody in it was asked about: who asks, and for what."""
    found = {
        "X-Authz-Subject": who.id,
        "X-Authz-Subject-Type": who.type,
        "X-Authz-Action": needs.action,
        "X-Authz-Category": needs.category,
    }
    return {name: _spelt(value) for name, value in found.items()}


def _spelt(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else quote(value, safe="/:@ ")


def forwarded(environ: Mapping[str, Any], request_id: str) -> dict[str, str]:
    """Where the request came from, as this machine sees it."""
    return {
        "X-Forwarded-For": str(environ.get("REMOTE_ADDR", "")),
        "X-Forwarded-Proto": str(environ.get("wsgi.url_scheme", "http")),
        "X-Forwarded-Host": str(environ.get("HTTP_HOST", "")),
        "X-Request-ID": request_id,
    }


def asserted(assertions: Assertions, method: str, target: str, headers: Mapping[str, str]) -> str:
    """The assertion over this request: who, what was permitted, and which request it is."""
    told_ = {name: value for name, value in headers.items() if name.startswith("X-Authz-")}
    return assertions.sign({"htm": method, "htu": target, "authz": told_})
