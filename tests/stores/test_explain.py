"""Explanations on both stores: each relation true and false with the fact behind it.

The tables are golden: what an administrator reads, worked out by hand from page 2.4.
"""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from authz.vocabulary import Relation
from tests.explaining import ask, explain, rule_of, told_of, world
from tests.world import Row

SERVICE = {"purpose": "service"}
DUTY = {"purpose": "legal_duty"}
RELATIONS: list[tuple[Relation, bool, Row, str, str, str]] = [
    (Relation.SELF, True, ask("kid"), "account", "in_force", "kid"),
    (Relation.SELF, False, ask("mum"), "account", "other_person", "mum"),
    (Relation.GUARDIAN, True, ask("mum"), "guardianship", "in_force", "(parent)"),
    (Relation.GUARDIAN, False, ask("dad"), "guardianship", "ended", "ended on 2026-06-01"),
    (Relation.GUARDIAN, False, ask("dad"), "guardianship", "superseded", "recorded fact"),
    (Relation.GUARDIAN, False, ask("aunt"), "guardianship", "relative", "no guardianship"),
    (Relation.GUARDIAN, False, ask("ann", person="free"), "guardianship", "not_yet", "2027-01-01"),
    (Relation.MINOR, True, ask("mum"), "birth_date", "in_force", "until 2032-05-05"),
    (Relation.MINOR, False, ask("mum", person="pal"), "birth_date", "ended", "on 2026-11-15"),
    (Relation.MINOR, False, ask("mum", person="undated"), "birth_date", "unknown", "not known"),
    (Relation.MINOR, False, ask("mum", person="free"), "emancipation", "in_force", "2026-10-01"),
    (Relation.TEACHES, True, ask("ann"), "class", "in_force", "until 2027-03-31"),
    (Relation.TEACHES, False, ask("ann", properties={"class": "C0"}), "class", "ended", "03-31"),
    (Relation.TEACHES, False, ask("ann", properties={"class": "C0"}), "class", "other_class", "C1"),
    (Relation.ASSISTS, True, ask("aide"), "class", "in_force", "(aide)"),
    (Relation.ASSISTS, False, ask("far"), "class", "ended", "ended on 2026-03-31"),
    (Relation.SAME_SCHOOL, True, ask("boss"), "grant", "in_force", "since 2026-01-01"),
    (Relation.SAME_SCHOOL, True, ask("boss"), "membership", "in_force", "(S1)"),
    (Relation.SAME_SCHOOL, False, ask("far"), "grant", "elsewhere", "S2"),
    (Relation.CONTRACTED, True, ask("svc", **SERVICE), "contract", "in_force", "K1"),
    (Relation.CONTRACTED, False, ask("svc", **DUTY), "contract", "not_covered", "purpose"),
    (Relation.CONTRACTED, False, ask("svc", **DUTY), "contract", "not_covered", "purpose, school"),
    (Relation.CONTRACTED, False, ask("svc", **DUTY), "contract", "not_covered", "transfer"),
    (Relation.CONTRACTED, False, ask("svc", **DUTY), "contract", "not_covered", "category, purp"),
    (
        Relation.CONTRACTED,
        False,
        ask("svc", action="disclose", **SERVICE),
        "contract",
        "not_covered",
        "lacks: action, sub_processing",
    ),
    (Relation.ORDERED, True, ask("court", order="O1", **DUTY), "order", "in_force", "O1"),
    (Relation.ORDERED, False, ask("court", **DUTY), "order", "not_named", "not named"),
    (Relation.ORDERED, False, ask("court", order="O2", **DUTY), "order", "other_person", "O2"),
    (Relation.TICKETED, True, ask("clerk", ticket="K-1"), "ticket", "in_force", "2026-11-01"),
    (Relation.TICKETED, False, ask("clerk", ticket="K-2"), "ticket", "ended", "on 2026-11-01"),
    (
        Relation.TICKETED,
        False,
        ask("clerk", person="clerk", ticket="K-3"),
        "ticket",
        "same_person",
        "themselves",
    ),
    (Relation.TICKETED, False, ask("far", ticket="K-1"), "ticket", "other_person", "K-1"),
    (Relation.FULFILLING, True, ask("clerk"), "purchase", "in_force", "G-1"),
    (Relation.FULFILLING, False, ask("clerk", person="pal"), "purchase", "ended", "2026-05-02"),
    (Relation.FULFILLING, False, ask("far"), "purchase", "other_person", "somebody else"),
    (Relation.MENTORS, True, ask("clerk"), "mentoring", "in_force", "since 2026-03-01"),
    (Relation.MENTORS, False, ask("clerk", person="pal"), "mentoring", "ended", "2026-03-01"),
    (Relation.ON_CASE, True, ask("clerk", case="I"), "case", "in_force", "incident"),
    (Relation.ON_CASE, False, ask("clerk"), "case", "not_named", "not named"),
    (Relation.ON_RIGHTS_REQUEST, True, ask("clerk", case="R"), "case", "in_force", "R"),
    (Relation.ON_RIGHTS_REQUEST, False, ask("clerk", case="I"), "case", "other_kind", "I"),
    (Relation.ELEVATED, True, ask("far"), "elevation", "in_force", "until 2026-11-16"),
    (Relation.ELEVATED, False, ask("boss"), "elevation", "elsewhere", "S2"),
]
"""A relation of a permit, whether it holds, the question, and one fact behind it."""

ABSENT = (Relation.GUARDIAN, Relation.TEACHES, Relation.MENTORS, Relation.ELEVATED)

REFUSALS: list[tuple[str, Row, Relation, bool, str, str]] = [
    ("custody", ask("ann"), Relation.CUSTODY_RESTRICTED, True, "custody_restriction", "2026-02-03"),
    ("inactive-subject", ask("idle"), Relation.SUBJECT_ACTIVE, False, "account", "(suspended)"),
    ("inactive-subject", ask("gone"), Relation.SUBJECT_ACTIVE, False, "account", "2026-01-01"),
    ("retention", ask("left", person="left"), Relation.RETENTION_ENDED, True, "retention",
     "ended on 2021-01-01"),
    ("withdrawn", ask("clerk", "interests", purpose="marketing"), Relation.CONSENTED, False,
     "consent", "ended on 2026-05-01"),
    ("objected", ask("clerk", "interests", purpose="improvement"), Relation.OBJECTED, True,
     "objection", "since 2026-04-01"),
    ("restricted", ask("clerk", "service_usage", "pal", purpose="improvement"),
     Relation.PROCESSING_RESTRICTED, True, "restriction", "since 2026-07-01"),
    ("escalation", ask("boss", "contact", "clerk", action="update"), Relation.HOLDS_GRANTED_ROLE,
     True, "grant", "until 2027-01-01"),
]  # fmt: skip
"""A refusal, the question that it strikes, and the fact behind it."""


def test_every_relation_is_told_with_the_fact_behind_it(
    store: Engine, subtests: pytest.Subtests
) -> None:
    """Which row made it so, or why none did (2.4, N-20, N-21, N-22, N-24, N-25, N-44)."""
    world().store(store)
    documents = explain(store, *(request for _, _, request, *_ in RELATIONS))
    for (relation, holds, request, kind, state, words), document in zip(
        RELATIONS, documents, strict=True
    ):
        with subtests.test(f"{relation} {holds} {state}", request=request):
            told = told_of(document, relation)
            assert told["holds"] is holds
            assert told["text"].startswith("Yes: " if holds else "No: ")
            facts = [
                each for each in told["facts"] if (each["fact"], each["state"]) == (kind, state)
            ]
            assert facts, told["facts"]
            assert any(words in each["text"] for each in facts), facts
            assert any(each["counts"] for each in told["facts"]) is holds


def test_a_relation_without_a_row_says_that_nothing_is_on_file(store: Engine) -> None:
    """An absence is told as one, in both languages (3.5)."""
    world().store(store)
    for language, words in (("en", "Nothing is on file."), ("th", "ไม่พบข้อมูลที่บันทึกไว้")):
        (document,) = explain(store, ask("clerk", person="left"), language=language)
        for relation in ABSENT:
            told = told_of(document, relation)
            assert (told["holds"], told["facts"]) == (False, []), told
            assert told["text"].endswith(words)


def test_a_refusal_that_strikes_is_told_with_its_fact(
    store: Engine, subtests: pytest.Subtests
) -> None:
    """Which refusal struck which pair, and since when (2.6, E-02, E-03, N-32, N-35)."""
    world().grant("clerk", "platform_admin").store(store)
    documents = explain(store, *(request for _, request, *_ in REFUSALS))
    for (name, request, relation, holds, kind, words), document in zip(
        REFUSALS, documents, strict=True
    ):
        with subtests.test(name, request=request):
            refusals = document["context"]["explanation"]["refusals"]
            struck = next(each for each in refusals if each["rule"] == name)
            told = next(
                each for each in struck["condition"]["relations"] if each["relation"] == relation
            )
            assert told["holds"] is holds
            assert any(words in f["text"] for f in told["facts"] if f["fact"] == kind), told
            by = [
                rule["rule"]
                for rule in document["context"]["explanation"]["rules"]
                if name in rule["struck_by"]
            ]
            assert struck["strikes"] == by


def test_a_role_is_told_with_what_it_is_held_from(store: Engine) -> None:
    """Grant, enrolment, guardianship, membership of a processor (2.4, N-43)."""
    world().store(store)
    wanted = {
        "mum": ("parent", "guardianship"),
        "ann": ("teacher", "enrolment"),
        "aide": ("teacher_aide", "enrolment"),
        "boss": ("school_admin", "grant"),
        "svc": ("processor", "processor"),
    }
    documents = explain(store, *(ask(who) for who in wanted))
    for (role, kind), document in zip(wanted.values(), documents, strict=True):
        rules = document["context"]["explanation"]["rules"]
        told = next(rule["role"] for rule in rules if rule["role"]["name"] == role)
        assert told["held"]
        assert (told["facts"][0]["fact"], told["facts"][0]["counts"]) == (kind, True)
    grant = documents[3]["context"]["explanation"]["rules"]
    told = next(rule["role"] for rule in grant if rule["role"]["name"] == "school_admin")
    assert told["facts"][0]["about"]["organisation"] == "D"
    assert told["facts"][0]["since"] == "2026-01-01"


def test_what_cut_the_fields_is_told(store: Engine) -> None:
    """2.7, E-01: by the rule, the contract, the fields asked for, the purpose."""
    world().store(store)
    contract = ask("svc", "contact", purpose="service")
    update = ask("mum", "contact", action="update", properties={"fields": ["email", "gender"]})
    support = ask("clerk", "contact", purpose="support", ticket="K-1")
    by_contract, by_rule, by_purpose = explain(store, contract, update, support)
    used = rule_of(by_contract, "processor-use")
    assert used["fields"] == {
        "allowed": ["email"],
        "cut": [{"by": "contract", "fields": ["phone", "birth_date", "gender"]}],
    }
    kept = rule_of(by_rule, "parent-update")
    assert kept["fields"]["cut"] == [
        {"by": "rule", "fields": ["birth_date", "gender"]},
        {"by": "asked", "fields": ["phone"]},
    ]

    seen = rule_of(by_purpose, "support-read")
    assert seen["fields"]["cut"] == [{"by": "purpose", "fields": ["birth_date", "gender"]}]


def test_somebody_unknown_is_told_as_such(store: Engine) -> None:
    """2.6: neither the subject nor the person is on file."""
    world().store(store)
    (document,) = explain(store, ask("nobody", person="no-one"))
    told = document["context"]["explanation"]["refusals"]
    assert [each["rule"] for each in told] == ["inactive-subject", "unknown-person"]
    for each in told:
        (relation,) = each["condition"]["relations"]
        assert (relation["holds"], relation["facts"]) == (False, [])
        assert relation["text"].endswith("Nothing is on file.")


def test_the_tables_above_name_every_relation() -> None:
    named = {relation for relation, *_ in RELATIONS} | {row[2] for row in REFUSALS}
    assert named | {Relation.PERSON_KNOWN} == set(Relation)
    both = {(relation, holds) for relation, holds, *_ in RELATIONS}
    assert len(both) == 2 * len({relation for relation, _ in both})
