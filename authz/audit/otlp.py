"""Records as OpenTelemetry logs: the body of an OTLP/HTTP export in JSON (N-49).

https://opentelemetry.io/docs/specs/otlp/#otlphttp. The SDK for Python keeps what it exports
in a queue in memory and drops what does not fit; here the trail is the queue. This module is
pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from authz.audit.outgoing import Placed

INFO: Final = 9
WARN: Final = 13
_WARNED: Final = frozenset({"bulk_reading", "sign_in_refused", "incident_opened"})
_TEXTS: Final = ("application", "request_id", "action", "purpose", "reason", "policy")


def message(log: str, version: str, records: Sequence[Placed]) -> bytes:
    """An ExportLogsServiceRequest with the records of a log, by the service of this version."""
    about = [_text("service.name", "authz"), _text("service.version", version)]
    scope = {"name": "authz.audit", "version": version}
    logs = {"scope": scope, "logRecords": [_record(each) for each in records]}
    resource = {"attributes": [*about, _text("authz.log", log)]}
    sent = {"resourceLogs": [{"resource": resource, "scopeLogs": [logs]}]}
    return json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )


def _record(placed: Placed) -> dict[str, Any]:
    members = json.loads(placed.body)
    moment = _nanoseconds(members["time"])
    warned = members["event"] in _WARNED
    return {
        "timeUnixNano": moment,
        "observedTimeUnixNano": moment,
        "severityNumber": WARN if warned else INFO,
        "severityText": "WARN" if warned else "INFO",
        "eventName": f"authz.{members['event']}",
        "body": {"stringValue": placed.body.decode()},
        "attributes": [
            _text("log.record.uid", placed.id),
            {"key": "authz.position", "value": {"intValue": str(placed.position)}},
            *_attributes(members),
        ],
    }


def _attributes(members: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [_text(f"authz.{name}", members[name]) for name in _TEXTS if name in members]
    for name in ("subject", "resource"):
        if name in members:
            found += [_text(f"authz.{name}.{part}", members[name][part]) for part in ("type", "id")]
    if "decision" in members:
        found.append({"key": "authz.decision", "value": {"boolValue": members["decision"]}})
    if "rules" in members:
        rules = [{"stringValue": rule} for rule in members["rules"]]
        found.append({"key": "authz.rules", "value": {"arrayValue": {"values": rules}}})
    return found


def _text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def _nanoseconds(time: str) -> str:
    """A record's time in nanoseconds since 1970, as OTLP spells numbers of 64 bits."""
    moment = datetime.fromisoformat(time)
    return str(int(moment.replace(microsecond=0).timestamp()) * 10**9 + moment.microsecond * 1000)


def rejected(answer: bytes) -> int:
    """How many records the receiver will not take, however often they are sent."""
    try:
        return int(json.loads(answer or b"{}")["partialSuccess"]["rejectedLogRecords"])
    except (ValueError, KeyError, TypeError):
        return 0
