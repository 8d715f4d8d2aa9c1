"""What the OpenAPI document says of each route, in English and Thai."""

from __future__ import annotations

from collections.abc import Mapping

from authz.api.audit_schemas import AUDIT_TEXTS
from authz.api.search_texts import SEARCH_ROUTES

Texts = Mapping[str, str]

ABOUT: Texts = {
    "en": "Who may use whose data, and for what purpose: a policy decision point for "
    "education platforms, after OpenID AuthZEN 1.0. Every answer is recorded before it is "
    "given. Whoever cannot carry out an obligation reads the answer as a refusal.",
    "th": "ใครใช้ข้อมูลของใครเพื่อวัตถุประสงค์ใดได้บ้าง: จุดตัดสินใจตามนโยบายสำหรับแพลตฟอร์มการศึกษา "
    "ตามมาตรฐาน OpenID AuthZEN 1.0 ทุกคำตอบถูกบันทึกก่อนส่งออก "
    "ผู้เรียกใช้ที่ทำตามข้อผูกพันไม่ได้ต้องถือว่าคำตอบเป็นการปฏิเสธ",
}

ROUTES: Mapping[str, tuple[Texts, Texts]] = {
    "evaluation": (
        {"en": "Ask one question", "th": "ถามหนึ่งคำถาม"},
        {
            "en": "May this subject do this with this person's data? A refusal is an answer "
            "(200), never an error. Unknown members are ignored; a member that is null is "
            "absent.",
            "th": "ผู้ขอใช้ข้อมูลของบุคคลนี้ได้หรือไม่ การปฏิเสธเป็นคำตอบ (200) ไม่ใช่ข้อผิดพลาด "
            "สมาชิกที่ไม่รู้จักถูกละเว้น และ null ถือว่าไม่ได้ส่งมา",
        },
    ),
    "evaluations": (
        {"en": "Ask several questions", "th": "ถามหลายคำถาม"},
        {
            "en": "Answers in the order of the items. What stands at the top is the default of "
            "what an item leaves out, a whole entity at a time. An item that is no question is "
            "refused in its place. Without items it is a single question.",
            "th": "คำตอบเรียงตามลำดับคำถาม ค่าที่ระดับบนใช้แทนส่วนที่คำถามย่อยไม่ได้ระบุ "
            "ทั้งก้อนทีละส่วน คำถามย่อยที่ผิดรูปแบบถูกปฏิเสธเฉพาะข้อ ถ้าไม่มีคำถามย่อยถือเป็นคำถามเดียว",
        },
    ),
    "explain": (
        {"en": "Ask why, and what would change the answer", "th": "ถามเหตุผลของคำตอบ"},
        {
            "en": "A what-if about a question, at another moment where `at` names one: every rule "
            "about it, each relation with the facts behind it, what refused, and what would have "
            "to change for the answer to change. Recorded as a what-if; never an access. It "
            "shows what a decision hides, and so needs a scope of its own.",
            "th": "ถามแบบสมมติ ณ เวลาใดก็ได้ (`at`): กฎทุกข้อที่เกี่ยวข้อง ความสัมพันธ์พร้อมข้อมูลที่รองรับ "
            "สิ่งที่ทำให้ปฏิเสธ และสิ่งที่ต้องเปลี่ยนเพื่อให้คำตอบเปลี่ยน บันทึกเป็นคำถามสมมติ ไม่ใช่การเข้าถึงข้อมูล "
            "เนื่องจากแสดงสิ่งที่คำตัดสินปิดไว้ จึงต้องมีขอบเขตสิทธิเฉพาะ",
        },
    ),
    **SEARCH_ROUTES,
    **AUDIT_TEXTS,
    "metadata": (
        {"en": "Metadata of the decision point", "th": "ข้อมูลประจำจุดตัดสินใจ"},
        {
            "en": "Which endpoints there are (AuthZEN, section 9).",
            "th": "มีบริการใดบ้าง (AuthZEN หัวข้อ 9)",
        },
    ),
    "jwks": (
        {"en": "Public keys", "th": "กุญแจสาธารณะ"},
        {
            "en": "The keys that tokens in force are signed with.",
            "th": "กุญแจที่ใช้ตรวจลายมือชื่อของโทเคนที่ยังมีผล",
        },
    ),
    "healthz": (
        {"en": "Alive?", "th": "ยังทำงานอยู่หรือไม่"},
        {"en": "The process answers.", "th": "โปรเซสตอบได้"},
    ),
    "readyz": (
        {"en": "Ready?", "th": "พร้อมให้บริการหรือไม่"},
        {
            "en": "The database answers and is migrated, and a record can be written.",
            "th": "ฐานข้อมูลตอบและเป็นรุ่นล่าสุด และเขียนบันทึกได้",
        },
    ),
    "forward_auth": (
        {"en": "May a proxy hand this on?", "th": "พร็อกซีส่งคำขอต่อได้หรือไม่"},
        {
            "en": "nginx, Traefik and Caddy tell the first request in headers. 200 with "
            "`X-Authz-…` headers, or 401 or 403. The bearer token is that of the person.",
            "th": "nginx, Traefik และ Caddy บอกคำขอเดิมไว้ในเฮดเดอร์ ตอบ 200 พร้อมเฮดเดอร์ "
            "`X-Authz-…` หรือ 401 หรือ 403 โทเคนเป็นของผู้ใช้",
        },
    ),
    "forward_auth_root": (
        {"en": "The same, of the front page", "th": "เช่นเดียวกัน สำหรับหน้าแรก"},
        {"en": "Envoy asks for the path `/`.", "th": "Envoy ถามถึงเส้นทาง `/`"},
    ),
    "forward_auth_path": (
        {"en": "The same, of the path behind", "th": "เช่นเดียวกัน โดยเส้นทางอยู่ต่อท้าย"},
        {
            "en": "Envoy asks with the method and the path of the first request.",
            "th": "Envoy ถามด้วยวิธีเรียกและเส้นทางของคำขอเดิม",
        },
    ),
    "openapi": (
        {"en": "This document", "th": "เอกสารนี้"},
        {"en": "OpenAPI 3.1 of every route.", "th": "OpenAPI 3.1 ของทุกเส้นทาง"},
    ),
    "docs": (
        {"en": "A page to read this document", "th": "หน้าสำหรับอ่านเอกสารนี้"},
        {
            "en": "Plain HTML, without scripts and without anything from elsewhere.",
            "th": "HTML ล้วน ไม่มีสคริปต์ และไม่โหลดสิ่งใดจากที่อื่น",
        },
    ),
}

STATUSES: Mapping[str, Texts] = {
    "200": {"en": "The answer.", "th": "คำตอบ"},
    "201": {"en": "It was made.", "th": "สร้างแล้ว"},
    "404": {"en": "There is no such thing.", "th": "ไม่พบสิ่งที่ระบุ"},
    "409": {"en": "It does not fit what is on file.", "th": "ขัดกับข้อมูลที่มีอยู่"},
    "400": {
        "en": "The request is malformed; `field` is the path of what is wrong.",
        "th": "คำขอผิดรูปแบบ `field` บอกตำแหน่งที่ผิด",
    },
    "401": {
        "en": "No valid token of a caller.",
        "th": "ไม่มีโทเคนที่ใช้ได้",
    },
    "403": {"en": "The token lacks the scope.", "th": "โทเคนไม่มีขอบเขตสิทธิที่ต้องใช้"},
    "413": {"en": "Too many bytes or items.", "th": "ใหญ่หรือมากเกินกำหนด"},
    "429": {"en": "Too many at once; ask again.", "th": "มีผู้ใช้พร้อมกันมากเกินไป โปรดลองใหม่"},
    "500": {"en": "A mistake of ours; no decision.", "th": "ข้อผิดพลาดภายใน ไม่มีคำตัดสิน"},
    "503": {
        "en": "No record or no database, so no decision; read it as a refusal.",
        "th": "บันทึกหรือฐานข้อมูลใช้ไม่ได้ จึงไม่มีคำตัดสิน ให้ถือว่าถูกปฏิเสธ",
    },
}
