"""What a review is about, and who reviews it, as its definition says (N-46)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, update

from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.directory import tables as t
from authz.review.definition import Scope, Stage
from authz.review.item import RefusedError
from authz.review.words import Kind, Reviewers, Verdict, Wrong
from authz.service.reviews import answering, campaigns, defining, detail, handing, previewing
from authz.service.reviews.answering import Given
from authz.service.reviews.previewing import Preview
from authz.service.reviews.records import Actor
from authz.vocabulary import Event
from tests.reviewing import DPO, GRANTS, Desk
from tests.world import NOW

EVERY = (Kind.GRANT, Kind.GUARDIANSHIP, Kind.MENTORING, Kind.CONTRACT, Kind.ELEVATION)


@pytest.fixture
def desk(store: Engine) -> Desk:
    """The district, on file."""
    found = Desk(store)
    found.world.store(store)
    return found


def seen(desk: Desk, scope: Scope, *stages: Stage) -> Preview:
    """The preview of a review of that scope."""
    definition = replace(GRANTS, scope=scope, stages=stages or GRANTS.stages)
    with desk.now() as bench:
        campaign = defining.define(bench, definition, DPO, "it is time", None)
        return previewing.preview(bench, campaign, DPO, None)


def holders(preview: Preview) -> list[str]:
    return sorted(each.right.holder for each in preview.items)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(kinds=(Kind.GRANT,), organisation="S2"), ["other"]),
        (Scope(kinds=(Kind.GRANT,), organisation="S1"), ["danai", "head", "pim"]),
        (
            Scope(kinds=(Kind.GRANT,), organisation="D"),
            ["boss", "danai", "head", "other", "pim"],
        ),
        (Scope(kinds=(Kind.GRANT,), roles=("mentor",)), ["pim"]),
        (Scope(kinds=(Kind.GRANT,), roles=("dpo", "mentor")), ["dpo", "dpo2", "pim"]),
        (Scope(kinds=(Kind.GUARDIANSHIP,), organisation="S1"), ["mum"]),
        (Scope(kinds=(Kind.GUARDIANSHIP,), organisation="S2"), []),
        (Scope(kinds=(Kind.CONTRACT,), contract="K"), ["P"]),
        (Scope(kinds=EVERY, contract="none"), []),
        (Scope(kinds=(Kind.MENTORING, Kind.ELEVATION)), ["head", "pim"]),
    ],
)
def test_a_scope_lets_through_its_school_roles_relations_and_contract(
    desk: Desk, scope: Scope, expected: list[str]
) -> None:
    assert holders(seen(desk, scope)) == expected


def test_only_what_was_not_used_for_so_long(desk: Desk) -> None:
    unused = Scope(kinds=(Kind.GRANT,), organisation="S1", unused_days=30)
    assert desk.permits("danai")
    assert holders(seen(desk, unused)) == ["head", "pim"]
    with desk.now(days=31):
        pass
    assert holders(seen(desk, unused)) == ["danai", "head", "pim"]


def test_only_what_is_new_since_the_last_one(desk: Desk) -> None:
    new = replace(GRANTS, scope=Scope(kinds=(Kind.GRANT,), organisation="S1", new=True))
    campaign = desk.started(new)
    assert len(desk.items(campaign)) == 3  # there was none before it
    line = {"fact": "grant", "person": "mali", "role": "mentor", "organisation": "S1"}
    desk.world.recorded = NOW + timedelta(days=1)
    desk.world.import_into(desk.store, [{**line, "granted_by": "boss", "reason": "new"}])
    with desk.now(days=2) as bench:
        row = running_definition(desk, campaign)
        following = defining.again(bench, row, DPO, "next term", None)
        assert holders(previewing.preview(bench, following, DPO, None)) == ["mali"]


def running_definition(desk: Desk, campaign: str) -> str:
    with desk.store.connect() as connection:
        return str(campaigns.found(connection, campaign, None).definition)


def test_whoever_granted_it_reviews_it_and_the_fallback_where_that_is_nobody(desk: Desk) -> None:
    with desk.store.begin() as connection:
        mine = t.Grant.person.in_(("danai", "boss"))
        connection.execute(update(t.Grant).where(mine).values(granted_by="boss"))
        of_nobody = update(t.Grant).where(t.Grant.person == "head").values(granted_by="hr-system")
        connection.execute(of_nobody)
    preview = seen(desk, Scope(kinds=(Kind.GRANT,), organisation="D"), Stage(Reviewers.GRANTER, 9))
    by = {each.right.holder: each.assigned for each in preview.items}
    assert by["danai"].reviewer == "boss"
    assert (by["head"].reviewer, by["head"].by_fallback) == ("dpo", True)
    assert by["boss"].reviewer == "dpo"  # what boss granted themselves
    assert by["boss"].rerouted
    assert preview.by_fallback >= 2
    assert preview.rerouted >= 1


def test_who_left_since_the_definition_is_asked_nothing(desk: Desk) -> None:
    stage = Stage(Reviewers.NAMED, 9, "other")
    definition = replace(GRANTS, stages=(stage,))
    with desk.now() as bench:
        campaign = defining.define(bench, definition, DPO, "it is time", None)
        with desk.store.begin() as connection:
            gone = t.Person.id.in_(("other", "dpo"))
            connection.execute(update(t.Person).where(gone).values(status="deregistered"))
        preview = previewing.preview(bench, campaign, DPO, None)
    assert {each.assigned.reviewer for each in preview.items} == {"dpo2"}


def test_a_preview_names_what_would_end_and_rosters_that_have_not_come(desk: Desk) -> None:
    with desk.store.begin() as connection:
        rostered = update(t.Grant).where(t.Grant.person == "head").values(origin="roster:sis")
        connection.execute(rostered)
    imported = Entry(
        event=Event.ROSTER_IMPORTED, time=NOW - timedelta(days=90), application="authz",
        resource=Ref("roster", "sis"), action="import",
    )  # fmt: skip
    log.record(desk.store, [imported])
    preview = seen(desk, GRANTS.scope)
    assert list(preview.stale) == ["roster:sis"]
    assert {each.right.holder for each in preview.ends} == {"danai", "pim"}  # never used
    assert preview.ending == 2
    assert preview.guarded


def test_an_item_tells_what_earlier_reviews_said_and_how_it_was_changed(desk: Desk) -> None:
    first = desk.started()
    desk.say(first, {each.number: "keep" for each in desk.items(first)}, "needed for the office")
    desk.submit_all(first)
    with desk.now(days=1):
        pass
    second = desk.started()
    item = desk.item(second, "danai")
    with desk.now() as bench:
        found = detail.of_reviewer(bench, second, item.number, item.reviewer)
    assert [(each.verdict, each.verdict_reason) for each in found.earlier] == [
        ("keep", "needed for the office")
    ]
    assert [each["detail"]["why"] for each in found.changes] == ["a test"]
    assert "danai" in found.names


def test_items_are_given_to_nobody_who_was_granted_no_role(desk: Desk) -> None:
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    with desk.now() as bench:
        for taker in ("kid", "mum", "nobody"):
            with pytest.raises(RefusedError) as caught:
                handing.reassign(
                    bench, campaign, [item.number], taker, DPO, "please", managing=True
                )
            assert caught.value.wrong is Wrong.NOT_A_REVIEWER
            until = desk.at + timedelta(days=2)
            with pytest.raises(RefusedError):
                handing.delegate(bench, Actor(item.reviewer), taker, desk.at, until, "away")


def test_a_second_stage_goes_to_no_granter_who_is_nobody(desk: Desk) -> None:
    with desk.store.begin() as connection:
        connection.execute(update(t.Grant).values(granted_by="hr-system"))
    stages = (Stage(Reviewers.NAMED, 9, "boss"), Stage(Reviewers.GRANTER, 9))
    campaign = desk.started(replace(GRANTS, stages=stages))
    numbers = [each.number for each in desk.items(campaign)]
    with desk.now() as bench:
        given = Given(Verdict.REVOKE, "over")
        answering.answer(bench, campaign, numbers, given, Actor("boss"))
        answering.submit(bench, campaign, Actor("boss"))
    assert {each.reviewer for each in desk.items(campaign)} == {"dpo"}
