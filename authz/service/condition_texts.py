"""A rule's condition in words, in Thai and English, from the same tree that is decided (3.4)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Final

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


def condition(text: str, language: str) -> str:
    """The condition as a sentence; a part that has no words stands as it is written."""
    return _say(parse(text).body, language)


def _say(node: ast.expr, language: str) -> str:  # noqa: PLR0911 (one way out for each kind)
    if isinstance(node, ast.Constant) and node.value is True:
        return ALWAYS[language]
    if isinstance(node, ast.BoolOp):
        word = (AND if isinstance(node.op, ast.And) else OR)[language]
        return word.join(_within(value, language) for value in node.values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return NOT[language].format(_within(node.operand, language))
    if isinstance(node, ast.Attribute):
        return _named(ast.unparse(node), language)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        texts = IS if isinstance(node.ops[0], ast.Eq) else IS_NOT
        return texts[language].format(
            _thing(node.left, language), _thing(node.comparators[0], language)
        )
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "listed":
        thing, names = (_thing(each, language) for each in node.args)
        return ONE_OF[language].format(thing, names)
    return ast.unparse(node)


def _within(node: ast.expr, language: str) -> str:
    said = _say(node, language)
    return GROUP[language].format(said) if isinstance(node, ast.BoolOp) else said


def _named(name: str, language: str) -> str:
    head, _, member = name.partition(".")
    if head == "r_rel" and member in tuple(Relation):
        return RELATIONS[Relation(member)][language]
    return FLAGS[name][language] if name in FLAGS else name


def _thing(node: ast.expr, language: str) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value).replace("|", ", ")
    name = ast.unparse(node)
    return NAMES[name][language] if name in NAMES else name
