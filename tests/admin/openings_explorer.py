"""Who may open the directory, the explorer and the trail: the school its own people."""

from __future__ import annotations

_SCHOOL = frozenset({"head", "siri", "audit"})
_LISTS = _SCHOOL | {"other"}
_OVERSIGHT = frozenset({"siri", "audit"})
OPENINGS = {
    "people": ("/admin/people", _LISTS),
    "person": ("/admin/person/student-mali", _SCHOOL | {"parent"}),
    "classes": ("/admin/classes", _LISTS),
    "class_page": ("/admin/class/doi-p5-math", _SCHOOL),
    "access": ("/admin/access/student-mali", _SCHOOL),
    "rights": ("/admin/rights/student-mali", _SCHOOL),
    "usage": ("/admin/usage/student-mali", _SCHOOL | {"parent"}),
    "report_of_person": ("/admin/reports/access-of/csv/student-mali", _SCHOOL | {"parent"}),
    "report_of_rights": ("/admin/reports/unused/csv", _OVERSIGHT),
    "unused": ("/admin/unused", _LISTS),
    "trail": ("/admin/trail", _OVERSIGHT),
    "trail_state": ("/admin/trail/state", _OVERSIGHT),
}
