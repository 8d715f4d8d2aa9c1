"""What the routes of the trail take and give, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from authz.api.audit import CHECKPOINT, CHECKPOINTS, CONSISTENCY, INCLUSION, KEY
from authz.api.metrics import METRICS
from authz.service.checkpoints import MOST_LISTED
from authz.vocabulary import Scope

Schema = dict[str, Any]
Texts = Mapping[str, str]


class Route(NamedTuple):
    """A route that is read: its answer's schema, none for plain text, and its query."""

    name: str
    schema: str | None
    query: Mapping[str, tuple[bool, Schema]]
    statuses: tuple[str, ...]
    scope: Scope | None = None


_SIZE: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}
_TEXT: Final[Schema] = {"type": "string"}
_HASH: Final[Schema] = {"type": "string", "contentEncoding": "base64"}
_RECORD: Final[Schema] = {"type": "string", "pattern": r"^[0-9A-Za-z-]{1,100}-[0-9]{1,18}$"}
_HASHES: Final[Schema] = {"type": "array", "items": _HASH}
_PROVING: Final = ("200", "400", "401", "403", "404", "500", "503")

AUDIT_ROUTES: Final[Mapping[str, Route]] = {
    CHECKPOINT: Route("checkpoint", None, {}, ("200", "404", "500", "503")),
    CHECKPOINTS: Route(
        "checkpoints",
        "Checkpoints",
        {
            "limit": (False, {"type": "integer", "minimum": 1, "maximum": MOST_LISTED}),
            "after": (False, {"type": "string", "pattern": "^[0-9]{1,18}/[0-9TZ:.-]{1,40}$"}),
        },
        ("200", "400", "500", "503"),
    ),
    KEY: Route("audit_key", None, {}, ("200", "404", "500", "503")),
    METRICS: Route("metrics", None, {}, ("200", "401", "403", "500", "503"), Scope.AUDIT_READ),
    INCLUSION: Route(
        "inclusion",
        "Inclusion",
        {"record": (True, _RECORD), "size": (False, _SIZE)},
        _PROVING,
        Scope.AUDIT_READ,
    ),
    CONSISTENCY: Route(
        "consistency",
        "Consistency",
        {"first": (True, _SIZE), "second": (False, _SIZE)},
        _PROVING,
        Scope.AUDIT_READ,
    ),
}


def _object(members: Schema, optional: Schema | None = None) -> Schema:
    properties = {**members, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(members)}


AUDIT_SCHEMAS: Final[Schema] = {
    "Checkpoints": _object(
        {
            "checkpoints": {
                "type": "array",
                "items": _object({"time": _TEXT, "size": _SIZE, "root": _HASH, "note": _TEXT}),
            }
        },
        {"after": _TEXT},
    ),
    "Inclusion": _object(
        {
            "record": _TEXT,
            "index": _SIZE,
            "size": _SIZE,
            "entry": _TEXT,
            "leaf": _HASH,
            "hashes": _HASHES,
            "root": _HASH,
        },
        {"checkpoint": _TEXT},
    ),
    "Consistency": _object(
        {
            "first": _SIZE,
            "second": _SIZE,
            "hashes": _HASHES,
            "first_root": _HASH,
            "second_root": _HASH,
        },
        {"checkpoint": _TEXT},
    ),
}

AUDIT_TEXTS: Final[Mapping[str, tuple[Texts, Texts]]] = {
    "checkpoint": (
        {"en": "The newest checkpoint of the trail", "th": "จุดตรวจสอบล่าสุดของบันทึก"},
        {
            "en": "A signed note (C2SP tlog-checkpoint): the log, its size, its root, the moment. "
            "Keep copies where we cannot reach them.",
            "th": "ข้อความลงลายมือชื่อ (C2SP tlog-checkpoint) ระบุชื่อบันทึก จำนวนรายการ ค่าราก และเวลา "
            "ควรเก็บสำเนาไว้ในที่ที่ผู้ดูแลระบบนี้เข้าไม่ถึง",
        },
    ),
    "checkpoints": (
        {"en": "All checkpoints", "th": "จุดตรวจสอบทั้งหมด"},
        {
            "en": "The newest first; `after` of a page leads to the next.",
            "th": "เรียงจากล่าสุด ใช้ค่า `after` ของหน้าหนึ่งเพื่อขอหน้าถัดไป",
        },
    ),
    "audit_key": (
        {"en": "Public keys of the checkpoints", "th": "กุญแจสาธารณะของจุดตรวจสอบ"},
        {
            "en": "A line for each key (vkey), the newest first. Compare it with one that you "
            "have from elsewhere.",
            "th": "หนึ่งบรรทัดต่อหนึ่งกุญแจ (vkey) เรียงจากล่าสุด ควรเทียบกับกุญแจที่ได้รับมาจากช่องทางอื่น",
        },
    ),
    "metrics": (
        {"en": "Metrics", "th": "ตัวชี้วัด"},
        {
            "en": "Counts, times and lags in the text format of Prometheus, without personal data. "
            "`AUTHZ_METRICS_TOKEN` is accepted too.",
            "th": "จำนวน เวลา และความล่าช้าในรูปแบบข้อความของ Prometheus ไม่มีข้อมูลส่วนบุคคล "
            "ใช้ `AUTHZ_METRICS_TOKEN` แทนโทเคนได้",
        },
    ),
    "inclusion": (
        {"en": "Prove that a record is in the trail", "th": "พิสูจน์ว่ารายการอยู่ในบันทึก"},
        {
            "en": "The hashes that lead from a record to the root of a size (RFC 9162, 2.1.3), "
            "that of the newest checkpoint if none is named. Asking is recorded.",
            "th": "ค่าแฮชที่นำจากรายการไปยังค่ารากของขนาดที่ระบุ (RFC 9162 ข้อ 2.1.3) "
            "ถ้าไม่ระบุใช้จุดตรวจสอบล่าสุด การขอถูกบันทึก",
        },
    ),
    "consistency": (
        {"en": "Prove that the trail only grew", "th": "พิสูจน์ว่าบันทึกมีแต่เพิ่มขึ้น"},
        {
            "en": "The hashes that show that a tree begins with all leaves of a smaller one "
            "(RFC 9162, 2.1.4). Asking is recorded.",
            "th": "ค่าแฮชที่แสดงว่าต้นไม้ขนาดใหญ่เริ่มด้วยรายการทั้งหมดของต้นไม้ขนาดเล็ก "
            "(RFC 9162 ข้อ 2.1.4) การขอถูกบันทึก",
        },
    ),
}
