"""The words of the vocabulary as people say them: roles, kinds, states."""

from __future__ import annotations

from typing import Any, Final

from babel import Locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from authz.admin.languages import spoken
from authz.admin.record_words import EVENTS, HOW, ROSTER
from authz.service.changing import UNSAID
from authz.service.reports.field_words import FIELDS

ROLES: Final[dict[str, Any]] = {
    "any": _l("Anybody"),
    "public": _l("Everybody active"),
    "student": _l("Student"),
    "teacher": _l("Teacher"),
    "teacher_aide": _l("Teaching assistant"),
    "parent": _l("Parent or guardian"),
    "processor": _l("Processor"),
    "authority": _l("Authority"),
    "school_admin": _l("School administrator"),
    "support_agent": _l("Support agent"),
    "order_clerk": _l("Order clerk"),
    "mentor": _l("Mentor"),
    "analyst": _l("Analyst"),
    "dpo": _l("Data-protection officer"),
    "platform_admin": _l("Platform administrator"),
    "auditor": _l("Auditor"),
}
ACTIONS: Final[dict[str, Any]] = {
    "read": _l("read"),
    "update": _l("change"),
    "export": _l("export"),
    "disclose": _l("pass on"),
    "delete": _l("delete"),
}
GUARDIANS: Final[dict[str, Any]] = {
    "parent": _l("father or mother"),
    "guardian": _l("guardian by law or in fact"),
    "relative": _l("relative (opens nothing)"),
}
KINDS: Final[dict[str, Any]] = {
    "student": _l("Student"),
    "teacher": _l("Teacher"),
    "parent": _l("Parent or guardian"),
    "school_admin": _l("School administrator"),
    "staff": _l("Staff of the platform"),
}
STATUSES: Final[dict[str, Any]] = {
    "active": _l("active"),
    "suspended": _l("suspended"),
    "deregistered": _l("de-registered"),
}
STATES: Final[dict[str, Any]] = {
    "current": _l("in force"),
    "future": _l("to come"),
    "ended": _l("over"),
}
ENROLMENTS: Final[dict[str, Any]] = {
    "student": _l("Student"),
    "teacher": _l("Teacher"),
    "aide": _l("Teaching assistant"),
    "proctor": _l("Proctor"),
}
FACTS: Final[dict[str, Any]] = {
    "person": _l("person"),
    "guardianship": _l("guardianship"),
    "custody_restriction": _l("custody restriction"),
    "emancipation": _l("emancipation"),
    "class": _l("class"),
    "enrolment": _l("enrolment"),
    "grant": _l("role granted"),
    "membership": _l("membership"),
    "contract": _l("contract"),
    "processor": _l("processor"),
    "authority": _l("authority"),
    "order": _l("order of an authority"),
    "ticket": _l("support ticket"),
    "case": _l("case"),
    "purchase": _l("order of goods"),
    "mentoring": _l("mentoring"),
    "elevation": _l("emergency access"),
    "consent": _l("consent"),
    "objection": _l("objection"),
    "restriction": _l("restriction of processing"),
    "erasure": _l("approved erasure"),
    "retention": _l("time allowed for the purpose"),
    "birth_date": _l("minority"),
    "account": _l("account"),
    "project": _l("project"),
}
NEEDS: Final[dict[str, Any]] = {
    "mfa": _l("after a second factor"),
    "justification": _l("with a written justification"),
}

APPLICATIONS: Final[dict[str, Any]] = {
    "authz-console": _l("in these screens"),
    "authz": _l("by the system itself"),
}


def register(app: Any) -> None:
    """Give the words to every template."""
    app.jinja_env.globals.update(
        ROLES=ROLES,
        ACTIONS=ACTIONS,
        GUARDIANS=GUARDIANS,
        EVENTS=EVENTS,
        KINDS=KINDS,
        STATUSES=STATUSES,
        STATES=STATES,
        ENROLMENTS=ENROLMENTS,
        NEEDS=NEEDS,
        APPLICATIONS=APPLICATIONS,
        page_args=_page_args,
    )
    app.jinja_env.filters.update(
        fact_kind=lambda kind: FACTS.get(kind) or ROSTER.get(kind, kind),
        field=lambda name: FIELDS.get(name, {}).get(spoken(), name),
        origin=_origin,
        country=_country,
        how=lambda name: HOW.get(name, name),
        why=lambda text: _("no reason given") if text == UNSAID else text,
    )


def _origin(name: str) -> str:
    """Where a row comes from: a roster by its name, or somebody's hand."""
    roster = name.removeprefix("roster:")
    return str(
        _("Put on file by hand") if roster == name else _("Roster %(source)s", source=roster)
    )


def _country(code: str) -> str:
    """A country by its two letters, as people call it."""
    return str(Locale(spoken()).territories.get(code, code))


def _page_args(wanted: dict[str, str], about: dict[str, str], after: str = "") -> dict[str, str]:
    """What the address of another page of the same list says."""
    asked = {name: value for name, value in wanted.items() if value and name != "after"}
    return {**about, **asked, **({"after": after} if after else {})}
