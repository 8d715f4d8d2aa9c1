"""Who may open the screens of reviews.

A review that is not there is 404 for everybody: who may open one that is, and that others may
not, is tried in ``test_reviews.py``.
"""

from __future__ import annotations

from tests.admin.kit import ORDINARY, PRIVILEGED

_ALL = frozenset({*PRIVILEGED, *ORDINARY})
_RUN = frozenset({"siri", "head", "other"})
_NOBODY: frozenset[str] = frozenset()
_ONE = "/admin/reviews/campaigns/none"
OPENINGS = {
    "reviews": ("/admin/reviews", _ALL),
    "delegations": ("/admin/reviews/delegations", _ALL),
    "delegate": ("/admin/reviews/delegations", _ALL),
    "take_back": ("/admin/reviews/delegations/end", _NOBODY),
    "review_items": ("/admin/reviews/none", _NOBODY),
    "review_answer": ("/admin/reviews/none/answer", _ALL),  # nothing is chosen
    "review_summary": ("/admin/reviews/none/submit", _NOBODY),
    "review_submit": ("/admin/reviews/none/submit", _NOBODY),
    "review_item": ("/admin/reviews/none/1", _NOBODY),
    "review_hand_over": ("/admin/reviews/none/1/reassign", _ALL),  # no reason is given
    "campaigns": ("/admin/reviews/campaigns", _RUN | {"audit"}),
    "campaign_new": ("/admin/reviews/campaigns/new", _RUN),
    "campaign_define": ("/admin/reviews/campaigns/new", _RUN),
    "campaign": (_ONE, _NOBODY),
    "campaign_edit": (f"{_ONE}/edit", _NOBODY),
    "campaign_redefine": (f"{_ONE}/edit", _RUN),
    "campaign_preview": (f"{_ONE}/preview", _NOBODY),
    "campaign_start": (f"{_ONE}/start", _RUN),
    "campaign_items": (f"{_ONE}/items", _NOBODY),
    "campaign_item": (f"{_ONE}/items/1", _NOBODY),
    "campaign_reassign": (f"{_ONE}/items/1/reassign", _RUN),
    "campaign_undo": (f"{_ONE}/items/1/undo", _RUN),
    "campaign_close": (f"{_ONE}/close", _RUN),
    "campaign_confirm": (f"{_ONE}/confirm", _RUN),
    "campaign_cancel": (f"{_ONE}/cancel", _RUN),
    "campaign_end": (f"{_ONE}/end", _RUN),
    "campaign_again": (f"{_ONE}/again", _NOBODY),
    "campaign_report": (f"{_ONE}/report", _NOBODY),
    "campaign_report_csv": (f"{_ONE}/report.csv", _NOBODY),
    "campaign_report_json": (f"{_ONE}/report.json", _NOBODY),
    "campaign_report_pdf": (f"{_ONE}/report.pdf", _NOBODY),
}
