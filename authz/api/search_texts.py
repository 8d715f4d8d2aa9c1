"""What the OpenAPI document says of the searches, in English and Thai."""

from __future__ import annotations

from collections.abc import Mapping

Texts = Mapping[str, str]

_PAGES: Texts = {
    "en": " A page holds 100 results, or `page.limit` of at most 1000; where there is more, "
    "`page.next_token` leads to it, and only for the same question. Each page is recorded. "
    "A result is no permit: evaluate before you use it.",
    "th": " หนึ่งหน้ามี 100 รายการ หรือตาม `page.limit` ไม่เกิน 1000 ถ้ายังมีต่อ `page.next_token` "
    "ใช้ขอหน้าถัดไปของคำถามเดิมเท่านั้น ทุกหน้าถูกบันทึก ผลการค้นหาไม่ใช่การอนุญาต ต้องถามก่อนใช้จริง",
}


def _both(texts: Texts) -> Texts:
    return {language: text + _PAGES[language] for language, text in texts.items()}


SEARCH_ROUTES: Mapping[str, tuple[Texts, Texts]] = {
    "search_subject": (
        {"en": "Search: who may?", "th": "ค้นหา: ใครทำได้บ้าง"},
        _both(
            {
                "en": "The subjects of a type who may do this with this person's data.",
                "th": "ผู้ขอที่ใช้ข้อมูลของบุคคลนี้ได้",
            }
        ),
    ),
    "search_resource": (
        {"en": "Search: whose data?", "th": "ค้นหา: ข้อมูลของใครบ้าง"},
        _both(
            {
                "en": "The people whose data of this category the subject may use so.",
                "th": "บุคคลที่ผู้ขอใช้ข้อมูลประเภทนี้ได้",
            }
        ),
    ),
    "search_action": (
        {"en": "Search: what may be done?", "th": "ค้นหา: ทำอะไรได้บ้าง"},
        _both(
            {
                "en": "The actions that the subject may take on this person's data.",
                "th": "การกระทำที่ผู้ขอทำกับข้อมูลของบุคคลนี้ได้",
            }
        ),
    ),
}
