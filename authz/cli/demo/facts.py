"""What no roster can say about the demo school: the lines of `facts.jsonl` (spec 4.4).

Each block is there so that a rule of 2.5 can be seen to permit and to refuse, or a refusal of
2.6 to strike. Days are counted from the day of loading.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from authz.cli.demo.people import DOI, SUAN, years_before

Fact = dict[str, object]


def facts(today: date) -> Iterator[Fact]:
    """All lines, in an order in which every reference is to an earlier line or the roster."""
    yield from _people(today)
    yield from _grants(today)
    yield from _families(today)
    yield from _processors(today)
    yield from _authorities(today)
    yield from _work(today)
    yield from _wishes(today)


def _day(today: date, days: int) -> str:
    return (today + timedelta(days=days)).isoformat()


def _time(today: date, days: int, clock: str = "09:00") -> str:
    """A moment with its offset; a time without one would be local as well (2.4)."""
    return f"{_day(today, days)}T{clock}:00+07:00"


def _people(today: date) -> Iterator[Fact]:
    """The platform's own staff (E-05), and the clocks of N-12 that a roster does not carry."""

    def person(id_: str, given: str, family: str, **more: object) -> Fact:
        name = {"id": id_, "given_name": given, "family_name": family}
        return {"fact": "person", **name, "status": "active", **more}

    yield person("ops-krung", "กรุง", "มั่นคง")
    yield person("dpo-siri", "สิริ", "ธรรมขันธ์")
    yield person("support-aom", "อ้อม", "วิริยะ")
    yield person("clerk-bank", "แบงค์", "ไชยชนะ")
    yield person("mentor-pim", "พิมพ์", "รัตนวงศ์")
    yield person("analyst-wit", "วิทย์", "เลิศปัญญา")
    yield person("analyst-june", "จูน", "โอภาสวงศ์")
    cancelled = years_before(today, 2).isoformat()
    yield person(
        "student-arun",
        "อรุณ",
        "สิงห์คำ",
        status="deregistered",
        cancelled_at=cancelled,
    )
    yield person("student-lek", "เล็ก", "เพชรดี", cancelled_at=cancelled)
    yield person("student-nok", "นก", "จันทร์ดี", last_used_at=years_before(today, 6).isoformat())


def _grants(today: date) -> Iterator[Fact]:
    """Who may do which work, since when, by whom and why (N-43); one grant has run out."""

    def grant(person: str, role: str, reason: str, **more: object) -> Fact:
        about = {"person": person, "role": role, "from": _day(today, -400)}
        return {"fact": "grant", **about, "granted_by": "dpo-siri", "reason": reason, **more}

    yield grant("ops-krung", "platform_admin", "ดูแลระบบ")
    yield grant("dpo-siri", "dpo", "เจ้าหน้าที่คุ้มครองข้อมูลส่วนบุคคล", granted_by="ops-krung")
    yield grant("support-aom", "support_agent", "ฝ่ายบริการผู้ใช้")
    yield grant("clerk-bank", "order_clerk", "ฝ่ายจัดส่ง")
    yield grant("mentor-pim", "mentor", "โครงการพี่เลี้ยง", organisation=SUAN)
    yield grant("analyst-wit", "analyst", "ฝ่ายพัฒนาผลิตภัณฑ์")
    yield grant("analyst-june", "analyst", "ฝึกงาน", until=_day(today, -30))
    yield {
        "fact": "elevation",
        "person": "admin-chai",
        "school": DOI,
        "justification": "น้ำท่วมโรงเรียนบ้านดอยงาม ต้องติดต่อผู้ปกครองแทน",
        "approved_by": "admin-area",
        "from": _time(today, 0, "00:00"),
        "until": _time(today, 1, "00:00"),
    }


def _families(today: date) -> Iterator[Fact]:
    """What changes a guardianship without a trace in the roster (N-22)."""
    yield {
        "fact": "guardianship",
        "guardian": "guardian-ratree",
        "student": "student-kaew",
        "kind": "guardian",
        "from": _day(today, -200),
    }
    yield {  # the roster still links them; the fact supersedes it, and has ended
        "fact": "guardianship",
        "guardian": "parent-decha",
        "student": "student-tan",
        "kind": "parent",
        "from": _day(today, -2000),
        "until": _day(today, -30),
    }
    yield {
        "fact": "custody_restriction",
        "subject": "parent-anan",
        "person": "student-ploy",
        "from": _day(today, -60),
        "basis": "คำสั่งศาลเยาวชนและครอบครัว",
    }
    yield {"fact": "emancipation", "person": "student-krit", "from": _day(today, -90)}


def _processors(today: date) -> Iterator[Fact]:
    """Companies and their contracts: limits (N-24), and data sent abroad (N-26)."""

    def processor(name: str, title: str, country: str) -> Fact:
        about = {"id": f"processor-{name}", "name": title, "country": country}
        return {"fact": "processor", **about, "members": [f"svc-{name}"]}

    def contract(name: str, **terms: object) -> Fact:
        return {
            "fact": "contract",
            "id": f"contract-{name}",
            "processor": f"processor-{name}",
            "schools": "all",
            "transfer": "domestic",
            "country": "TH",
            "sub_processing": False,
            "from": _day(today, -500),
            "until": _day(today, 230),
            **terms,
        }

    yield processor("learnlab", "บริษัท เลิร์นแล็บสาธิต จำกัด", "TH")
    yield processor("songsuk", "บริษัท ส่งสุขสื่อสาร จำกัด", "TH")
    yield processor("harbour", "Harbour Analytics Demo Pte. Ltd.", "SG")
    yield processor("faraway", "Faraway Cloud Demo Inc.", "US")
    yield contract(
        "learnlab",
        purposes=["service", "learner_profile"],
        categories={
            "identity": [],
            "affiliation": ["grade", "class"],
            "assessment_result": ["assessment", "score", "max_score"],
        },
        actions=["read", "export", "disclose"],  # `disclose` without sub-processing: no use
        schools=[DOI],
    )
    yield contract(
        "learnlab",
        id="contract-learnlab-ended",
        purposes=["service"],
        categories={"satisfaction": []},
        actions=["read"],
        until=_day(today, -100),
    )
    yield contract(
        "songsuk",
        purposes=["marketing", "event"],
        categories={"identity": [], "contact": ["email"], "interests": []},
        actions=["read", "disclose"],
        sub_processing=True,
    )
    abroad: Fact = {
        "purposes": ["service"],
        "categories": {"service_usage": ["function", "activity"]},
        "actions": ["read"],
    }
    yield contract("harbour", transfer="safeguards", country="SG", **abroad)
    yield contract("faraway", transfer="none", country="US", **abroad)


def _authorities(today: date) -> Iterator[Fact]:
    """A fund and a court, and what each has ordered (N-25); one order has run out."""
    for id_, name in (
        ("eef", "กองทุนเพื่อความเสมอภาคทางการศึกษา (กสศ.)"),
        ("court", "ศาลเยาวชนและครอบครัว"),
    ):
        body = {"id": f"authority-{id_}", "name": name, "country": "TH"}
        yield {"fact": "authority", **body, "members": [f"svc-{id_}"]}

    def order(id_: str, authority: str, persons: list[str], *categories: str) -> Fact:
        about = {"id": id_, "authority": f"authority-{authority}", "persons": persons}
        return {"fact": "order", **about, "categories": categories, "from": _day(today, -50)}

    grant = order("order-eef", "eef", ["student-mali", "student-bua"], "identity", "affiliation")
    yield {**grant, "until": _day(today, 40)}
    yield {
        **order("order-eef-ended", "eef", ["student-mali"], "identity"),
        "until": _day(today, -5),
    }
    yield order("order-court", "court", ["student-arun", "student-ploy"], "identity", "contact")


def _work(today: date) -> Iterator[Fact]:
    """Pieces of work, each assigned to somebody: only they see its data (E-05)."""
    ticket = {"fact": "ticket", "assignee": "support-aom", "opened_at": _time(today, -6)}
    yield {**ticket, "id": "ticket-201", "person": "parent-somchai"}
    closed = {"id": "ticket-198", "person": "parent-wanida", "closed_at": _time(today, -3)}
    yield {**ticket, **closed}

    def purchase(number: int, person: str, ordered: str, received: str = "") -> Fact:
        about = {"id": f"purchase-{number}", "person": person, "assignee": "clerk-bank"}
        got = {"received_at": received} if received else {}
        return {"fact": "purchase", **about, "ordered_at": ordered, **got}

    yield purchase(1001, "parent-somchai", _time(today, -3))
    yield purchase(1002, "parent-wanida", _time(today, -99), _time(today, -91))
    yield purchase(1003, "parent-suda", _time(today, -92), _time(today, -89))
    old = years_before(today, 11).isoformat()
    yield purchase(7, "parent-suda", f"{old}T09:00:00+07:00", f"{old}T15:00:00+07:00")

    pair = {"fact": "mentoring", "mentor": "mentor-pim", "from": _day(today, -120)}
    yield {**pair, "person": "student-ton"}
    yield {**pair, "person": "student-dao", "until": _day(today, -20)}

    def case(id_: str, kind: str, persons: list[str], **more: object) -> Fact:
        about = {"id": id_, "kind": kind, "persons": persons, "assignee": "dpo-siri"}
        return {"fact": "case", **about, "opened_at": _time(today, -9), **more}

    yield case("case-rights-mali", "rights_request", ["student-mali"])
    yield case("case-rights-arun", "rights_request", ["student-arun", "student-phu"])
    yield case("case-incident-7", "incident", ["student-dao", "student-ton"])
    yield case("case-closed", "rights_request", ["student-krit"], closed_at=_time(today, -2))


def _wishes(today: date) -> Iterator[Fact]:
    """What people have agreed to, taken back, objected to and had restricted (N-32 to N-36)."""
    project = {"fact": "project", "customer": SUAN}
    yield {**project, "id": "project-camp", "retention_days": 60}
    yield {**project, "id": "project-fair", "ended_at": _time(today, -150), "retention_days": 30}

    def consent(person: str, purpose: str, given: int, **more: object) -> Fact:
        about = {"person": person, "purpose": purpose, "given_at": _time(today, given)}
        return {"fact": "consent", **about, **more}

    yield consent("student-ton", "marketing", -100)
    yield consent("student-dao", "marketing", -300, withdrawn_at=_time(today, -10))
    yield consent("student-ton", "event", -25, project="project-camp")
    yield consent("student-dao", "event", -200, project="project-fair")
    objection = {"person": "student-dao", "purpose": "improvement", "from": _day(today, -40)}
    yield {"fact": "objection", **objection}
    yield {"fact": "restriction", "person": "student-bua", "from": _day(today, -20)}
    yield {"fact": "erasure", "person": "student-phu", "approved_at": _time(today, -12)}
