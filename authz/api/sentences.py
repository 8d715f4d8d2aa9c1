"""The sentences of problem documents in Thai, by their English text, and titles by code."""

from __future__ import annotations

from collections.abc import Mapping

TITLES: Mapping[str, Mapping[str, str]] = {
    "malformed": {"en": "The request is malformed.", "th": "คำขอไม่ถูกต้องตามรูปแบบ"},
    "too_large": {"en": "The request is too large.", "th": "คำขอมีขนาดใหญ่เกินกำหนด"},
    "unauthenticated": {
        "en": "The caller is not known.",
        "th": "ไม่สามารถยืนยันตัวตนของผู้เรียกใช้บริการ",
    },
    "keys_unavailable": {
        "en": "It cannot be verified now who asks.",
        "th": "ขณะนี้ยังยืนยันตัวตนของผู้เรียกใช้บริการไม่ได้",
    },
    "forbidden": {
        "en": "The caller may not use this.",
        "th": "ผู้เรียกใช้บริการไม่มีสิทธิใช้ส่วนนี้",
    },
    "not_found": {"en": "There is nothing here.", "th": "ไม่พบสิ่งที่เรียก"},
    "conflict": {
        "en": "The change does not fit what is on file.",
        "th": "การเปลี่ยนแปลงขัดกับข้อมูลที่มีอยู่",
    },
    "too_many": {"en": "Too many at once.", "th": "มีผู้ใช้พร้อมกันมากเกินไป"},
    "method_not_allowed": {
        "en": "This method is not supported here.",
        "th": "ไม่รองรับวิธีเรียกแบบนี้",
    },
    "audit_unavailable": {
        "en": "The record could not be written, so there is no answer.",
        "th": "บันทึกการตรวจสอบไม่สำเร็จ จึงไม่มีคำตอบ",
    },
    "store_unavailable": {
        "en": "The database does not answer, so there is no answer.",
        "th": "ฐานข้อมูลไม่ตอบสนอง จึงไม่มีคำตอบ",
    },
    "refused": {
        "en": "This request is not permitted.",
        "th": "ไม่อนุญาตคำขอนี้",
    },
    "obligation_not_carried_out": {
        "en": "Nobody behind this proxy does what the permit obliges to.",
        "th": "ระบบปลายทางไม่ปฏิบัติตามเงื่อนไขของการอนุญาต",
    },
    "not_ready": {"en": "The service is not ready.", "th": "ระบบยังไม่พร้อมให้บริการ"},
    "internal": {
        "en": "Something went wrong here; the log names the request's id.",
        "th": "เกิดข้อผิดพลาดภายในระบบ ดูบันทึกตามรหัสคำขอ",
    },
}

THAI: Mapping[str, str] = {
    "Too many read the stream at once.": "มีผู้อ่านบันทึกแบบต่อเนื่องพร้อมกันมากเกินไป",
    "Too many bodies are on their way.": "มีคำขอที่ยังส่งข้อมูลมาไม่ครบมากเกินไป",
    "It is required.": "ต้องระบุ",
    "It must be a JSON object.": "ต้องเป็นอ็อบเจกต์ JSON",
    "It must be a JSON array.": "ต้องเป็นอาร์เรย์ JSON",
    "It must be a string.": "ต้องเป็นข้อความ",
    "It must be true or false.": "ต้องเป็น true หรือ false",
    "It must be a list of strings.": "ต้องเป็นรายการข้อความ",
    "It must be an ISO date or time.": "ต้องเป็นวันที่หรือเวลาแบบ ISO",
    "It must name at least one field.": "ต้องระบุอย่างน้อยหนึ่งรายการ",
    "The content type must be application/json.": "ชนิดเนื้อหาต้องเป็น application/json",
    "The body is shorter than it says.": "เนื้อหาสั้นกว่าที่แจ้งไว้",
    "The body is too large.": "เนื้อหามีขนาดใหญ่เกินกำหนด",
    "The body is not UTF-8.": "เนื้อหาไม่เป็น UTF-8",
    "The body is nested too deeply.": "เนื้อหาซ้อนกันลึกเกินกำหนด",
    "The body is not JSON: a bracket is missing.": "เนื้อหาไม่เป็น JSON วงเล็บไม่ครบ",
    "The body is not JSON.": "เนื้อหาไม่เป็น JSON",
    "The member stands there twice.": "ระบุสมาชิกนี้ซ้ำ",
    "The number is too large.": "ตัวเลขมีค่ามากเกินไป",
    "A surrogate stands alone.": "มีอักขระ surrogate ที่ไม่ครบคู่",
    "There are too many evaluations.": "จำนวนคำขอในชุดมากเกินกำหนด",
    "It must be a whole number, 0 or more.": "ต้องเป็นจำนวนเต็มตั้งแต่ 0",
    "The limit is another than before.": "จำนวนต่อหน้าต่างจากหน้าแรก",
    "The page token is not of this search.": "โทเคนของหน้าไม่ใช่ของการค้นหานี้",
    "The page token has expired.": "โทเคนของหน้าหมดอายุแล้ว",
    "It names no record.": "ไม่ใช่ชื่อของรายการในบันทึก",
    "The tree is not that large.": "บันทึกยังมีรายการไม่ถึงจำนวนนี้",
    "The first tree is larger than the second.": "ขนาดแรกมากกว่าขนาดที่สอง",
    "The tree of this size does not hold such a record.": "ไม่มีรายการนี้ในบันทึกตามขนาดที่ระบุ",
    "There is no checkpoint yet.": "ยังไม่มีจุดตรวจสอบ",
    "There is no key yet; the first checkpoint makes it.": "ยังไม่มีกุญแจ จะสร้างพร้อมจุดตรวจสอบแรก",
    "This is no place in the list.": "ไม่ใช่ตำแหน่งในรายการ",
    "The semantic is unknown.": "ไม่รู้จักวิธีประเมินแบบชุดนี้",
    "A bearer token is needed.": "ต้องส่งโทเคนแบบ Bearer",
    "The token is not valid here.": "โทเคนใช้กับระบบนี้ไม่ได้",
    "The token is not valid yet.": "โทเคนยังไม่เริ่มมีผล",
    "The token has expired.": "โทเคนหมดอายุแล้ว",
    "The token was revoked.": "โทเคนถูกเพิกถอนแล้ว",
    "The token does not have the scope that is needed.": "โทเคนไม่มีขอบเขตสิทธิที่ต้องใช้",
    "There is no such parameter.": "ไม่มีพารามิเตอร์นี้",
    "It is none of the words that are known here.": "ไม่ใช่คำที่รู้จัก",
    "This is no place in a search.": "ไม่ใช่ตำแหน่งในผลการค้นหา",
    "Say what was stolen or misused.": "โปรดระบุสิ่งที่ถูกขโมยหรือถูกใช้ในทางที่ผิด",
    "There is no token of this id.": "ไม่มีโทเคนรหัสนี้",
    "There is no incident of that id.": "ไม่มีเหตุละเมิดรหัสนี้",
    "There is an incident of that id already.": "มีเหตุละเมิดรหัสนี้อยู่แล้ว",
    "There is no such person in the directory.": "ไม่พบบุคคลนี้ในระบบ",
    "The incident is closed.": "เหตุละเมิดนี้ปิดแล้ว",
    "An incident needs a title.": "ต้องระบุชื่อเหตุละเมิด",
    "It cannot be known later than now.": "เวลาที่ทราบเหตุต้องไม่เกินปัจจุบัน",
    "It cannot have happened later than now.": "เวลาต้องไม่เกินปัจจุบัน",
    "It cannot be reported before it was known.": "แจ้งก่อนทราบเหตุไม่ได้",
    "It must be assigned to a person.": "ต้องมอบหมายให้บุคคล",
    "Say what changed.": "โปรดระบุสิ่งที่เปลี่ยนแปลง",
    "This report is for the person, for their guardian while they are a minor, and for the "
    "data-protection officer.": "รายงานนี้สำหรับเจ้าของข้อมูล ผู้ปกครองของผู้เยาว์ "
    "และเจ้าหน้าที่คุ้มครองข้อมูลส่วนบุคคลเท่านั้น",
}
