"""The columns of OneRoster 1.1 and 1.2, as data, with the departures met in the wild.

Only the columns of :data:`HELD` are read; what is not held is not judged, and a password
column is never looked at (E-01, N-45). Clauses: ``reference/oneroster.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """How the cells of a column are checked and turned into what is staged."""

    ID = "id"
    IDS = "ids"
    TEXT = "text"
    TRUTH = "truth"
    DAY = "day"
    BIRTHDAY = "birthday"
    STATUS = "status"
    WORD = "word"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read: its heading, its older headings, and its check."""

    name: str
    kind: Kind
    required: bool = True
    words: frozenset[str] = frozenset()
    older: tuple[str, ...] = ()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GUARDIAN_ROLES = {"relative": 1, "guardian": 2, "parent": 3}
"""The roles whose agent links count, the weakest first (page 5, *Agent links*)."""

ADMINISTRATORS = {
    "1.1": _words("administrator"),
    "1.2": _words("principal siteAdministrator districtAdministrator"),
}
"""The roles that become ``school_admin`` grants, by version (4.4)."""

ROLES_11 = _words("administrator aide guardian parent proctor relative student teacher principal")
ROLES_12 = _words(
    "aide counselor districtAdministrator guardian parent principal proctor relative "
    "siteAdministrator student systemAdministrator teacher"
)
ENROLMENT_ROLES = _words("administrator aide proctor student teacher")
ORG_TYPES = _words("department school district local state national")
SESSION_TYPES = _words("gradingPeriod semester schoolYear term")

EXTENSION = "ext:"
"""How a word of an extended vocabulary begins in 1.2."""

_ID = Column("sourcedId", Kind.ID)
_STATUS = Column("status", Kind.STATUS, required=False)
_HEAD = (_ID, _STATUS)
_NAMES = (Column("givenName", Kind.TEXT), Column("familyName", Kind.TEXT))
_AGENTS = Column("agentSourcedIds", Kind.IDS, required=False, older=("agents",))
_BEGIN = Column("beginDate", Kind.DAY, required=False)
_END = Column("endDate", Kind.DAY, required=False)

_BOTH: dict[str, tuple[Column, ...]] = {
    "academicSessions": (
        *_HEAD,
        Column("title", Kind.TEXT),
        Column("type", Kind.WORD, words=SESSION_TYPES),
        Column("startDate", Kind.DAY),
        Column("endDate", Kind.DAY),
        Column("parentSourcedId", Kind.ID, required=False),
    ),
    "orgs": (
        *_HEAD,
        Column("name", Kind.TEXT),
        Column("type", Kind.WORD, words=ORG_TYPES),
        Column("parentSourcedId", Kind.ID, required=False),
    ),
    "courses": (
        *_HEAD,
        Column("title", Kind.TEXT),
        Column("orgSourcedId", Kind.ID),
        Column("schoolYearSourcedId", Kind.ID, required=False, older=("schoolYearId",)),
    ),
    "classes": (
        *_HEAD,
        Column("title", Kind.TEXT),
        Column("courseSourcedId", Kind.ID),
        Column("schoolSourcedId", Kind.ID),
        Column("termSourcedIds", Kind.IDS, older=("termSourcedId",)),
    ),
    "enrollments": (
        *_HEAD,
        Column("classSourcedId", Kind.ID),
        Column("schoolSourcedId", Kind.ID),
        Column("userSourcedId", Kind.ID),
        Column("role", Kind.WORD, words=ENROLMENT_ROLES),
        _BEGIN,
        _END,
    ),
    "demographics": (
        Column("sourcedId", Kind.ID, older=("userSourcedId",)),
        _STATUS,
        Column("birthDate", Kind.BIRTHDAY, required=False),
    ),
}

HELD: dict[str, dict[str, tuple[Column, ...]]] = {
    "1.1": {
        **_BOTH,
        "users": (
            *_HEAD,
            Column("enabledUser", Kind.TRUTH),
            *_NAMES,
            _AGENTS,
            Column("role", Kind.WORD, words=ROLES_11),
            Column("orgSourcedIds", Kind.IDS),
        ),
    },
    "1.2": {
        **_BOTH,
        "users": (*_HEAD, Column("enabledUser", Kind.TRUTH), *_NAMES, _AGENTS),
        "roles": (
            *_HEAD,
            Column("userSourcedId", Kind.ID),
            Column("orgSourcedId", Kind.ID),
            Column("role", Kind.WORD, words=ROLES_12),
            _BEGIN,
            _END,
        ),
    },
}
"""By version and file: the columns that are read, in the order in which they are staged."""

ORDER = (
    "academicSessions",
    "orgs",
    "courses",
    "classes",
    "users",
    "roles",
    "enrollments",
    "demographics",
)
"""The files that are read, each after those that it refers to."""

NOT_HELD = _words(
    "categories lineItems results resources classResources courseResources userProfiles "
    "userResources scoreScales lineItemScoreScales resultScoreScales "
    "lineItemLearningObjectiveIds resultLearningObjectiveIds"
)
"""Files of the standard that are recognised and left: access is decided, not data held."""

KNOWN: dict[str, frozenset[str]] = {
    "academicSessions": _words("schoolYear"),
    "orgs": _words("identifier"),
    "courses": _words("courseCode grades grade subjects subjectCodes"),
    "classes": _words("grades grade classCode classType location subjects subjectCodes periods"),
    "users": _words(
        "role orgSourcedIds username userIds userId middleName identifier email sms phone "
        "grades grade password userMasterIdentifier resourceSourcedIds preferredGivenName "
        "prefferedGivenName preferredMiddleName preferredFamilyName primaryOrgSourcedId pronouns"
    ),
    "roles": _words("roleType userProfileSourcedId"),
    "enrollments": _words("primary courseSourcedId"),
    "demographics": _words(
        "sourcedId sex americanIndianOrAlaskaNative asian blackOrAfricanAmerican "
        "nativeHawaiianOrOtherPacificIslander white demographicRaceTwoOrMoreRaces "
        "hispanicOrLatinoEthnicity countryOfBirthCode stateOfBirthAbbreviation cityOfBirth "
        "publicSchoolResidenceStatus"
    ),
}
"""Headings that are known and not read; any other is ignored with a note."""

EVERYWHERE = _words("dateLastModified dataLastModified")
VENDOR = ("metadata.", "ext_")
"""How the headings of vendors' columns begin; they are ignored without a note."""

SDS_HEADINGS = _words("activeDirectoryMatchId relationshipUserSourcedId sessionSourcedIds")
"""Headings by which Microsoft School Data Sync v2.1 is told from OneRoster."""
