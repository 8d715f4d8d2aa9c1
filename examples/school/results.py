"""The data of the site: who is in the school, and how they did. It knows nothing of rights."""

from __future__ import annotations

from typing import Any

PEOPLE = {"mali": "มะลิ ใจดี", "somchai": "สมชาย อื่น"}
RESULTS: dict[str, list[dict[str, Any]]] = {
    "mali": [
        {"assessment": "คณิตศาสตร์ ม.6", "score": 87, "max_score": 100, "comment": "ดีมาก",
         "examiner_note": "second marker: 84"},
        {"assessment": "ภาษาไทย ม.6", "score": 91, "max_score": 100, "comment": "ยอดเยี่ยม",
         "examiner_note": "-"},
    ],
    "somchai": [
        {"assessment": "คณิตศาสตร์ ม.6", "score": 55, "max_score": 100, "comment": "พยายามอีกนิด",
         "examiner_note": "appeal is open"},
    ],
}  # fmt: skip
"""``examiner_note`` is no field of the catalogue, so that it never leaves."""
