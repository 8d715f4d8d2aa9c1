"""Who is made an overseer of one school does not see the others (2.4, N-20)."""

from __future__ import annotations

import json

from authz.cli.demo.people import DOI
from authz.service.record_facts import import_facts
from tests.admin.kit import BASE, PRIVILEGED, Kit

ALL_SCHOOLS = ("trail", "incidents", "contracts", "users", "announcements", "requests")


def test_a_role_at_one_school_opens_no_screen_of_all_schools(kit: Kit) -> None:
    """The head of a school is put on file as its officer and as one who runs the platform."""
    about = {"fact": "grant", "person": PRIVILEGED["head"], "organisation": DOI}
    why = {"granted_by": "office", "reason": "cover"}
    lines = [json.dumps({**about, **why, "role": each}) for each in ("dpo", "platform_admin")]
    import_facts(
        kit.store,
        lambda: lines,
        name="facts.jsonl",
        catalogue=kit.console.point.policy.catalogue,
        local=kit.console.settings.local,
        by="office",
    )
    head, siri = kit.client("head"), kit.client("siri")
    here = {path: head.get(f"/admin/{path}", base_url=BASE).status_code for path in ALL_SCHOOLS}
    assert here == {**dict.fromkeys(ALL_SCHOOLS, 403), "requests": 200}
    assert head.get("/admin/reviews/campaigns", base_url=BASE).status_code == 200
    assert siri.get("/admin/trail", base_url=BASE).status_code == 200
