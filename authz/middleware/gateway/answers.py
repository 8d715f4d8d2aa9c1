"""What the gateway answers by itself: problem documents in Thai or English (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

from authz.errors import AuthzError, UnauthenticatedError
from authz.middleware import refusals

SAFE: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
STATUS: Final = {each.value: f"{each.value} {each.phrase.upper()}" for each in HTTPStatus}
UNAVAILABLE: Final = 503
TITLES: Final[Mapping[str, Mapping[str, str]]] = {
    "not_found": {"en": "There is nothing here.", "th": "ไม่พบสิ่งที่เรียก"},
    "method_not_allowed": {
        "en": "This method is not supported here.",
        "th": "ไม่รองรับวิธีเรียกแบบนี้",
    },
    "too_large": {"en": "The request is too large.", "th": "คำขอมีขนาดใหญ่เกินกำหนด"},
    "upstream_failed": {
        "en": "The application behind does not answer as it should.",
        "th": "ระบบปลายทางตอบกลับไม่ถูกต้อง",
    },
    "upstream_timeout": {
        "en": "The application behind does not answer in time.",
        "th": "ระบบปลายทางไม่ตอบภายในเวลาที่กำหนด",
    },
    "upstream_refused": {
        "en": "The application behind refuses the request.",
        "th": "ระบบปลายทางปฏิเสธคำขอ",
    },
}
Answer = tuple[int, list[tuple[str, str]], bytes | Iterable[bytes]]
"""Status, headers, and the body at once or in pieces."""


def problem(error: AuthzError, accepted: str) -> Answer:
    """What this error is told as, in the language that is liked better."""
    spoken = language(accepted)
    status, members = refusals.problem(error, spoken)
    if error.code in TITLES:
        title = TITLES[error.code][spoken]
        members.update(type=f"urn:authz:error:{error.code}", title=title, code=error.code)
    more = []
    if isinstance(error, UnauthenticatedError):
        said = 'Bearer realm="authz"'
        more.append(("WWW-Authenticate", f'{said}, error="invalid_token"' if error.where else said))
    if status == UNAVAILABLE:
        more.append(("Retry-After", "5"))
    return _document(status, members, spoken, more)


def refused_by_upstream(status: int, accepted: str) -> Answer:
    """In place of an upstream's error page, which nobody can filter."""
    spoken, code = language(accepted), "upstream_refused"
    members = {
        "type": f"urn:authz:error:{code}",
        "title": TITLES[code][spoken],
        "status": status,
        "code": code,
    }
    return _document(status, members, spoken, [])


def line(status: int) -> str:
    """The status line of WSGI."""
    return STATUS.get(status) or f"{status} Unknown"


def language(accepted: str) -> str:
    """``th`` or ``en``, as an ``Accept-Language`` wants it, else English."""
    found = [_wanted(each) for each in accepted.split(",")]
    liked = [(weight, -place, name) for place, (name, weight) in enumerate(found) if weight > 0]
    return max((one for one in liked if one[2] in ("th", "en")), default=(0, 0, "en"))[2]


def _wanted(text: str) -> tuple[str, float]:
    name, _, weight = text.partition(";")
    try:
        return name.strip().lower()[:2], float(weight.partition("=")[2] or 1)
    except ValueError:
        return "", 0.0


def _document(
    status: int, members: Mapping[str, Any], spoken: str, more: list[tuple[str, str]]
) -> Answer:
    body = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
    headers = [
        *SAFE,
        ("Content-Type", refusals.PROBLEM),
        ("Content-Language", spoken),
        ("Vary", "Accept-Language"),
        ("Content-Length", str(len(body))),
        *more,
    ]
    return status, headers, body
