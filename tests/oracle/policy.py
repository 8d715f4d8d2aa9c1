"""The tables of page 2, as literal data and nothing else."""

from __future__ import annotations

from typing import NamedTuple

ACTIONS: tuple[str, ...] = ("read", "update", "export", "disclose", "delete")

# 2.2
CATALOGUE: dict[str, tuple[str, ...]] = {
    "identity": ("given_name", "family_name"),
    "contact": ("email", "phone", "birth_date", "gender"),
    "national_id": ("national_id",),
    "affiliation": ("school", "grade", "class"),
    "credentials": ("username", "password"),
    "service_usage": ("function", "activity", "started_at", "ended_at"),
    "assessment_result": (
        "assessment", "score", "max_score", "item_analysis", "comment", "taken_at",
    ),
    "learner_profile": ("strengths", "weaknesses", "progress", "advice"),
    "satisfaction": ("survey", "rating", "comment"),
    "access_log": ("at", "ip_address", "device", "event"),
    "enquiry": ("subject", "message", "answer", "opened_at"),
    "interests": ("questionnaire", "answer"),
    "delivery": ("recipient", "address", "phone"),
    "purchase": ("order", "items", "total", "ordered_at", "received_at"),
    "payment": ("method", "account", "card", "evidence"),
}  # fmt: skip


def _cut(*names: str, **only: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Categories with all their fields, and those of which only some fields are meant."""
    whole = {name: frozenset(CATALOGUE[name]) for name in names}
    return whole | {name: frozenset(fields) for name, fields in only.items()}


def _all_but(*names: str) -> dict[str, frozenset[str]]:
    return _cut(*(name for name in CATALOGUE if name not in names))


REACH_ME = ("email", "phone")


class Purpose(NamedTuple):
    basis: str
    clock: str | None = None  # what starts it; None: no clock
    years: int = 0


# 2.3, first table
PURPOSES: dict[str, Purpose] = {
    "account": Purpose("contract", "cancelled_at", 1),
    "service": Purpose("contract", "cancelled_at", 1),
    "support": Purpose("contract", "cancelled_at", 1),
    "learner_profile": Purpose("contract", "cancelled_at", 1),
    "advice": Purpose("contract", "cancelled_at", 1),
    "commerce": Purpose("contract", "received_at", 10),
    "legal_duty": Purpose("legal obligation"),
    "improvement": Purpose("legitimate interest", "last_used_at", 5),
    "legal_claims": Purpose("legitimate interest", "cancelled_at", 10),
    "marketing": Purpose("consent"),
    "event": Purpose("consent", "ended_at"),
}
DEFAULT_RETENTION_DAYS = 30

# 2.3, second table
NEEDS: dict[str, dict[str, frozenset[str]]] = {
    "account": _cut("identity", "contact", "national_id", "affiliation", "credentials"),
    "service": _cut(
        "identity", "contact", "affiliation", "service_usage", "assessment_result",
        "learner_profile", "satisfaction", "interests",
    ),
    "support": _cut("identity", "affiliation", "service_usage", "enquiry", contact=REACH_ME),
    "learner_profile": _cut(
        "identity", "affiliation", "service_usage", "assessment_result", "learner_profile",
    ),
    "advice": _cut("identity", "assessment_result", "learner_profile", "interests"),
    "commerce": _cut("identity", "delivery", "purchase", "payment", contact=REACH_ME),
    "legal_duty": _all_but("credentials"),
    "legal_claims": _all_but("credentials"),
    "improvement": _cut("service_usage", "assessment_result", "satisfaction", "interests"),
    "marketing": _cut("identity", "interests", contact=("email",)),
    "event": _cut("identity", "satisfaction", "interests", contact=REACH_ME),
}  # fmt: skip

# 2.4
GRANTED_ROLES: frozenset[str] = frozenset(
    {"school_admin", "support_agent", "order_clerk", "mentor", "analyst", "dpo", "platform_admin"}
)
TRANSFERS: frozenset[str] = frozenset({"domestic", "adequate", "safeguards"})


class Rule(NamedTuple):
    name: str
    role: str
    actions: tuple[str, ...]
    categories: dict[str, frozenset[str]]
    condition: tuple[str, ...]  # relations, and what the context must bring: all must hold
    purposes: tuple[str, ...] | None  # None: as contracted
    default: str | None = None


_SELF = _all_but("credentials")
_CHILD = _cut(
    "identity", "contact", "affiliation", "service_usage", "assessment_result", "learner_profile",
    "satisfaction", "interests",
)  # fmt: skip
_WARD = ("guardian", "minor")
_PROCESSED = _all_but("credentials", "national_id")
_LEGAL = ("legal_duty", "legal_claims")

# 2.5
RULES: tuple[Rule, ...] = (
    Rule("self-read", "public", ("read",), _SELF, ("self",),
         ("service", "account", "support", "commerce"), "service"),
    Rule("self-export", "public", ("export",), _SELF, ("self",), ("service",), "service"),
    Rule("self-update", "public", ("update",),
         _cut("interests", "delivery", "credentials", contact=REACH_ME), ("self",),
         ("account",), "account"),
    Rule("parent-read", "parent", ("read",), _CHILD, _WARD,
         ("service", "learner_profile", "advice"), "service"),
    Rule("parent-export", "parent", ("export",), _CHILD, _WARD, ("service",), "service"),
    Rule("parent-update", "parent", ("update",), _cut(contact=REACH_ME), _WARD,
         ("account",), "account"),
    Rule("parent-answer", "parent", ("update",), _cut("interests"), _WARD,
         ("service",), "service"),
    Rule("teacher-read", "teacher", ("read",),
         _cut("identity", "affiliation", "service_usage", "assessment_result"), ("teaches",),
         ("service",), "service"),
    Rule("teacher-grade", "teacher", ("update",), _cut("assessment_result"),
         ("teaches", "class given"), ("service",), "service"),
    Rule("assistant-read", "teacher_aide", ("read",), _cut("identity", "affiliation"),
         ("assists",), ("service",), "service"),
    Rule("school-read", "school_admin", ("read",),
         _cut("identity", "contact", "affiliation", "service_usage", "assessment_result",
              "satisfaction"), ("same_school",), ("service", "account"), "service"),
    Rule("school-export", "school_admin", ("export",),
         _cut("affiliation", "assessment_result", "satisfaction"), ("same_school",),
         ("service",), "service"),
    Rule("school-maintain", "school_admin", ("update",),
         _cut("identity", "contact", "affiliation"), ("same_school",), ("account",), "account"),
    Rule("school-reset", "school_admin", ("update",), _cut("credentials"),
         ("same_school", "mfa"), ("account",), "account"),
    Rule("school-emergency", "school_admin", ("read",), _cut("identity", "contact"),
         ("elevated", "justification given"), ("service",), "service"),
    Rule("processor-use", "processor", ("read", "update", "export"), _PROCESSED,
         ("contracted",), None),
    Rule("processor-onward", "processor", ("disclose",), _PROCESSED, ("contracted",), None),
    Rule("authority-receive", "authority", ("read", "disclose"), _all_but("credentials"),
         ("ordered",), ("legal_duty",)),
    Rule("support-read", "support_agent", ("read",),
         _cut("identity", "contact", "service_usage", "enquiry"), ("ticketed",), ("support",)),
    Rule("order-read", "order_clerk", ("read",), _cut("identity", "delivery", "purchase"),
         ("fulfilling",), ("commerce",)),
    Rule("mentor-read", "mentor", ("read",),
         _cut("identity", "assessment_result", "learner_profile", "interests"), ("mentors",),
         ("advice",)),
    Rule("mentor-write", "mentor", ("update",), _cut("learner_profile"), ("mentors",),
         ("advice",)),
    Rule("analyst-read", "analyst", ("read",),
         _cut("service_usage", "assessment_result", "satisfaction", "interests"), ("always",),
         ("improvement",)),
    Rule("dpo-case", "dpo", ("read", "export", "update", "delete"), _all_but("credentials"),
         ("on_case",), _LEGAL),
    Rule("dpo-log", "dpo", ("read",), _cut("access_log"), ("always",), ("legal_duty",)),
)  # fmt: skip

# 2.6, in the order of the table
REFUSALS: tuple[str, ...] = (
    "inactive-subject", "unknown-person", "secret", "custody", "retention", "objected",
    "withdrawn", "restricted", "not-needed", "escalation", "no-fields",
)  # fmt: skip

# 2.7
CLASS_BOUND: dict[str, str] = {"teacher-read": "teaches", "assistant-read": "assists"}
NOTIFY: dict[str, str] = {
    "school-reset": "person", "school-emergency": "dpo", "authority-receive": "dpo",
}  # fmt: skip
REVIEWED: frozenset[str] = frozenset({"school-emergency"})
