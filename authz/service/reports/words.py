"""The words that several reports share, in Thai and English."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from authz import config
from authz.decision.catalogue import Catalogue
from authz.errors import AuthzError
from authz.policy.load import load
from authz.service.reports.document import Column, Fact, Texts
from authz.service.reports.field_words import FIELDS

ROLES: Final[Mapping[str, Texts]] = {
    "public": {"th": "เจ้าของข้อมูล", "en": "The person"},
    "student": {"th": "นักเรียน", "en": "Student"},
    "teacher": {"th": "ครู", "en": "Teacher"},
    "teacher_aide": {"th": "ผู้ช่วยครู", "en": "Teacher's aide"},
    "parent": {"th": "ผู้ปกครอง", "en": "Parent or guardian"},
    "processor": {"th": "ผู้ประมวลผลข้อมูลภายนอก", "en": "Outside processor"},
    "authority": {"th": "หน่วยงานของรัฐ", "en": "Authority"},
    "school_admin": {"th": "ผู้ดูแลโรงเรียน", "en": "School administrator"},
    "support_agent": {"th": "เจ้าหน้าที่ช่วยเหลือ", "en": "Support agent"},
    "order_clerk": {"th": "เจ้าหน้าที่จัดส่ง", "en": "Order clerk"},
    "mentor": {"th": "พี่เลี้ยง", "en": "Mentor"},
    "analyst": {"th": "นักวิเคราะห์ (ข้อมูลที่แทนชื่อแล้ว)", "en": "Analyst (pseudonymised data)"},
    "dpo": {"th": "เจ้าหน้าที่คุ้มครองข้อมูลส่วนบุคคล", "en": "Data-protection officer"},
    "platform_admin": {"th": "ผู้ดูแลแพลตฟอร์ม", "en": "Platform administrator"},
}
ACTIONS: Final[Mapping[str, Texts]] = {
    "read": {"th": "ดู", "en": "read"},
    "update": {"th": "แก้ไข", "en": "update"},
    "export": {"th": "ส่งออก", "en": "export"},
    "disclose": {"th": "เปิดเผย", "en": "disclose"},
    "delete": {"th": "ลบ", "en": "delete"},
}
HOW: Final[Mapping[str, Texts]] = {
    "about": {"th": "ได้รับอนุญาตให้ใช้", "en": "allowed to use"},
    "listed": {"th": "อยู่ในรายการค้นหา (ไม่เห็นข้อมูล)", "en": "listed only (no data seen)"},
}
TITLES: Final[Mapping[str, Texts]] = {
    "person": {"th": "บุคคล", "en": "Person"},
    "application": {"th": "ระบบงาน", "en": "Application"},
    "subject": {"th": "ผู้ใช้", "en": "Account"},
    "role": {"th": "ในฐานะ", "en": "Acting as"},
    "category": {"th": "ประเภทข้อมูล", "en": "Kind of data"},
    "fields": {"th": "รายการข้อมูล", "en": "Fields"},
    "purpose": {"th": "วัตถุประสงค์", "en": "Purpose"},
    "action": {"th": "การกระทำ", "en": "Action"},
    "how": {"th": "ลักษณะ", "en": "How"},
    "times": {"th": "ครั้ง", "en": "Times"},
    "listed": {"th": "ครั้งที่อยู่ในรายการ", "en": "Times listed"},
    "first": {"th": "ครั้งแรก", "en": "First"},
    "last": {"th": "ครั้งล่าสุด", "en": "Last"},
    "schools": {"th": "โรงเรียน", "en": "Schools"},
    "school": {"th": "โรงเรียน", "en": "School"},
    "name": {"th": "ชื่อ", "en": "Name"},
    "people": {"th": "จำนวนบุคคล", "en": "People"},
    "rule": {"th": "กฎ", "en": "Rule"},
    "since": {"th": "ตั้งแต่", "en": "Since"},
    "until": {"th": "ก่อน", "en": "Before"},
    "made_at": {"th": "จัดทำเมื่อ", "en": "Made at"},
    "organisation": {"th": "องค์กร", "en": "Organisation"},
    "processor": {"th": "ผู้ประมวลผล", "en": "Processor"},
    "purposes": {"th": "วัตถุประสงค์", "en": "Purposes"},
    "actions": {"th": "การกระทำ", "en": "Actions"},
    "categories": {"th": "ประเภทข้อมูล", "en": "Kinds of data"},
    "valid_from": {"th": "มีผลตั้งแต่", "en": "In force since"},
    "granted_by": {"th": "ผู้ให้สิทธิ", "en": "Granted by"},
    "loses": {"th": "สิทธิที่จะหมดไป", "en": "Would be lost"},
    "contract": {"th": "สัญญา", "en": "Contract"},
    "id": {"th": "รหัส", "en": "Id"},
    "account": {"th": "บัญชีผู้ใช้", "en": "Account"},
    "token": {"th": "โทเคน", "en": "Token"},
    "days": {"th": "จำนวนวัน", "en": "Days"},
    "uses": {"th": "จำนวนครั้งที่ใช้", "en": "Uses"},
    "listings": {"th": "จำนวนครั้งที่อยู่ในรายการ", "en": "Listings"},
    "refused": {"th": "คำขอที่ถูกปฏิเสธ", "en": "Questions refused"},
    "own": {"th": "ครั้งที่เจ้าของข้อมูลใช้เอง", "en": "Uses by the person"},
}
MOMENTS: Final = frozenset({"first", "last", "since", "until", "made_at", "valid_from"})


class Words:
    """The words of a pack's ids."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.of: Mapping[str, Mapping[str, Texts]] = {
            "category": {**_screens(), **_titles(catalogue)},
            "purpose": {p.id: p.title for p in catalogue.purposes.values()},
            "role": ROLES,
            "action": ACTIONS,
            "how": HOW,
            "fields": FIELDS,
        }

    def column(self, name: str) -> Column:
        """The column of that name, with the words of its cells."""
        return Column(name, TITLES[name], name in MOMENTS, self._words(name))

    def columns(self, *names: str) -> tuple[Column, ...]:
        """Several."""
        return tuple(self.column(name) for name in names)

    def fact(self, name: str, value: object) -> Fact:
        """The fact of that name."""
        return Fact(name, TITLES[name], value, name in MOMENTS, self._words(name))

    def _words(self, name: str) -> Mapping[str, Texts]:
        single = {"categories": "category", "purposes": "purpose", "actions": "action"}
        return self.of.get(single.get(name, name), {})


def _titles(catalogue: Catalogue) -> dict[str, Texts]:
    return {known.id: known.title for known in catalogue.categories.values()}


@cache
def _screens() -> Mapping[str, Texts]:
    """The kinds of data of the screens: what is seen there is used as well, and recorded.

    A report is made without these words rather than not at all.
    """
    try:
        return _titles(load(config.load().console_policy).catalogue)
    except AuthzError:
        return {}
