"""The school policy written by hand as one plain Python program: the floor of a benchmark.

Page 2 as somebody would write it who wanted it fast and for ever the same: no rules as
data, no relations by name, no explanation. It decides what our engine decides, obligations
included, from the same facts; ``benchmarks/decide.py`` holds the two equal before it times.
"""

# ruff: noqa: C901, D102, PLR0911, PLR0912, SIM102, SIM905 (a page of ifs is what it is for)

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from authz import clock
from authz.decision.catalogue import Catalogue
from authz.decision.request import Question
from authz.directory.facts import Facts, Place, Terms

Answer = tuple[bool, tuple[str, ...], str | None, str | None, dict[str, Any]]
Permit = tuple[str, str | None, tuple[str, ...] | None]
Limit = frozenset[str] | tuple[str, ...] | None

ALL = frozenset(
    "identity contact national_id affiliation credentials service_usage assessment_result "
    "learner_profile satisfaction access_log enquiry interests delivery purchase payment".split()
)
OPEN = ALL - {"credentials"}
PARENT = frozenset(
    "identity contact affiliation service_usage assessment_result learner_profile satisfaction "
    "interests".split()
)
CLASS = frozenset({"identity", "affiliation", "service_usage", "assessment_result"})
SCHOOL = frozenset(
    {"identity", "contact", "affiliation", "service_usage", "assessment_result", "satisfaction"}
)
SUPPORT = frozenset({"identity", "contact", "service_usage", "enquiry"})
MENTOR = frozenset({"identity", "assessment_result", "learner_profile", "interests"})
ANALYST = frozenset({"service_usage", "assessment_result", "satisfaction", "interests"})
REACH = ("email", "phone")
ORDER = (
    "inactive-subject unknown-person secret custody retention objected withdrawn restricted "
    "not-needed escalation no-fields".split()
)
CLAIMS = frozenset({"legal_duty", "legal_claims"})


class Floor:
    """One question, decided; made for it and thrown away."""

    def __init__(
        self, question: Question, facts: Facts, now: datetime, place: Place, catalogue: Catalogue
    ) -> None:
        self.q, self.f, self.now, self.place, self.c = question, facts, now, place, catalogue
        kind, me = question.request.subject.type, facts.subject
        self.user = kind == "user"
        if self.user:
            self.active = me is not None and me.status == "active"
        else:
            self.active = kind == "service" and me is None and bool(facts.recipients)
        self.same = self.user and question.request.subject.id == question.person
        self.own = self.same and self.active
        self.other = self.active and not self.same
        self.category, self.action = question.category, question.action
        self.covered: list[Terms] | None = None

    def answer(self) -> Answer:
        """The decision: permit, rules, reason, purpose, obligations."""
        if self.category not in self.c.categories:
            return False, (), "unknown_category", None, {}
        if self.action not in self.c.actions:
            return False, (), "unknown_action", None, {}
        if self.q.purpose is not None and self.q.purpose not in self.c.purposes:
            return False, (), "unknown_purpose", None, {}
        standing: list[tuple[str, str, list[str]]] = []
        struck: set[str] = set()
        met = left_out = False
        for rule, purpose, listed in self.permits() if self.active else ():
            if purpose is None:
                left_out = True
                continue
            met = True
            fields = self.fields(rule, purpose, listed)
            refused = self.refusals(rule, purpose, fields)
            if refused:
                struck.update(refused)
            else:
                standing.append((rule, purpose, fields))
        if standing:
            return self.permit(standing)
        if not met:
            struck.update(self.refusals("", self.q.purpose, None))
        if struck:
            rules = tuple(name for name in ORDER if name in struck)
            return False, rules, rules[0], None, {}
        return False, (), "purpose_required" if left_out else "no_rule", None, {}

    def permits(self) -> Iterator[Permit]:
        """The rules that hold, in the order of 2.5; without purpose where they lack one."""
        action, category, asked = self.action, self.category, self.q.purpose
        if self.own:
            if action == "read" and category in OPEN:
                if asked in (None, "service", "account", "support", "commerce"):
                    yield "self-read", asked or "service", None
            elif action == "export" and category in OPEN:
                if asked in (None, "service"):
                    yield "self-export", "service", None
            elif action == "update" and asked in (None, "account"):
                if category == "contact":
                    yield "self-update", "account", REACH
                elif category in ("interests", "delivery", "credentials"):
                    yield "self-update", "account", None
        elif self.other:
            yield from self.family()
            yield from self.staff()
        if self.f.recipients and self.other and category in OPEN:
            yield from self.outside()
        if self.f.grants:
            yield from self.inside()

    def family(self) -> Iterator[Permit]:
        action, category, asked = self.action, self.category, self.q.purpose
        if not self.f.links or not self.guards() or not self.minor():
            return
        if action == "read" and category in PARENT:
            if asked in (None, "service", "learner_profile", "advice"):
                yield "parent-read", asked or "service", None
        elif action == "export" and category in PARENT:
            if asked in (None, "service"):
                yield "parent-export", "service", None
        elif action == "update":
            if category == "contact" and asked in (None, "account"):
                yield "parent-update", "account", REACH
            elif category == "interests" and asked in (None, "service"):
                yield "parent-answer", "service", None

    def staff(self) -> Iterator[Permit]:
        action, category, asked = self.action, self.category, self.q.purpose
        service, account = asked in (None, "service"), asked in (None, "account")
        if self.f.subject_enrolments and service and category in CLASS:
            if action == "read":
                if self.classes(("teacher",)):
                    yield "teacher-read", "service", None
                if category in ("identity", "affiliation") and self.classes(("aide", "proctor")):
                    yield "assistant-read", "service", None
            elif action == "update" and category == "assessment_result":
                if self.q.class_id is not None and self.classes(("teacher",)):
                    yield "teacher-grade", "service", None
        if not self.f.grants:
            return
        if action == "read" and category in SCHOOL:
            if (service or account) and self.administers():
                yield "school-read", asked or "service", None
            if category in ("identity", "contact") and service and self.q.justified:
                if self.granted("school_admin") and self.elevated():
                    yield "school-emergency", "service", None
        elif action == "export":
            if category in ("affiliation", "assessment_result", "satisfaction") and service:
                if self.administers():
                    yield "school-export", "service", None
        elif action == "update" and account:
            if category in ("identity", "contact", "affiliation"):
                if self.administers():
                    yield "school-maintain", "account", None
            elif category == "credentials" and self.q.mfa and self.administers():
                yield "school-reset", "account", None

    def outside(self) -> Iterator[Permit]:
        action, asked = self.action, self.q.purpose
        if "processor" in self.f.recipients and self.category != "national_id":
            if action in ("read", "update", "export", "disclose") and self.contracts():
                yield "processor-onward" if action == "disclose" else "processor-use", asked, None
        order = self.f.order if action in ("read", "disclose") else None
        if "authority" in self.f.recipients and order is not None:
            if self.category in order.categories and order.span.covers(self.now):
                if asked in (None, "legal_duty"):
                    yield "authority-receive", asked, None

    def inside(self) -> Iterator[Permit]:
        action, category, asked, f = self.action, self.category, self.q.purpose, self.f
        if action == "read" and self.other:
            if category in SUPPORT and asked in (None, "support") and self.granted("support_agent"):
                if f.ticket is not None and f.ticket.span.covers(self.now):
                    yield "support-read", asked, None
            if category in ("identity", "delivery", "purchase") and asked in (None, "commerce"):
                if self.granted("order_clerk") and self.fulfils():
                    yield "order-read", asked, None
        if self.other and asked in (None, "advice") and self.granted("mentor"):
            if (action == "read" and category in MENTOR) or (
                action == "update" and category == "learner_profile"
            ):
                if any(span.covers(self.now) for span in f.mentoring):
                    yield f"mentor-{'read' if action == 'read' else 'write'}", asked, None
        if action == "read" and category in ANALYST and asked in (None, "improvement"):
            if self.granted("analyst"):
                yield "analyst-read", asked, None
        if category in OPEN and action in ("read", "export", "update", "delete"):
            if (asked is None or asked in CLAIMS) and self.granted("dpo"):
                case = f.case if self.other else None
                if case is not None and case.span.covers(self.now):
                    if action in ("read", "export") or case.kind == "rights_request":
                        yield "dpo-case", asked, None
                if action == "read" and category == "access_log" and asked in (None, "legal_duty"):
                    yield "dpo-log", asked, None

    def refusals(self, rule: str, purpose: str | None, fields: list[str] | None) -> list[str]:
        """What strikes this rule for this purpose; without a rule, what needs none (2.6)."""
        f, found = self.f, []
        if not self.active:
            found.append("inactive-subject")
        if f.person is None:
            found.append("unknown-person")
        if self.category == "credentials" and self.action in ("read", "export", "disclose"):
            found.append("secret")
        if f.custody and self.user and any(span.covers(self.now) for span in f.custody):
            found.append("custody")
        if purpose is not None:
            self.of_purpose(purpose, found)
        if not rule:
            return found
        if f.restrictions and any(span.covers(self.now) for span in f.restrictions):
            if not self.may_still(rule, purpose):
                found.append("restricted")
        if rule in ("school-maintain", "school-reset") and self.holds_role():
            found.append("escalation")
        if not fields:
            found.append("no-fields")
        return found

    def of_purpose(self, purpose: str, found: list[str]) -> None:
        known = self.c.purposes[purpose]
        if self.ended(purpose):
            found.append("retention")
        if not self.own:
            if self.f.objections and known.basis in ("legitimate_interest", "consent"):
                if purpose != "legal_claims" and any(
                    o.purpose == purpose and o.span.covers(self.now) for o in self.f.objections
                ):
                    found.append("objected")
            if known.basis == "consent" and not any(
                c.purpose == purpose and c.span.covers(self.now) for c in self.f.consents
            ):
                found.append("withdrawn")
            if self.category not in known.needs:
                found.append("not-needed")

    def may_still(self, rule: str, purpose: str | None) -> bool:
        return (
            (self.own and self.action in ("read", "export"))
            or rule in ("dpo-case", "authority-receive")
            or purpose == "legal_claims"
            or (self.category == "credentials" and rule in ("self-update", "school-reset"))
        )

    def holds_role(self) -> bool:
        return any(g.span.covers(self.now) for g in self.f.person_grants)

    def ended(self, purpose: str) -> bool:
        limit, person, local = self.c.purposes[purpose].clock, self.f.person, self.place.local
        if person is None or not limit.starts:
            return False
        if limit.starts == "cancelled":
            start = person.left_at
        elif limit.starts == "last_used":
            start = person.last_used_at
        elif limit.starts == "received":
            goods = [g for g in self.f.goods if g.span.covers(self.now)]
            goods = [g for g in goods if g.id == self.q.record] or goods
            starts = [g.received_at for g in goods]
            if not starts or None in starts:
                return False
            ends = [clock.add_years(s, limit.years, local) for s in starts if s]
            return max(ends) <= self.now
        else:
            return self.event_ended(limit.days)
        return start is not None and clock.add_years(start, limit.years, local) <= self.now

    def event_ended(self, default: int) -> bool:
        ends = []
        for c in self.f.consents:
            if c.purpose == "event" and c.span.covers(self.now):
                if c.project_ended_at is None:
                    return False
                days = default if c.retention_days is None else c.retention_days
                ends.append(clock.add_days(c.project_ended_at, days, self.place.local))
        return bool(ends) and max(ends) <= self.now

    def guards(self) -> bool:
        me, person = self.f.subject, self.f.person
        if me is None or person is None or not (me.registered and person.registered):
            return False
        recorded = any(link.recorded for link in self.f.links)
        return any(
            link.kind in ("parent", "guardian")
            and link.recorded is recorded
            and link.span.covers(self.now)
            for link in self.f.links
        )

    def minor(self) -> bool:
        person, freed = self.f.person, self.f.emancipated
        if person is None or person.birth_date is None:
            return False
        if freed is not None and freed.covers(self.now):
            return False
        grown = clock.birthday(person.birth_date, self.place.age_of_majority)
        return self.now < clock.midnight(grown, self.place.local)

    def classes(self, roles: tuple[str, ...]) -> set[str]:
        if self.f.person is None or not self.f.person.registered:
            return set()
        attended = {
            e.class_id
            for e in self.f.person_enrolments
            if e.role == "student" and e.span.covers(self.now)
        }
        named = self.q.class_id
        return {
            e.class_id
            for e in self.f.subject_enrolments
            if e.role in roles
            and e.class_id in attended
            and (named is None or named == e.class_id)
            and e.span.covers(self.now)
        }

    def schools(self) -> dict[str, frozenset[str]]:
        if self.f.person is None or not self.f.person.registered:
            return {}
        return {m.organisation: m.within for m in self.f.memberships if m.span.covers(self.now)}

    def granted(self, role: str) -> bool:
        return any(
            g.role == role
            and g.span.covers(self.now)
            and (
                g.organisation is None
                or role == "school_admin"
                or any(g.organisation in within for within in self.schools().values())
            )
            for g in self.f.grants
        )

    def administers(self) -> bool:
        for grant in self.f.grants:
            if grant.role == "school_admin" and grant.span.covers(self.now):
                if any(grant.organisation in within for within in self.schools().values()):
                    return True
        return False

    def elevated(self) -> bool:
        schools = self.schools()
        return any(e.school in schools and e.span.covers(self.now) for e in self.f.elevations)

    def fulfils(self) -> bool:
        me, wanted, local = self.q.request.subject.id, self.q.record, self.place.local
        return any(
            g.assignee == me
            and (wanted is None or wanted == g.id)
            and g.span.covers(self.now)
            and (g.received_at is None or self.now < clock.day_after(g.received_at, 90, local))
            for g in self.f.goods
        )

    def contracts(self) -> list[Terms]:
        if self.covered is None:
            self.covered = [terms for terms in self.f.contracts if self.covers(terms)]
        return self.covered

    def covers(self, terms: Terms) -> bool:
        if self.category not in terms.categories or self.action not in terms.actions:
            return False
        if not terms.span.covers(self.now) or not terms.country:
            return False
        if self.action == "disclose" and not terms.sub_processing:
            return False
        if self.q.purpose is not None and self.q.purpose not in terms.purposes:
            return False
        if terms.schools is not None and not terms.schools & self.schools().keys():
            return False
        if terms.transfer == "domestic":
            return terms.country == self.place.country
        return terms.transfer in ("adequate", "safeguards")

    def fields(self, rule: str, purpose: str, listed: tuple[str, ...] | None) -> list[str]:
        limits: list[Limit] = [listed, self.q.fields]
        if rule.startswith("processor"):
            named = [terms.categories[self.category] for terms in self.contracts()]
            if all(named):
                limits.append(frozenset(name for names in named for name in names))
        if not self.own:
            needs = self.c.purposes[purpose].needs
            limits.append((needs[self.category] or None) if self.category in needs else ())
        names = list(self.c.categories[self.category].fields)
        for limit in limits:
            if limit is not None:
                names = [name for name in names if name in limit]
        return names

    def permit(self, standing: list[tuple[str, str, list[str]]]) -> Answer:
        """What comes with a permit (2.7)."""
        purpose = standing[0][1]
        chosen = [one for one in standing if one[1] == purpose]
        rules = tuple(one[0] for one in chosen)
        given = {name for one in chosen for name in one[2]}
        fields = [name for name in self.c.categories[self.category].fields if name in given]
        found: dict[str, Any] = {"fields": fields}
        hidden = [name for name in self.q.fields or () if name not in given]
        if hidden:
            found["withheld"] = hidden
        if self.q.class_id is None and all(r in ("teacher-read", "assistant-read") for r in rules):
            shared: set[str] = set()
            if "teacher-read" in rules:
                shared |= self.classes(("teacher",))
            if "assistant-read" in rules:
                shared |= self.classes(("aide", "proctor"))
            found["classes"] = sorted(shared)
        if rules == ("analyst-read",):
            found["pseudonymise"] = True
        notify = {"person"} if "school-reset" in rules else set()
        if "school-emergency" in rules or "authority-receive" in rules:
            notify.add("dpo")
        if notify:
            found["notify"] = sorted(notify)
        if "school-emergency" in rules:
            found["review"] = True
        return True, rules, None, purpose, found
