"""How a refusal is told where the middleware answers by itself: neutral, in Thai or English.

A problem document (RFC 9457) as the point's own. What only the point's operator may know stays
in the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from authz.errors import AuthzError, MalformedError, RefusedError, http_status

PROBLEM: Final = "application/problem+json"
TITLES: Final[Mapping[str, Mapping[str, str]]] = {
    "refused": {
        "en": "You may not use these data.",
        "th": "คุณไม่ได้รับอนุญาตให้ใช้ข้อมูลนี้",
    },
    "unauthenticated": {"en": "Please sign in first.", "th": "โปรดลงชื่อเข้าใช้ก่อน"},
    "keys_unavailable": {
        "en": "It cannot be verified now who you are. Try again soon.",
        "th": "ขณะนี้ยืนยันตัวตนของคุณไม่ได้ โปรดลองใหม่ในอีกสักครู่",
    },
    "malformed": {"en": "The request is malformed.", "th": "คำขอไม่ถูกต้องตามรูปแบบ"},
    "point_unavailable": {
        "en": "It cannot be decided now whether you may use these data. Try again soon.",
        "th": "ขณะนี้ตรวจสอบสิทธิการใช้ข้อมูลไม่ได้ โปรดลองใหม่ในอีกสักครู่",
    },
    "obligation_not_carried_out": {
        "en": "These data cannot be shown here as the rules want it.",
        "th": "ระบบนี้ยังแสดงข้อมูลตามเงื่อนไขที่กำหนดไม่ได้ จึงไม่แสดง",
    },
    "not_found": {"en": "There is nothing here.", "th": "ไม่พบสิ่งที่เรียก"},
    "method_not_allowed": {
        "en": "This method is not supported here.",
        "th": "ไม่รองรับวิธีเรียกแบบนี้",
    },
    "too_large": {"en": "The request is too large.", "th": "คำขอมีขนาดใหญ่เกินกำหนด"},
    "too_many": {
        "en": "Too many requests are on their way. Try again soon.",
        "th": "ขณะนี้มีคำขอมากเกินไป โปรดลองใหม่ในอีกสักครู่",
    },
    "upstream_failed": {
        "en": "The application behind does not answer as it should.",
        "th": "ระบบปลายทางตอบกลับไม่ถูกต้อง",
    },
    "upstream_timeout": {
        "en": "The application behind does not answer in time.",
        "th": "ระบบปลายทางไม่ตอบภายในเวลาที่กำหนด",
    },
    "internal": {"en": "Something went wrong here.", "th": "เกิดข้อผิดพลาดในระบบ"},
}


def problem(error: AuthzError, language: str = "en") -> tuple[int, dict[str, Any]]:
    """The status, and the members of the problem document."""
    status = http_status(error)
    code = error.code if error.code in TITLES else "internal"
    title = TITLES[code].get(language) or TITLES[code]["en"]
    members: dict[str, Any] = {
        "type": f"urn:authz:error:{code}",
        "title": title,
        "status": status,
        "code": code,
    }
    if isinstance(error, RefusedError) and error.text:
        members["detail"] = error.text
    if isinstance(error, MalformedError):
        members["field"] = error.where
    return status, members
