"""Who may open the sign-ins: whoever runs the platform, and the auditor to read."""

from __future__ import annotations

_READ = frozenset({"krung", "audit"})
_CHANGE = frozenset({"krung"})
OPENINGS = {
    "users": ("/admin/users", _READ),
    "user": ("/admin/users/of/parent", _READ),
    "user_new": ("/admin/users/new", _CHANGE),
    "user_add": ("/admin/users/new", _CHANGE),
    "user_take_back": ("/admin/users/take-back", _CHANGE),
    **{
        f"user_{what}": (f"/admin/users/of/parent/{what}", _CHANGE)
        for what in ("disable", "reset", "sessions", "link", "unlink", "invite")
    },
}
