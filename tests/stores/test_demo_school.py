"""Every scene of the demo school, asked of the real service on both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from authz import clock
from authz.cli.demo.school import write
from authz.decision.request import parse
from authz.directory.facts import Place
from authz.policy.load import load
from authz.service.decide import DecisionPoint
from authz.service.decided import Caller
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster

LOCAL = ZoneInfo("Asia/Bangkok")


def test_every_scene_of_the_demo_school_is_answered_as_it_says(
    store: Engine, tmp_path: Path
) -> None:
    """Each rule permits and refuses, each refusal strikes (N-20, N-21, N-22, N-24, N-25, E-03)."""
    now = clock.now()
    school = write(tmp_path, now.astimezone(LOCAL).date())
    policy = load(Path("policies/school"))
    import_oneroster(store, school.roster, local=LOCAL, by="test")
    import_facts(
        store,
        lambda: school.facts.read_text("utf-8").splitlines(),
        name="facts",
        catalogue=policy.catalogue,
        local=LOCAL,
        by="test",
    )
    point = DecisionPoint(store, policy, Place(LOCAL))
    found = point.what_if(
        [parse(scene.request) for scene in school.scenes],
        Caller("test", asserts_mfa=True),
        datetime.combine(school.today, datetime.min.time(), LOCAL).astimezone(UTC)
        + timedelta(hours=9),
    )
    wrong = [
        (scene.id, decided.decision)
        for scene, decided in zip(school.scenes, found, strict=True)
        if (decided.decision.permit, str(decided.decision.reason or decided.decision.rules[0]))
        != (scene.decision, scene.rule)
    ]
    assert not wrong
