"""What the OpenAPI document says of the trail, the reports and the incidents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from authz.api import asked, incidents, reports, stream, trail
from authz.service.reports.output import FORMS
from authz.vocabulary import Scope

Texts = Mapping[str, str]
Document = dict[str, Any]

_READ: Texts = {
    "en": " That it was read is itself recorded.",
    "th": " การอ่านถูกบันทึกไว้ด้วย",
}
_CLOCK: Texts = {
    "en": " `due_at` is 72 hours after it was known; `hours_left` is negative past it.",
    "th": " `due_at` คือ 72 ชั่วโมงหลังทราบเหตุ `hours_left` ติดลบเมื่อเลยกำหนด",
}


@dataclass(frozen=True, slots=True)
class Route:
    """A route, as the document has it."""

    name: str
    method: str
    path: str
    scope: Scope
    summary: Texts
    description: Texts
    also: tuple[str, ...] = ()


def _with(more: Texts, en: str, th: str) -> Texts:
    return {"en": en + more["en"], "th": th + more["th"]}


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "audit_search",
        "get",
        trail.SEARCH,
        Scope.AUDIT_READ,
        {"en": "Search the trail", "th": "ค้นหาในบันทึกการตรวจสอบ"},
        _with(
            _READ,
            "Records that fit all that is asked, newest first. A page may hold fewer than "
            "`limit`, even none; while `after` is not empty there is more.",
            "บันทึกที่ตรงทุกเงื่อนไข ใหม่สุดก่อน หนึ่งหน้าอาจมีน้อยกว่า `limit` หรือไม่มีเลย "
            "ตราบใดที่ `after` ไม่ว่างยังมีต่อ",
        ),
    ),
    Route(
        "audit_stream",
        "get",
        stream.STREAM,
        Scope.AUDIT_READ,
        {"en": "The trail as a stream", "th": "บันทึกการตรวจสอบแบบต่อเนื่อง"},
        {
            "en": "Records in the one order of all, a JSON line each, with what is after the "
            "position `after`; at the end it waits `wait` seconds (30 at most) for more. `form` "
            "`ocsf` gives events of OCSF. That a reader reads is recorded once an hour.",
            "th": "บันทึกทั้งหมดตามลำดับเดียว บรรทัดละหนึ่งรายการ ต่อจากตำแหน่ง `after` เมื่อถึงรายการสุดท้าย"
            "จะรออีก `wait` วินาที (ไม่เกิน 30) `form` เป็น `ocsf` ได้เหตุการณ์แบบ OCSF "
            "การอ่านถูกบันทึกชั่วโมงละครั้งต่อผู้อ่าน",
        },
        ("429",),
    ),
    Route(
        "report_access_of",
        "get",
        reports.ACCESS_OF.replace("<path:person>", "{person}"),
        Scope.AUDIT_READ,
        {"en": "Who used this person's data?", "th": "ใครใช้ข้อมูลของบุคคลนี้บ้าง"},
        _with(
            _READ,
            "Applications, roles, kinds of data, purposes, dates. `for` is who asks: the person, "
            "a guardian while the person is a minor, or a data-protection officer; nobody else.",
            "ระบบงาน บทบาท ประเภทข้อมูล วัตถุประสงค์ วันเวลา `for` คือผู้ขอ: เจ้าของข้อมูล "
            "ผู้ปกครองของผู้เยาว์ หรือเจ้าหน้าที่คุ้มครองข้อมูลเท่านั้น",
        ),
        ("403",),
    ),
    Route(
        "report_breach",
        "get",
        reports.BREACH,
        Scope.AUDIT_READ,
        {"en": "Whose data are concerned by a breach?", "th": "เหตุละเมิดกระทบข้อมูลของใครบ้าง"},
        _with(
            _READ,
            "From a token's id, an account, an application, a rule or a time: people, fields, how "
            "often, first and last, by school; with `incident` a draft of its notice.",
            "จากรหัสโทเคน บัญชี ระบบงาน กฎ หรือช่วงเวลา: บุคคล รายการข้อมูล จำนวนครั้ง ครั้งแรก "
            "ครั้งล่าสุด ตามโรงเรียน ถ้าระบุ `incident` จะมีร่างหนังสือแจ้ง",
        ),
        ("404",),
    ),
    Route(
        "report_unused",
        "get",
        reports.UNUSED,
        Scope.AUDIT_READ,
        {"en": "Which rights does nobody use?", "th": "สิทธิใดไม่มีผู้ใช้"},
        _with(
            _READ,
            "Grants, contracts and rules that nobody used in `days`, with what would be lost.",
            "สิทธิ สัญญา และกฎที่ไม่มีผู้ใช้ใน `days` วัน พร้อมสิ่งที่จะหมดไป",
        ),
    ),
    Route(
        "incidents",
        "get",
        incidents.INCIDENTS,
        Scope.AUDIT_READ,
        {"en": "Incidents", "th": "ทะเบียนเหตุละเมิด"},
        _with(_CLOCK, "Those not closed, or all.", "เหตุที่ยังไม่ปิด หรือทั้งหมด"),
    ),
    Route(
        "incident",
        "get",
        incidents.INCIDENT.replace("<ident>", "{ident}"),
        Scope.AUDIT_READ,
        {"en": "An incident and its history", "th": "เหตุละเมิดและประวัติ"},
        _with(_CLOCK, "Each change with who, when and why.", "ทุกการเปลี่ยนแปลง ใคร เมื่อใด เพราะเหตุใด"),
        ("404",),
    ),
    Route(
        "incident_open",
        "post",
        incidents.INCIDENTS,
        Scope.DIRECTORY_WRITE,
        {"en": "Open an incident", "th": "เปิดเหตุละเมิด"},
        _with(_CLOCK, "The clock begins at `known_at`, else now.", "นับเวลาตั้งแต่ `known_at`"),
        ("201", "404", "409"),
    ),
    Route(
        "incident_assign",
        "post",
        incidents.INCIDENT.replace("<ident>", "{ident}") + "/assign",
        Scope.DIRECTORY_WRITE,
        {"en": "Assign an incident", "th": "มอบหมายเหตุละเมิด"},
        {
            "en": "The person may look at the data of those concerned, on this case, while open.",
            "th": "ผู้ได้รับมอบหมายดูข้อมูลของผู้เกี่ยวข้องในกรณีนี้ได้จนกว่าจะปิด",
        },
        ("404", "409"),
    ),
    Route(
        "incident_update",
        "post",
        incidents.INCIDENT.replace("<ident>", "{ident}") + "/update",
        Scope.DIRECTORY_WRITE,
        {"en": "Write down what became known", "th": "บันทึกสิ่งที่ทราบเพิ่ม"},
        {
            "en": "Cause, effect, remedy, whom it concerns, and when those concerned were told.",
            "th": "สาเหตุ ผลกระทบ การแก้ไข ผู้เกี่ยวข้อง และเวลาที่แจ้งผู้เกี่ยวข้อง",
        },
        ("404", "409"),
    ),
    Route(
        "incident_close",
        "post",
        incidents.INCIDENT.replace("<ident>", "{ident}") + "/close",
        Scope.DIRECTORY_WRITE,
        {"en": "Close an incident", "th": "ปิดเหตุละเมิด"},
        {
            "en": "Not before cause, effect, remedy, and a report or the reason why none was owed.",
            "th": "ต้องมีสาเหตุ ผลกระทบ การแก้ไข และการแจ้งหรือเหตุผลที่ไม่ต้องแจ้ง",
        },
        ("404", "409"),
    ),
)
_KINDS: Final[Mapping[Any, Document]] = {
    asked.text: {"type": "string", "maxLength": asked.LONGEST},
    asked.moment: {"type": "string"},
    asked.truth: {"enum": ["true", "false"]},
    asked.number: {"type": "integer", "minimum": 0},
}
_QUERIES: Final[Mapping[str, Mapping[str, Any]]] = {
    **reports.PARAMETERS,
    "audit_search": trail.PARAMETERS,
    "audit_stream": stream.PARAMETERS,
    "incidents": {"all": asked.truth},
}


_WORDS: Final[Mapping[str, list[str]]] = {
    "format": list(FORMS),
    "form": list(stream.FORMS),
    "language": ["th", "en"],
}


def parameters(route: Route) -> Iterator[Document]:
    """What stands in the path and in the query."""
    for name in ("person", "ident"):
        if f"{{{name}}}" in route.path:
            schema = {"type": "string", "minLength": 1}
            yield {"name": name, "in": "path", "required": True, "schema": schema}
    for name, read in _QUERIES.get(route.name, {}).items():
        words = _WORDS.get(name)
        schema = {"enum": words} if words else _KINDS[read]
        yield {"name": name, "in": "query", "required": False, "schema": schema}


def sent(route: Route) -> Document | None:
    """The body of a change."""
    members = incidents.MEMBERS.get(route.name)
    if members is None:
        return None
    texts: Document = {name: {"type": ["string", "null"]} for name in members}
    if "persons" in texts:
        texts["persons"] = {"type": ["array", "null"], "items": {"type": "string"}}
    needed = {"incident_open": ["title"], "incident_assign": ["assignee"]}.get(route.name, [])
    for name in needed:
        texts[name] = {"type": "string", "minLength": 1}
    schema = {"type": "object", "properties": texts, "additionalProperties": False}
    return {**schema, "required": needed} if needed else schema


def media(route: Route) -> list[str]:
    """What the answer may be."""
    if route.name.startswith("report_"):
        return [kind for _, kind in FORMS.values()]
    return [stream.LINES] if route.name == "audit_stream" else ["application/json"]
