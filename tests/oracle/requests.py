"""Interesting questions about the people of a school, and the facts that make them so.

Both are deterministic: the same school, seed and moment give the same lines in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from random import Random

from .factlines import ZONE, Line, facts
from .moments import Row, within
from .policy import ACTIONS, CATALOGUE, PURPOSES, RULES, Rule
from .school import School

__all__ = ["facts", "requests"]


def requests(school: School, n: int, seed: int, now: datetime) -> Iterator[Line]:
    """`n` AuthZEN requests: most start from a rule and two people whom its relation links (now,
    or once, or one day), and differ from it here and there; some from nothing at all."""
    rng, pairs = Random(seed), _Pairs(school, now)
    for _ in range(n):
        rule = rng.choice(RULES)
        yield _request(rng, pairs, rule, pairs.draw(rng, rule))


class _Pairs:
    """Who is linked to whom by each relation, whether or not it is in force."""

    def __init__(self, school: School, now: datetime) -> None:
        self.school, self.now = school, now
        self.people = sorted(school.people)
        self.marked = self._marked()
        self.services = sorted(
            {m for kind in ("processor", "authority") for b in school.rows(kind)
             for m in b.get("members", ())} - school.people.keys()
        )  # fmt: skip
        self.by_class: dict[str, dict[str, list[str]]] = {}
        for row in school.enrolments:
            roles = self.by_class.setdefault(row["class"], {})
            roles.setdefault(row["role"], []).append(row["person"])
        self.by_org: dict[str, list[str]] = {}
        for ident in self.people:
            for row in school.memberships_of.get(ident, ()):
                self.by_org.setdefault(row["org"], []).append(ident)
        self.links: dict[str, Callable[[Random], Line]] = {
            "self": self.self_, "guardian": self.guardian,
            "teaches": lambda rng: self.in_class(rng, "teacher"),
            "assists": lambda rng: self.in_class(rng, "aide", "proctor"),
            "same_school": self.same_school, "elevated": self.elevated,
            "contracted": self.contracted, "ordered": self.ordered,
            "ticketed": lambda rng: self.assigned(rng, "ticket"),
            "fulfilling": lambda rng: self.assigned(rng, "purchase"),
            "on_case": lambda rng: self.assigned(rng, "case"),
            "mentors": self.mentors,
        }  # fmt: skip

    def _marked(self) -> list[str]:
        """People about whom something is on file, so that refusals have whom to strike."""
        kinds = ("restriction", "erasure", "objection", "consent", "emancipation")
        found = {row["person"] for kind in kinds for row in self.school.rows(kind)}
        found |= {row["person"] for row in self.school.rows("grant")}
        clocks = ("cancelled_at", "last_used_at")
        found |= {
            ident for ident, row in self.school.people.items()
            if row.get("status", "active") != "active" or any(clock in row for clock in clocks)
        }  # fmt: skip
        return sorted(found & self.school.people.keys()) or self.people

    def draw(self, rng: Random, rule: Rule) -> Line:
        """Two people and what goes with them: {subject, person, class?, record?, context…}."""
        if rng.random() < 0.06 and self.school.facts.get("custody_restriction"):
            row = self.row(rng, list(self.school.rows("custody_restriction")))
            return {"subject": row["subject"], "person": row["person"]}
        link = self.links.get(rule.condition[0])
        drawn = link(rng) if link else self.granted(rng, rule.role)
        return drawn or self.self_(rng)

    def row(self, rng: Random, rows: list[Row], begin: str = "from", end: str = "until") -> Row:
        """One of the rows, rather one in force."""
        if rng.random() < 0.6:
            rows = [r for r in rows if within(r, self.now, ZONE, begin, end)] or rows
        return rng.choice(rows)

    def someone(self, rng: Random) -> str:
        return rng.choice(self.marked if rng.random() < 0.5 else self.people)

    def rather_marked(self, rng: Random, idents: list[str]) -> str:
        marked = sorted(set(idents) & set(self.marked)) if rng.random() < 0.4 else []
        return rng.choice(marked or idents or self.people)

    def self_(self, rng: Random) -> Line:
        ident = self.someone(rng)
        return {"subject": ident, "person": ident}

    def guardian(self, rng: Random) -> Line:
        rows = list(self.school.all_guardianships())
        if not rows:
            return {}
        row = self.row(rng, rows)
        pair = [row["guardian"], row["student"]]
        if rng.random() < 0.05:
            pair.reverse()
        return {"subject": pair[0], "person": pair[1]}

    def in_class(self, rng: Random, *roles: str) -> Line:
        led = sorted(c for c, by in self.by_class.items() if any(by.get(r) for r in roles))
        if not led:
            return {}
        group = rng.choice(led)
        mates = self.by_class[group]
        leaders = [ident for role in roles for ident in mates.get(role, ())]
        other = rng.choice(sorted(self.by_class)) if rng.random() < 0.15 else group
        return {
            "subject": rng.choice(leaders), "class": other,
            "person": self.rather_marked(rng, mates.get("student", [])),
        }  # fmt: skip

    def same_school(self, rng: Random) -> Line:
        rows = [r for r in self.school.all_grants() if r["role"] == "school_admin"]
        if not rows:
            return {}
        row = self.row(rng, rows)
        org = row.get("organisation")
        below = [o for o, r in self.school.orgs.items() if org in (o, r.get("parent"))]
        near = [ident for o in sorted(below) for ident in self.by_org.get(o, ())]
        person = self.someone(rng) if rng.random() < 0.2 else self.rather_marked(rng, near)
        return {"subject": row["person"], "person": person}

    def elevated(self, rng: Random) -> Line:
        rows = list(self.school.rows("elevation"))
        if not rows:
            return {}
        row = self.row(rng, rows)
        return {
            "subject": row["person"],
            "person": self.rather_marked(rng, self.by_org.get(row["school"], [])),
            "justification": rng.choice(["a fire", "a flood", "a flood", "  ", None]),
        }  # fmt: skip

    def contracted(self, rng: Random) -> Line:
        rows = list(self.school.rows("contract"))
        if not rows:
            return {}
        row = self.row(rng, rows)
        body = self.school.row("processor", row["processor"]) or {}
        near: list[str] = [] if row["schools"] == "all" else [
            ident for org in row["schools"] for ident in self.by_org.get(org, ())
        ]  # fmt: skip
        person = self.someone(rng) if rng.random() < 0.4 else self.rather_marked(rng, near)
        drawn: Line = {"subject": rng.choice(body["members"]), "person": person}
        if rng.random() < 0.9:
            drawn["category"] = rng.choice(sorted(row["categories"]))
        if rng.random() < 0.9:
            drawn["purpose"] = rng.choice(row["purposes"])
        if rng.random() < 0.9:
            drawn["action"] = rng.choice(row["actions"])
        return drawn

    def ordered(self, rng: Random) -> Line:
        rows = list(self.school.rows("order"))
        if not rows:
            return {}
        row = self.row(rng, rows)
        body = self.school.row("authority", row["authority"]) or {}
        return {
            "subject": rng.choice(body["members"]), "person": rng.choice(row["persons"]),
            "category": rng.choice(row["categories"]), "order": row["id"],
        }  # fmt: skip

    def assigned(self, rng: Random, kind: str) -> Line:
        rows = list(self.school.rows(kind))
        if not rows:
            return {}
        ends = ("ordered_at", "-") if kind == "purchase" else ("opened_at", "closed_at")
        row = self.row(rng, rows, *ends)
        person = rng.choice(row["persons"]) if kind == "case" else row["person"]
        name = "record" if kind == "purchase" else kind
        said: Line = {name: row["id"]}
        if rng.random() < 0.12:
            said = {name: rng.choice(rows)["id"]}
        elif rng.random() < 0.12 or (kind == "purchase" and rng.random() < 0.4):
            said = {}
        return {"subject": row.get("assignee", ""), "person": person, **said}

    def mentors(self, rng: Random) -> Line:
        rows = list(self.school.rows("mentoring"))
        if not rows:
            return {}
        row = self.row(rng, rows)
        return {"subject": row["mentor"], "person": row["person"]}

    def granted(self, rng: Random, role: str) -> Line:
        rows = [r for r in self.school.all_grants() if r["role"] == role]
        if not rows:
            return {}
        return {"subject": self.row(rng, rows)["person"], "person": self.someone(rng)}


def _request(rng: Random, pairs: _Pairs, rule: Rule, drawn: Line) -> Line:
    """The request that the rule would permit to these two, then something other now and then."""
    subject, person = drawn["subject"], drawn["person"]
    category = drawn.get("category") or rng.choice(sorted(rule.categories))
    action = drawn.get("action") or rng.choice(rule.actions)
    if rule.name == "processor-onward" and rng.random() < 0.8:
        action = "disclose"
    purposes = rule.purposes or tuple(PURPOSES)
    purpose: str | None = drawn.get("purpose") or rng.choice(purposes)
    if rng.random() < (0.5 if rule.default else 0.06):
        purpose = None
    if rng.random() < 0.05:
        person = rng.choice([subject, "nobody", *(pairs.someone(rng) for _ in range(4))])
    if rng.random() < 0.05:
        subject = rng.choice(["nobody", *pairs.services[:3], *(pairs.someone(rng) for _ in "123")])
    if rng.random() < 0.06:
        category = rng.choice([*CATALOGUE, "credentials", "credentials", "grades"])
    if rng.random() < 0.05:
        action = rng.choice([*ACTIONS, "Read", "write"])
    if rng.random() < 0.09:
        purpose = rng.choice([*PURPOSES, *PURPOSES, "curiosity"])
    person_is_known = subject in pairs.school.people
    kind = "user" if person_is_known or subject == "nobody" else "service"
    if rng.random() < 0.015:
        kind = rng.choice(["user", "service", "device"])
    resource: Line = {"type": category, "id": person}
    if properties := _properties(rng, category, drawn):
        resource["properties"] = properties
    asked: Line = {
        "subject": {"type": kind, "id": subject},
        "action": {"name": action},
        "resource": resource,
    }
    if context := _context(rng, rule, drawn, purpose):
        asked["context"] = context
    return asked


def _properties(rng: Random, category: str, drawn: Line) -> Line:
    found: Line = {}
    if "class" in drawn and rng.random() < 0.6:
        found["class"] = drawn["class"]
    elif rng.random() < 0.02:
        found["class"] = rng.choice(["nowhere", None])
    if "record" in drawn or rng.random() < 0.02:
        found["record"] = drawn.get("record", "nothing")
    if rng.random() < 0.3:
        names = [*CATALOGUE.get(category, ()), "shoe_size"]
        found["fields"] = rng.sample(names, rng.randint(1, min(4, len(names))))
    return found


def _context(rng: Random, rule: Rule, drawn: Line, purpose: str | None) -> Line:
    found: Line = {} if purpose is None else {"purpose": purpose}
    for name in ("ticket", "order", "case", "justification"):
        if name in drawn:
            found[name] = drawn[name]
        elif rng.random() < 0.01:
            found[name] = f"{name}-1"
    if "mfa" in rule.condition:
        found["mfa"] = rng.random() < 0.8
    elif rng.random() < 0.03:
        found["mfa"] = rng.choice([True, None])
    return found
