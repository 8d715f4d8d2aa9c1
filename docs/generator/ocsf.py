"""The mapping to OCSF, from the table that makes the events."""

from __future__ import annotations

from authz.audit.ocsf import MAPPING, VERSION
from docs.generator.markdown import table, tick

INTRO = f"""\
# Records as OCSF {VERSION}

`authz audit stream --ocsf`, `GET /api/v1/audit/stream?form=ocsf` and receivers of the form `ocsf`
give events of the [Open Cybersecurity Schema Framework](https://schema.ocsf.io). `metadata.uid` is
the record's id, `metadata.sequence` its position, `metadata.correlation_uid` the request's id;
`raw_data` is the whole record, `unmapped` what OCSF has no word for. Of a decision `status_id` is 1
where it permits and 2 where it refuses, with the reason in `status_detail`; `src_endpoint.svc_name`
is the application that asked. How to [send them](../how-to/send-the-trail-out.md).
"""


def page() -> str:
    """The page of all events."""
    rows = [
        (
            tick(event.value),
            f"{mapped.kind.name} ({mapped.kind.uid})",
            "by the action" if mapped.activity is None else mapped.activity,
            mapped.severity,
        )
        for event, mapped in MAPPING.items()
    ]
    head = ["event", "class", "`activity_id`", "`severity_id`"]
    return INTRO + "\n" + table(head, rows)
