"""What the service can change, each way of it once: what is run to look at its record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from sqlalchemy import select

from authz import clock
from authz.directory.tables import Elevation, Grant, Guardianship
from authz.errors import UnauthenticatedError
from authz.policy.load import load
from authz.privacy.requests import Kind as Wish
from authz.review.rights import Kind
from authz.service import (
    announcements,
    by_hand,
    consents,
    contracts,
    emergencies,
    entities,
    erasing,
    families,
    health,
    links,
    passwords,
    record_facts,
    rights,
    rights_requests,
    rosters,
    second_factor,
    sessions,
    signing_in,
    standing,
    tokens,
    users,
    ways_in,
)
from authz.service.changing import By
from authz.service.decide import DecisionPoint
from authz.service.providers import Identity
from authz.service.reach import Reach
from authz.service.sessions import Session
from authz.service.shown import Viewer
from tests.architecture.reviewing_changes import REVIEWED
from tests.architecture.scene import Scene
from tests.stores.test_roster_kit import BANGKOK, Kit
from tests.world import policy, question

CONSOLE = Path(__file__).parents[2] / "policies" / "console"
HERE = signing_in.Attempt("192.0.2.1", None, "Firefox")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
WHO = Identity("https://login.example", "7", mfa=True)


def _add_user(scene: Scene) -> None:
    users.add(scene.store, "siri", person="ann", by="op", because="new")


def _disable_user(scene: Scene) -> None:
    _add_user(scene)
    users.disable(scene.store, "siri", by="op", because="left")


def _reset_user(scene: Scene) -> None:
    _add_user(scene)
    users.reset(scene.store, "siri", by="op", because="forgot")


def _sign_in(scene: Scene, *, code: str = "") -> Session:
    """A new sign-in, signed in; with a second factor, if a code is to be shown."""
    scene.first = users.add(scene.store, "siri", person="ann", by="op", because="new")
    step = _step(scene)
    found = sessions.find(scene.store, step.token, clock.now())
    assert found is not None
    if not code:
        return found
    key, now = scene.settings.key_folder, clock.now()
    made = second_factor.enrol(
        scene.store, key, found, SECRET, pyotp.TOTP(SECRET).at(now), password=scene.first
    )
    scene.codes = made.recovery
    found = sessions.find(scene.store, made.token, clock.now())
    assert found is not None
    return found


def _step(scene: Scene) -> signing_in.Step:
    key = scene.settings.key_folder
    return signing_in.with_password(scene.store, key, "siri", scene.first, HERE)


def _refused(scene: Scene) -> None:
    _sign_in(scene)
    with pytest.raises(UnauthenticatedError):
        signing_in.with_password(scene.store, scene.settings.key_folder, "siri", "no", HERE)


def _with_code(scene: Scene) -> None:
    _sign_in(scene, code="yes")
    key = scene.settings.key_folder
    signing_in.with_code(scene.store, key, _step(scene).half, scene.codes[0], HERE)


def _change_password(scene: Scene) -> None:
    session, key = _sign_in(scene), scene.settings.key_folder
    signing_in.change_password(scene.store, key, session, scene.first, "four words and more")


def _renew_codes(scene: Scene) -> None:
    session = _sign_in(scene, code="yes")
    second_factor.renew(scene.store, scene.settings.key_folder, session, scene.first)


def _link(scene: Scene) -> None:
    _add_user(scene)
    links.link(scene.store, "siri", issuer=WHO.issuer, subject="7", by="op", because="met her")


def _unlink(scene: Scene) -> None:
    _link(scene)
    links.unlink(scene.store, "siri", issuer=WHO.issuer, subject="7", by="op", because="left")


def _enter(scene: Scene) -> None:
    _add_user(scene)
    text = links.invite(scene.store, "siri", by="op", because="new")
    links.enter(scene.store, scene.settings.key_folder, WHO, HERE, text)


def _way_in_asked(scene: Scene) -> None:
    _add_user(scene)
    given = {"issuer": WHO.issuer, "subject": "7", "by": "op", "why": "she asked for it"}
    ways_in.ask(scene.store, policy().catalogue, ways_in.What.LINK, "siri", **given)


def _way_in_given(scene: Scene) -> None:
    _way_in_asked(scene)
    office = {"granted_by": "x", "reason": "y"}
    scene.facts({"fact": "grant", "person": "bob", "role": "dpo", **office})
    point, bob = scene.point, Viewer("bob", "bob", mfa=True)
    own = DecisionPoint(scene.store, load(CONSOLE), point.place)
    (waiting,) = ways_in.of(scene.store)
    ways_in.answer(point, own, bob, waiting["id"], approves=True, why="met her")


def _way_in_taken_back(scene: Scene) -> None:
    _way_in_asked(scene)
    (waiting,) = ways_in.of(scene.store)
    ways_in.withdraw(scene.store, waiting["id"], by="op", why="wrong account")


def _begun(scene: Scene) -> None:
    """A hash of other parameters than today's is made anew."""
    _add_user(scene)
    with scene.store.connect() as connection:
        row = connection.execute(signing_in.in_force("siri")).one()
    key, hashed = scene.settings.key_folder, passwords.hashed("another")
    signing_in.recognised(scene.store, key, row, HERE, rehashed=hashed)


def _end_sessions(scene: Scene) -> None:
    _sign_in(scene)
    users.end_sessions(scene.store, "siri", by="op", because="lost phone")


def _token(scene: Scene) -> None:
    day = timedelta(days=1)
    tokens.create_token(scene.store, scene.settings, "app", ["pdp"], day, by="op", because="new")


def _revoke(scene: Scene) -> None:
    _token(scene)
    tokens.revoke(scene.store, client="app", by="op", because="lost")


def _rotate(scene: Scene) -> None:
    _token(scene)
    tokens.rotate_key(scene.store, scene.settings, by="op", because="a year")


def _jwks(scene: Scene) -> None:
    tokens.jwks(scene.store, scene.settings, By.now("op", "").at)


def _entities(scene: Scene) -> None:
    path = scene.folder / "entities.json"
    for owner in ("rick", "morty"):
        path.write_text(json.dumps([{"type": "todo", "id": "1", "properties": {"owner": owner}}]))
        entities.import_entities(scene.store, path, by="op", because="todo")


def _facts(scene: Scene) -> None:
    lines = [json.dumps({"fact": "restriction", "person": "ann"})]
    record_facts.import_facts(
        scene.store, lambda: lines, name="f", catalogue=policy().catalogue,
        local=BANGKOK, by="op", because="letter",
    )  # fmt: skip
    scene.facts({"fact": "restriction", "person": "ann", "delete": True})


def _roster(scene: Scene) -> None:
    for drop in ("", "e1"):
        kit = Kit(scene.folder, scene.store)
        kit.drop("enrollments", drop)
        rosters.import_oneroster(scene.store, kit.write(), local=BANGKOK, by="op", because="term")


def _start(scene: Scene) -> None:
    standing.note(scene.store, scene.settings, policy())
    other = scene.settings.model_copy(update={"age_of_majority": 18})
    standing.note(scene.store, other, policy())


def _erase(scene: Scene) -> None:
    scene.facts({"fact": "erasure", "person": "ann", "approved_at": "2020-01-01"})
    erasing.erase(scene.store, "ann", by="dpo", because="request 7")


def _decide(scene: Scene) -> None:
    """One that opens a notice or a review item beside its record (2.7)."""
    scene.facts(
        {"fact": "grant", "person": "bob", "role": "school_admin", "organisation": "S1",
         "granted_by": "x", "reason": "y"},
        {"fact": "elevation", "person": "bob", "school": "S1", "justification": "flood",
         "from": "2026-11-15T00:00", "until": "2026-11-16T00:00"},
    )  # fmt: skip
    asked = question("bob", "read", "contact", "ann", purpose="emergency", justification="flood")
    scene.world.ask(scene.store, asked)


ALL = Reach("op", everywhere=True)


def _asked_for(scene: Scene) -> str:
    day = By.now("ann", "").at + timedelta(days=9)
    return rights.ask_for(
        scene.point, Kind.ROLE, by="ann", why="leave", needed=1, role="mentor", until=day
    )


def _answered(scene: Scene) -> None:
    ident = _asked_for(scene)
    rights.answer_request(scene.point, ident, approves=True, by="bob", why="yes", reach=ALL)


def _taken_back(scene: Scene) -> None:
    rights.withdraw(scene.point, _asked_for(scene), by="ann", why="not needed")


def _given_back(scene: Scene) -> None:
    _answered(scene)
    with scene.store.connect() as connection:
        ident = connection.scalars(select(Grant.id).where(Grant.role == "mentor")).one()
    rights.end(scene.point, Kind.ROLE, ident, by="ann", why="done")


def _glass(scene: Scene) -> None:
    scene.facts(
        {"fact": "grant", "person": "bob", "role": "school_admin", "organisation": "S2",
         "granted_by": "x", "reason": "y"},
    )  # fmt: skip
    emergencies.break_glass(scene.point, school="S1", hours=2, why="fire", by="bob")


def _glass_reviewed(scene: Scene) -> None:
    _glass(scene)
    with scene.store.connect() as connection:
        ident = connection.scalars(select(Elevation.id)).one()
    emergencies.review(scene.point, ident, "justified", by="ann", why="seen", reach=ALL)


def _family(scene: Scene) -> None:
    families.add(scene.point, "ann", "bob", "parent", since=None, until=None, by="op", why="letter")


def _family_ended(scene: Scene) -> None:
    _family(scene)
    with scene.store.connect() as connection:
        ident = connection.scalars(select(Guardianship.id)).one()
    families.end(scene.point, "ann", ident, by="op", why="letter")


def _kept_away(scene: Scene) -> None:
    families.restrict(scene.point, "ann", "bob", basis="court 7", until=None, by="op", why="letter")


def _let_again(scene: Scene) -> None:
    _kept_away(scene)
    families.lift_restriction(scene.point, "ann", "bob", basis="court 8", by="op", why="letter")


def _agreed(scene: Scene) -> None:
    consents.give(scene.point, "ann", "marketing", project=None, given_at=None, by="op", why="form")


def _agreed_no_more(scene: Scene) -> None:
    _agreed(scene)
    ident = consents.of(scene.point, "ann")[0].id
    consents.withdraw(scene.point, "ann", ident, by="op", why="letter")


def _request(scene: Scene) -> str:
    return rights_requests.open_request(
        scene.point, "ann", Wish.ERASURE, asked="erase", details={}, assignee="bob",
        opened_at=None, by="op", why="letter",
    )  # fmt: skip


def _handed_on(scene: Scene) -> None:
    rights_requests.assign(scene.point, "ann", _request(scene), "ann", by="op", why="leave")


def _granted(scene: Scene) -> str:
    ident = _request(scene)
    rights_requests.answer_request(
        scene.point, "ann", ident, granted=True, text="done", by="op", why="right"
    )
    return ident


def _closed(scene: Scene) -> None:
    rights_requests.close(scene.point, "ann", _granted(scene), by="op", why="told")


def _processor(scene: Scene) -> None:
    said = {"id": "P", "name": "P", "country": "TH", "members": ["svc"]}
    contracts.record_processor(scene.point, said, by="op", why="tender")


def _contract(scene: Scene) -> None:
    _processor(scene)
    said = {
        "id": "K", "processor": "P", "purposes": ["service"], "categories": {"contact": []},
        "actions": ["read"], "schools": "all", "transfer": "domestic", "country": "TH",
    }  # fmt: skip
    contracts.record(scene.point, said, by="op", why="tender")


def _contract_ended(scene: Scene) -> None:
    _contract(scene)
    contracts.end(scene.point, "K", by="op", why="over")


def _notice(scene: Scene) -> str:
    texts = dict.fromkeys(announcements.TEXTS, "x")
    return announcements.publish(scene.point, texts, "staff", by="op", why="new")


def _notice_read(scene: Scene) -> None:
    announcements.acknowledge(scene.point, _notice(scene), by="ann")


def _by_hand(scene: Scene) -> None:
    by_hand.put_down(scene.point, [{"fact": "restriction", "person": "ann"}], by="op", why="letter")


EXERCISED: Mapping[str, Callable[[Scene], object]] = {
    "announcements.publish": _notice,
    "announcements.acknowledge": _notice_read,
    "by_hand.put_down": _by_hand,
    "consents.give": _agreed,
    "consents.withdraw": _agreed_no_more,
    "contracts.record": _contract,
    "contracts.record_processor": _processor,
    "contracts.end": _contract_ended,
    "emergencies.break_glass": _glass,
    "emergencies.review": _glass_reviewed,
    "families.add": _family,
    "families.end": _family_ended,
    "families.restrict": _kept_away,
    "families.lift_restriction": _let_again,
    "rights.ask_for": _asked_for,
    "rights.answer_request": _answered,
    "rights.withdraw": _taken_back,
    "rights.end": _given_back,
    "rights_requests.open_request": _request,
    "rights_requests.assign": _handed_on,
    "rights_requests.answer_request": _granted,
    "rights_requests.close": _closed,
    "users.add": _add_user,
    "users.disable": _disable_user,
    "users.reset": _reset_user,
    "users.end_sessions": _end_sessions,
    "ways_in.ask": _way_in_asked,
    "ways_in.answer": _way_in_given,
    "ways_in.withdraw": _way_in_taken_back,
    "signing_in.with_password": lambda scene: [_sign_in(scene)].clear(),
    "signing_in.turned_away": _refused,
    "signing_in.with_code": _with_code,
    "signing_in.recognised": _begun,
    "signing_in.change_password": _change_password,
    "signing_in.sign_out": lambda scene: signing_in.sign_out(scene.store, _sign_in(scene)),
    "second_factor.enrol": lambda scene: [_sign_in(scene, code="yes")].clear(),
    "second_factor.renew": _renew_codes,
    "links.link": _link,
    "links.unlink": _unlink,
    "links.invite": _enter,
    "links.enter": _enter,
    "tokens.create_token": _token,
    "tokens.revoke": _revoke,
    "tokens.rotate_key": _rotate,
    "tokens.jwks": _jwks,
    "entities.import_entities": _entities,
    "record_facts.import_facts": _facts,
    "rosters.import_oneroster": _roster,
    "standing.note": _start,
    "erasing.erase": _erase,
    "decide.DecisionPoint.evaluate": _decide,
    "health.examine": lambda scene: [None for _ in health.examine(scene.settings)].clear(),
    **REVIEWED,
}
