"""A way in to somebody's sign-in: asked for by one, given by another, and who is told (N-45)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Connection, Engine, select

from authz import clock, config
from authz.audit.tables import AuditRecord
from authz.directory.facts import Place
from authz.errors import ConflictError, ForbiddenError, NotFoundError
from authz.policy.load import load
from authz.service import links, mail, users, ways_in, ways_in_notices
from authz.service.database import writing
from authz.service.decide import DecisionPoint
from authz.service.shown import Viewer
from authz.service.ways_in import What
from tests.world import BANGKOK, World, policy

CONSOLE = load(Path(__file__).parents[2] / "policies" / "console")
HEAD, OTHER = Viewer("head", "head", mfa=True), Viewer("other", "other", mfa=True)
ACCOUNT = {"issuer": "https://login.school.test", "subject": "a-1"}


@pytest.fixture
def points(store: Engine) -> tuple[DecisionPoint, DecisionPoint]:
    """A parent of a child at the first of two schools, and everybody's sign-in."""
    world = World().school("S1").school("S2").person("head", "other", "mum", "ops", "dpo")
    world.person("kid", born="2016-05-05", at="S1").guardian("mum", "kid")
    world.grant("head", "school_admin", "S1").grant("other", "school_admin", "S2")
    world.grant("ops", "platform_admin").grant("dpo", "dpo").store(store)
    for name in ("head", "other", "mum", "ops"):
        users.add(store, name, person=name, by="tests")
    place = Place(BANGKOK)
    return DecisionPoint(store, policy(), place), DecisionPoint(store, CONSOLE, place)


def ask(store: Engine, what: What, name: str = "mum", **more: object) -> ways_in.Given | None:
    return ways_in.ask(store, policy().catalogue, what, name, by="ops", why="asked", **more)


def answer(
    points: tuple[DecisionPoint, DecisionPoint], who: Viewer, *, approves: bool = True
) -> ways_in.Given | None:
    point, own = points
    ident = ways_in.of(point.store)[0]["id"]
    return ways_in.answer(point, own, who, ident, approves=approves, why="known to me")


def test_the_school_of_a_child_gives_its_parent_a_way_in_and_no_other_school_does(
    store: Engine, points: tuple[DecisionPoint, DecisionPoint]
) -> None:
    assert ask(store, What.LINK, **ACCOUNT) is None
    assert links.of(store, "mum") == []
    assert [each["name"] for each in ways_in.waiting(points[1], HEAD)] == ["mum"]
    assert ways_in.waiting(points[1], OTHER) == []
    with pytest.raises(NotFoundError):
        answer(points, OTHER)
    assert answer(points, HEAD) == ways_in.Given("mum")
    assert [each.subject for each in links.of(store, "mum")] == ["a-1"]
    assert [each.person for each in ways_in_notices.near(points[1], HEAD)] == ["mum"]
    assert ways_in_notices.near(points[1], OTHER) == []
    assert [each.name for each in ways_in_notices.own(store, "mum")] == ["mum"]


@pytest.mark.parametrize("what", list(What))
def test_what_opens_a_sign_in_is_given_to_whoever_approves(
    store: Engine, points: tuple[DecisionPoint, DecisionPoint], what: What
) -> None:
    more = {What.ADD: {"person": "mum"}, What.LINK: ACCOUNT}.get(what, {})
    assert ask(store, what, "mum2" if what is What.ADD else "mum", **more) is None
    given = answer(points, HEAD)
    assert given is not None
    assert bool(given.password) == (what in {What.ADD, What.RESET})
    assert bool(given.invitation) == (what is What.INVITE)
    assert ways_in.of(store) == []


@pytest.mark.usefixtures("points")
def test_nothing_is_asked_for_that_cannot_be_done(store: Engine) -> None:
    links.link(store, "head", by="tests", **ACCOUNT)
    for error, what, name, more in (
        (ConflictError, What.LINK, "mum", ACCOUNT),
        (ConflictError, What.ADD, "mum", {"person": "mum"}),
        (NotFoundError, What.RESET, "nobody", {}),
        (NotFoundError, What.ADD, "new", {"person": "nobody"}),
        (ForbiddenError, What.INVITE, "head", {}),
        (ForbiddenError, What.ADD, "dpo2", {"person": "dpo"}),
    ):
        with pytest.raises(error):
            ask(store, what, name, **more)
    assert ways_in.of(store) == []
    assert users.listed(store, text="new") == users.listed(store, text="dpo2") == []


def test_a_role_that_was_granted_meanwhile_ends_it(
    store: Engine, points: tuple[DecisionPoint, DecisionPoint]
) -> None:
    ask(store, What.INVITE)
    World(facts=[]).grant("mum", "mentor").import_into(
        store,
        [{"fact": "grant", "person": "mum", "role": "dpo", "granted_by": "x", "reason": "y"}],
    )
    with pytest.raises(ForbiddenError):
        answer(points, HEAD)
    assert ways_in.of(store)[0]["name"] == "mum"


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> list[EmailMessage]:
    """What is sent by e-mail; each address refuses the first time."""
    sent: list[EmailMessage] = []
    refused: set[str] = set()

    @contextmanager
    def opened(_settings: object) -> Iterator[Callable[[EmailMessage], str]]:
        def send(message: EmailMessage) -> str:
            if message["To"] not in refused:
                refused.add(message["To"])
                return "SMTPDataError"
            sent.append(message)
            return ""

        yield send

    monkeypatch.setattr(mail, "opened", opened)
    return sent


def test_the_parent_and_the_school_are_told_by_mail_which_names_nobody(
    store: Engine, points: tuple[DecisionPoint, DecisionPoint], post: list[EmailMessage]
) -> None:
    settings = config.load(smtp_url="smtp://127.0.0.1:1", mail_domain="school.test")
    ask(store, What.RESET)
    assert [ways_in_notices.deliver(store, settings) for _ in range(3)] == [0, 1, 0]
    assert [message["To"] for message in post] == ["head@school.test"]
    answer(points, HEAD)
    assert ways_in_notices.deliver(store, config.load(smtp_url="")) == 0
    assert [ways_in_notices.deliver(store, settings) for _ in range(3)] == [0, 1, 0]
    assert post[-1]["To"] == "mum@school.test"
    text = post[-1].get_content()
    assert "/admin/profile" in text
    assert not {"mum", "kid", "head"} & set(text.split())


def ended(store: Engine) -> list[str]:
    """The events of the records that say how requests ended."""
    chosen = AuditRecord.event.in_(["way_in_answered", "way_in_withdrawn"])
    with store.connect() as connection:
        return list(connection.scalars(select(AuditRecord.event).where(chosen)))


def test_a_request_is_taken_back_by_whoever_asked_and_only_while_it_waits(
    store: Engine, points: tuple[DecisionPoint, DecisionPoint]
) -> None:
    ask(store, What.LINK, **ACCOUNT)
    ident = ways_in.of(store)[0]["id"]
    for who in ("head", "mum", "dpo"):
        with pytest.raises(NotFoundError):
            ways_in.withdraw(store, ident, by=who, why="not mine")
    assert ways_in.withdraw(store, ident, by="ops", why="wrong one") == (What.LINK, "mum")
    assert ways_in.waiting(points[1], HEAD) == ways_in.of(store) == []
    with pytest.raises(ConflictError, match="taken back"):
        ways_in.answer(*points, HEAD, ident, approves=True, why="known to me")
    with pytest.raises(ConflictError, match="taken back"):
        ways_in.withdraw(store, ident, by="ops", why="again")
    assert links.of(store, "mum") == []
    assert ended(store) == ["way_in_withdrawn"]
    ask(store, What.LINK, **ACCOUNT)
    ident = ways_in.of(store)[0]["id"]
    answer(points, HEAD)
    with pytest.raises(ConflictError, match="answered"):
        ways_in.withdraw(store, ident, by="ops", why="too late")
    assert [each.subject for each in links.of(store, "mum")] == ["a-1"]


def test_of_an_approval_and_a_taking_back_at_once_one_is_in_time(
    store: Engine,
    points: tuple[DecisionPoint, DecisionPoint],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both have seen that it waits before either begins to write."""
    together = Barrier(2)

    def at_once(engine: Engine) -> AbstractContextManager[Connection]:
        together.wait(10)
        return writing(engine)

    def outcome(change: Callable[[], object]) -> bool:
        try:
            change()
        except ConflictError:
            return False
        return True

    for number in range(6):
        ask(store, What.LINK, issuer="https://login.school.test", subject=f"a-{number}")
        ident = ways_in.of(store)[0]["id"]
        with monkeypatch.context() as patched, ThreadPoolExecutor(2) as pool:
            patched.setattr(ways_in, "writing", at_once)
            given = pool.submit(outcome, lambda: answer(points, HEAD))
            back = pool.submit(
                outcome, partial(ways_in.withdraw, store, ident, by="ops", why="wrong one")
            )
            assert given.result() is not back.result()
        opens = f"a-{number}" in {each.subject for each in links.of(store, "mum")}
        assert opens is given.result()
        assert ended(store)[number:] == [
            "way_in_answered" if given.result() else "way_in_withdrawn"
        ]


def test_what_nobody_answers_ends_by_itself(
    store: Engine,
    points: tuple[DecisionPoint, DecisionPoint],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ask(store, What.INVITE)
    (asked,) = ways_in.of(store)
    assert asked["ends_at"] == asked["asked_at"] + timedelta(days=14)
    monkeypatch.setattr(clock, "now", lambda: asked["ends_at"] - timedelta(seconds=1))
    assert len(ways_in.of(store)) == len(ways_in.waiting(points[1], HEAD)) == 1
    monkeypatch.setattr(clock, "now", lambda: asked["ends_at"])
    assert ways_in.of(store) == ways_in.waiting(points[1], HEAD) == []
    with pytest.raises(ConflictError, match="ended"):
        ways_in.answer(*points, HEAD, asked["id"], approves=True, why="known to me")
    with pytest.raises(ConflictError, match="ended"):
        ways_in.withdraw(store, asked["id"], by="ops", why="too late")
    assert ended(store) == []


@pytest.mark.usefixtures("points")
def test_only_who_was_asked_by_mail_is_told_that_it_is_taken_back(
    store: Engine, post: list[EmailMessage]
) -> None:
    settings = config.load(smtp_url="smtp://127.0.0.1:1", mail_domain="school.test")
    ask(store, What.RESET)
    ways_in.withdraw(store, ways_in.of(store)[0]["id"], by="ops", why="wrong one")
    assert [ways_in_notices.deliver(store, settings) for _ in range(2)] == [0, 0]
    ask(store, What.INVITE)
    assert [ways_in_notices.deliver(store, settings) for _ in range(2)] == [0, 1]
    ways_in.withdraw(store, ways_in.of(store)[0]["id"], by="ops", why="wrong one")
    assert [ways_in_notices.deliver(store, settings) for _ in range(2)] == [1, 0]
    assert [message["To"] for message in post] == ["head@school.test"] * 2
    assert "was taken back" in post[-1].get_content()


@pytest.mark.parametrize("how", ["answered", "ended"])
def test_nobody_is_asked_by_mail_about_what_waits_no_more(
    store: Engine,
    points: tuple[DecisionPoint, DecisionPoint],
    post: list[EmailMessage],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    settings = config.load(smtp_url="smtp://127.0.0.1:1", mail_domain="school.test")
    ask(store, What.RESET)
    assert ways_in_notices.deliver(store, settings) == 0  # its address refuses the first time
    if how == "answered":
        point, own = points
        ident = ways_in.of(store)[0]["id"]
        ways_in.answer(point, own, HEAD, ident, approves=False, why="she did not ask me")
    else:
        later = clock.now() + ways_in_notices.LASTS
        monkeypatch.setattr(clock, "now", lambda: later)
    assert ways_in_notices.deliver(store, settings) == 0
    assert post == []


def test_the_person_concerned_is_told_why_they_cannot_approve_it(
    store: Engine, points: tuple[DecisionPoint, DecisionPoint]
) -> None:
    ask(store, What.RESET)
    office = {"granted_by": "x", "reason": "y"}
    World(facts=[]).import_into(
        store, [{"fact": "grant", "person": "mum", "role": "dpo", **office}]
    )
    with pytest.raises(ConflictError, match="their own sign-in"):
        answer(points, Viewer("mum", "mum", mfa=True))
