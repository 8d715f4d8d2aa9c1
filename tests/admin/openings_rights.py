"""Who may open rights with an end: everybody their own, administrators what others ask for."""

from __future__ import annotations

from tests.admin.kit import ORDINARY, PRIVILEGED

_ALL = frozenset({*PRIVILEGED, *ORDINARY})
_SCHOOLS = frozenset({"head", "other"})
OPENINGS = {
    "own_rights": ("/admin/rights", _ALL),
    "ask_right": ("/admin/rights/ask", _ALL),
    "right_asked": ("/admin/rights/ask", _ALL),
    "withdraw_right": ("/admin/rights/withdraw", _ALL),
    "end_right": ("/admin/rights/end", _ALL),
    "emergency": ("/admin/rights/emergency", _SCHOOLS),
    "break_glass": ("/admin/rights/emergency", _SCHOOLS),
    "approvals": ("/admin/approvals", _SCHOOLS | {"siri", "audit"}),
    "answer_right": ("/admin/approvals/answer", _SCHOOLS | {"siri"}),
    "answer_way_in": ("/admin/approvals/way-in", _SCHOOLS | {"siri"}),
    "review_emergency": ("/admin/approvals/emergency", _SCHOOLS | {"siri"}),
}
