"""Which columns may hold a person's id, and what an erasure does with each (N-34, E-04).

:mod:`.erasing` takes away what is under :data:`ERASED`, and what is under :data:`ENDED` once
nobody uses it. The rest stays for a reason that is
written here, and on the page ``docs/reference/erasure.md``. A test walks all tables: a column of
texts that is neither here nor said to be about nobody fails it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

Columns = Mapping[str, tuple[str, ...]]
"""Names of columns, by table."""


class Fate(NamedTuple):
    """What becomes of these columns at an erasure: how they are reached, or why they stay."""

    why: str
    columns: Columns


ERASED: Final[tuple[Fate, ...]] = (
    Fate(
        "The row goes: with the key, nobody can tell whose the pseudonym in the records is.",
        {"audit_pseudonym": ("person", "pseudonym")},
    ),
    Fate(
        "The row goes: how much was read in which hour would tell whose records are whose.",
        {"reading_hour": ("subject",)},
    ),
    Fate(
        "The request of a way in to the person's sign-in goes, answered or not, and one that "
        "waits goes with whoever asked for it. Of another person's, that this one asked for it "
        "or answered it is blotted out; what was asked and answered stands in the trail.",
        {
            "sign_in_request": (
                *("name", "person", "more", "asked_by", "why", "answered_by", "answer"),
            ),
        },
    ),
    Fate(
        "The message to the person, and the one about a request of theirs, goes.",
        {"sign_in_notice": ("name",)},
    ),
)
ENDED: Final[tuple[Fate, ...]] = (
    Fate(
        "Of a sign-in that has ended: whose it was is forgotten, its password and second factor "
        "too, and its accounts at providers and its invitations go. Nobody signs in by it again, "
        "so that it is needed no longer (N-34). One in force stays as it is, for its owner uses "
        "it; once it is ended, `authz erase` reaches it.",
        {
            "sign_in": ("person",),
            "sign_in_link": ("subject", "name", "linked_by"),
            "sign_in_invitation": ("name", "invited_by"),
        },
    ),
)
_SAID = ("recorded_by", "recorded_because")
_FACTS: Final[Columns] = {
    "person": ("id", "given_name", "family_name", "name_order", "birth_date_from"),
    "membership": ("id", "person"),
    "enrolment": ("id", "person"),
    "guardianship": ("id", "guardian", "student"),
    "role_grant": ("id", "person", "granted_by", "reason"),
    "custody_restriction": ("id", "subject", "person", "basis"),
    "emancipation": ("person",),
    "consent": ("id", "person"),
    "objection": ("id", "person"),
    "restriction": ("person",),
    "erasure": ("person",),
    "ticket": ("id", "person", "assignee"),
    "purchase": ("id", "person", "assignee"),
    "mentoring": ("id", "mentor", "person"),
    "privacy_case": ("assignee",),
    "privacy_case_person": ("person",),
    "elevation": ("id", "person", "justification", "approved_by"),
    "legal_order_person": ("person",),
    "recipient_member": ("subject",),
    "project": ("customer",),
}
_RECORDED: Final = (
    *("entity", "recipient", "contract", "legal_order", "consent", "project", "objection"),
    *("restriction", "erasure", "organisation", "person", "membership", "term", "course"),
    *("class", "enrolment", "guardianship", "role_grant", "custody_restriction", "emancipation"),
    *("ticket", "purchase", "mentoring", "privacy_case", "elevation"),
)
KEPT: Final[tuple[Fate, ...]] = (
    Fate(
        "A fact on file. An approved erasure refuses every use of it but those that the law "
        "retains, which decisions find by it (N-34); it comes from a roster or a document, and "
        "goes where that is put right.",
        _FACTS,
    ),
    Fate(
        "Who put a fact on file, and why: they answer for it while the fact is there (N-02, N-43).",
        MappingProxyType(dict.fromkeys(_RECORDED, _SAID)),
    ),
    Fate(
        "The trail: nobody changes a record (N-49). With AUTHZ_AUDIT_PSEUDONYMS it holds "
        "pseudonyms, whose keys go; without, retention takes the oldest records away.",
        {
            "audit_record": ("body", "subject_id", "resource_id", "request_id"),
            "audit_mention": ("name",),
            "audit_segment": ("retired_by", "why"),
        },
    ),
    Fate(
        "A review is shown to have been made, by whom and of what (N-46, N-47): its report is "
        "checked against the hash of its snapshot, which is in the trail.",
        {
            "review_item": ("subject", "person", "elevation", "request_id"),
            "review_definition": ("name", "members", "created_by", "because"),
            "review_campaign": (
                *("cause", "name", "members", "created_by", "because", "started_by"),
                *("closed_by", "confirmed_by", "ended_because"),
            ),
            "review_snapshot": ("body",),
            "review_campaign_item": (
                *("right_id", "holder", "person", "resource", "facts", "reviewer"),
                *("advice_reason", "verdict_reason", "verdict_by", "verdict_for"),
                *("remediation", "before", "undone_by"),
            ),
            "review_verdict": ("reason", "by", "for_whom"),
            "review_handover": ("giver", "taker", "because", "by"),
            "review_reminder": ("reviewer",),
        },
    ),
    Fate(
        "Who asked for a right, who gave it and why is answered for as long as it can be asked "
        "what was done with it (N-43, N-44).",
        {"right_request": ("person", "reason"), "right_vote": ("person", "why")},
    ),
    Fate(
        "A request of one's own rights, an erasure too, is shown to have been answered in time "
        "(N-37).",
        {"rights_request": ("person", "details", "asked", "answer", "answered_by")},
    ),
    Fate(
        "That those concerned were told of a leak or of an emergency is shown to the regulator "
        "(N-50, E-07).",
        {
            "notice": ("subject", "person", "elevation", "request_id"),
            "incident": ("title", "assignee", "cause", "effect", "remedy", "not_reported"),
            "incident_step": ("by", "because", "members"),
            "incident_person": ("person",),
        },
    ),
    Fate(
        "That somebody made a policy known, or has read it, is shown (N-52, E-08).",
        {
            "announcement": ("title_th", "title_en", "text_th", "text_en", "published_by"),
            "acknowledgement": ("person",),
        },
    ),
    Fate(
        "The name of a sign-in, for no later one may have it: the trail names who did something by "
        "it (N-42, N-49). Who gave a sign-in or a token answers for it (N-43). Sessions end by "
        "themselves.",
        {
            "sign_in": ("name", "created_by"),
            "console_session": ("name",),
            "client_token": ("issued_by",),
        },
    ),
    Fate(
        "Entities, and what they are made of, are of packs that are not about people (3.3).",
        {"entity": ("id", "properties")},
    ),
)
