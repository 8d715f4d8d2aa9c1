"""The closed vocabulary: every name that leaves the service or is kept in a record.

Naming rule: what a caller or a rule *is refused by* is ``kebab-case`` when it is a rule
of a policy pack (``unknown-person``) and ``snake_case`` when the service itself says it
(``no_rule``), as on page 2 of the specification; relations, roles, facts and audit
events are ``snake_case`` nouns; actions are verbs. A name is never reused.
"""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """What a rule of ``policy.csv`` does, in Casbin's words: *allow* permits, *deny* refuses."""

    ALLOW = "allow"
    DENY = "deny"


class Reason(StrEnum):
    """Why the service itself refuses; rules of a pack refuse under their own id (2.6)."""

    NO_RULE = "no_rule"
    PURPOSE_REQUIRED = "purpose_required"
    UNKNOWN_CATEGORY = "unknown_category"
    UNKNOWN_ACTION = "unknown_action"
    UNKNOWN_PURPOSE = "unknown_purpose"
    RULE_ERROR = "rule_error"
    """A rule could not be evaluated: it refuses, and is never skipped (3.5)."""
    REFUSED = "refused"
    """The neutral word for all that only the directory knows (4.3)."""


OUTWARD_REASONS = frozenset(
    {
        Reason.PURPOSE_REQUIRED,
        Reason.UNKNOWN_CATEGORY,
        Reason.UNKNOWN_ACTION,
        Reason.UNKNOWN_PURPOSE,
    }
)
"""The reasons a caller is told; every other one is said as ``refused`` (4.3)."""


class Relation(StrEnum):
    """A named test over what the directory knows, usable as ``r.rel.<name>`` (2.4).

    Up to ``elevated`` these are the relations of page 2.4; the rest are the named tests
    that the refusals of page 2.6 stand on.
    """

    SELF = "self"
    GUARDIAN = "guardian"
    MINOR = "minor"
    CUSTODY_RESTRICTED = "custody_restricted"
    TEACHES = "teaches"
    ASSISTS = "assists"
    SAME_SCHOOL = "same_school"
    CONTRACTED = "contracted"
    ORDERED = "ordered"
    TICKETED = "ticketed"
    FULFILLING = "fulfilling"
    MENTORS = "mentors"
    ON_CASE = "on_case"
    ON_RIGHTS_REQUEST = "on_rights_request"
    ELEVATED = "elevated"
    SUBJECT_ACTIVE = "subject_active"
    PERSON_KNOWN = "person_known"
    RETENTION_ENDED = "retention_ended"
    OBJECTED = "objected"
    CONSENTED = "consented"
    PROCESSING_RESTRICTED = "processing_restricted"
    HOLDS_GRANTED_ROLE = "holds_granted_role"


class Role(StrEnum):
    """The roles of the directory: held by grant, or following from a fact (2.4, N-01)."""

    PUBLIC = "public"
    STUDENT = "student"
    TEACHER = "teacher"
    TEACHER_AIDE = "teacher_aide"
    PARENT = "parent"
    PROCESSOR = "processor"
    AUTHORITY = "authority"
    SCHOOL_ADMIN = "school_admin"
    SUPPORT_AGENT = "support_agent"
    ORDER_CLERK = "order_clerk"
    MENTOR = "mentor"
    ANALYST = "analyst"
    DPO = "dpo"
    PLATFORM_ADMIN = "platform_admin"
    AUDITOR = "auditor"
    """Reads in the screens and changes nothing; given with a sign-in, never by a fact."""


GRANTABLE_ROLES = frozenset(
    {
        Role.SCHOOL_ADMIN,
        Role.SUPPORT_AGENT,
        Role.ORDER_CLERK,
        Role.MENTOR,
        Role.ANALYST,
        Role.DPO,
        Role.PLATFORM_ADMIN,
    }
)
"""The roles that somebody may be granted; all others follow from facts (2.4)."""


class ObligationId(StrEnum):
    """What the caller must carry out, or read the permit as a refusal (2.7)."""

    FIELDS = "fields"
    WITHHELD = "withheld"
    CLASSES = "classes"
    PSEUDONYMISE = "pseudonymise"
    NOTIFY = "notify"
    REVIEW = "review"


class FactState(StrEnum):
    """Why a fact on file counts for a relation or role at a moment, or does not (3.4)."""

    IN_FORCE = "in_force"
    ENDED = "ended"
    NOT_YET = "not_yet"
    SUPERSEDED = "superseded"
    """A guardianship recorded as a fact stands in place of the roster's (2.4)."""
    RELATIVE = "relative"
    """A link to a relative is no guardianship (2.4)."""
    ACCOUNT_INACTIVE = "account_inactive"
    SAME_PERSON = "same_person"
    OTHER_PERSON = "other_person"
    OTHER_CLASS = "other_class"
    OTHER_SUBJECT_TYPE = "other_subject_type"
    ELSEWHERE = "elsewhere"
    """At an organisation that the person does not belong to."""
    WITHOUT_EFFECT = "without_effect"
    """It hangs on an organisation, class or term that ended or is not known (page 5)."""
    NOT_NAMED = "not_named"
    NOT_COVERED = "not_covered"
    WITHOUT_ROLE = "without_role"
    OTHER_KIND = "other_kind"
    EMANCIPATED = "emancipated"
    UNKNOWN = "unknown"


class ChangeKind(StrEnum):
    """One thing that could be otherwise, so that an answer would be (3.4)."""

    TIME = "time"
    REQUEST = "request"
    FACT = "fact"


class Event(StrEnum):
    """What an audit record is about (2.8)."""

    DECISION = "decision"
    SEARCH = "search"
    """A page of a search, with the ids that it listed (page 5)."""
    WHAT_IF = "what_if"
    ROSTER_IMPORTED = "roster_imported"
    ROSTER_CHANGED = "roster_changed"
    """Rows that an import added, changed, ended or brought back, some hundred a record."""
    FACT_CHANGED = "fact_changed"
    ENTITY_CHANGED = "entity_changed"
    POLICY_CHANGED = "policy_changed"
    """A service started with another pack than the one before (3.3)."""
    SETTINGS_CHANGED = "settings_changed"
    TOKEN_CREATED = "token_created"  # noqa: S105 (an event)
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 (an event)
    USER_ADDED = "user_added"
    USER_DISABLED = "user_disabled"
    USER_RESET = "user_reset"
    USER_LINKED = "user_linked"
    """An account at a provider may open a sign-in, or may no more."""
    USER_INVITED = "user_invited"
    WAY_IN_ASKED = "way_in_asked"
    """Who runs the platform asked for a way in to somebody's sign-in (N-44)."""
    WAY_IN_ANSWERED = "way_in_answered"
    """A second person gave it, or refused it."""
    WAY_IN_WITHDRAWN = "way_in_withdrawn"
    """Whoever asked for it took the request back, before anybody answered."""
    SESSIONS_ENDED = "sessions_ended"
    """Somebody else ended the sessions of a sign-in."""
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 (an event)
    SECOND_FACTOR_CHANGED = "second_factor_changed"
    KEY_ROTATED = "key_rotated"
    RIGHT_ASKED = "right_asked"
    RIGHT_ANSWERED = "right_answered"
    RIGHT_WITHDRAWN = "right_withdrawn"
    GLASS_BROKEN = "glass_broken"
    """Somebody took an emergency right without anybody's approval (N-44)."""
    EMERGENCY_REVIEWED = "emergency_reviewed"
    RIGHTS_REQUEST_CHANGED = "rights_request_changed"
    """A request of N-30 to N-36 was opened, assigned, answered or closed."""
    ANNOUNCED = "announced"
    ACKNOWLEDGED = "acknowledged"
    PERSON_ERASED = "person_erased"
    """The key of a person's pseudonym in the trail was destroyed (N-34)."""
    TRAIL_READ = "trail_read"
    TRAIL_RETIRED = "trail_retired"
    """The oldest records were taken away; a segment was left of them."""
    TRAIL_VERIFIED = "trail_verified"
    """Whether the trail, or a part of it, is as it was written: who looked, and what came out."""
    DATABASE_GRANTED = "database_granted"
    """A role of the database was given what the service needs, and nothing more."""
    WRITER_OPENED = "writer_opened"
    """A process began a chain of its own; so a whole chain cannot vanish unseen."""
    WRITER_CLOSED = "writer_closed"
    """A writer's chain has ended, and all of it is in the store."""
    AUDIT_KEY_ROTATED = "audit_key_rotated"
    INCIDENT_OPENED = "incident_opened"
    INCIDENT_ASSIGNED = "incident_assigned"
    INCIDENT_UPDATED = "incident_updated"
    INCIDENT_CLOSED = "incident_closed"
    BULK_READING = "bulk_reading"
    """A subject's use of many people's data, out of its own and its peers' habit (N-48)."""
    REVIEW_CHANGED = "review_changed"
    """A step of an access review; ``action`` says which (N-46)."""


class Scope(StrEnum):
    """What a caller's token may be used for (4.3)."""

    PDP = "pdp"
    PDP_SEARCH = "pdp:search"
    PDP_EXPLAIN = "pdp:explain"
    """An explanation shows what a decision hides: a scope of its own (page 5)."""
    DIRECTORY_WRITE = "directory:write"
    AUDIT_READ = "audit:read"
    SCIM = "scim"


PURPOSE_RELATIONS = frozenset(
    {Relation.CONTRACTED, Relation.RETENTION_ENDED, Relation.OBJECTED, Relation.CONSENTED}
)
"""The relations whose answer differs by the purpose of the use."""

CLASS_RELATIONS = frozenset({Relation.TEACHES, Relation.ASSISTS})
"""The relations that hold in classes, which a permit then names (2.7)."""
