"""Who may open incidents: the officer all, the auditor to read, the platform without people."""

from __future__ import annotations

from tests.admin.kit import INCIDENT

_READ = frozenset({"siri", "audit", "krung"})
_CHANGE = frozenset({"siri", "krung"})
_PEOPLE = frozenset({"siri", "audit"})
_ONE = f"/admin/incident/{INCIDENT}"
OPENINGS = {
    "incidents": ("/admin/incidents", _READ),
    "incident_new": ("/admin/incidents/new", _CHANGE),
    "incident_open": ("/admin/incidents/new", _CHANGE),
    "incident": (_ONE, _READ),
    "incident_assign": (f"{_ONE}/assign", _CHANGE),
    "incident_update": (f"{_ONE}/update", _CHANGE),
    "incident_close": (f"{_ONE}/close", _CHANGE),
    "incident_breach": (f"{_ONE}/breach", _PEOPLE),
    "incident_breach_file": (f"{_ONE}/breach/csv?account=teacher-danai", _PEOPLE),
    "incident_people": (f"{_ONE}/breach", frozenset({"siri"})),
}
