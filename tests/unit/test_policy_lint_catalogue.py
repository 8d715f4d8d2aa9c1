"""Defects of ``catalogue.toml`` (3.3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_policy_lint import Defect, catalogue, check, named

CATALOGUES = {
    "toml": catalogue('about = "people" ', "about = people ", "It is not TOML"),
    "toml end": catalogue(
        'en = "None of the fields asked for may be used."', "en = [", "It is not TOML", "en = ["
    ),
    "table twice": catalogue(
        "[categories.contact]",
        "[categories.identity]",
        "It is not TOML",
        '[categories.identity]\nfields = ["email"',
    ),
    "unknown table": catalogue(
        "[obligations]", "[duties]\nx = 1\n[obligations]", "duties is unknown", "[duties]"
    ),
    "unknown key": catalogue(
        'name = "school"', 'name = "school"\nnmae = 1', "nmae is unknown", "nmae"
    ),
    "roles of people": catalogue(
        'name = "school"', 'name = "school"\nroles = ["x"]', "roles is unknown in [pack]", "roles ="
    ),
    "role that follows from facts kept apart": catalogue(
        'roles = ["school_admin", "auditor"]',
        'roles = ["school_admin", "teacher"]',
        "The role 'teacher' is unknown in [separation.school-and-overseeing.roles]",
    ),
    "one role kept apart": catalogue(
        'roles = ["school_admin", "auditor"]', 'roles = ["auditor"]', "names one role only"
    ),
    "separation without Thai": catalogue(
        'th = "ผู้ดูแลระบบของโรงเรียนไม่ตรวจสอบงานของตนเอง"\n',
        "",
        "has no text in th",
        "[separation.school-and-overseeing]",
    ),
    "about": catalogue('about = "people" ', 'about = "persons" ', "one of people, entities"),
    "about missing": catalogue('about = "people" ', "", "one of people, entities", "[pack]"),
    "name a number": catalogue('name = "school"', "name = 3", "3 cannot be a name"),
    "answers": catalogue(
        'name = "school"', 'name = "school"\nanswers = "yes"', "one of plain, explained", "answers"
    ),
    "actions a text": catalogue("actions = [", 'actions = "read" # [', "no list of names"),
    "action twice": catalogue(
        '"export", "disclose"', '"export", "export", "disclose"', "listed twice"
    ),
    "action any": catalogue(
        '"export", "disclose"', '"export", "any", "disclose"', "'any' cannot be a name"
    ),
    "action with |": catalogue(
        '"export", "disclose"', '"export", "a|b", "disclose"', "'a|b' cannot be a name"
    ),
    "fields a number": catalogue(
        'fields = ["given_name", "family_name"]',
        "fields = 3",
        "fields of [categories.identity] is no list",
    ),
    "fields mixed": catalogue('"given_name", "family_name"', '"given_name", 4', "no list of names"),
    "fields missing": catalogue(
        'fields = ["given_name", "family_name"]\n',
        "",
        "fields of [categories.identity]",
        "[categories.identity]",
    ),
    "everywhere a text": catalogue(
        'fields = ["given_name", "family_name"]',
        'fields = ["given_name", "family_name"]\neverywhere = "yes"',
        "everywhere of [categories.identity] is no truth value",
        "everywhere =",
    ),
    "category no table": catalogue(
        "[categories.identity]",
        "[categories]\nx = 1\n[categories.identity]",
        "[categories.x] is no table",
        "x = 1",
    ),
    "category key": catalogue(
        'th = "ชื่อและนามสกุล"', 'thai = "ชื่อและนามสกุล"', "thai is unknown in [categories.identity]"
    ),
    "category all": catalogue(
        "[categories.identity]",
        '[categories.all]\nfields=["a"]\n[categories.identity]',
        "'all' cannot be a name",
        "[categories.all]",
    ),
    "no Thai title": catalogue('th = "ที่อยู่จัดส่ง"\n', "", "no text in th", "[categories.delivery]"),
    "basis": catalogue('basis = "legal_obligation"', 'basis = "law"', "one of contract"),
    "basis missing": catalogue(
        'basis = "legal_obligation"\n', "", "The basis None", "[purposes.legal_duty]"
    ),
    "clock start": catalogue('starts = "received"', 'starts = "recieved"', "one of cancelled"),
    "clock unit": catalogue(
        'clock = { starts = "received", years = 10 }',
        'clock = { starts = "received", days = 10 }',
        "is not complete",
    ),
    "clock both": catalogue("days = 30 }", "days = 30, years = 1 }", "is not complete"),
    "clock number": catalogue("days = 30 }", 'days = "30" }', "is not complete"),
    "clock truth": catalogue("days = 30 }", "days = true }", "is not complete"),
    "clock negative": catalogue("days = 30 }", "days = -1 }", "from 1 to 36525"),
    "clock too far": catalogue("days = 30 }", "days = 99999999 }", "from 1 to 36525"),
    "clock half": catalogue(
        'starts = "received", years = 10', 'starts = "received"', "is not complete"
    ),
    "clock empty": catalogue(
        '{ starts = "received", years = 10 }', "{}", "The start None", "clock = {}"
    ),
    "clock a list": catalogue(
        '{ starts = "received", years = 10 }', "[]", "is no table", "clock = []"
    ),
    "clock a number": catalogue(
        '{ starts = "received", years = 10 }', "0", "is no table", "clock = 0\n"
    ),
    "needs field": catalogue('"contact(email)"', '"contact(mail)"', "field of contact 'mail'"),
    "needs category": catalogue('"contact(email)"', '"kontact"', "'kontact'"),
    "needs no field": catalogue('"contact(email)"', '"contact()"', "lists no field"),
    "needs unclosed": catalogue('"contact(email)"', '"contact(email"', "not written well"),
    "needs twice": catalogue('"contact(email)"', '"contact(email)", "contact"', "listed twice"),
    "needs a text": catalogue(
        'basis = "legal_obligation"\nneeds = "all but credentials"',
        'basis = "legal_obligation"\nneeds = "everything"',
        "no list of names",
        'needs = "everything"',
    ),
    "needs missing": catalogue(
        'basis = "legal_obligation"\nneeds = "all but credentials"\n',
        'basis = "legal_obligation"\n',
        "needs of [purposes.legal_duty]",
        "[purposes.legal_duty]",
    ),
    "obligation key": catalogue(
        'review = ["school-emergency"]', 'reviews = ["school-emergency"]', "reviews is unknown"
    ),
    "obligation rule": catalogue(
        'review = ["school-emergency"]',
        'review = ["school-emergncy"]',
        "names the rule school-emergncy",
    ),
    "obligation of a refusal": catalogue(
        'review = ["school-emergency"]', 'review = ["custody"]', "names the rule custody"
    ),
    "classes of none": catalogue(
        '"teacher-read", "assistant-read"]', '"teacher-read", "self-read"]', "holds in no class"
    ),
    "notify rule": catalogue(
        'school-reset = ["person"]', 'school-rest = ["person"]', "names the rule school-rest"
    ),
    "notify whom": catalogue(
        'school-reset = ["person"]', 'school-reset = ["persom"]', "one of person, dpo"
    ),
    "notify a text": catalogue(
        'school-reset = ["person"]', 'school-reset = "person"', "no list of names"
    ),
    "reason missing": catalogue(
        "[reasons.no-fields]",
        "[reasons.no-field]",
        "The rule no-fields has no sentence",
        "[reasons.self-read]",
    ),
    "reason of nobody": catalogue(
        "[reasons.no-fields]",
        '[reasons.x]\nth = "ก"\nen = "a"\n[reasons.no-fields]',
        "names the rule x",
        "[reasons.x]",
    ),
    "reason without Thai": catalogue(
        'th = "ไม่มีรายการข้อมูลใดในที่ขอที่อนุญาตให้ใช้ได้"\n', "", "no text in th", "[reasons.no-fields]"
    ),
    "Thai in English": catalogue(
        'th = "ไม่มีรายการข้อมูลใดในที่ขอที่อนุญาตให้ใช้ได้"', 'th = "No."', "a sentence in Thai"
    ),
    "reason empty": catalogue(
        '"None of the fields asked for may be used."', '" "', "no text in en"
    ),
    "reason a number": catalogue(
        '"None of the fields asked for may be used."', "7", "no text in en", "en = 7"
    ),
    "reason no table": catalogue(
        "[reasons.no-fields]",
        "[reasons]\nx = 1\n[reasons.no-fields]",
        "[reasons.x] is no table",
        "x = 1",
    ),
    "third language": catalogue(
        'th = "ที่อยู่จัดส่ง"', 'de = "x"\nth = "ที่อยู่จัดส่ง"', "de is unknown", "de ="
    ),
}


@pytest.mark.parametrize("defect", named(CATALOGUES))
def test_a_catalogue_that_is_not_plain_stops_the_start(tmp_path: Path, defect: Defect) -> None:
    check(tmp_path, defect)
