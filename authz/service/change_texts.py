"""What would have to change, as sentences in Thai and English (issue 3, part 5)."""

from __future__ import annotations

from collections.abc import Mapping

from authz.vocabulary import Relation

Texts = Mapping[str, str]

PERMITTED: Texts = {
    "en": "{what}, this would be permitted ({rules}).",
    "th": "{what} จะได้รับอนุญาต ({rules})",
}
REFUSED: Texts = {
    "en": "{what}, this would be refused: {reason}",
    "th": "{what} จะไม่ได้รับอนุญาต: {reason}",
}
TIMES: Mapping[tuple[str, bool, bool], Texts] = {
    ("from", True, False): {
        "en": "Until {at} this is permitted; then, {because}, it is refused: {reason}",
        "th": "ได้รับอนุญาตถึง {at} จากนั้นจะไม่ได้รับอนุญาต {because}: {reason}",
    },
    ("from", False, True): {
        "en": "From {at} on this is permitted ({rules}), {because}.",
        "th": "ตั้งแต่ {at} จะได้รับอนุญาต ({rules}) {because}",
    },
    ("from", True, True): {
        "en": "From {at} on it is permitted otherwise ({rules}), {because}.",
        "th": "ตั้งแต่ {at} จะได้รับอนุญาตในแบบอื่น ({rules}) {because}",
    },
    ("before", False, True): {
        "en": "Before {at} this was permitted ({rules}); then, {because}, it was not.",
        "th": "ก่อน {at} ได้รับอนุญาต ({rules}) จากนั้นไม่ได้รับอนุญาต {because}",
    },
    ("before", True, False): {
        "en": "This is permitted since {at}, {because}; before that it was refused: {reason}",
        "th": "ได้รับอนุญาตตั้งแต่ {at} {because} ส่วนก่อนหน้านั้นไม่ได้รับอนุญาต: {reason}",
    },
}
"""By what the moment is, whether it is permitted now, and whether it is permitted then."""

AS: Texts = {"en": "as {}", "th": "เพราะ{}"}
AND: Texts = {"en": " and ", "th": " และ "}
BEGINS: Texts = {"en": "{} begins", "th": "{} เริ่ม"}
ENDS: Texts = {"en": "{} ends", "th": "{} สิ้นสุด"}
OF_AGE: Texts = {"en": "the person comes of age", "th": "บุคคลนี้บรรลุนิติภาวะ"}
TIME: Texts = {"en": "with time", "th": "เมื่อเวลาผ่านไป"}

WORDS: Mapping[tuple[str, bool], Texts] = {
    ("purpose", True): {
        "en": "For the purpose {value}",
        "th": "หากระบุวัตถุประสงค์ {value}",
    },
    ("mfa", True): {"en": "With a second factor (mfa)", "th": "หากยืนยันตัวตนสองชั้น (mfa)"},
    ("mfa", False): {
        "en": "Without a second factor (mfa)",
        "th": "หากไม่ได้ยืนยันตัวตนสองชั้น (mfa)",
    },
    ("justification", True): {
        "en": "With a justification",
        "th": "หากให้เหตุผล (justification)",
    },
    ("justification", False): {
        "en": "Without a justification",
        "th": "หากไม่ให้เหตุผล (justification)",
    },
    ("fields", False): {
        "en": "Without naming fields",
        "th": "หากไม่ระบุรายการข้อมูล (fields)",
    },
    ("class", True): {"en": "Naming the class {value}", "th": "หากระบุชั้นเรียน {value}"},
    ("class", False): {"en": "Without naming a class", "th": "หากไม่ระบุชั้นเรียน"},
    ("ticket", True): {"en": "Naming the ticket {value}", "th": "หากระบุคำร้อง {value}"},
    ("order", True): {"en": "Naming the order {value}", "th": "หากระบุคำสั่ง {value}"},
    ("case", True): {"en": "Naming the case {value}", "th": "หากระบุกรณี {value}"},
    ("record", True): {"en": "Naming the record {value}", "th": "หากระบุคำสั่งซื้อ {value}"},
    ("role", True): {"en": "With the role {value}", "th": "หากมีบทบาท {value}"},
}
"""By what is otherwise, and whether it is there."""

THINGS: Mapping[Relation, Texts] = {
    Relation.GUARDIAN: {
        "en": "an active guardianship",
        "th": "ความเป็นผู้ปกครองที่มีผล",
    },
    Relation.MINOR: {
        "en": "a birth date on file that makes the person a minor",
        "th": "วันเกิดซึ่งแสดงว่าบุคคลนี้เป็นผู้เยาว์",
    },
    Relation.TEACHES: {
        "en": "a class that the subject teaches and the person attends",
        "th": "ชั้นเรียนที่ผู้ขอสอนและบุคคลนี้เรียน",
    },
    Relation.ASSISTS: {
        "en": "a class that the subject assists in and the person attends",
        "th": "ชั้นเรียนที่ผู้ขอช่วยสอนและบุคคลนี้เรียน",
    },
    Relation.SAME_SCHOOL: {
        "en": "a grant as administrator of the person's school",
        "th": "สิทธิผู้ดูแลโรงเรียนของบุคคลนี้",
    },
    Relation.CONTRACTED: {
        "en": "a contract that covers this use",
        "th": "สัญญาที่ครอบคลุมการใช้นี้",
    },
    Relation.ORDERED: {
        "en": "a named order in force that covers this",
        "th": "คำสั่งที่มีผลซึ่งครอบคลุมและระบุในคำขอ",
    },
    Relation.TICKETED: {
        "en": "a named open ticket of the person, assigned to the subject",
        "th": "คำร้องที่เปิดอยู่ของบุคคลนี้ซึ่งมอบหมายให้ผู้ขอและระบุในคำขอ",
    },
    Relation.FULFILLING: {
        "en": "an order of goods of the person that is the subject's to fulfil",
        "th": "คำสั่งซื้อของบุคคลนี้ซึ่งมอบหมายให้ผู้ขอ",
    },
    Relation.MENTORS: {"en": "an active mentoring", "th": "การเป็นพี่เลี้ยงที่มีผล"},
    Relation.ON_CASE: {
        "en": "a named open case that covers the person, assigned to the subject",
        "th": "กรณีที่เปิดอยู่ซึ่งครอบคลุมบุคคลนี้ มอบหมายให้ผู้ขอและระบุในคำขอ",
    },
    Relation.ON_RIGHTS_REQUEST: {
        "en": "a named rights request of the person, assigned to the subject",
        "th": "คำขอใช้สิทธิของบุคคลนี้ซึ่งมอบหมายให้ผู้ขอและระบุในคำขอ",
    },
    Relation.ELEVATED: {
        "en": "an emergency grant at the person's school",
        "th": "สิทธิฉุกเฉินที่โรงเรียนของบุคคลนี้",
    },
    Relation.CONSENTED: {
        "en": "a consent in force to this purpose",
        "th": "ความยินยอมที่มีผลต่อวัตถุประสงค์นี้",
    },
    Relation.SUBJECT_ACTIVE: {
        "en": "an active account of the subject",
        "th": "บัญชีที่ใช้งานอยู่ของผู้ขอ",
    },
    Relation.CUSTODY_RESTRICTED: {
        "en": "the custody restriction",
        "th": "ข้อจำกัดเรื่องการดูแล",
    },
    Relation.RETENTION_ENDED: {
        "en": "the end of the time for this purpose",
        "th": "การสิ้นสุดระยะเวลาของวัตถุประสงค์นี้",
    },
    Relation.OBJECTED: {"en": "the objection", "th": "การคัดค้าน"},
    Relation.PROCESSING_RESTRICTED: {
        "en": "the restriction or erasure",
        "th": "การระงับการใช้หรือการอนุมัติให้ลบ",
    },
    Relation.HOLDS_GRANTED_ROLE: {
        "en": "the granted role of the person",
        "th": "บทบาทที่บุคคลนี้ได้รับมอบ",
    },
}
WITH: Texts = {"en": "With {}", "th": "หากมี{}"}
WITHOUT: Texts = {"en": "Without {}", "th": "หากไม่มี{}"}
MINORITY: Texts = {"en": "the person's minority", "th": "ความเป็นผู้เยาว์ของบุคคลนี้"}
"""What a permit loses where the person is no minor."""
