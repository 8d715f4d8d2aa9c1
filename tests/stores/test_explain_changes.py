"""What would have to change for an answer to change, and what is recorded of the asking.

Every scene of the demo school is explained, and each moment told is asked again.
"""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from authz import clock
from authz.cli.demo.school import write
from authz.decision.request import parse
from authz.service.decide import DecisionPoint
from authz.service.explain import explained
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster
from tests.explaining import Told, ask, changes_of, explain, world
from tests.world import BANGKOK, CALLER, NOW, Row, frozen, moment, point, records


def test_what_would_have_to_change_is_said_in_thai_and_english(store: Engine) -> None:
    """Issue 3, part 5: the day majority is reached, the guardianship's end, the word missing."""
    world().store(store)
    until = ask("mum", "assessment_result")
    (english,), (thai,) = explain(store, until), explain(store, until, language="th")
    assert changes_of(english)[0] == (
        "Until 2032-05-05 this is permitted; then, as the person comes of age, it is refused: "
        "No rule permits this use."
    )
    assert "2032-05-05" in changes_of(thai)[0]
    assert "บรรลุนิติภาวะ" in changes_of(thai)[0]
    was, needed, custody, mfa, purpose = explain(
        store,
        ask("dad"),
        ask("clerk", "contact", "pal"),
        ask("ann"),
        ask("boss", "credentials", action="update"),
        ask("clerk", "learner_profile"),
    )
    assert any(
        text.startswith("Before 2026-06-01 this was permitted (parent-read); then, as the guardian")
        for text in changes_of(was)
    )
    assert "With an active guardianship, this would be permitted (parent-read)." in changes_of(was)
    assert not any("mfa" in text for text in changes_of(needed))
    assert any(text.startswith("Without the custody restriction") for text in changes_of(custody))
    assert changes_of(mfa) == [
        "With a second factor (mfa), this would be permitted (school-reset)."
    ]
    assert "For the purpose advice, this would be permitted (mentor-read)." in changes_of(purpose)


def test_the_end_and_the_beginning_of_a_fact_are_told_with_it(store: Engine) -> None:
    """Issue 3, part 5: what the answer hangs on, by its row."""
    found = world().guardian("boss", "free", until="2026-12-01", from_="2026-09-01")
    found.facts = [fact for fact in found.facts if fact["fact"] != "emancipation"]
    found.store(store)
    (document,) = explain(store, ask("boss", "learner_profile", "free"))
    changes = document["context"]["explanation"]["changes"]
    ends, begins = (each for each in changes if each["kind"] == "time")
    assert (ends["what"], ends["value"], ends["decision"]) == ("from", "2026-12-01", False)
    assert (begins["what"], begins["value"]) == ("before", "2026-09-01")
    assert [each["event"] for each in (*ends["because"], *begins["because"])] == ["ends", "begins"]
    assert {each["fact"] for each in ends["because"]} == {"guardianship"}
    assert ends["reason"] == "no_rule"


def test_a_ticket_on_file_that_was_not_named_is_proposed(store: Engine) -> None:
    """The facts are read anew for it: naming it really permits."""
    world().store(store)
    (document,) = explain(store, ask("clerk", "contact", purpose="support"))
    assert "Naming the ticket K-1, this would be permitted (support-read)." in changes_of(document)


def test_an_explanation_is_recorded_as_a_what_if_and_is_no_access(store: Engine) -> None:
    """2.8, N-49: one record for each, with the moment that was asked about."""
    world().store(store)
    before = len(records(store))
    with frozen(NOW):
        explain(store, ask("mum"), ask("dad"), at=moment("2033-01-01"))
    found = records(store)[before:]
    assert [record["event"] for record in found] == ["what_if", "what_if"]
    assert {record["what_if_at"] for record in found} == {"2032-12-31T17:00:00.000000Z"}


def test_a_word_that_the_catalogue_lacks_needs_no_rules(store: Engine) -> None:
    """2.6: unknown words are looked at first, and nothing else is."""
    world().store(store)
    strange = copy.deepcopy(ask("mum"))
    strange["resource"]["type"] = "shoes"
    (document,) = explain(store, strange)
    assert document["context"]["reason"]["code"] == "unknown_category"
    assert document["context"]["explanation"]["rules"] == []


def test_every_scene_of_the_demo_school_is_explained_as_it_is_decided(
    store: Engine, tmp_path: Path
) -> None:
    """Outcome, and each moment that would change it, asked again (N-23)."""
    school = write(tmp_path, clock.now().astimezone(BANGKOK).date())
    here = point(store)
    import_oneroster(store, school.roster, local=BANGKOK, by="test")
    import_facts(
        store,
        lambda: school.facts.read_text("utf-8").splitlines(),
        name="facts",
        catalogue=here.policy.catalogue,
        local=BANGKOK,
        by="test",
    )
    at = datetime.combine(school.today, datetime.min.time(), BANGKOK).astimezone(UTC)
    at += timedelta(hours=9)
    asked = [parse(scene.request) for scene in school.scenes]
    found = explained(here, asked, CALLER, at, "en")
    plain = [one.decision for one in here.what_if(asked, CALLER, at)]
    assert [decided.decision for decided, _ in found] == plain
    for scene, (decided, document) in zip(school.scenes, found, strict=True):
        told = document["context"]["explanation"]
        standing = {rule["rule"] for rule in told["rules"] if rule["stands"]}
        assert bool(standing) is decided.decision.permit is scene.decision
        assert not decided.decision.permit or set(decided.decision.rules) <= standing
        assert [text for text in changes_of(document) if "with time" in text] == []
        _moments_hold(here, scene.request, told["changes"])


def _moments_hold(here: DecisionPoint, request: Row, changes: list[Told]) -> None:
    for change in changes:
        if change["kind"] != "time":
            continue
        asked = moment(change["value"])
        asked -= timedelta(microseconds=change["what"] == "before")
        (then,) = here.what_if([parse(request)], CALLER, asked)
        assert then.decision.permit is change["decision"]
        assert list(then.decision.rules) == change.get("rules", [])
