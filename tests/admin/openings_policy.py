"""Who may read the policy, try a new one, and publish notices."""

from __future__ import annotations

from tests.admin.kit import ORDINARY, PRIVILEGED

_ALL = frozenset({*PRIVILEGED, *ORDINARY})
_PLACE = frozenset(PRIVILEGED)
_OFFICER = frozenset({"siri"})
_OVERSEE = frozenset({"siri", "audit"})
OPENINGS = {
    "policy": ("/admin/policy", _PLACE),
    "policy_cell": ("/admin/policy/cell", _PLACE),
    "policy_versions": ("/admin/policy/versions", _PLACE),
    "policy_trial": ("/admin/policy/trial", _OFFICER),
    "try_policy": ("/admin/policy/trial", _OFFICER),
    "notices": ("/admin/notices", _ALL),
    "acknowledge": ("/admin/notices", _ALL),
    "announcements": ("/admin/announcements", _OVERSEE),
    "publish": ("/admin/announcements", _OFFICER),
    "readers": ("/admin/announcements/readers", _OVERSEE),
}
