"""2.6 and 2.7: which permits stand, which refusals strike, and what comes with a permit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from .moments import days_after, instant, years_after
from .policy import (
    ACTIONS,
    CATALOGUE,
    CLASS_BOUND,
    DEFAULT_RETENTION_DAYS,
    NEEDS,
    NOTIFY,
    PURPOSES,
    REFUSALS,
    REVIEWED,
    RULES,
    Rule,
)  # fmt: skip
from .question import Malformed, Question, read
from .relations import (
    classes,
    contract_fields,
    custody_restricted,
    granted,
    holds,
    is_self,
    purchases,
    roles,
    standing,
    subject_is_active,
)  # fmt: skip
from .school import School

__all__ = ["Malformed", "answer"]

Answer = dict[str, Any]
Pair = tuple[Rule, str]


def answer(
    school: School,
    request: Mapping[str, Any],
    now: datetime,
    *,
    timezone: str = "Asia/Bangkok",
    age_of_majority: int = 20,
    country: str = "TH",
) -> Answer:
    """2.6, "How they combine". Raises `Malformed` where there is no decision."""
    q = read(school, request, now, ZoneInfo(timezone), age_of_majority, country)
    for code, value, known in (
        ("unknown_category", q.category, CATALOGUE),
        ("unknown_action", q.action, ACTIONS),
        ("unknown_purpose", q.purpose, (None, *PURPOSES)),
    ):
        if value not in known:
            return refusal(code)
    held = roles(q)
    matching = [rule for rule in RULES if rule.role in held and matches(q, rule)]
    pairs = [(r, p) for r in matching if (p := q.purpose or r.default) and condition(q, r, p)]
    struck = {(rule.name, purpose): strikes(q, rule, purpose) for rule, purpose in pairs}
    standing_pairs = [(r, p) for r, p in pairs if not struck[r.name, p]]
    if standing_pairs:
        return permit(q, standing_pairs)
    names = set().union(*struck.values()) if pairs else strikes(q, None, q.purpose)
    if names:
        in_order = [name for name in REFUSALS if name in names]
        return refusal(in_order[0], in_order)
    left_out = q.purpose is None and any(
        rule.default is None and condition(q, rule, None) for rule in matching
    )
    return refusal("purpose_required" if left_out else "no_rule")


def refusal(code: str, names: Iterable[str] = ()) -> Answer:
    return {
        "decision": False, "purpose": None, "rules": list(names), "reason": code,
        "obligations": {},
    }  # fmt: skip


def matches(q: Question, rule: Rule) -> bool:
    """2.5: the rule is about this action on this category."""
    return q.action in rule.actions and q.category in rule.categories


def condition(q: Question, rule: Rule, purpose: str | None) -> bool:
    """2.5: the rule's purposes include it (None: left open) and its condition holds."""
    includes = purpose is None or rule.purposes is None or purpose in rule.purposes
    return includes and all(holds(q, relation, purpose) for relation in rule.condition)


# -- 2.6 refusals ----------------------------------------------------------------------------


def strikes(q: Question, rule: Rule | None, purpose: str | None) -> set[str]:
    """The refusals that strike a pair; without a rule, those that do not depend on one; without
    a purpose, those that do not depend on that either."""
    found = {
        "inactive-subject": not subject_is_active(q),
        "unknown-person": q.person not in q.school.people,
        "secret": q.category == "credentials" and q.action in ("read", "export", "disclose"),
        "custody": custody_restricted(q),
    }
    if purpose is not None:
        found |= {
            "retention": past_retention(q, purpose),
            "objected": objected(q, purpose),
            "withdrawn": withdrawn(q, purpose),
            "not-needed": q.category not in NEEDS[purpose] and not is_self(q),
        }
    if rule is not None and purpose is not None:
        found |= {
            "restricted": restricted(q, rule, purpose),
            "escalation": rule.name in ("school-maintain", "school-reset")
            and bool(granted(q, q.person)),
            "no-fields": not allowed(q, rule, purpose),
        }
    return {name for name, strikes_here in found.items() if strikes_here}


def past_retention(q: Question, purpose: str) -> bool:
    """2.3: refused from the end of the purpose's time; with no clock started, never."""
    clock, years = PURPOSES[purpose].clock, PURPOSES[purpose].years
    person = q.school.people.get(q.person, {})
    if clock == "cancelled_at":  # page 5, "Leaving"
        start = person.get("cancelled_at") or person.get("ended_at")
        ends = [years_after(start, years, q.zone) if start else None]
    elif clock == "last_used_at":
        start = person.get("last_used_at")
        ends = [years_after(start, years, q.zone) if start else None]
    elif clock == "received_at":
        ends = [
            years_after(received, years, q.zone) if received else None for received in _receipts(q)
        ]
    elif clock == "ended_at":
        ends = [_project_end(q, row.get("project")) for row in consents(q, purpose)]
    else:
        ends = []
    return bool(ends) and all(end is not None and end <= q.now for end in ends)


def _receipts(q: Question) -> list[str | None]:
    """2.4: "`commerce` is counted from the record named, else from the order kept longest"."""
    mine = purchases(q)
    counted = [mine[q.record]] if q.record in mine else mine.values()
    return [row.get("received_at") for row in counted]


def _project_end(q: Question, project: str | None) -> datetime | None:
    """2.3 `event`: the project's number of days after it ended; None: no clock."""
    row = q.school.row("project", project) or {}
    if not row.get("ended_at"):
        return None
    return days_after(row["ended_at"], row.get("retention_days", DEFAULT_RETENTION_DAYS), q.zone)


def consents(q: Question, purpose: str) -> list[Mapping[str, Any]]:
    """The consents of this person for this purpose that are in force."""
    rows = standing(q, "consent", "given_at", "withdrawn_at")
    return [row for row in rows if (row["person"], row["purpose"]) == (q.person, purpose)]


def objected(q: Question, purpose: str) -> bool:
    return (
        PURPOSES[purpose].basis in ("legitimate interest", "consent")
        and any(
            (row["person"], row["purpose"]) == (q.person, purpose)
            for row in standing(q, "objection")
        )
        and not is_self(q)
        and purpose != "legal_claims"
    )


def withdrawn(q: Question, purpose: str) -> bool:
    basis = PURPOSES[purpose].basis
    return basis == "consent" and not consents(q, purpose) and not is_self(q)


def restricted(q: Question, rule: Rule, purpose: str) -> bool:
    """N-34, N-35: a restriction in force or an erasure approved, with the table's exceptions."""
    restrictions = any(row["person"] == q.person for row in standing(q, "restriction"))
    erasures = any(
        row["person"] == q.person and instant(row.get("approved_at"), q.zone) is not None
        for row in standing(q, "erasure", "approved_at", "no end")
    )
    excepted = (
        (is_self(q) and q.action in ("read", "export"))
        or rule.name in ("dpo-case", "authority-receive")
        or purpose == "legal_claims"
        or (q.category == "credentials" and rule.name in ("self-update", "school-reset"))
    )
    return (restrictions or erasures) and not excepted


# -- 2.7 obligations -------------------------------------------------------------------------


def allowed(q: Question, rule: Rule, purpose: str) -> set[str]:
    """The category's fields cut to the rule, the purpose (not for `self`), the contract, and
    the fields asked for."""
    fields = set(rule.categories[q.category])
    if not is_self(q):
        fields &= NEEDS[purpose].get(q.category, frozenset())
    if "contracted" in rule.condition:
        fields &= contract_fields(q, purpose)
    return fields if q.fields is None else fields & set(q.fields)


def permit(q: Question, pairs: list[Pair]) -> Answer:
    """2.6: the purpose of the first standing pair, and all standing pairs of that purpose."""
    purpose = pairs[0][1]
    rules = [rule for rule, its in pairs if its == purpose]
    names = [rule.name for rule in rules]
    fields = set().union(*(allowed(q, rule, purpose) for rule in rules))
    bound = q.in_class is None and all(name in CLASS_BOUND for name in names)
    through = {c for n in names if bound for c in classes(q, CLASS_BOUND[n])}
    content = {
        "fields": [name for name in CATALOGUE[q.category] if name in fields],
        "withheld": [name for name in q.fields or () if name not in fields],
        "classes": sorted(through),
        "pseudonymise": names == ["analyst-read"],
        "notify": sorted({NOTIFY[name] for name in names if name in NOTIFY}),
        "review": not REVIEWED.isdisjoint(names),
    }
    return {
        "decision": True, "purpose": purpose, "rules": names, "reason": None,
        "obligations": {name: value for name, value in content.items() if value},
    }  # fmt: skip
