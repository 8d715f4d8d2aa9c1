"""Records as events of the Open Cybersecurity Schema Framework (OCSF 1.4; N-49, N-50).

:data:`MAPPING` says of each event of ours which class and activity it is. What OCSF has no
word for stays in ``unmapped``, and the whole record in ``raw_data``, so that nothing is lost on
the way. This module is pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from authz.audit.outgoing import Placed
from authz.vocabulary import Event

VERSION: Final = "1.4.0"
OTHER: Final = 99
_ACTIONS: Final = {"create": 1, "add": 1, "read": 2, "update": 3, "write": 3, "delete": 4}
"""Activities of API Activity (6003) by the action asked for; another one is 99, by its name."""

Members = Mapping[str, Any]
Part = dict[str, Any]


class Kind(NamedTuple):
    """A class of OCSF: its number, its name, and what of a record its events hold."""

    uid: int
    name: str
    make: Callable[[Members], Part]


class Mapped(NamedTuple):
    """An event of ours: its class, its activity (none: by the action), and how grave it is."""

    kind: Kind
    activity: int | None = None
    severity: int = 1


def event(log: str, version: str, placed: Placed) -> Part:
    """One record of a log, by the service of this version, as an event of OCSF."""
    members: Members = json.loads(placed.body)
    mapped = MAPPING[Event(members["event"])]
    made = mapped.kind.make(members)
    number, name = _activity(mapped, members)
    permitted = members.get("decision")
    status = {None: 0, True: 1, False: 2}[permitted]
    if members["event"] == Event.SIGN_IN_REFUSED:
        status = 2
    found: Part = {
        "class_uid": mapped.kind.uid,
        "class_name": mapped.kind.name,
        "category_uid": mapped.kind.uid // 1000,
        "activity_id": number,
        "type_uid": mapped.kind.uid * 100 + number,
        "severity_id": mapped.severity,
        "time": _milliseconds(members["time"]),
        "status_id": status,
        "metadata": _metadata(log, version, placed, members),
        "raw_data": placed.body.decode(),
        "unmapped": {"event": members["event"], "position": placed.position},
    }
    if name:
        found["activity_name"] = name
    if members.get("reason"):
        found["status_detail"] = members["reason"]
    return {**found, **made}


def lines(log: str, version: str, records: Sequence[Placed]) -> bytes:
    """The events of these records, a line each."""
    made = (
        json.dumps(event(log, version, each), ensure_ascii=False, separators=(",", ":"))
        for each in records
    )
    return "".join(f"{line}\n" for line in made).encode("utf-8", "backslashreplace")


def _activity(mapped: Mapped, members: Members) -> tuple[int, str]:
    if mapped.activity is not None:
        return mapped.activity, members["event"] if mapped.activity == OTHER else ""
    action = members.get("action", "")
    number = _ACTIONS.get(action, OTHER)
    return number, (action or members["event"]) if number == OTHER else ""


def _metadata(log: str, version: str, placed: Placed, members: Members) -> Part:
    found = {
        "version": VERSION,
        "uid": placed.id,
        "log_name": "audit",
        "log_provider": log,
        "sequence": placed.position,
        "product": {"name": "authz", "vendor_name": "authz", "version": version},
    }
    if members.get("request_id"):
        found["correlation_uid"] = members["request_id"]
    return found


def _api(members: Members) -> Part:
    """API Activity: who asked for what, by which application, and what was decided."""
    found: Part = {
        "actor": _actor(members),
        "api": {"operation": members.get("action") or members["event"]},
        "src_endpoint": {"svc_name": members.get("application") or "authz"},
    }
    if "resource" in members:
        found["resources"] = [_named(members["resource"])]
    if "decision" in members:
        found["unmapped"] = {
            "event": members["event"],
            "decision": "permit" if members["decision"] else "refuse",
            **{name: members[name] for name in ("rules", "purpose", "policy") if name in members},
        }
    return found


def _sign_in(members: Members) -> Part:
    """Authentication: who signed in to the screens, or tried to."""
    multiple = members.get("detail", {}).get("second_factor")
    found: Part = {"user": _user(members), "service": {"name": "authz console"}}
    return {**found, "is_mfa": multiple} if isinstance(multiple, bool) else found


def _account(members: Members) -> Part:
    """Account Change: which sign-in was made, changed or taken away, and by whom."""
    return {"user": _of(members.get("resource")), "actor": _actor(members)}


def _access(members: Members) -> Part:
    """User Access Management: which caller may do what, or no longer."""
    detail = members.get("detail", {})
    rights = (detail.get("after") or {}).get("scopes") or (detail.get("before") or {}).get("scopes")
    privileges = [str(each) for each in rights] if isinstance(rights, list) else []
    user = _of(members.get("resource"))
    return {"user": user, "actor": _actor(members), "privileges": privileges or ["access"]}


def _entity(members: Members) -> Part:
    """Entity Management: what of the directory, the policy or the settings was changed."""
    detail = members.get("detail", {})
    what = _named(members.get("resource") or {"type": "trail", "id": "trail"})
    if detail.get("why"):
        return {"entity": what, "actor": _actor(members), "comment": str(detail["why"])}
    return {"entity": what, "actor": _actor(members)}


def _finding(members: Members) -> Part:
    """Detection Finding: a subject whose reading stands out."""
    detail = members.get("detail", {})
    about = members.get("subject", {}).get("id", "unknown")
    return {
        "finding_info": {
            "uid": f"{members['event']}/{about}/{detail.get('hour', members['time'])}",
            "title": "Bulk reading",
            "types": [members["event"]],
        },
        "status_id": 1,
        "evidences": [{"actor": _actor(members)}],
    }


def _incident(members: Members) -> Part:
    """Incident Finding: an incident of the register, and where it stands."""
    ident = members.get("resource", {}).get("id", "unknown")
    states = {Event.INCIDENT_CLOSED: 5, Event.INCIDENT_OPENED: 1}
    return {
        "finding_info_list": [{"uid": ident, "title": f"Incident {ident}"}],
        "status_id": states.get(Event(members["event"]), 2),
        "assignee": _user(members),
    }


def _lifecycle(members: Members) -> Part:
    """Application Lifecycle: a process began or ended a chain of records."""
    ident = members.get("resource", {}).get("id", "")
    return {"app": {"name": "authz", "uid": ident or "authz", "vendor_name": "authz"}}


def _actor(members: Members) -> Part:
    return {"user": _user(members), "app_name": members.get("application") or "authz"}


def _user(members: Members) -> Part:
    return _of(members.get("subject"))


def _of(ref: Mapping[str, str] | None) -> Part:
    """A subject as a user; one that nobody named is the service itself."""
    if ref is None:
        return {"name": "authz", "type_id": 3, "type": "System"}
    return {"uid": ref["id"], "type_id": OTHER, "type": ref["type"]}


def _named(ref: Mapping[str, str]) -> Part:
    return {"uid": ref["id"], "type": ref["type"]}


def _milliseconds(time: str) -> int:
    moment = datetime.fromisoformat(time)
    return int(moment.replace(microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000


API: Final = Kind(6003, "API Activity", _api)
SIGN_IN: Final = Kind(3002, "Authentication", _sign_in)
ACCOUNT: Final = Kind(3001, "Account Change", _account)
ACCESS: Final = Kind(3005, "User Access Management", _access)
ENTITY: Final = Kind(3004, "Entity Management", _entity)
FINDING: Final = Kind(2004, "Detection Finding", _finding)
INCIDENT: Final = Kind(2005, "Incident Finding", _incident)
LIFECYCLE: Final = Kind(6002, "Application Lifecycle", _lifecycle)

MAPPING: Final[Mapping[Event, Mapped]] = {
    Event.DECISION: Mapped(API),
    Event.SEARCH: Mapped(API, 2),
    Event.WHAT_IF: Mapped(API, OTHER),
    Event.TRAIL_READ: Mapped(API, 2),
    Event.SIGNED_IN: Mapped(SIGN_IN, 1),
    Event.SIGN_IN_REFUSED: Mapped(SIGN_IN, 1, 2),
    Event.SIGNED_OUT: Mapped(SIGN_IN, 2),
    Event.USER_ADDED: Mapped(ACCOUNT, 1),
    Event.USER_DISABLED: Mapped(ACCOUNT, 5),
    Event.USER_RESET: Mapped(ACCOUNT, 4),
    Event.USER_LINKED: Mapped(ACCOUNT, OTHER),
    Event.USER_INVITED: Mapped(ACCOUNT, OTHER),
    Event.SESSIONS_ENDED: Mapped(SIGN_IN, 2),
    Event.PASSWORD_CHANGED: Mapped(ACCOUNT, 3),
    Event.SECOND_FACTOR_CHANGED: Mapped(ACCOUNT, OTHER),
    Event.TOKEN_CREATED: Mapped(ACCESS, 1),
    Event.TOKEN_REVOKED: Mapped(ACCESS, 2),
    Event.WAY_IN_ASKED: Mapped(ACCESS, OTHER),
    Event.WAY_IN_ANSWERED: Mapped(ACCESS, OTHER),
    Event.WAY_IN_WITHDRAWN: Mapped(ACCESS, OTHER),
    Event.RIGHT_ASKED: Mapped(ACCESS, OTHER),
    Event.RIGHT_ANSWERED: Mapped(ACCESS, OTHER),
    Event.RIGHT_WITHDRAWN: Mapped(ACCESS, OTHER),
    Event.GLASS_BROKEN: Mapped(ACCESS, 1, 3),
    Event.EMERGENCY_REVIEWED: Mapped(ENTITY, 3),
    Event.REVIEW_CHANGED: Mapped(ENTITY, 3),
    Event.RIGHTS_REQUEST_CHANGED: Mapped(ENTITY, 3),
    Event.ANNOUNCED: Mapped(ENTITY, 1),
    Event.ACKNOWLEDGED: Mapped(ENTITY, 2),
    Event.FACT_CHANGED: Mapped(ENTITY, 3),
    Event.ENTITY_CHANGED: Mapped(ENTITY, 3),
    Event.ROSTER_IMPORTED: Mapped(ENTITY, 3),
    Event.ROSTER_CHANGED: Mapped(ENTITY, 3),
    Event.POLICY_CHANGED: Mapped(ENTITY, 3, 2),
    Event.SETTINGS_CHANGED: Mapped(ENTITY, 3, 2),
    Event.KEY_ROTATED: Mapped(ENTITY, 3),
    Event.AUDIT_KEY_ROTATED: Mapped(ENTITY, 3),
    Event.PERSON_ERASED: Mapped(ENTITY, 4),
    Event.TRAIL_RETIRED: Mapped(ENTITY, 4, 2),
    Event.TRAIL_VERIFIED: Mapped(ENTITY, 2),
    Event.DATABASE_GRANTED: Mapped(ACCESS, 1, 2),
    Event.WRITER_OPENED: Mapped(LIFECYCLE, 3),
    Event.WRITER_CLOSED: Mapped(LIFECYCLE, 4),
    Event.BULK_READING: Mapped(FINDING, 1, 3),
    Event.INCIDENT_OPENED: Mapped(INCIDENT, 1, 4),
    Event.INCIDENT_ASSIGNED: Mapped(INCIDENT, 2, 3),
    Event.INCIDENT_UPDATED: Mapped(INCIDENT, 2, 3),
    Event.INCIDENT_CLOSED: Mapped(INCIDENT, 3, 1),
}
"""Each event of ours; a test holds that none is missing and that each fits the published schema."""
