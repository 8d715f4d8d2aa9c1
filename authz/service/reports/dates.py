"""Dates and times as people read them: local, in Thai with the Buddhist year."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import Final

BUDDHIST: Final = 543
"""Years from the common era to the Buddhist one."""
MONTHS: Final = {
    "th": [
        "ม.ค.",
        "ก.พ.",
        "มี.ค.",
        "เม.ย.",
        "พ.ค.",
        "มิ.ย.",
        "ก.ค.",
        "ส.ค.",
        "ก.ย.",
        "ต.ค.",
        "พ.ย.",
        "ธ.ค.",
    ],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}


def day(value: date, language: str) -> str:
    """``22 พ.ย. 2569`` or ``22 Nov 2026``."""
    year = value.year + (BUDDHIST if language == "th" else 0)
    return f"{value.day} {MONTHS[language][value.month - 1]} {year}"


def moment(value: datetime | str, language: str, local: tzinfo) -> str:
    """The local day and minute of a moment, or of a time as a record spells it."""
    known = datetime.fromisoformat(value) if isinstance(value, str) else value
    there = (known if known.tzinfo else known.replace(tzinfo=UTC)).astimezone(local)
    end = " น." if language == "th" else ""
    return f"{day(there, language)} {there:%H:%M}{end}"
