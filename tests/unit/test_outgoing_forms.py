"""How records are spelt for receivers, each checked by somebody else's code."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.json_format import Parse
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from standardwebhooks.webhooks import Webhook

from authz.audit import ocsf, otlp, webhook
from authz.audit.outgoing import Placed
from authz.audit.record import Entry, Ref, spelt
from authz.vocabulary import Event
from tests.stores.test_audit_support import entry

LOG = "pdp.example.test"
SECRET = "whsec_" + b64encode(bytes(range(32))).decode()
NOW = 1_795_000_000


def placed(number: int = 0, **members: Any) -> Placed:
    return Placed(number, "main", number + 1, spelt(entry(number, **members)))


@cache
def schema(version: str, name: str) -> Draft202012Validator:
    found = OcsfJsonSchemaEmbedded(get_ocsf_schema(version)).get_class_schema(name, [])
    return Draft202012Validator(found)


CLASSES = {
    ocsf.API: "api_activity",
    ocsf.SIGN_IN: "authentication",
    ocsf.ACCOUNT: "account_change",
    ocsf.ACCESS: "user_access",
    ocsf.ENTITY: "entity_management",
    ocsf.FINDING: "detection_finding",
    ocsf.INCIDENT: "incident_finding",
    ocsf.LIFECYCLE: "application_lifecycle",
}


def changes(event: Event) -> Entry:
    """A record as a change leaves it."""
    return Entry(
        event=event,
        time=datetime(2026, 5, 4, 1, 30, 0, 123456, tzinfo=UTC),
        application="authz",
        subject=Ref("operator", "root"),
        action="record",
        resource=Ref("client", "portal"),
        detail={"after": {"scopes": ["pdp"]}, "who": "root", "why": "told", "second_factor": True},
    )


def test_every_event_is_mapped() -> None:
    assert set(ocsf.MAPPING) == set(Event)


@pytest.mark.parametrize("version", [ocsf.VERSION, "1.8.0"])
@pytest.mark.parametrize("event", list(Event))
def test_each_event_fits_the_published_schema(event: Event, version: str) -> None:
    bare = Entry(event=event, time=datetime(2026, 5, 4, tzinfo=UTC))
    bodies = [spelt(changes(event)), spelt(bare), placed(1, event=event).body]
    for number, body in enumerate(bodies):
        made = ocsf.event(LOG, "0.1.0", Placed(number, "main", number + 1, body))
        found = schema(version, CLASSES[ocsf.MAPPING[event].kind])
        assert [error.message for error in found.iter_errors(made)] == []
        assert made["raw_data"].encode() == body


def test_the_schema_would_find_a_mistake() -> None:
    made = ocsf.event(LOG, "0.1.0", placed(1))
    made["class_uid"], made["strange"] = 6002, 1
    del made["api"]
    assert len(list(schema(ocsf.VERSION, "api_activity").iter_errors(made))) >= 2


def test_a_decision_says_who_asked_for_what_and_what_came_of_it() -> None:
    made = ocsf.event(LOG, "0.1.0", placed(3))
    assert (made["class_uid"], made["activity_id"], made["type_uid"]) == (6003, 2, 600302)
    assert (made["status_id"], made["status_detail"]) == (2, "custody")
    assert made["actor"]["user"]["uid"] == "teacher-3"
    assert made["resources"] == [{"uid": "student-3", "type": "assessment_result"}]
    assert made["metadata"]["uid"] == "main-4"
    assert made["time"] == 1777858203000


def test_a_line_for_each_event() -> None:
    lines = ocsf.lines(LOG, "0.1.0", [placed(n) for n in range(3)]).splitlines()
    assert [json.loads(line)["metadata"]["sequence"] for line in lines] == [0, 1, 2]


def test_otlp_is_what_the_protocol_says() -> None:
    records = [placed(1), Placed(2, "main", 3, spelt(changes(Event.BULK_READING)))]
    request = Parse(otlp.message(LOG, "0.1.0", records), ExportLogsServiceRequest())
    (resource,) = request.resource_logs
    attributes = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert attributes == {"service.name": "authz", "service.version": "0.1.0", "authz.log": LOG}
    one, two = resource.scope_logs[0].log_records
    assert one.body.string_value.encode() == records[0].body
    assert (one.event_name, one.severity_number, two.severity_number) == ("authz.decision", 9, 13)
    assert two.time_unix_nano == 1777858200123456000
    assert {each.key for each in one.attributes} >= {"log.record.uid", "authz.subject.id"}


def test_what_an_otlp_receiver_will_never_take_is_told() -> None:
    assert otlp.rejected(b'{"partialSuccess":{"rejectedLogRecords":"3"}}') == 3
    assert [otlp.rejected(each) for each in (b"", b"{}", b"no", b"[]", b"\xff")] == [0] * 5


def test_a_receiver_verifies_the_signature_with_the_library_of_the_standard() -> None:
    now = int(datetime.now(UTC).timestamp())  # the library refuses what is older than 5 minutes
    body = webhook.message(LOG, [placed(1), placed(2)])
    signed = webhook.signatures([SECRET], "siem.1-2", now, body)
    headers = {
        "webhook-id": "siem.1-2",
        "webhook-timestamp": str(now),
        "webhook-signature": signed,
    }
    told = Webhook(SECRET).verify(body.decode(), headers)
    assert [each["id"] for each in told["data"]] == ["main-2", "main-3"]
    assert (told["type"], told["log"]) == ("audit.records", LOG)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(SECRET).verify(body.decode().replace("main-2", "main-9"), headers)


def test_both_secrets_sign_while_one_is_exchanged_and_a_key_signs_too() -> None:
    seed = bytes(range(32))
    private = "whsk_" + b64encode(seed).decode()
    one, two = webhook.signatures([SECRET, private], "x", NOW, b"body").split(" ")
    assert one.startswith("v1,")
    kind, _, signature = two.partition(",")
    assert kind == "v1a"
    from base64 import b64decode  # noqa: PLC0415

    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    key.verify(b64decode(signature), f"x.{NOW}.body".encode())


@pytest.mark.parametrize("secret", ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_!", "whsk_AA"])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (of any of three libraries)
        webhook.signatures([secret], "x", NOW, b"body")


def test_the_same_records_make_the_same_bytes() -> None:
    records = [placed(n) for n in range(5)]
    assert webhook.message(LOG, records) == webhook.message(LOG, list(records))
    assert json.loads(webhook.message(LOG, records))["data"][0] == json.loads(records[0].line())
