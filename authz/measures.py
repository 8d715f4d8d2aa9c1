"""What is counted of the service and of the gateway, under the names that Prometheus knows (4.3).

No label is a person, an account, an address or anything else that a caller makes up: only
words of the vocabulary, ids of rules of the pack, and names that the operator gave.
"""

from __future__ import annotations

from typing import Final

from authz.counters import Counter, Histogram, Latest

NANO: Final = 1_000_000_000
_MICRO: Final = 1000
_TIMES: Final = tuple(
    int(micro * _MICRO)
    for micro in (
        *(100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000),
        *(100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000),
    )
)

DECISIONS: Final = Counter(
    "authz_decisions_total",
    "Decisions that were recorded, by outcome (`permit` or `refuse`) and, of a refusal, its code.",
    ("outcome", "reason"),
)
ANSWERS: Final = Histogram(
    "authz_evaluation_seconds",
    "Time in which the decision endpoints answered, from the request's first look to its answer.",
    _TIMES,
    unit=NANO,
    labels=("endpoint",),
)
PROBLEMS: Final = Counter(
    "authz_http_problems_total",
    "Answers that were no answer, by status and code of the problem.",
    ("status", "code"),
)
RECORDS: Final = Counter(
    "authz_audit_records_total", "Records that this node's processes wrote to their journals."
)
FORCED: Final = Histogram(
    "authz_audit_write_seconds",
    "Time for one group of records to be on disk (`fsync`), or with the system (`os`).",
    _TIMES,
    unit=NANO,
)
GROUPS: Final = Histogram(
    "authz_audit_group_records",
    "Records in one group, which share a forced write.",
    (1, 2, 4, 8, 16, 32, 64, 128, 256, 512),
)
ALERTS: Final = Counter(
    "authz_bulk_reading_alerts_total", "Subjects' hours of bulk reading that were told of."
)
SENT: Final = Counter(
    "authz_receiver_records_total", "Records that a receiver has taken.", ("receiver",)
)
UNSENT: Final = Counter(
    "authz_receiver_failures_total", "Batches that a receiver did not take.", ("receiver",)
)
KEEPERS: Final = Counter(
    "authz_keeper_starts_total",
    "Keepers that were started; more than one since the start is a restart.",
)
STEPS: Final = Counter("authz_keeper_failures_total", "Steps of the keeper that failed.", ("step",))
DONE: Final = Latest(
    "authz_keeper_step_timestamp_seconds", "When a step of the keeper last went well.", ("step",)
)
WHOLE: Final = Latest(
    "authz_audit_verified_timestamp_seconds", "When a verification last found the trail whole."
)
DAMAGED: Final = Latest(
    "authz_audit_damaged_timestamp_seconds", "When a verification last found it damaged."
)
FORWARDED: Final = Counter(
    "authz_forward_auth_answers_total",
    "Answers of `/forward-auth` by outcome (`passed`, `refused`, `failed`), and why.",
    ("outcome", "reason"),
)
GATEWAY: Final = Counter(
    "authz_gateway_answers_total",
    "Answers of the gateway by outcome (`passed`, `refused`, `failed`, and `cut`: passed, and then "
    "broken off by the upstream), and why.",
    ("outcome", "reason"),
)
"""Told by the gateway itself, and not by the service."""
COUNTED: Final = (
    *(DECISIONS, ANSWERS, PROBLEMS, RECORDS, FORCED, GROUPS),
    *(ALERTS, SENT, UNSENT, KEEPERS, STEPS, FORWARDED),
    *(DONE, WHOLE, DAMAGED),
)
"""All that processes of the service count; what is read from the store stands in
``authz.service.gauges``."""
