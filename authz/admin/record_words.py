"""The words of data and records as people say them: rows of a roster, events."""

from __future__ import annotations

from typing import Any, Final

from flask_babel import lazy_gettext as _l

ROSTER: Final[dict[str, Any]] = {
    "organisation": _l("organisation"),
    "term": _l("term"),
    "course": _l("course"),
    "role_grant": _l("role granted"),
}
HOW: Final[dict[str, Any]] = {
    "added": _l("added"),
    "changed": _l("changed"),
    "ended": _l("ended"),
}
EVENTS: Final[dict[str, Any]] = {
    "decision": _l("Decision"),
    "search": _l("List shown"),
    "what_if": _l("What-if"),
    "roster_imported": _l("Roster imported"),
    "fact_changed": _l("Change on file"),
    "entity_changed": _l("Stored entity changed"),
    "policy_loaded": _l("Policy loaded"),
    "token_created": _l("Token created"),
    "token_revoked": _l("Token revoked"),
    "user_added": _l("Sign-in added"),
    "user_disabled": _l("Sign-in disabled"),
    "user_reset": _l("Sign-in reset"),
    "signed_in": _l("Signed in"),
    "sign_in_refused": _l("Sign-in refused"),
    "signed_out": _l("Signed out"),
    "password_changed": _l("Password changed"),
    "second_factor_changed": _l("Second factor changed"),
    "trail_read": _l("Trail read"),
    "roster_changed": _l("Row of a roster changed"),
    "policy_changed": _l("Policy changed"),
    "settings_changed": _l("Settings changed"),
    "user_linked": _l("Account of a sign-in linked or taken away"),
    "user_invited": _l("Invited to sign in"),
    "way_in_asked": _l("Way to sign in asked for"),
    "way_in_answered": _l("Request of a way to sign in answered"),
    "way_in_withdrawn": _l("Request of a way to sign in taken back"),
    "sessions_ended": _l("Sessions ended"),
    "key_rotated": _l("Key rotated"),
    "right_asked": _l("Right asked for"),
    "right_answered": _l("Request of a right answered"),
    "right_withdrawn": _l("Request of a right withdrawn"),
    "glass_broken": _l("Emergency access taken"),
    "emergency_reviewed": _l("Emergency access reviewed"),
    "rights_request_changed": _l("Request of somebody's rights changed"),
    "announced": _l("Notice published"),
    "acknowledged": _l("Notice acknowledged"),
    "person_erased": _l("Person erased"),
    "trail_retired": _l("Old records retired"),
    "trail_verified": _l("Trail verified"),
    "database_granted": _l("Rights in the database granted"),
    "writer_opened": _l("Writer of the trail opened"),
    "writer_closed": _l("Writer of the trail closed"),
    "audit_key_rotated": _l("Key of the trail rotated"),
    "incident_opened": _l("Incident opened"),
    "incident_assigned": _l("Incident assigned"),
    "incident_updated": _l("Incident updated"),
    "incident_closed": _l("Incident closed"),
    "bulk_reading": _l("Bulk reading noticed"),
    "review_changed": _l("Step of an access review"),
}
