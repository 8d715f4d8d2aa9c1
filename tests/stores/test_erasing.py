"""An erasure reaches what is kept beside the trail: requests of ways in, and messages (N-34)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from authz.audit.tables import AuditRecord
from authz.directory.facts import Place
from authz.errors import ConflictError, NotFoundError
from authz.policy.load import load
from authz.service import erasing, links, users, ways_in
from authz.service.database import open_store
from authz.service.decide import DecisionPoint
from authz.service.personal import ERASED
from authz.service.shown import Viewer
from authz.service.tables import (
    SignIn,
    SignInInvitation,
    SignInLink,
    SignInNotice,
    SignInRequest,
)
from authz.service.ways_in import What
from tests.architecture.people_in_tables import named
from tests.journals import verified
from tests.world import BANGKOK, World, policy

CONSOLE = load(Path(__file__).parents[2] / "policies" / "console")
REACHED = {(name, each) for gone in ERASED for name, some in gone.columns.items() for each in some}
IDS = {"head": "head-11", "mum": "mum-22", "dad": "dad-33", "ops": "ops-44", "dpo": "dpo-55"}


@pytest.fixture(params=[True, False], ids=["pseudonyms", "ids"])
def kept(store_url: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A school, whose requests of ways in were answered, refused, taken back, and wait."""
    store = open_store(store_url, pseudonyms=request.param)
    world = World().school("S1").person(*IDS.values())
    world.person("kid-66", born="2016-05-05", at="S1")
    world.guardian(IDS["mum"], "kid-66").guardian(IDS["dad"], "kid-66")
    world.grant(IDS["head"], "school_admin", "S1").grant(IDS["ops"], "platform_admin")
    world.grant(IDS["dpo"], "dpo").store(store)
    for name in ("head", "mum", "dad", "ops", "dpo"):
        users.add(store, f"{name}-signs-in", person=IDS[name], by="tests")
    for name in ("mum", "dad"):
        given(store, asked(store, name))
        given(store, asked(store, name), approves=False)
        ways_in.withdraw(store, asked(store, name), by=IDS["ops"], why="not needed")
        asked(store, name)
    yield store
    store.dispose()


def asked(store: Engine, name: str) -> str:
    why, catalogue = f"{IDS['ops']} was asked by {IDS[name]}", policy().catalogue
    ways_in.ask(store, catalogue, What.RESET, f"{name}-signs-in", by=IDS["ops"], why=why)
    return str(ways_in.of(store, f"{name}-signs-in")[-1]["id"])


def given(store: Engine, ident: str, *, approves: bool = True) -> None:
    place, head = Place(BANGKOK), Viewer(IDS["head"], IDS["head"], mfa=True)
    points = DecisionPoint(store, policy(), place), DecisionPoint(store, CONSOLE, place)
    ways_in.answer(*points, head, ident, approves=approves, why=f"{IDS['head']} knows them")


def erase(store: Engine, person: str) -> None:
    approved = {"fact": "erasure", "person": person, "approved_at": "2026-01-01"}
    World(facts=[]).import_into(store, [approved])
    erasing.erase(store, person, by="dpo", because="request 7")


def rows(store: Engine, table: Any) -> list[Any]:
    with store.connect() as connection:
        return list(connection.execute(select(*table.__table__.c)).mappings())


def test_whose_sign_in_it_is_stands_in_no_request_and_no_message_any_more(kept: Engine) -> None:
    assert len(rows(kept, SignInRequest)) == 8
    erase(kept, IDS["mum"])
    left = [IDS["mum"], "mum-signs-in"]
    assert named(kept, left) & REACHED == set()
    assert {each["person"] for each in rows(kept, SignInRequest)} == {IDS["dad"]}
    assert len(rows(kept, SignInRequest)) == 4
    requests = {each["id"] for each in rows(kept, SignInRequest)}
    assert {each["request"] for each in rows(kept, SignInNotice)} == requests
    assert [each["name"] for each in ways_in.of(kept)] == ["dad-signs-in"]
    assert verified(kept).damage is None


@pytest.mark.parametrize("who", ["ops", "head"])
def test_who_asked_and_who_answered_are_blotted_out(kept: Engine, who: str) -> None:
    erase(kept, IDS[who])
    assert named(kept, [IDS[who], f"{who}-signs-in"]) & REACHED == set()
    states = sorted(each["state"] for each in rows(kept, SignInRequest))
    ended = ["approved"] * 2 + ["refused"] * 2
    waits = ["waiting"] * 2 if who == "head" else []  # nobody stands behind what ops asked for
    assert states == ended + waits + ["withdrawn"] * 2
    people = {each["person"] for each in rows(kept, SignInRequest)}
    assert people == {IDS["mum"], IDS["dad"]}
    assert {each["about"] for each in rows(kept, SignInNotice)} <= {"asked", "own", "near"}


def test_the_record_says_what_went_and_names_nobody_who_has_a_pseudonym(kept: Engine) -> None:
    erase(kept, IDS["mum"])
    with kept.connect() as connection:
        chosen = select(AuditRecord.body).where(AuditRecord.event == "person_erased")
        (body,) = connection.scalars(chosen)
    detail = json.loads(body)["detail"]
    assert detail["before"]["sign_in_requests"] == 4
    assert detail["before"]["sign_in_notices"] > 0
    assert detail["after"] == dict.fromkeys(detail["after"], 0)
    assert (IDS["mum"].encode() in body) is not detail["before"]["has_key"]
    with pytest.raises(NotFoundError):
        erasing.erase(kept, IDS["mum"], by="dpo", because="once more")


def test_a_sign_in_that_has_ended_forgets_whose_it_was(kept: Engine) -> None:
    """N-34: it is needed no longer; its name is, so that nobody else gets it (N-42)."""
    for number, name in enumerate(("mum-signs-in", "dad-signs-in")):
        linked = {"issuer": "https://login.test", "subject": f"subject-{number}"}
        links.link(kept, name, **linked, by="tests")
        links.invite(kept, name, by="tests")
    users.add(kept, "mum-again", person=IDS["mum"], by="tests")
    for name in ("mum-signs-in", "dad-signs-in"):
        users.disable(kept, name, by="tests")
    erase(kept, IDS["mum"])
    found = {each["name"]: each for each in rows(kept, SignIn)}
    ended = found["mum-signs-in"]
    assert (ended["person"], ended["password_hash"], ended["totp_secret"]) == (None, "", None)
    assert found["mum-again"]["person"] == IDS["mum"]  # its owner uses it
    assert found["dad-signs-in"]["person"] == IDS["dad"]
    assert found["dad-signs-in"]["password_hash"] != ""
    for table in (SignInLink, SignInInvitation):
        assert [each["name"] for each in rows(kept, table)] == ["dad-signs-in"]
    with pytest.raises(ConflictError):
        users.add(kept, "mum-signs-in", person=IDS["dad"], by="tests")
    users.disable(kept, "mum-again", by="tests")
    erasing.erase(kept, IDS["mum"], by="dpo", because="the other one has ended too")
    persons = {each["name"]: each["person"] for each in rows(kept, SignIn)}
    assert (persons["mum-signs-in"], persons["mum-again"]) == (None, None)
    assert verified(kept).damage is None


def test_without_an_approval_nothing_goes(kept: Engine) -> None:
    with pytest.raises(ConflictError):
        erasing.erase(kept, IDS["mum"], by="dpo", because="request 7")
    assert len(rows(kept, SignInRequest)) == 8
