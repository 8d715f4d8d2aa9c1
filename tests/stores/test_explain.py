"""Explanations on both stores: each relation true and false with the fact behind it.

The tables are golden: what an administrator reads, worked out by hand from page 2.4.
"""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from authz import clock
from authz.cli.demo.school import write
from authz.decision.request import parse
from authz.service.decide import DecisionPoint
from authz.service.explain import explained
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster
from authz.vocabulary import Relation
from tests.world import BANGKOK, CALLER, NOW, Row, World, frozen, moment, point, question, records

Told = dict[str, Any]


def world() -> World:
    """A small district in which every relation is both true and not."""
    found = World().school("D").school("S1", below="D").school("S2", below="D")
    found.person("kid", "free", born="2012-05-05", at="S1").person("pal", born="2006-11-15")
    found.person("undated").person("mum", "dad", "aunt", "ann", "aide", "boss", "far").person(
        "clerk", at="S1"
    )
    found.people.append({"id": "gone", "status": "deregistered", "ended_at": "2026-01-01"})
    found.people += [{"id": "idle", "status": "suspended"}]
    found.people += [{"id": "left", "cancelled_at": "2020-01-01"}]
    found.term("T", "2026-05-16", "2027-03-31").term("old", "2025-05-16", "2026-03-31")
    found.group("C1", school="S1", terms=["T"]).group("C0", school="S1", terms=["old"])
    for group in ("C0", "C1"):
        found.enrol(group, "student", "kid").enrol(group, "teacher", "ann")
    found.enrol("C1", "aide", "aide").enrol("C0", "proctor", "far")
    found.guardianships.append({"guardian": "dad", "student": "kid", "kind": "parent"})
    found.guardian("dad", "kid", "guardian", until="2026-06-01").guardian("mum", "kid")
    found.guardian("aunt", "kid", "relative").guardian("mum", "undated").guardian("mum", "free")
    found.guardian("mum", "pal").guardian("ann", "free", from_="2027-01-01")
    found.fact("emancipation", person="free", from_="2026-10-01")
    found.fact("custody_restriction", subject="ann", person="kid", from_="2026-02-03", basis="x")
    found.grant("boss", "school_admin", "D", from_="2026-01-01").grant("far", "school_admin", "S2")
    for role in ("support_agent", "order_clerk", "mentor", "dpo", "analyst"):
        found.grant("clerk", role, until="2027-01-01")
    found.fact("processor", id="P", name="P", members=["svc"])
    found.fact("authority", id="A", name="A", members=["court"])
    terms = {"processor": "P", "purposes": ["service"], "actions": ["read"], "schools": "all"}
    place = {"country": "TH", "sub_processing": False, "transfer": "domestic"}
    found.fact("contract", id="K1", categories={"identity": []}, **terms, **place)
    found.fact("contract", id="K2", categories={"contact": ["email"]}, **terms, **place)
    cover = {"authority": "A", "categories": ["identity"]}
    found.fact("order", id="O1", persons=["kid"], **cover)
    found.fact("order", id="O2", persons=["pal"], **cover)
    mine = {"assignee": "clerk"}
    found.fact("ticket", id="K-1", person="kid", opened_at="2026-11-01", **mine)
    shut = {"opened_at": "2026-10-01", "closed_at": "2026-11-01"}
    found.fact("ticket", id="K-2", person="kid", **shut, **mine)
    found.fact("purchase", id="G-1", person="kid", ordered_at="2026-11-01", **mine)
    found.fact("purchase", id="G-2", person="pal", ordered_at="2026-01-01", **mine,
               received_at="2026-02-01")  # fmt: skip
    found.fact("mentoring", mentor="clerk", person="kid", from_="2026-03-01")
    found.fact("mentoring", mentor="clerk", person="pal", until="2026-03-01")
    found.fact("case", id="R", kind="rights_request", persons=["kid"], opened_at="2026-11-01",
               **mine)  # fmt: skip
    found.fact("case", id="I", kind="incident", persons=["kid"], opened_at="2026-11-01", **mine)
    day = {"from_": "2026-11-15", "until": "2026-11-16", "justification": "flood"}
    found.fact("elevation", person="far", school="S1", **day)
    found.fact("elevation", person="boss", school="S2", **day)
    found.fact("consent", person="kid", purpose="marketing", given_at="2026-01-01",
               withdrawn_at="2026-05-01")  # fmt: skip
    found.fact("objection", person="kid", purpose="improvement", from_="2026-04-01")
    found.fact("restriction", person="pal", from_="2026-07-01")
    return found


def ask(who: str, category: str = "identity", person: str = "kid", **more: Any) -> Row:
    kind = "service" if who in {"svc", "court"} else "user"
    action = more.pop("action", "read")
    return question(who, action, category, person, kind=kind, **more)


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
    (Relation.ORDERED, True, ask("court", order="O1", **DUTY), "order", "in_force", "O1"),
    (Relation.ORDERED, False, ask("court", **DUTY), "order", "not_named", "not named"),
    (Relation.ORDERED, False, ask("court", order="O2", **DUTY), "order", "other_person", "O2"),
    (Relation.TICKETED, True, ask("clerk", ticket="K-1"), "ticket", "in_force", "2026-11-01"),
    (Relation.TICKETED, False, ask("clerk", ticket="K-2"), "ticket", "ended", "on 2026-11-01"),
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


def explain(store: Engine, *asked: Row, at: datetime = NOW, language: str = "en") -> list[Told]:
    found = explained(point(store), [parse(each) for each in asked], CALLER, at, language)
    return [document for _, document in found]


def told_of(document: Told, relation: Relation) -> Told:
    """What the explanation says of a relation, in the first rule that asks it."""
    for rule in document["context"]["explanation"]["rules"]:
        for each in rule["condition"]["relations"]:
            if each["relation"] == relation:
                found: Told = each
                return found
    raise AssertionError(f"no rule asks {relation}")


def category(relation: Relation) -> str:
    """A category about which some rule asks the relation."""
    return "learner_profile" if relation is Relation.MENTORS else "identity"


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
    (by_contract, by_rule) = explain(store, contract, update)
    used = _rule(by_contract, "processor-use")
    assert used["fields"] == {
        "allowed": ["email"],
        "cut": [{"by": "contract", "fields": ["phone", "birth_date", "gender"]}],
    }
    kept = _rule(by_rule, "parent-update")
    assert kept["fields"]["cut"] == [
        {"by": "rule", "fields": ["birth_date", "gender"]},
        {"by": "asked", "fields": ["phone"]},
    ]


def _rule(document: Told, name: str) -> Told:
    rules = document["context"]["explanation"]["rules"]
    found: Told = next(rule for rule in rules if rule["rule"] == name)
    return found


def _changes(document: Told) -> list[str]:
    return [each["text"] for each in document["context"]["explanation"]["changes"]]


def test_what_would_have_to_change_is_said_in_thai_and_english(store: Engine) -> None:
    """Issue 3, part 5: the day majority is reached, the guardianship's end, the word missing."""
    world().store(store)
    until = ask("mum", "assessment_result")
    (english,), (thai,) = explain(store, until), explain(store, until, language="th")
    assert _changes(english)[0] == (
        "Until 2032-05-05 this is permitted; then, as the person comes of age, it is refused: "
        "No rule permits this use."
    )
    assert "2032-05-05" in _changes(thai)[0]
    assert "บรรลุนิติภาวะ" in _changes(thai)[0]
    was, needed, custody, mfa, purpose = explain(
        store,
        ask("dad"),
        ask("clerk", "contact", "pal"),
        ask("ann"),
        ask("boss", "credentials", action="update"),
        ask("clerk", "learner_profile"),
    )
    assert any(
        text.startswith("Before 2026-06-01 this was permitted (parent-read); then, as the guardian")
        for text in _changes(was)
    )
    assert "With an active guardianship, this would be permitted (parent-read)." in _changes(was)
    assert not any("mfa" in text for text in _changes(needed))
    assert any(text.startswith("Without the custody restriction") for text in _changes(custody))
    assert _changes(mfa) == ["With a second factor (mfa), this would be permitted (school-reset)."]
    assert "For the purpose advice, this would be permitted (mentor-read)." in _changes(purpose)


def test_a_ticket_on_file_that_was_not_named_is_proposed(store: Engine) -> None:
    """The facts are read anew for it: naming it really permits."""
    world().store(store)
    (document,) = explain(store, ask("clerk", "contact", purpose="support"))
    assert "Naming the ticket K-1, this would be permitted (support-read)." in _changes(document)


def test_an_explanation_is_recorded_as_a_what_if_and_is_no_access(store: Engine) -> None:
    """2.8, N-49: one record for each, with the moment that was asked about."""
    world().store(store)
    before = len(records(store))
    with frozen(NOW):
        explain(store, ask("mum"), ask("dad"), at=moment("2033-01-01"))
    found = records(store)[before:]
    assert [record["event"] for record in found] == ["what_if", "what_if"]
    assert {record["what_if_at"] for record in found} == {"2032-12-31T17:00:00.000000Z"}


def test_a_word_that_the_catalogue_lacks_needs_no_rules(store: Engine) -> None:
    """2.6: unknown words are looked at first, and nothing else is."""
    world().store(store)
    strange = copy.deepcopy(ask("mum"))
    strange["resource"]["type"] = "shoes"
    (document,) = explain(store, strange)
    assert document["context"]["reason"]["code"] == "unknown_category"
    assert document["context"]["explanation"]["rules"] == []


def test_every_scene_of_the_demo_school_is_explained_as_it_is_decided(
    store: Engine, tmp_path: Path
) -> None:
    """Outcome, and each moment that would change it, asked again (N-23)."""
    school = write(tmp_path, clock.now().astimezone(BANGKOK).date())
    here = point(store)
    import_oneroster(store, school.roster, local=BANGKOK, by="test")
    import_facts(
        store,
        lambda: school.facts.read_text("utf-8").splitlines(),
        name="facts",
        catalogue=here.policy.catalogue,
        local=BANGKOK,
        by="test",
    )
    at = datetime.combine(school.today, datetime.min.time(), BANGKOK).astimezone(UTC)
    at += timedelta(hours=9)
    asked = [parse(scene.request) for scene in school.scenes]
    found = explained(here, asked, CALLER, at, "en")
    plain = [one.decision for one in here.what_if(asked, CALLER, at)]
    assert [decided.decision for decided, _ in found] == plain
    for scene, (decided, document) in zip(school.scenes, found, strict=True):
        told = document["context"]["explanation"]
        standing = {rule["rule"] for rule in told["rules"] if rule["stands"]}
        assert bool(standing) is decided.decision.permit is scene.decision
        assert not decided.decision.permit or set(decided.decision.rules) <= standing
        assert [text for text in _changes(document) if "with time" in text] == []
        _moments_hold(here, scene.request, told["changes"])


def _moments_hold(here: DecisionPoint, request: Row, changes: list[Told]) -> None:
    for change in changes:
        if change["kind"] != "time":
            continue
        asked = moment(change["value"])
        asked -= timedelta(microseconds=change["what"] == "before")
        (then,) = here.what_if([parse(request)], CALLER, asked)
        assert then.decision.permit is change["decision"]
        assert list(then.decision.rules) == change.get("rules", [])
