"""Reports from the trail, on both stores: who used whose data, a breach, unused rights."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.audit.search import search
from authz.config import Settings
from authz.config import load as settings
from authz.directory.facts import Place
from authz.directory.tables import Membership, Organisation
from authz.errors import ForbiddenError, MalformedError, NotFoundError
from authz.policy.load import load
from authz.service import incidents
from authz.service.decide import DecisionPoint
from authz.service.record_facts import import_facts
from authz.service.reports.access_of import access_of
from authz.service.reports.asking import Asker
from authz.service.reports.breach import Asked, breach
from authz.service.reports.document import Report
from authz.service.reports.unused import unused
from authz.service.tokens import create_token, revoke
from authz.vocabulary import Event

LOCAL = ZoneInfo("Asia/Bangkok")
NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)
PACK = load(Path("policies/school"))
ME = Asker("dpo-console")
PEOPLE = ("mali", "anan", "wanida", "kru", "admin", "siri", "uncle", "vendor")
FACTS: list[dict[str, Any]] = [
    *({"fact": "person", "id": name, "given_name": name, "family_name": "x"} for name in PEOPLE),
    {"fact": "person", "id": "mali", "birth_date": "2014-05-01"},
    {"fact": "guardianship", "guardian": "anan", "student": "mali", "kind": "parent"},
    {"fact": "guardianship", "guardian": "wanida", "student": "mali", "kind": "parent"},
    {"fact": "guardianship", "guardian": "uncle", "student": "mali", "kind": "relative"},
    {"fact": "custody_restriction", "subject": "wanida", "person": "mali", "basis": "court"},
    {"fact": "grant", "person": "siri", "role": "dpo", "granted_by": "x", "reason": "x",
     "from": "2026-01-01", "until": "2027-01-01"},
    {"fact": "grant", "person": "kru", "role": "mentor", "granted_by": "x", "reason": "x",
     "from": "2026-01-01", "until": "2027-01-01"},
    {"fact": "processor", "id": "V", "name": "Vendor", "country": "TH", "members": ["vendor"]},
    {"fact": "contract", "id": "used", "processor": "V", "purposes": ["service"],
     "categories": {"contact": []}, "actions": ["read"], "schools": "all", "transfer": "domestic",
     "country": "TH", "sub_processing": False, "from": "2026-01-01", "until": "2027-01-01"},
    {"fact": "contract", "id": "idle", "processor": "V", "purposes": ["marketing"],
     "categories": {"contact": []}, "actions": ["read"], "schools": "all", "transfer": "domestic",
     "country": "TH", "sub_processing": False, "from": "2026-01-01", "until": "2027-01-01"},
]  # fmt: skip


@pytest.fixture
def point(store: Engine, monkeypatch: pytest.MonkeyPatch) -> DecisionPoint:
    """A family, a teacher, an officer and a vendor, at noon."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    put(store, FACTS)
    return DecisionPoint(store, PACK, Place(LOCAL))


def put(store: Engine, facts: Sequence[dict[str, Any]]) -> None:
    import_facts(
        store,
        lambda: (json.dumps(fact) for fact in facts),
        name="facts",
        catalogue=PACK.catalogue,
        local=LOCAL,
        by="tests",
    )


def use(number: int, subject: str, rule: str, **more: Any) -> Entry:
    """A decision some minutes before noon."""
    about: dict[str, Any] = {
        "event": Event.DECISION,
        "time": NOON - timedelta(minutes=number),
        "application": "portal",
        "subject": Ref("user", subject),
        "action": "read",
        "resource": Ref("contact", "mali"),
        "purpose": "service",
        "decision": True,
        "rules": [rule],
        "obligations": [{"id": "fields", "value": ["email", "phone"]}],
    }
    return Entry(**{**about, **more})


def listed(number: int, *names: str, **more: Any) -> Entry:
    return use(
        number, "kru", "", event=Event.SEARCH, decision=None, rules=[],
        resource=Ref("identity", ""), obligations=[],
        detail={"search": "resource", "listed": list(names)}, **more,
    )  # fmt: skip


def belong(
    store: Engine, schools: dict[str, str | None], members: Sequence[tuple[str, str]]
) -> None:
    """Schools with the one above each, and who belongs where."""
    told = {"origin": "x", "recorded_at": NOON - timedelta(days=300)}
    with store.begin() as connection:
        for name, parent in schools.items():
            row = {"id": name, "name": f"School {name}", "parent": parent, **told}
            connection.execute(insert(Organisation).values(row))
        for person, school in members:
            row = {"id": person + school, "person": person, "organisation": school, **told}
            connection.execute(insert(Membership).values(row))


def rows(report: Report, table: str = "") -> list[dict[str, Any]]:
    found = next(each for each in report.tables if each.id == (table or report.main))
    names = [column.id for column in found.columns]
    return [dict(zip(names, row, strict=True)) for row in found.rows]


def facts(report: Report) -> dict[str, Any]:
    return {fact.id: fact.value for fact in report.facts}


def test_who_saw_my_data_tells_roles_and_no_staff(point: DecisionPoint) -> None:
    """N-30, N-49: applications, roles, kinds, purposes, dates; listed is not seen."""
    log.record(
        point.store,
        [
            use(9, "kru", "teacher-read", resource=Ref("assessment_result", "mali")),
            use(5, "kru", "teacher-read", resource=Ref("assessment_result", "mali")),
            use(8, "other-kru", "teacher-read", resource=Ref("assessment_result", "mali")),
            use(7, "mali", "self-read"),
            use(6, "anan", "", decision=False, rules=["custody"], reason="custody"),
            use(4, "anan", "parent-read", event=Event.WHAT_IF),
            use(3, "kru", "teacher-read", resource=Ref("identity", "somebody-else")),
            listed(2, "mali", "other"),
        ],
    )
    report = access_of(point, "mali", by=ME)
    assert (facts(report)["own"], facts(report)["refused"]) == (1, 1)
    newest, seen = rows(report)
    assert (newest["how"], newest["category"], newest["times"]) == ("listed", "identity", 1)
    assert seen == {
        "application": "portal",
        "role": ["teacher"],
        "category": "assessment_result",
        "purpose": "service",
        "action": "read",
        "how": "about",
        "times": 3,
        "first": "2026-11-23T04:51:00.000000Z",
        "last": "2026-11-23T04:55:00.000000Z",
    }
    named = rows(access_of(point, "mali", by=ME, staff=True))
    assert {row["subject"] for row in named} == {"kru", "other-kru"}
    span = access_of(point, "mali", by=ME, since=NOON - timedelta(minutes=3))
    assert [row["how"] for row in rows(span)] == ["listed"]


@pytest.mark.parametrize(
    ("asker", "may"),
    [("mali", True), ("anan", True), ("siri", True)]
    + [(name, False) for name in ("wanida", "uncle", "kru", "nobody")],
)
def test_only_the_person_a_guardian_and_the_officer_may_ask(
    point: DecisionPoint, asker: str, may: bool
) -> None:
    """N-22, N-30: a custody restriction, a relative, a stranger are refused, and recorded."""
    by = Asker("portal", "client", for_person=asker)
    if may:
        access_of(point, "mali", by=by)
    else:
        with pytest.raises(ForbiddenError):
            access_of(point, "mali", by=by)
    with point.store.connect() as connection:
        (found,) = search(connection, person="mali", event="trail_read").records
    assert found.record["action"] == "report.access_of"
    assert found.record["subject"] == {"type": "user", "id": asker}
    assert found.record.get("decision") is (None if may else False)


def test_a_guardian_of_an_adult_may_not_ask(point: DecisionPoint) -> None:
    """N-22: the right ends with the birthday by itself."""
    put(point.store, [{"fact": "person", "id": "mali", "birth_date": "2006-11-23"}])
    with pytest.raises(ForbiddenError):
        access_of(point, "mali", by=Asker("portal", "client", for_person="anan"))


def test_a_breach_tells_people_fields_counts_and_dates(point: DecisionPoint) -> None:
    """E-07, N-50: whose data, which fields, how often, first and last; and the notice."""
    log.record(
        point.store,
        [
            use(9, "vendor", "processor-use", application="stolen"),
            use(7, "vendor", "processor-use", application="stolen",
                obligations=[{"id": "fields", "value": ["gender"]}]),
            use(6, "vendor", "processor-use", application="stolen", resource=Ref("contact", "kru")),
            use(5, "vendor", "", application="stolen", decision=False, rules=["custody"]),
            listed(4, "anan", "mali", application="stolen"),
            use(3, "vendor", "processor-use", application="other", resource=Ref("contact", "siri")),
        ],
    )  # fmt: skip
    incidents.open_incident(point, "A key leaked", ident="I-1", by="t")
    report = breach(point, Asked(application="stolen", incident="I-1"), by=ME)
    told = facts(report)
    assert (told["people"], told["uses"], told["listings"]) == (3, 3, 2)
    found = {(row["person"], row["category"]): row for row in rows(report)}
    assert set(found) == {
        ("anan", "identity"), ("kru", "contact"), ("mali", "contact"), ("mali", "identity")
    }  # fmt: skip
    mine = found["mali", "contact"]
    assert mine["fields"] == ["email", "phone", "gender"]
    assert (mine["times"], mine["listed"]) == (2, 0)
    assert mine["first"] == "2026-11-23T04:51:00.000000Z"
    assert found["anan", "identity"]["listed"] == 1
    kinds = {row["category"]: row["people"] for row in rows(report, "categories")}
    assert kinds == {"contact": 2, "identity": 2}
    thai, english = report.letters
    assert "26 พ.ย. 2569 12:00 น." in str(thai)
    assert "by 26 Nov 2026 12:00" in str(english)
    assert "not known yet" in str(english)


def test_a_breach_by_each_kind_of_selection(point: DecisionPoint) -> None:
    """N-50: an account, a rule, a span of time; nothing asked is refused."""
    log.record(
        point.store,
        [
            use(9, "vendor", "processor-use"),
            use(5, "kru", "mentor-read", application="stolen"),
            use(-5, "kru", "mentor-read", application="stolen", resource=Ref("contact", "siri")),
        ],
    )
    later = NOON - timedelta(minutes=6)

    def people(**asked: Any) -> list[str]:
        return [row["person"] for row in rows(breach(point, Asked(**asked), by=ME))]

    assert people(account="vendor") == ["mali"]
    assert people(rule="mentor-read") == ["mali", "siri"]
    assert people(since=later, until=NOON) == ["mali"]
    assert people(account="nobody") == []
    with pytest.raises(MalformedError):
        people()
    with pytest.raises(NotFoundError):
        people(token="none")


def test_a_breach_by_a_token_is_of_that_token_alone(point: DecisionPoint, tmp_path: Path) -> None:
    """N-50: of two tokens of one application only the stolen one's uses."""
    known = settings(key_folder=tmp_path)
    stolen, other = (given(point.store, known) for _ in range(2))
    tokens: dict[str, dict[str, str]] = {
        "stolen": {"token_id": stolen},
        "other": {"token_id": other},
        "none": {},
        "forged": {"request_id": f'","token_id":"{stolen}"'},
    }
    log.record(
        point.store,
        [
            *(
                use(-1, "kru", "mentor-read", application="app", resource=Ref("contact", who), **of)
                for who, of in tokens.items()
            ),
            listed(-2, "siri", application="app", token_id=stolen),
        ],
    )

    def people(**asked: Any) -> list[str]:
        return [row["person"] for row in rows(breach(point, Asked(token=stolen, **asked), by=ME))]

    assert people() == ["siri", "stolen"]
    assert people(since=NOON + timedelta(seconds=90)) == ["siri"]
    assert people(until=NOON + timedelta(seconds=90)) == ["stolen"]
    revoke(point.store, jti=stolen, by="t")
    assert people() == ["siri", "stolen"]


def given(store: Engine, known: Settings) -> str:
    """The id of a new token."""
    token = create_token(store, known, "app", ["pdp"], timedelta(hours=1), by="t")
    return str(json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))["jti"])


def test_a_breach_is_told_by_school(point: DecisionPoint) -> None:
    """E-07: each school is told of its own members."""
    belong(point.store, {"A": None, "B": None}, [("mali", "A"), ("mali", "B"), ("kru", "B")])
    log.record(
        point.store,
        [use(3, "v", "processor-use", resource=Ref("contact", name)) for name in ("mali", "kru")],
    )
    report = breach(point, Asked(account="v", since=NOON - timedelta(days=1)), by=ME)
    found = [(row["school"], row["name"], row["people"]) for row in rows(report, "schools")]
    assert found == [("A", "School A", 1), ("B", "School B", 2)]


def test_unused_rights_are_listed_and_used_ones_are_not(point: DecisionPoint) -> None:
    """N-41, N-46: what nobody used in so many days, with what would be lost."""
    log.record(
        point.store,
        [
            use(60 * 24 * 3, "kru", "mentor-read"),
            use(60, "vendor", "processor-use"),
        ],
    )
    report = unused(point, 5, by=ME)
    assert [row["account"] for row in rows(report)] == ["siri"]
    assert "dpo-case: identity" in rows(report)[0]["loses"]
    assert [row["contract"] for row in rows(report, "contracts")] == ["idle"]
    idle = {row["rule"]: row for row in rows(report, "rules")}
    assert {"mentor-read", "processor-use"}.isdisjoint(idle)
    assert idle["teacher-read"]["role"] == "teacher"
    shorter = unused(point, 1, by=ME)
    assert [row["account"] for row in rows(shorter)] == ["kru", "siri"]
    assert {r["rule"]: r["last"] for r in rows(shorter, "rules")}["mentor-read"].startswith("2026")
    assert rows(unused(point, 3000, by=ME)) == []
    with pytest.raises(MalformedError):
        unused(point, 0, by=ME)


def test_of_one_role_at_two_organisations_the_used_one_is_told(point: DecisionPoint) -> None:
    """N-41: the person whose data were used tells which grant it was."""
    belong(point.store, {"district": None, "A": "district", "B": None}, [("mali", "A")])
    grant = {"fact": "grant", "person": "admin", "role": "school_admin", "granted_by": "x",
             "reason": "x", "from": "2026-01-01", "until": "2027-01-01"}  # fmt: skip
    put(point.store, [{**grant, "organisation": name} for name in ("district", "B")])
    log.record(point.store, [use(60, "admin", "school-read")])
    idle = [(row["account"], row["organisation"]) for row in rows(unused(point, 5, by=ME))]
    assert ("admin", "B") in idle
    assert ("admin", "district") not in idle


def test_reading_a_report_is_recorded(point: DecisionPoint) -> None:
    """N-49: who read which report, of whom."""
    breach(point, Asked(account="kru"), by=ME)
    unused(point, 5, by=ME)
    with point.store.connect() as connection:
        found = [each.record for each in search(connection, event="trail_read").records]
    assert [(each["action"], each["detail"]["asked"]) for each in sorted(
        found, key=lambda each: each["action"]
    )] == [("report.breach", {"subject": "kru"}), ("report.unused", {"days": 5})]  # fmt: skip
