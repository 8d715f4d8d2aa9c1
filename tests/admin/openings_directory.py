"""Who may change what the directory knows: a school its own members, the officer everybody."""

from __future__ import annotations

_PERSON = "student-mali"  # of the school that `head` administers
_READ = frozenset({"head", "siri", "audit"})
_CHANGE = frozenset({"head", "siri"})
_OFFICER = frozenset({"siri"})
_OVERSEE = frozenset({"siri", "audit"})
OPENINGS = {
    "guardianships": (f"/admin/guardianships/{_PERSON}", _READ),
    **{
        name: (f"/admin/guardianships/{_PERSON}/{name}", _CHANGE)
        for name in (
            "add_guardianship",
            "end_guardianship",
            "restrict_guardian",
            "lift_restriction",
        )
    },
    "consents": (f"/admin/consents/{_PERSON}", _READ),
    "give_consent": (f"/admin/consents/{_PERSON}/give_consent", _OFFICER),
    "withdraw_consent": (f"/admin/consents/{_PERSON}/withdraw_consent", _OFFICER),
    "requests": ("/admin/requests", _READ | {"other"}),
    "rights_requests": (f"/admin/requests/{_PERSON}", _READ),
    **{
        name: (f"/admin/requests/{_PERSON}/{name}", _CHANGE)
        for name in ("open_request", "assign_request", "answer_request", "close_request")
    },
    "contracts": ("/admin/contracts", _OVERSEE),
    "contract": ("/admin/contracts/form", _OFFICER),
    "record_contract": ("/admin/contracts/record_contract", _OFFICER),
    "end_contract": ("/admin/contracts/end_contract", _OFFICER),
    "record_processor": ("/admin/contracts/record_processor", _OFFICER),
    "import_report": ("/admin/imports/report", _READ | {"other", "krung"}),
    "imports": ("/admin/imports", _READ | {"other", "krung"}),
}
