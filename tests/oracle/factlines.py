"""A rich, valid set of facts (4.4) on top of any roster: `facts(school, seed, now)`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from .moments import day_plus_years
from .policy import CATALOGUE, GRANTED_ROLES, PURPOSES
from .school import School

Line = dict[str, Any]
ZONE = ZoneInfo("Asia/Bangkok")
STAFF = {
    "support": ("support_agent", 4),
    "clerk": ("order_clerk", 3),
    "mentor": ("mentor", 4),
    "analyst": ("analyst", 3),
    "dpo": ("dpo", 3),
    "operator": ("platform_admin", 1),
}


def facts(school: School, seed: int, now: datetime) -> Iterator[Line]:
    """Valid fact lines, people first: references exist, no interval is empty."""
    yield from _Facts(school, Random(seed), now).lines()


class _Facts:
    def __init__(self, school: School, rng: Random, now: datetime) -> None:
        self.school, self.rng, self.now = school, rng, now.astimezone(ZONE)
        students = sorted({e["person"] for e in school.enrolments if e["role"] == "student"})
        self.cast = rng.sample(students, min(len(students), 60))
        self.teachers = sorted({e["person"] for e in school.enrolments if e["role"] == "teacher"})
        self.admins = sorted({g["person"] for g in school.grants})
        members = {row["org"] for row in school.memberships}
        self.schools = sorted(members & school.orgs.keys())
        self.top = sorted(org for org, row in school.orgs.items() if not row.get("parent"))
        self.staff = {
            kind: [f"{kind}-{n}" for n in range(1, count + 1)] for kind, (_, count) in STAFF.items()
        }
        self.parents = [f"parent-{n}" for n in range(1, 31)]
        self.voucher = (self.admins or self.teachers or self.staff["dpo"])[0]

    # Moments: a day or a second around now, as dates, local times and times with an offset.

    def when(self, **delta: float) -> str:
        moment = (self.now + timedelta(**delta)).replace(microsecond=0)
        form = self.rng.randrange(4)
        if form == 0 and abs(moment - self.now) >= timedelta(days=2):
            return moment.date().isoformat()
        if form == 1:
            return moment.replace(tzinfo=None).isoformat()
        return moment.isoformat()

    def years_ago(self, years: int, **delta: float) -> str:
        day = day_plus_years(self.now.date(), -years)
        return (day + timedelta(**delta)).isoformat()

    def dates(self, in_force: float = 0.8) -> Line:
        """`from`/`until` of a row in force, or of one that is over, to come, or at the edge."""
        if self.rng.random() < in_force:
            begin = self.when(days=-self.rng.randrange(10, 300))
            end = self.when(days=self.rng.randrange(10, 300))
            return self.rng.choice([
                {}, {"from": begin}, {"until": end}, {"from": begin, "until": end},
                {"from": self.now.replace(microsecond=0).isoformat()},
            ])  # fmt: skip
        return self.rng.choice([
            {"from": self.when(days=-90), "until": self.when(days=-30)},
            {"from": self.when(days=3)},
            {"until": self.now.replace(microsecond=0).isoformat()},
            {"from": self.when(seconds=1)},
        ])  # fmt: skip

    def some(self, count: int) -> list[str]:
        return self.rng.sample(self.cast, min(count, len(self.cast)))

    def lines(self) -> Iterator[Line]:
        yield from self.people()
        yield from self.grants()
        yield from self.families()
        yield from self.outside()
        yield from self.work()
        yield from self.wishes()
        yield from self.ended()

    def person(self, ident: str, **more: Any) -> Line:
        """A new person, or a change of one in the roster (names as they are)."""
        known = self.school.people.get(ident, {})
        name = {
            "given_name": known.get("given_name") or ident.title(),
            "family_name": known.get("family_name") or "Oracle",
        }
        status = known.get("status", "active")
        return {"fact": "person", "id": ident, **name, "status": status, **more}

    def people(self) -> Iterator[Line]:
        for ident in self.parents:
            yield self.person(ident)
        for kind in STAFF:
            for ident in self.staff[kind]:
                yield self.person(ident)
        for n in range(1, 4):  # members of a school who are no pupils; one with two schools
            schools = self.rng.sample(self.schools, min(n, 2, len(self.schools)))
            yield self.person(f"member-{n}", schools=schools)
        yield self.person("outsider-1")
        yield self.person("outsider-2", status="suspended")
        for ident in self.some(30):
            age = self.rng.choice([-400, -1, 0, 1, 400])
            yield self.person(ident, birth_date=self.years_ago(20, days=age))
        clocks = [(1, -1), (1, 0), (1, 1), (10, 0), (10, -30), (10, 1), (0, 30)]
        for ident, (years, days) in zip(self.some(12), clocks * 2, strict=False):
            yield self.person(ident, cancelled_at=self.years_ago(years, days=days))
        for ident, days in zip(self.some(9), [-1, 0, 1] * 3, strict=False):
            yield self.person(ident, last_used_at=self.years_ago(5, days=days))
        for ident in self.some(3):
            yield self.person(ident, status="suspended")
        for ident, gone in zip(self.some(3), [0, 2, 11], strict=False):
            yield self.person(ident, status="deregistered", cancelled_at=self.years_ago(gone + 1))
        for ident in self.some(1):  # left, and came back: both clocks are cleared
            yield self.person(ident, status="deregistered", cancelled_at=self.years_ago(3))
            yield self.person(ident, status="active")
        yield self.person(self.parents[-1], status="suspended")
        yield self.person(self.parents[-2], status="deregistered")
        for ident in self.teachers[-1:]:
            yield self.person(ident, status="suspended")

    def grant(self, person: str, role: str, organisation: str | None, dates: Line) -> Line:
        where = {} if organisation is None else {"organisation": organisation}
        return {
            "fact": "grant", "person": person, "role": role, **where, **dates,
            "granted_by": self.voucher, "reason": "oracle",
        }  # fmt: skip

    def grants(self) -> Iterator[Line]:
        for kind, (role, _) in STAFF.items():
            first, *others = self.staff[kind]
            yield self.grant(first, role, None, {})
            for ident in others:
                where = self.rng.choice([*self.schools, *self.top, None])
                yield self.grant(ident, role, where, self.dates(0.7))
            if others:  # twice the same role, by organisation and without
                yield self.grant(others[0], role, None, self.dates(0.5))
        for ident in [*self.teachers[:6], "member-1", "member-2"]:
            where = self.rng.choice([*self.schools, *self.top])
            yield self.grant(ident, "school_admin", where, self.dates())
        yield self.grant("member-3", "school_admin", None, {})
        for ident in self.some(6):  # pupils who hold a granted role: `escalation`
            role = self.rng.choice(sorted(GRANTED_ROLES))
            yield self.grant(ident, role, self.rng.choice([*self.schools, None]), self.dates())

    def families(self) -> Iterator[Line]:
        kinds = ("parent", "guardian", "parent", "relative")
        links = [(p, c) for p in self.parents for c in self.some(2)]
        # also pairs that the roster has linked already, which a fact supersedes
        links += [(r["guardian"], r["student"]) for r in self.school.guardianships[:6]]
        for n, (adult, child) in enumerate(links):
            kind = kinds[n % len(kinds)]
            yield {"fact": "guardianship", "guardian": adult, "student": child, "kind": kind,
                   **self.dates(0.85)}  # fmt: skip
        banned = self.rng.sample(links, min(10, len(links)))
        banned += [(t, c) for t in self.teachers[:3] for c in self.some(6)]
        for subject, person in banned:
            yield {"fact": "custody_restriction", "subject": subject, "person": person,
                   "basis": "court order", **self.dates(0.7)}  # fmt: skip
        for ident in self.some(5):
            begin = self.rng.choice([{"from": self.when(days=-5)}, {"from": self.when(days=5)}])
            yield {"fact": "emancipation", "person": ident, **begin}

    def outside(self) -> Iterator[Line]:
        """Processors of every kind of transfer, authorities and their orders."""
        transfers = [
            ("domestic", "TH"), ("domestic", "SG"), ("adequate", "JP"), ("safeguards", "US"),
            ("none", "US"), ("none", "TH"),
        ]  # fmt: skip
        for n, (transfer, country) in enumerate(transfers * 2, 1):
            members = [f"svc-{n}"]
            if n == 1:
                members += ["outsider-1", *self.some(1)]  # members who are people: type user
            yield {"fact": "processor", "id": f"processor-{n}", "name": f"Processor {n}",
                   "country": country, "members": members}  # fmt: skip
            for part in ("a", "b"):
                yield self.contract(f"contract-{n}{part}", f"processor-{n}", transfer, country)
        for n in (1, 2):
            members = [f"court-{n}"] + (["outsider-1", "outsider-2"] if n == 1 else [])
            yield {"fact": "authority", "id": f"authority-{n}", "name": f"Authority {n}",
                   "country": "TH", "members": members}  # fmt: skip
            for place in range(1, 6):
                categories = self.rng.sample(list(CATALOGUE), 7)
                yield {"fact": "order", "id": f"order-{n}-{place}", "authority": f"authority-{n}",
                       "persons": self.some(8), "categories": categories,
                       **self.dates(0.7)}  # fmt: skip

    def contract(self, ident: str, processor: str, transfer: str, country: str) -> Line:
        categories: dict[str, list[str]] = {}
        for category in self.rng.sample(list(CATALOGUE), 8):
            fields = CATALOGUE[category]
            cut = self.rng.random() < 0.4
            categories[category] = (
                self.rng.sample(fields, self.rng.randint(1, len(fields))) if cut else []
            )
        actions = self.rng.sample(["read", "update", "export", "disclose"], self.rng.randint(1, 4))
        onward = ident.endswith("a")
        if onward:
            actions = sorted({*actions, "disclose"})
        some = self.rng.sample(self.schools, self.rng.randint(1, min(2, len(self.schools))))
        return {
            "fact": "contract", "id": ident, "processor": processor,
            "purposes": self.rng.sample(list(PURPOSES), 5), "categories": categories,
            "actions": actions, "schools": self.rng.choice(["all", some]),
            "transfer": transfer, "country": country,
            "sub_processing": onward or self.rng.random() < 0.4, **self.dates(0.85),
        }  # fmt: skip

    def span(self, begin: str, end: str) -> Line:
        """An open piece of work, or one that is closed, closing now, or to come."""
        return self.rng.choice([
            {begin: self.when(days=-20)},
            {begin: self.when(days=-20)},
            {begin: self.when(days=-20), end: self.when(days=20)},
            {begin: self.when(days=-20), end: self.when(days=-4)},
            {begin: self.when(days=-20), end: self.now.replace(microsecond=0).isoformat()},
            {begin: self.when(days=4)},
        ])  # fmt: skip

    def work(self) -> Iterator[Line]:
        """Tickets, purchases, mentoring, cases, elevations."""
        for n in range(1, 25):
            yield {"fact": "ticket", "id": f"ticket-{n}", "person": self.rng.choice(self.cast),
                   "assignee": self.rng.choice(self.staff["support"]),
                   **self.span("opened_at", "closed_at")}  # fmt: skip
        for n in range(1, 31):
            yield {"fact": "purchase", "id": f"purchase-{n}",
                   "person": self.rng.choice(self.cast),
                   "assignee": self.rng.choice(self.staff["clerk"]),
                   **self.sale()}  # fmt: skip
        for mentor in self.staff["mentor"]:
            for child in self.some(8):
                yield {"fact": "mentoring", "mentor": mentor, "person": child, **self.dates(0.8)}
        for n in range(1, 17):
            yield {"fact": "case", "id": f"case-{n}",
                   "kind": self.rng.choice(["rights_request", "incident"]),
                   "persons": self.some(8), "assignee": self.rng.choice(self.staff["dpo"]),
                   **self.span("opened_at", "closed_at")}  # fmt: skip
        heads = [*self.admins, "member-3", "member-1", *self.teachers[:3]]
        for n, ident in enumerate(heads):
            hours = (-1, -23, 1, -30, 0)[n % 5]
            begin = self.now.replace(microsecond=0) + timedelta(hours=hours)
            approved = {"approved_by": "dpo-1"} if n % 2 else {}
            yield {"fact": "elevation", "person": ident, "school": self.rng.choice(self.schools),
                   "justification": "flood", **approved, "from": begin.isoformat(),
                   "until": (begin + timedelta(hours=24)).isoformat()}  # fmt: skip

    def sale(self) -> Line:
        today = self.now.date()
        received = self.rng.choice([
            None, self.years_ago(0, days=-10), (today - timedelta(days=89)).isoformat(),
            (today - timedelta(days=90)).isoformat(), (today - timedelta(days=91)).isoformat(),
            self.years_ago(10), self.years_ago(10, days=1), self.years_ago(10, days=-1),
        ])  # fmt: skip
        if received is None:
            return {"ordered_at": self.when(days=self.rng.choice([-5, -200, 3]))}
        return {"ordered_at": self.years_ago(11), "received_at": received}

    def wishes(self) -> Iterator[Line]:
        """Consents and their projects, objections, restrictions, erasures."""
        ends: list[Line] = [
            {}, {"ended_at": self.when(days=-100)}, {"ended_at": self.years_ago(0, days=-30)},
            {"ended_at": self.years_ago(0, days=-29)}, {"ended_at": self.when(days=50)},
            {"ended_at": self.when(days=-100), "retention_days": 200},
            {"ended_at": self.years_ago(0, days=-7), "retention_days": 7},
        ]  # fmt: skip
        for n, end in enumerate(ends, 1):
            yield {"fact": "project", "id": f"project-{n}", "customer": "A Customer", **end}
        for purpose in ("event", "marketing"):
            for ident in self.some(35):
                project = {}
                if purpose == "event" and self.rng.random() < 0.9:
                    project = {"project": f"project-{self.rng.randint(1, len(ends))}"}
                yield {"fact": "consent", "person": ident, "purpose": purpose, **project,
                       **self.span("given_at", "withdrawn_at")}  # fmt: skip
        objectable = ("improvement", "improvement", "marketing", "event", "legal_claims", "service")
        for purpose in objectable:
            for ident in self.some(7):
                yield {"fact": "objection", "person": ident, "purpose": purpose,
                       **self.dates(0.8)}  # fmt: skip
        for ident in self.some(9):
            yield {"fact": "restriction", "person": ident, **self.dates(0.8)}
        for ident in self.some(5):
            approved = self.when(days=self.rng.choice([-9, -9, 9]))
            yield {"fact": "erasure", "person": ident, "approved_at": approved}

    def ended(self) -> Iterator[Line]:
        """Facts that end, by their whole key."""
        for link in self.school.guardianships[6:8]:
            line = {"fact": "guardianship", "guardian": link["guardian"],
                    "student": link["student"], "kind": link["kind"]}  # fmt: skip
            yield line
            yield {**line, "delete": True}
        for n in range(22, 25):
            yield {"fact": "ticket", "id": f"ticket-{n}", "delete": True}
        yield {"fact": "purchase", "id": "purchase-30", "delete": True}
