"""What an explanation says, in Thai and English: facts, relations, changes (3.5)."""

from __future__ import annotations

from collections.abc import Mapping

from authz.vocabulary import FactState, Relation

Texts = Mapping[str, str]

YES: Texts = {"en": "Yes", "th": "ใช่"}
NO: Texts = {"en": "No", "th": "ไม่ใช่"}
NOTHING: Texts = {"en": "Nothing is on file.", "th": "ไม่พบข้อมูลที่บันทึกไว้"}
SINCE: Texts = {"en": "since {}", "th": "ตั้งแต่ {}"}
LACKS: Texts = {"en": "it lacks: {}", "th": "ขาด: {}"}
UNTIL: Texts = {"en": "until {}", "th": "ถึง {}"}

RELATIONS: Mapping[Relation, Texts] = {
    Relation.SELF: {
        "en": "subject and data subject are the same active person",
        "th": "ผู้ขอและเจ้าของข้อมูลเป็นบุคคลเดียวกันซึ่งมีบัญชีที่ใช้งานอยู่",
    },
    Relation.GUARDIAN: {
        "en": "the subject is the person's parent or guardian",
        "th": "ผู้ขอเป็นบิดามารดาหรือผู้ปกครองของบุคคลนี้",
    },
    Relation.MINOR: {"en": "the person is a minor", "th": "บุคคลนี้เป็นผู้เยาว์"},
    Relation.CUSTODY_RESTRICTED: {
        "en": "a custody restriction stops the subject towards the person",
        "th": "มีข้อจำกัดเรื่องการดูแลห้ามผู้ขอต่อบุคคลนี้",
    },
    Relation.TEACHES: {
        "en": "the subject teaches a class that the person attends",
        "th": "ผู้ขอสอนชั้นเรียนที่บุคคลนี้เรียนอยู่",
    },
    Relation.ASSISTS: {
        "en": "the subject assists in a class that the person attends",
        "th": "ผู้ขอช่วยสอนในชั้นเรียนที่บุคคลนี้เรียนอยู่",
    },
    Relation.SAME_SCHOOL: {
        "en": "the subject administers a school of the person, or an organisation above it",
        "th": "ผู้ขอดูแลโรงเรียนของบุคคลนี้หรือหน่วยงานต้นสังกัด",
    },
    Relation.CONTRACTED: {
        "en": "a contract of the subject's processor covers this use",
        "th": "สัญญาของผู้ประมวลผลที่ผู้ขอสังกัดครอบคลุมการใช้นี้",
    },
    Relation.ORDERED: {
        "en": "the order named is the subject's authority's and covers person and category",
        "th": "คำสั่งที่ระบุเป็นของหน่วยงานที่ผู้ขอสังกัด และครอบคลุมบุคคลและข้อมูลนี้",
    },
    Relation.TICKETED: {
        "en": "the ticket named is open, the person's, and assigned to the subject",
        "th": "คำร้องที่ระบุยังเปิดอยู่ เป็นของบุคคลนี้ และมอบหมายให้ผู้ขอ",
    },
    Relation.FULFILLING: {
        "en": "an order of goods of the person is the subject's to fulfil",
        "th": "คำสั่งซื้อของบุคคลนี้มอบหมายให้ผู้ขอจัดส่ง",
    },
    Relation.MENTORS: {
        "en": "the subject is the person's mentor",
        "th": "ผู้ขอเป็นพี่เลี้ยงของบุคคลนี้",
    },
    Relation.ON_CASE: {
        "en": "the case named is open, covers the person, and is assigned to the subject",
        "th": "กรณีที่ระบุยังเปิดอยู่ ครอบคลุมบุคคลนี้ และมอบหมายให้ผู้ขอ",
    },
    Relation.ON_RIGHTS_REQUEST: {
        "en": "the case named is such a case, and a rights request",
        "th": "กรณีที่ระบุเป็นคำขอใช้สิทธิซึ่งมอบหมายให้ผู้ขอ",
    },
    Relation.ELEVATED: {
        "en": "the subject holds an emergency grant at a school of the person",
        "th": "ผู้ขอได้รับสิทธิฉุกเฉินที่โรงเรียนของบุคคลนี้",
    },
    Relation.SUBJECT_ACTIVE: {
        "en": "the subject has an active account",
        "th": "ผู้ขอมีบัญชีที่ใช้งานอยู่",
    },
    Relation.PERSON_KNOWN: {
        "en": "the person is in the directory",
        "th": "บุคคลนี้อยู่ในระบบ",
    },
    Relation.RETENTION_ENDED: {
        "en": "the time for this purpose is over",
        "th": "พ้นระยะเวลาที่ใช้เพื่อวัตถุประสงค์นี้ได้แล้ว",
    },
    Relation.OBJECTED: {
        "en": "the person has objected to this purpose",
        "th": "บุคคลนี้คัดค้านการใช้เพื่อวัตถุประสงค์นี้",
    },
    Relation.CONSENTED: {
        "en": "a consent of the person to this purpose is in force",
        "th": "ความยินยอมของบุคคลนี้ต่อวัตถุประสงค์นี้ยังมีผล",
    },
    Relation.PROCESSING_RESTRICTED: {
        "en": "the use of the person's data is restricted, or their erasure was approved",
        "th": "การใช้ข้อมูลของบุคคลนี้ถูกระงับ หรือได้อนุมัติให้ลบแล้ว",
    },
    Relation.HOLDS_GRANTED_ROLE: {
        "en": "the person holds a granted role",
        "th": "บุคคลนี้ถือบทบาทที่ได้รับมอบ",
    },
}

KINDS: Mapping[str, Texts] = {
    "account": {"en": "the account", "th": "บัญชี"},
    "entity": {"en": "the stored entity", "th": "ข้อมูลที่จัดเก็บ"},
    "processor": {"en": "the processor", "th": "ผู้ประมวลผล"},
    "authority": {"en": "the authority", "th": "หน่วยงาน"},
    "guardianship": {"en": "the guardianship", "th": "ความเป็นผู้ปกครอง"},
    "birth_date": {"en": "the minority by birth date", "th": "ความเป็นผู้เยาว์ตามวันเกิด"},
    "emancipation": {"en": "the emancipation", "th": "การบรรลุนิติภาวะก่อนอายุ"},
    "custody_restriction": {"en": "the custody restriction", "th": "ข้อจำกัดเรื่องการดูแล"},
    "class": {"en": "the class", "th": "ชั้นเรียน"},
    "enrolment": {"en": "the enrolment", "th": "การลงทะเบียนเรียนหรือสอน"},
    "grant": {"en": "the grant", "th": "การมอบบทบาท"},
    "membership": {"en": "the membership", "th": "การเป็นสมาชิก"},
    "contract": {"en": "the contract", "th": "สัญญา"},
    "order": {"en": "the order", "th": "คำสั่ง"},
    "ticket": {"en": "the ticket", "th": "คำร้อง"},
    "case": {"en": "the case", "th": "กรณี"},
    "purchase": {"en": "the order of goods", "th": "คำสั่งซื้อ"},
    "mentoring": {"en": "the mentoring", "th": "การเป็นพี่เลี้ยง"},
    "elevation": {"en": "the emergency grant", "th": "สิทธิฉุกเฉิน"},
    "retention": {"en": "the time allowed for the purpose", "th": "ระยะเวลาของวัตถุประสงค์"},
    "objection": {"en": "the objection", "th": "การคัดค้าน"},
    "consent": {"en": "the consent", "th": "ความยินยอม"},
    "restriction": {"en": "the restriction of processing", "th": "การระงับการใช้ข้อมูล"},
    "erasure": {"en": "the approved erasure", "th": "การอนุมัติให้ลบข้อมูล"},
}

STATES: Mapping[FactState, Texts] = {
    FactState.IN_FORCE: {"en": "in force", "th": "มีผลอยู่"},
    FactState.ENDED: {"en": "ended on {until}", "th": "สิ้นสุดแล้วเมื่อ {until}"},
    FactState.NOT_YET: {"en": "begins on {since}", "th": "จะเริ่มเมื่อ {since}"},
    FactState.SUPERSEDED: {
        "en": "superseded by a recorded fact",
        "th": "มีข้อมูลที่บันทึกแทนรายการจากทะเบียนแล้ว",
    },
    FactState.RELATIVE: {
        "en": "a relative's link is no guardianship",
        "th": "ความสัมพันธ์แบบญาติไม่ใช่ความเป็นผู้ปกครอง",
    },
    FactState.ACCOUNT_INACTIVE: {
        "en": "an account is suspended, de-registered or missing",
        "th": "บัญชีถูกระงับ ยกเลิก หรือไม่มีอยู่",
    },
    FactState.SAME_PERSON: {
        "en": "does not hold between a person and themselves",
        "th": "ไม่ใช้ระหว่างบุคคลกับตนเอง",
    },
    FactState.OTHER_PERSON: {"en": "of or for somebody else", "th": "เป็นของหรือมอบหมายให้ผู้อื่น"},
    FactState.OTHER_CLASS: {"en": "another class was named", "th": "คำขอระบุชั้นเรียนอื่น"},
    FactState.OTHER_SUBJECT_TYPE: {
        "en": "the subject is of another type",
        "th": "ผู้ขอเป็นประเภทอื่น",
    },
    FactState.ELSEWHERE: {
        "en": "at an organisation that does not reach the person",
        "th": "อยู่ที่หน่วยงานซึ่งไม่ครอบคลุมบุคคลนี้",
    },
    FactState.WITHOUT_EFFECT: {
        "en": "without effect: its organisation, class or term has ended or is not known",
        "th": "ไม่มีผล เพราะหน่วยงาน ชั้นเรียน หรือภาคเรียนสิ้นสุดแล้วหรือไม่เป็นที่รู้จัก",
    },
    FactState.NOT_NAMED: {"en": "not named in the request", "th": "คำขอไม่ได้ระบุ"},
    FactState.NOT_COVERED: {"en": "does not cover this use", "th": "ไม่ครอบคลุมการใช้นี้"},
    FactState.WITHOUT_ROLE: {
        "en": "the role that it needs is not granted",
        "th": "ยังไม่ได้รับมอบบทบาทที่ต้องใช้",
    },
    FactState.OTHER_KIND: {"en": "of another kind", "th": "เป็นประเภทอื่น"},
    FactState.EMANCIPATED: {"en": "emancipated", "th": "บรรลุนิติภาวะก่อนอายุแล้ว"},
    FactState.UNKNOWN: {"en": "not known", "th": "ไม่ทราบ"},
}
