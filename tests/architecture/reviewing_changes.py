"""The changes of reviews, of incidents, of the trail's age and of bulk reading, each made once.

They are made in the district of :mod:`tests.reviewing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.privacy.habit import Measure
from authz.review.tables import ReviewDefinition
from authz.review.words import NoAnswer
from authz.service import bulk_reading, incidents, retention
from authz.service.database import reading
from authz.service.reviews import (
    closing,
    defining,
    ending,
    events,
    handing,
    keeping,
    previewing,
    remedies,
)
from authz.service.reviews.records import Actor
from authz.vocabulary import Event
from tests.architecture.scene import Scene
from tests.reviewing import DPO, GRANTS, SECOND, TEACHER, Desk
from tests.world import NOW, frozen

SILENT = replace(GRANTS, no_answer=NoAnswer.REVOKE)


def _defined(scene: Scene) -> str:
    with frozen(NOW):
        return defining.define(Desk(scene.store).bench, GRANTS, DPO, "it is time", None)


def _previewed(scene: Scene) -> None:
    previewing.preview(Desk(scene.store).bench, _defined(scene), DPO, None)


def _redefined(scene: Scene) -> None:
    campaign = _defined(scene)
    defining.redefine(Desk(scene.store).bench, campaign, SILENT, DPO, "stricter", None)


def _defined_again(scene: Scene) -> None:
    _defined(scene)
    with reading(scene.store) as connection:
        definition = connection.scalars(select(ReviewDefinition.id)).one()
    defining.again(Desk(scene.store).bench, definition, DPO, "a new term", None)


def _started(scene: Scene) -> None:
    Desk(scene.store).started()


def _answered(scene: Scene) -> tuple[Desk, str]:
    """All is kept but a teacher's grant, of which there are too few to end one unasked."""
    desk = Desk(scene.store)
    campaign = desk.started()
    desk.say(campaign, {row.number: "keep" for row in desk.items(campaign)})
    desk.say(campaign, {desk.item(campaign, TEACHER).number: "revoke"}, "left the office")
    return desk, campaign


def _submitted(scene: Scene) -> tuple[Desk, str]:
    desk, campaign = _answered(scene)
    desk.submit_all(campaign)
    return desk, campaign


def _all_kept(scene: Scene) -> None:
    """Nothing is held back: the last submission applies the review."""
    desk = Desk(scene.store)
    campaign = desk.started()
    desk.say(campaign, {row.number: "keep" for row in desk.items(campaign)})
    desk.submit_all(campaign)


def _closed(scene: Scene) -> None:
    desk = Desk(scene.store)
    campaign = desk.started()
    with desk.now(days=15) as bench:
        closing.close(bench, campaign, DPO, "time is over", None)


def _closed_by_itself(scene: Scene) -> tuple[Desk, str]:
    desk = Desk(scene.store)
    campaign = desk.started(SILENT)
    with desk.now(days=15) as bench:
        assert closing.close_due(bench) == 1
    return desk, campaign


def _confirmed(scene: Scene) -> None:
    """What silence ends: nobody said why, and a record says that."""
    desk, campaign = _closed_by_itself(scene)
    with desk.now() as bench:
        closing.confirm(bench, campaign, SECOND, "I agree", None)
    assert desk.item(campaign, TEACHER).state == "applied"


def _declined(scene: Scene) -> None:
    desk, campaign = _submitted(scene)
    with desk.now() as bench:
        closing.decline(bench, campaign, SECOND, "too many", None)


def _undone(scene: Scene) -> None:
    desk, campaign = _submitted(scene)
    with desk.now() as bench:
        closing.confirm(bench, campaign, SECOND, "I agree", None)
    number = desk.item(campaign, TEACHER).number
    with desk.now(days=1) as bench:
        remedies.undo(bench, campaign, number, SECOND, "a mistake", None)


def _called_off(scene: Scene) -> None:
    ending.cancel(Desk(scene.store).bench, _defined(scene), DPO, "not this year", None)


def _ended_early(scene: Scene) -> None:
    """What was submitted counts; what was not is left."""
    desk = Desk(scene.store)
    campaign = desk.started()
    desk.say(campaign, {desk.item(campaign, TEACHER).number: "revoke"}, "left the office")
    desk.submit_all(campaign)
    with desk.now() as bench:
        ending.end_early(bench, campaign, SECOND, "a new law", None, applied=True)


def _reassigned(scene: Scene) -> None:
    desk = Desk(scene.store)
    campaign = desk.started()
    item = desk.item(campaign, TEACHER)
    with desk.now() as bench:
        handing.reassign(
            bench, campaign, [item.number], "boss", Actor(item.reviewer), "you know better"
        )


def _delegated(scene: Scene) -> str:
    desk = Desk(scene.store)
    with desk.now() as bench:
        until = desk.at + timedelta(days=2)
        return handing.delegate(bench, Actor("head"), "pim", desk.at, until, "away")


def _back_again(scene: Scene) -> None:
    ident = _delegated(scene)
    with Desk(scene.store).now(days=1) as bench:
        handing.take_back(bench, ident, Actor("head"))


def _restricted(scene: Scene) -> None:
    """A small review is due after it."""
    scene.facts(
        {"fact": "custody_restriction", "subject": "mum", "person": "kid", "basis": "court"}
    )


def _opened_by_itself(scene: Scene) -> None:
    _restricted(scene)
    with Desk(scene.store).now() as bench:
        assert len(events.open_due(bench)) == 1


def _kept(scene: Scene) -> None:
    _restricted(scene)
    with frozen(NOW):
        assert keeping.keep(scene.store, scene.settings).opened == 1


def _incident(scene: Scene) -> None:
    incidents.open_incident(
        scene.point, "A leak", ident="I-1", persons=["mali"], by="op", because="mail"
    )


def _incident_assigned(scene: Scene) -> None:
    """It concerns somebody, so that a case opens beside it."""
    _incident(scene)
    incidents.assign(scene.point, "I-1", "dpo", by="op")


def _incident_amended(scene: Scene) -> None:
    _incident_assigned(scene)
    said = {"cause": "a key", "effect": "marks were read", "remedy": "revoked"}
    incidents.amend(scene.point, "I-1", said, persons=["kid"], by="dpo", because="found it")


def _incident_closed(scene: Scene) -> None:
    _incident_amended(scene)
    incidents.close(scene.point, "I-1", by="dpo", not_reported="no risk", because="done")


def _retired(scene: Scene) -> None:
    count = retention.retire(
        scene.store, scene.settings, older_than=clock.now(), by="op", why="a year has passed"
    )
    assert count


def _read(scene: Scene, people: int) -> None:
    """One who reads the data of that many people in an hour."""
    entries = [
        Entry(
            event=Event.DECISION, time=NOW, application="portal", subject=Ref("user", "pim"),
            action="read", resource=Ref("identity", f"S-{number}"), purpose="service",
            decision=True, rules=["teacher-read"],
        )
        for number in range(people)
    ]  # fmt: skip
    log.record(scene.store, entries)


def _watched(scene: Scene) -> None:
    _read(scene, 30)
    with frozen(NOW):
        assert bulk_reading.watch(scene.point, NOW, measure=Measure(5, 3, 0.95))


def _watched_by_itself(scene: Scene) -> None:
    _read(scene, 30)
    with frozen(NOW):
        assert bulk_reading.keep(scene.store, scene.settings.model_copy(update={"bulk_floor": 5}))


REVIEWED: Mapping[str, Callable[[Scene], object]] = {
    "bulk_reading.watch": _watched,
    "bulk_reading.keep": _watched_by_itself,
    "incidents.open_incident": _incident,
    "incidents.assign": _incident_assigned,
    "incidents.amend": _incident_amended,
    "incidents.close": _incident_closed,
    "retention.retire": _retired,
    "reviews.answering.answer": _answered,
    "reviews.answering.submit": _all_kept,
    "reviews.closing.close": _closed,
    "reviews.closing.close_due": _closed_by_itself,
    "reviews.closing.confirm": _confirmed,
    "reviews.closing.decline": _declined,
    "reviews.ending.cancel": _called_off,
    "reviews.ending.end_early": _ended_early,
    "reviews.events.open_due": _opened_by_itself,
    "reviews.handing.delegate": _delegated,
    "reviews.handing.reassign": _reassigned,
    "reviews.handing.take_back": _back_again,
    "reviews.keeping.keep": _kept,
    "reviews.remedies.undo": _undone,
    "reviews.defining.again": _defined_again,
    "reviews.defining.define": _defined,
    "reviews.previewing.preview": _previewed,
    "reviews.defining.redefine": _redefined,
    "reviews.starting.start": _started,
}
