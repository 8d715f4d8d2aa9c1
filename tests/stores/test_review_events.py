"""Small reviews that open by themselves, and reminders that leave by e-mail (N-44, N-46)."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import Engine, insert, select, update

from authz import config
from authz.audit import log
from authz.directory import tables as t
from authz.directory.roster.telling import RowChange
from authz.privacy.tables import Notice
from authz.review.tables import Campaign, Reminder, ReviewItem
from authz.service import emergencies, mail
from authz.service.changing import By
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.reach import Reach
from authz.service.reviews import answering, events, reminders
from authz.service.reviews.records import Actor
from authz.service.roster_changes import Told
from tests.api.server import HOST, free_port
from tests.reviewing import GRANTS, Desk, sign_in
from tests.waiting import PATIENCE
from tests.world import NOW


@pytest.fixture
def desk(store: Engine) -> Desk:
    """The district, on file."""
    found = Desk(store)
    found.world.store(store)
    return found


def opened(desk: Desk) -> list[str]:
    """The triggers of the reviews that open now."""
    with desk.now() as bench:
        campaigns = events.open_due(bench)
    with reading(desk.store) as connection:
        found = connection.scalars(select(Campaign.trigger).where(Campaign.id.in_(campaigns)))
        return sorted(found)


def only(desk: Desk) -> str:
    with reading(desk.store) as connection:
        return str(connection.scalars(select(Campaign.id)).one())


def test_nothing_opens_where_nothing_happened(desk: Desk) -> None:
    assert opened(desk) == []


def test_emergency_access_that_was_used_is_reviewed_once(desk: Desk) -> None:
    for person in ("kid2", "other"):
        desk.permits("head", "contact", person, justification="flood")
    assert opened(desk) == ["emergency"]
    assert opened(desk) == []
    (item,) = desk.items(only(desk))
    assert (item.holder, item.person, item.kind) == ("head", "kid2", "use")
    assert item.reviewer not in {"head", "kid2"}
    desk.say(only(desk), {item.number: "revoke"}, "it was no emergency")
    desk.submit_all(only(desk))
    with reading(desk.store) as connection:
        assert connection.scalars(select(ReviewItem.verdict)).all() == ["revoke"]
        told = connection.scalars(select(Notice.recipient).where(Notice.rule == "review")).all()
    assert told == ["dpo"]


def test_a_student_who_came_of_age_is_reviewed_on_the_day_and_not_before(desk: Desk) -> None:
    born = NOW.date().replace(year=NOW.year - 20)
    with desk.store.begin() as connection:
        kid = update(t.Person).where(t.Person.id == "kid")
        connection.execute(kid.values(birth_date=born + timedelta(days=1)))
    assert opened(desk) == []
    desk.at += timedelta(days=1)
    assert opened(desk) == ["came_of_age"]
    (item,) = desk.items(only(desk))
    assert (item.holder, item.person, item.advice) == ("mum", "kid", "revoke")
    assert opened(desk) == []


def test_a_restriction_opens_a_review_of_what_links_the_two(desk: Desk) -> None:
    line = {"fact": "custody_restriction", "subject": "mum", "person": "kid", "basis": "court"}
    desk.world.import_into(desk.store, [line])
    assert opened(desk) == ["restricted"]
    (item,) = desk.items(only(desk))
    assert (item.holder, item.advice_reason) == ("mum", "restricted")


def test_who_left_a_school_has_their_rights_there_reviewed(desk: Desk) -> None:
    with desk.store.begin() as connection:
        left = insert(t.Membership).values(
            id="m", person="danai", organisation="S1", role="teacher", origin="roster:a",
            recorded_at=NOW, ended_at=NOW - timedelta(days=1),
        )  # fmt: skip
        connection.execute(left)
    assert opened(desk) == ["moved"]
    (item,) = desk.items(only(desk))
    assert (item.holder, item.kind, item.reviewer) == ("danai", "grant", "head")
    desk.say(only(desk), {item.number: "revoke"}, "moved away")
    desk.submit_all(only(desk))
    assert not desk.permits("danai")  # a small review has no guard


@pytest.mark.parametrize(
    ("column", "opens"), [("role", True), ("organisation", True), ("valid_until", False)]
)
def test_who_changed_role_or_school_in_the_same_row_is_reviewed_once(
    desk: Desk, column: str, *, opens: bool
) -> None:
    with desk.now(), log.transaction(desk.store) as connection, Told() as told:
        there = insert(t.Membership).values(
            id="m", person="danai", organisation="S1", role="teacher", origin="roster:a",
            recorded_at=desk.at,
        )  # fmt: skip
        connection.execute(there)
        told(RowChange("membership", "m", "changed", ("danai",), {column: "a"}, {column: "b"}))
        told.write(connection, By.now("op", "nightly"), "a", 1)
    assert opened(desk) == (["moved"] if opens else [])
    assert opened(desk) == []


def test_an_emergency_that_is_reviewed_beside_its_small_review_is_not_asked_twice(
    desk: Desk,
) -> None:
    desk.permits("head", "contact", "kid2", justification="flood")
    assert opened(desk) == ["emergency"]
    (item,) = desk.items(only(desk))
    with desk.now() as bench:
        point = DecisionPoint(desk.store, bench.policy, bench.place)
        reach = Reach("boss", everywhere=True)
        elevation = item.facts["elevation"]
        emergencies.review(point, elevation, "justified", by="boss", why="a flood", reach=reach)
    (item,) = desk.items(only(desk))
    assert item.state == "overtaken"
    with reading(desk.store) as connection:
        assert connection.scalars(select(Campaign.state)).one() == "applied"
        assert connection.scalars(select(ReviewItem.verdict)).one() == "justified"
    assert opened(desk) == []


class Sink:
    """A server that keeps what it is sent; it may refuse."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.refuses = False

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.refuses:
            return "451 later"
        self.messages.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def sink() -> Iterator[tuple[Sink, str]]:
    """A local SMTP server, and its address."""
    handler, port = Sink(), free_port()
    controller = Controller(handler, hostname=HOST, port=port, ready_timeout=PATIENCE)
    controller.start()
    yield handler, f"smtp://{HOST}:{port}"
    controller.stop()


def test_a_password_is_not_sent_in_clear_to_another_machine(
    sink: tuple[Sink, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the offer of TLS was taken out of the answer, as somebody in between can."""
    tried: list[str] = []
    monkeypatch.setattr(smtplib.SMTP, "login", lambda _, name, word: tried.append(f"{name} {word}"))
    for host, told in (("127.0.0.1", ""), ("127.1", "SMTPNotSupportedError")):
        url = sink[1].replace("127.0.0.1", f"post:secret@{host}")
        with mail.opened(config.load(smtp_url=url)) as post:
            message = EmailMessage()
            message["From"], message["To"] = "a@school.test", "b@school.test"
            assert post(message) == told
    assert tried == ["post secret"]


def deliver(desk: Desk, url: str, **later: float) -> int:
    settings = config.load(smtp_url=url, mail_domain="school.test", smtp_from="authz@school.test")
    with desk.now(**later):
        return reminders.deliver(desk.store, settings, desk.at)


def test_reviewers_are_reminded_by_mail_until_they_answered(
    desk: Desk, sink: tuple[Sink, str]
) -> None:
    server, url = sink
    sign_in(desk.store, "head", "head")
    sign_in(desk.store, "danai@other.test", "danai")
    campaign = desk.started()
    assert deliver(desk, url) == 2
    assert deliver(desk, url) == 0
    to = {str(message["To"]) for message in server.messages}
    assert to == {"head@school.test", "danai@other.test"}
    body = server.messages[0].get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert f"/admin/reviews/{campaign}" in body
    assert "29/11/2569" in body
    own = desk.item(campaign, "danai")
    assert own.reviewer == "head"
    desk.say(
        campaign, {row.number: "keep" for row in desk.items(campaign) if row.reviewer == "head"}
    )
    with desk.now() as bench:
        answering.submit(bench, campaign, Actor("head"))
    assert deliver(desk, url, days=8) == 1  # danai only: the other one is done


def test_what_the_server_refuses_is_tried_again_and_then_left(
    desk: Desk, sink: tuple[Sink, str]
) -> None:
    server, url = sink
    sign_in(desk.store, "head", "head")
    desk.started()
    server.refuses = True
    assert [deliver(desk, url) for _ in range(6)] == [0] * 6
    with reading(desk.store) as connection:
        tries = connection.execute(
            select(Reminder.tries, Reminder.problem).where(
                Reminder.reviewer == "head", Reminder.occasion == "invited"
            )
        ).one()
    assert tuple(tries) == (5, "SMTPDataError")
    server.refuses = False
    assert deliver(desk, url) == 0


def test_without_a_server_reminders_wait_and_are_seen_in_the_screens(desk: Desk) -> None:
    sign_in(desk.store, "head", "head")
    desk.started(GRANTS)
    assert deliver(desk, "") == 0
    assert deliver(desk, "smtp://127.0.0.1:1") == 0
