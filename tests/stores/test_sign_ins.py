"""Sign-ins, links and sessions on both stores (N-40, N-42, N-45)."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pyotp
import pytest
from sqlalchemy import Engine, select, update

from authz import clock
from authz.directory.tables import Person
from authz.errors import ConflictError, NotFoundError, TooManyError, UnauthenticatedError
from authz.service import links, second_factor, sessions, signing_in, throttle, users
from authz.service.database import reading, writing
from authz.service.providers import Identity
from authz.service.sessions import Session
from authz.service.signing_in import Attempt
from authz.service.tables import SignIn, SignInFailure
from tests.waiting import PATIENCE
from tests.world import NOW, World, frozen

HERE = Attempt("192.0.2.1", None, "Firefox")
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
WHO = Identity("https://login.example", "7", mfa=True)


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    """The clock stands still: no wait is over and no code too old because the machine is slow."""
    with frozen(NOW):
        yield


@pytest.fixture
def people(store: Engine) -> Engine:
    """A store with two people, of whom one runs the platform."""
    world = World().school("S1").person("ann", "bob", at="S1").store(store)
    grant = {"fact": "grant", "person": "bob", "role": "platform_admin", "from": "2020-01-01"}
    world.import_into(store, [{**grant, "granted_by": "x", "reason": "y"}])
    return store


def signed_in(store: Engine, folder: Path, password: str, name: str = "siri") -> Session:
    step = signing_in.with_password(store, folder, name, password, HERE)
    found = sessions.find(store, step.token, clock.now())
    assert found is not None
    return found


def test_guesses_at_a_code_that_come_at_once_are_counted_one_after_another(
    people: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = users.add(people, "siri", person="ann", by="op")
    session = signed_in(people, tmp_path, password)
    code = pyotp.TOTP(SECRET).at(clock.now())
    second_factor.enrol(people, tmp_path, session, SECRET, code, password=password)
    half = signing_in.with_password(people, tmp_path, "siri", password, HERE).half
    looked = throttle.check

    def slowly(*given: Any) -> None:
        looked(*given)
        time.sleep(0.05)

    monkeypatch.setattr(throttle, "check", slowly)

    def guess(_: int) -> type[Exception]:
        with pytest.raises((UnauthenticatedError, TooManyError)) as caught:
            signing_in.with_code(people, tmp_path, half, "000000", HERE)
        return caught.type

    with ThreadPoolExecutor(4) as pool:
        told = Counter(pool.map(guess, range(4 * throttle.FREE)))
    assert told == {UnauthenticatedError: throttle.FREE, TooManyError: 3 * throttle.FREE}


def test_password_code_and_recovery_code(people: Engine, tmp_path: Path) -> None:
    password = users.add(people, "siri", person="ann", by="op")
    session = signed_in(people, tmp_path, password)
    code = pyotp.TOTP(SECRET).at(clock.now())
    made = second_factor.enrol(people, tmp_path, session, SECRET, code, password=password)
    assert sessions.find(people, session.token, clock.now()) is None
    half = signing_in.with_password(people, tmp_path, "siri", password, HERE).half
    for given in (code, "000000"):  # the code was taken at the setting up
        with pytest.raises(UnauthenticatedError):
            signing_in.with_code(people, tmp_path, half, given, HERE)
    token = signing_in.with_code(people, tmp_path, half, made.recovery[0], HERE)
    found = sessions.find(people, token, clock.now())
    assert found is not None
    assert found.mfa
    assert second_factor.left(people, found) == second_factor.CODES - 1
    with pytest.raises(UnauthenticatedError):
        signing_in.with_code(people, tmp_path, half, made.recovery[0], HERE)


def test_a_session_ends_with_the_person(people: Engine, tmp_path: Path) -> None:
    password = users.add(people, "siri", person="ann", by="op")
    session = signed_in(people, tmp_path, password)
    with writing(people) as connection:
        connection.execute(update(Person).where(Person.id == "ann").values(status="deregistered"))
    assert sessions.find(people, session.token, clock.now()) is None
    with pytest.raises(UnauthenticatedError):
        signing_in.with_password(people, tmp_path, "siri", password, HERE)


def test_guesses_wait(people: Engine, tmp_path: Path) -> None:
    for _ in range(5):
        with pytest.raises(UnauthenticatedError):
            signing_in.with_password(people, tmp_path, "nobody", "guess", HERE)
    with pytest.raises(TooManyError):
        signing_in.with_password(people, tmp_path, "nobody", "guess", HERE)


def test_an_invitation_counts_once_and_an_account_opens_one_sign_in(
    people: Engine, tmp_path: Path
) -> None:
    users.add(people, "siri", person="ann", by="op", local=False)
    first = links.invite(people, "siri", by="op")
    second = links.invite(people, "siri", by="op")
    with pytest.raises(NotFoundError):
        links.enter(people, tmp_path, WHO, HERE, first)
    name, step = links.enter(people, tmp_path, WHO, HERE, second)
    session = sessions.find(people, step.token, clock.now())
    assert session is not None
    assert (name, session.mfa, session.provider) == ("siri", True, WHO.issuer)
    with pytest.raises(NotFoundError):
        links.enter(people, tmp_path, WHO, HERE, second)
    with pytest.raises(ConflictError):
        links.link(people, "siri", issuer=WHO.issuer, subject=WHO.subject, by="op")
    links.unlink(people, "siri", issuer=WHO.issuer, subject=WHO.subject, by="op")
    assert sessions.find(people, step.token, clock.now()) is None
    with pytest.raises(UnauthenticatedError):
        links.enter(people, tmp_path, WHO, HERE)


def test_a_sign_in_without_a_password_opens_by_none(people: Engine, tmp_path: Path) -> None:
    users.add(people, "siri", person="ann", by="op", local=False)
    with people.connect() as connection:
        assert connection.scalar(select(SignIn.password_hash)) == ""
    with pytest.raises(UnauthenticatedError):
        signing_in.with_password(people, tmp_path, "siri", "", HERE)


def test_the_last_of_the_platform_stays(people: Engine) -> None:
    for name, person in (("krung", "bob"), ("siri", "ann")):
        users.add(people, name, person=person, by="op")
    with pytest.raises(ConflictError):
        users.disable(people, "krung", by="op")
    users.disable(people, "siri", by="op")
    users.add(people, "krung2", person="bob", by="op")
    users.disable(people, "krung", by="op")
    assert [each.name for each in users.listed(people, text="KRUNG")] == ["krung", "krung2"]


def test_guesses_that_come_at_once_are_all_counted(
    people: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is lost, and none is answered as if the store were away."""
    together, turned_away = Barrier(throttle.FREE - 1), signing_in.turned_away

    def at_once(*given: Any) -> UnauthenticatedError:
        together.wait(PATIENCE)
        return turned_away(*given)

    monkeypatch.setattr(signing_in, "turned_away", at_once)

    def guess(_: int) -> type[Exception]:
        with pytest.raises(UnauthenticatedError) as caught:
            signing_in.with_password(people, tmp_path, "siri", "a guess", HERE)
        return caught.type

    with ThreadPoolExecutor(throttle.FREE - 1) as pool:
        list(pool.map(guess, range(throttle.FREE - 1)))
    with reading(people) as connection:
        counted = connection.scalars(select(SignInFailure.failures)).all()
    assert counted == [throttle.FREE - 1] * 2
