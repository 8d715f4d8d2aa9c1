"""Drafts of the notice of a leak, in Thai and English (E-07, N-50).

Whoever sends one reads it first: what is not known yet stands in brackets.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from authz.privacy.incidents import Incident
from authz.service.reports.dates import moment
from authz.service.reports.document import Texts
from authz.service.reports.words import Words

NOT_KNOWN: Final = {"th": "[ยังไม่ทราบ โปรดระบุ]", "en": "[not known yet; to be filled in]"}
SUBJECT: Final[Texts] = {
    "th": "(ร่าง) แจ้งเหตุละเมิดข้อมูลส่วนบุคคล",
    "en": "(Draft) Notice of a personal data breach",
}
PARAGRAPHS: Final[tuple[Texts, ...]] = (
    {
        "th": "เรียน โรงเรียนและลูกค้าที่เกี่ยวข้อง และสำนักงานคณะกรรมการคุ้มครองข้อมูลส่วนบุคคล",
        "en": "To the schools and customers concerned, and to the Personal Data Protection "
        "Committee:",
    },
    {
        "th": "เราทราบเหตุละเมิดข้อมูลส่วนบุคคลเมื่อ {known} และแจ้งท่านภายใน 72 ชั่วโมง "
        "คือภายใน {due} (เลขที่เหตุ {id})",
        "en": "On {known} a breach of personal data became known to us. We report it within 72 "
        "hours, that is by {due} (incident {id}).",
    },
    {"th": "สาเหตุ: {cause}", "en": "Cause: {cause}"},
    {"th": "ผลกระทบ: {effect}", "en": "Effect: {effect}"},
    {
        "th": "จากบันทึกการตรวจสอบ มีข้อมูลของบุคคลที่อาจได้รับผลกระทบ {people:,} คน ได้แก่ {kinds}",
        "en": "By our audit trail, data of up to {people:,} people are concerned: {kinds}.",
    },
    {"th": "การแก้ไขและเยียวยา: {remedy}", "en": "Remedy: {remedy}"},
    {
        "th": "ติดต่อเจ้าหน้าที่คุ้มครองข้อมูลส่วนบุคคล: [ชื่อและช่องทางติดต่อ]",
        "en": "Contact of the data-protection officer: [name and contact]",
    },
)
_ZONE: Final = "Asia/Bangkok"


def letters(
    words: Words, kinds: Sequence[str], people: int, incident: Incident, zone: str = _ZONE
) -> list[tuple[Texts, list[Texts]]]:
    """One draft in both languages; who sends it needs both, whichever they read."""
    local = ZoneInfo(zone)

    def filled(texts: Texts, language: str) -> str:
        def at(value: datetime) -> str:
            return moment(value, language, local)

        known = words.of["category"]
        return texts[language].format(
            id=incident.id,
            known=at(incident.known_at),
            due=at(incident.due_at),
            cause=incident.cause or NOT_KNOWN[language],
            effect=incident.effect or NOT_KNOWN[language],
            remedy=incident.remedy or NOT_KNOWN[language],
            people=people,
            kinds=", ".join(known.get(kind, {}).get(language, kind) for kind in kinds) or "-",
        )

    return [
        (
            {language: SUBJECT[language]},
            [{language: filled(each, language)} for each in PARAGRAPHS],
        )
        for language in ("th", "en")
    ]
