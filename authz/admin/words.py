"""The words of the vocabulary as people say them: roles, kinds, states."""

from __future__ import annotations

from typing import Any, Final

from flask_babel import lazy_gettext as _l

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


def register(app: Any) -> None:
    """Give the words to every template."""
    app.jinja_env.globals.update(ROLES=ROLES, ACTIONS=ACTIONS, GUARDIANS=GUARDIANS)
