"""A rule's condition in words, in Thai and English, from the same tree that is decided (3.4)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

from authz.decision.catalogue import Catalogue
from authz.engine.expression import parse
from authz.service.explain_texts import RELATIONS
from authz.vocabulary import Relation

Texts = Mapping[str, str]

ALWAYS: Final[Texts] = {"en": "always", "th": "ทุกกรณี"}
AND: Final[Texts] = {"en": ", and ", "th": " และ"}
OR: Final[Texts] = {"en": ", or ", "th": " หรือ"}
NOT: Final[Texts] = {"en": "it is not so that {}", "th": "ไม่ใช่กรณีที่{}"}
GROUP: Final[Texts] = {"en": "({})", "th": "({})"}
IS: Final[Texts] = {"en": "{} is {}", "th": "{}คือ {}"}
IS_NOT: Final[Texts] = {"en": "{} is not {}", "th": "{}ไม่ใช่ {}"}
ONE_OF: Final[Texts] = {"en": "{} is one of {}", "th": "{}เป็นหนึ่งใน {}"}
NAMES: Final[Mapping[str, Texts]] = {
    "r_sub.type": {"en": "the kind of subject", "th": "ประเภทผู้ขอ"},
    "r_act.name": {"en": "the action", "th": "การกระทำ"},
    "r_res.type": {"en": "the kind of data", "th": "ประเภทข้อมูล"},
    "r_pair.rule": {"en": "the rule that would permit", "th": "กฎที่จะอนุญาต"},
    "r_pair.purpose": {"en": "the purpose", "th": "วัตถุประสงค์"},
    "r_pair.basis": {"en": "the legal basis", "th": "ฐานทางกฎหมาย"},
}
VALUES: Final[Mapping[str, Texts]] = {
    "read": {"en": "read", "th": "อ่าน"},
    "update": {"en": "change", "th": "แก้ไข"},
    "export": {"en": "export", "th": "ส่งออก"},
    "disclose": {"en": "pass on", "th": "เปิดเผยต่อ"},
    "delete": {"en": "delete", "th": "ลบ"},
    "user": {"en": "a person on file", "th": "บุคคลในทะเบียน"},
    "service": {"en": "an application", "th": "ระบบงาน"},
    "contract": {"en": "contract", "th": "สัญญา"},
    "consent": {"en": "consent", "th": "ความยินยอม"},
    "legal_obligation": {"en": "legal obligation", "th": "หน้าที่ตามกฎหมาย"},
    "legitimate_interest": {"en": "legitimate interest", "th": "ประโยชน์โดยชอบด้วยกฎหมาย"},
}
FLAGS: Final[Mapping[str, Texts]] = {
    "r_ctx.mfa": {
        "en": "a second factor was shown",
        "th": "ยืนยันตัวตนขั้นที่สองแล้ว",
    },
    "r_ctx.justified": {"en": "a justification is given", "th": "ระบุเหตุผลไว้"},
    "r_ctx.class_named": {"en": "a class is named", "th": "ระบุชั้นเรียนไว้"},
    "r_pair.needed": {
        "en": "the purpose needs these data",
        "th": "วัตถุประสงค์จำเป็นต้องใช้ข้อมูลนี้",
    },
    "r_pair.no_fields": {
        "en": "no field is left of those asked for",
        "th": "ไม่เหลือรายการข้อมูลใดให้ใช้",
    },
}


def condition(text: str, language: str, catalogue: Catalogue) -> str:
    """The condition as a sentence; a part that has no words stands as it is written."""
    return _Said(language, catalogue).say(parse(text).body)


class _Said:
    """Says the parts of a condition in one language, with the catalogue's words for its names."""

    def __init__(self, language: str, catalogue: Catalogue) -> None:
        self.language = language
        self.titles: Mapping[str, Mapping[str, Texts]] = {
            "r_res.type": {name: each.title for name, each in catalogue.categories.items()},
            "r_pair.purpose": {name: each.title for name, each in catalogue.purposes.items()},
        }

    def say(self, node: ast.expr) -> str:
        """A part, whatever it is."""
        if isinstance(node, ast.Constant) and node.value is True:
            return ALWAYS[self.language]
        if isinstance(node, ast.BoolOp):
            word = (AND if isinstance(node.op, ast.And) else OR)[self.language]
            return word.join(self._within(value) for value in node.values)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return NOT[self.language].format(self._within(node.operand))
        if isinstance(node, ast.Attribute):
            return self._named(ast.unparse(node))
        return self._compared(node)

    def _compared(self, node: ast.expr) -> str:
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            texts = IS if isinstance(node.ops[0], ast.Eq) else IS_NOT
            return texts[self.language].format(*self._sides(node.left, node.comparators[0]))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "listed":
            return ONE_OF[self.language].format(*self._sides(*node.args))
        return ast.unparse(node)

    def _within(self, node: ast.expr) -> str:
        said = self.say(node)
        return GROUP[self.language].format(said) if isinstance(node, ast.BoolOp) else said

    def _named(self, name: str) -> str:
        head, _, member = name.partition(".")
        if head == "r_rel" and member in tuple(Relation):
            return RELATIONS[Relation(member)][self.language]
        return FLAGS[name][self.language] if name in FLAGS else name

    def _sides(self, thing: ast.expr, other: ast.expr) -> tuple[str, str]:
        """What is compared, and with which values, each by what it is a value of."""
        name = ast.unparse(thing)
        said = NAMES[name][self.language] if name in NAMES else name
        if not isinstance(other, ast.Constant):
            return said, ast.unparse(other)
        known = self.titles.get(name, VALUES)
        values = str(other.value).split("|")
        return said, ", ".join(known.get(each, {}).get(self.language, each) for each in values)
