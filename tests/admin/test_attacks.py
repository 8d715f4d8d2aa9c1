"""What an attacker tries at the screens (N-40, N-45)."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import replace

import pyotp
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from authz import clock
from authz.admin import create_admin
from authz.admin.opening import within
from authz.audit.tables import AuditRecord
from authz.directory.tables import Person
from authz.errors import StoreUnavailableError, TooManyError
from authz.service import passwords, second_factor, sessions, users
from authz.service.database import writing
from authz.service.tables import ConsoleSession, SignIn
from tests.admin.kit import (
    BASE,
    ORDINARY,
    PASSWORD,
    SECRET,
    Kit,
    post,
    token,
)

FRESH = "ส้มตำไทยใส่ถั่วเยอะๆ"


@pytest.mark.parametrize(
    "target",
    [
        "//[",
        "/\t/evil.test",
        "/ /evil.test",
        "/\r\nX: y",
        "///evil.test",
        "",
        "evil.test",
    ],
)
def test_an_address_that_is_not_ours_leads_home(kit: Kit, target: str) -> None:
    with kit.admin.test_request_context("/", base_url=f"{BASE}/admin"):
        assert within(target) == "/admin/"


def test_a_host_of_the_requests_choice_turns_up_nowhere(kit: Kit) -> None:
    for path in ("/admin/sign-in", "/admin/", "/admin/nothing"):
        reply = kit.client().get(path, base_url="http://evil.test")
        assert "evil.test" not in reply.text + str(reply.headers)


def test_signing_in_takes_a_new_session_and_forgets_what_was_planted(kit: Kit) -> None:
    client = kit.client()
    client.get("/admin/sign-in", base_url=BASE)
    planted = client.get_cookie("authz", domain="127.0.0.1")
    kit.enter(client, "parent")
    taken = client.get_cookie("authz", domain="127.0.0.1")
    thief = kit.client()
    assert planted is not None
    assert taken is not None
    assert planted.value != taken.value
    thief.set_cookie("authz", planted.value, domain="127.0.0.1")
    assert thief.get("/admin/", base_url=BASE).status_code == 302


@pytest.mark.parametrize(
    ("public_url", "proxies", "base", "forwarded", "secure"),
    [
        ("https://127.0.0.1:8080", 0, "http://127.0.0.1", {}, False),
        ("https://127.0.0.1:8080", 0, "https://127.0.0.1", {}, True),
        ("https://authz.school.test", 0, "http://127.0.0.1", {}, True),
        ("https://127.0.0.1:8080", 1, "http://127.0.0.1", {}, True),
        ("https://authz.school.test", 1, "http://127.0.0.1", {"X-Forwarded-Proto": "https"}, True),
        ("https://127.0.0.1:8080", 0, "http://10.0.0.5", {"X-Forwarded-Proto": "https"}, True),
    ],
)
def test_cookies_are_secure_wherever_a_proxy_stands(
    kit: Kit, public_url: str, proxies: int, base: str, forwarded: dict[str, str], secure: bool
) -> None:
    found = kit.console.settings.model_copy(update={"public_url": public_url, "proxies": proxies})
    admin = create_admin(replace(kit.console, settings=found))
    reply = admin.test_client().get("/sign-in", base_url=base, headers=forwarded)
    (cookie,) = reply.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-authz=" if secure else "authz=")
    assert ("; Secure" in cookie) is secure
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert ("Strict-Transport-Security" in reply.headers) is secure


def test_no_page_is_kept_framed_or_given_a_script(kit: Kit) -> None:
    client = kit.client("parent")
    for path in ("/admin/", "/admin/profile", "/admin/nothing"):
        reply = client.get(path, base_url=BASE)
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Frame-Options"] == "DENY"
        policy = reply.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"<script(?![^>]*src=)|style=|\son\w+=", reply.text)


@pytest.mark.parametrize("path", ["/admin/users/of/a%00b", "/admin/sign-in?next=%00"])
def test_a_null_byte_goes_no_further(kit: Kit, path: str) -> None:
    assert kit.client("krung").get(path, base_url=BASE).status_code == 400


def test_a_broken_store_tells_nothing_of_itself(
    kit: Kit, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = kit.client("head")
    secret = "postgresql://authz:s3cret@db/authz"

    def broken(*_: object) -> None:
        raise StoreUnavailableError("The database does not answer.", where=secret)

    monkeypatch.setattr(sessions, "find", broken)
    reply = client.get("/admin/", base_url=BASE)
    assert reply.status_code == 503
    assert reply.headers["X-Request-ID"] in reply.text
    assert "s3cret" not in reply.text + caplog.text
    monkeypatch.setattr(sessions, "find", lambda *_: 1 / 0)
    reply = client.get("/admin/", base_url=BASE)
    assert reply.status_code == 500
    assert "division" not in reply.text


@pytest.mark.usefixtures("one_moment")
def test_log_lines_and_records_hold_no_secret(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    code = kit.code("head")
    client = kit.client("head")
    post(client, "/admin/profile/password", {"old": PASSWORD, "new": FRESH, "again": FRESH})
    post(kit.client(), "/admin/sign-in", {"name": "head", "password": PASSWORD})
    with kit.store.connect() as connection:
        trail = b"".join(connection.scalars(select(AuditRecord.body))).decode()
    held = client.get_cookie("authz", domain="127.0.0.1")
    assert held is not None
    for secret in (PASSWORD, FRESH, SECRET, code, held.value, "argon2"):
        word = rf"\b{re.escape(secret)}\b" if secret == code else re.escape(secret)
        assert not re.search(word, caplog.text)
        assert secret not in trail or secret == code  # six digits turn up in a hash by chance


def a_wrong_code() -> str:
    """Six digits that are no code about now."""
    right = {pyotp.TOTP(SECRET).at(clock.now(), counter_offset=step) for step in (-1, 0, 1)}
    return next(code for code in (f"{digit}" * 6 for digit in range(4)) if code not in right)


@pytest.mark.usefixtures("one_moment")
def test_whoever_knows_the_password_guesses_few_codes_from_however_many_places(kit: Kit) -> None:
    statuses = []
    for place in range(8):
        client = kit.client()
        near = {"REMOTE_ADDR": f"198.51.{place}.1"}
        page = client.get("/admin/sign-in", base_url=BASE, environ_base=near)
        form = {"name": "head", "password": PASSWORD, "csrf_token": token(page)}
        reply = client.post("/admin/sign-in", data=form, base_url=BASE, environ_base=near)
        form = {"code": a_wrong_code(), "csrf_token": token(reply)}
        reply = client.post("/admin/sign-in/code", data=form, base_url=BASE, environ_base=near)
        statuses.append(reply.status_code)
    assert statuses == [401] * 5 + [429] * 3


def test_half_a_session_ends_with_the_password_it_began_with(kit: Kit) -> None:
    client = kit.client()
    reply = post(client, "/admin/sign-in", {"name": "head", "password": PASSWORD})
    users.reset(kit.store, "head", by="tests")
    form = {"code": kit.code("head"), "csrf_token": token(reply)}
    again = client.post("/admin/sign-in/code", data=form, base_url=BASE)
    assert again.location == "/admin/sign-in?next="
    assert client.get("/admin/", base_url=BASE).status_code == 302


def test_a_code_after_a_reset_is_no_error(kit: Kit) -> None:
    with writing(kit.store) as connection:
        folder = kit.console.settings.key_folder
        assert not second_factor.take(connection, folder, "parent", "000000", clock.now())


@pytest.mark.parametrize("status", ["suspended", "deregistered"])
def test_who_left_neither_signs_in_nor_stays(kit: Kit, status: str) -> None:
    client = kit.client("parent")
    with writing(kit.store) as connection:
        change = update(Person).where(Person.id == ORDINARY["parent"])
        connection.execute(change.values(status=status))
    assert client.get("/admin/", base_url=BASE).location.startswith("/admin/sign-in")
    form = {"name": "parent", "password": PASSWORD}
    assert post(kit.client(), "/admin/sign-in", form).status_code == 401


def first_code(text: str) -> str:
    """The code of the secret that a page offers."""
    secret = re.sub(r"\s", "", re.findall(r"<code>([A-Z2-7 ]+)</code>", text)[0])
    return pyotp.TOTP(secret).at(clock.now())


@pytest.mark.usefixtures("one_moment")
def test_a_stolen_session_changes_neither_password_nor_second_factor(kit: Kit) -> None:
    thief = kit.client("head")
    form = {"old": "guess", "new": FRESH, "again": FRESH}
    assert post(thief, "/admin/profile/password", form).status_code == 400
    page = thief.get("/admin/second-factor", base_url=BASE)
    form = {"code": first_code(page.text), "password": "guess", "csrf_token": token(page)}
    for path in ("/admin/second-factor", "/admin/second-factor/codes"):
        assert thief.post(path, data=form, base_url=BASE).status_code == 401
    statuses = [
        thief.post("/admin/second-factor/codes", data=form, base_url=BASE).status_code
        for _ in range(4)
    ]
    assert statuses == [401, 401, 429, 429]


@pytest.mark.usefixtures("one_moment")
def test_a_second_factor_is_set_up_anew_by_its_owner_alone(kit: Kit) -> None:
    client, elsewhere = kit.client("head"), kit.client("head")
    page = client.get("/admin/second-factor", base_url=BASE)
    form = {"code": first_code(page.text), "password": PASSWORD, "csrf_token": token(page)}
    reply = client.post("/admin/second-factor", data=form, base_url=BASE)
    assert len(re.findall(r"<li><code>", reply.text)) == second_factor.CODES
    assert client.get("/admin/", base_url=BASE).status_code == 200
    assert elsewhere.get("/admin/", base_url=BASE).status_code == 302


def test_new_recovery_codes_take_the_place_of_the_old(kit: Kit) -> None:
    client = kit.client("head")
    found = []
    for _ in range(2):
        reply = post(client, "/admin/second-factor/codes", {"password": PASSWORD})
        found.append(re.findall(r"<li><code>([a-z0-9-]+)", reply.text))
    for codes, status in ((found[0], 401), (found[1], 302), (found[1], 401)):
        other = kit.client()
        page = post(other, "/admin/sign-in", {"name": "head", "password": PASSWORD})
        form = {"code": codes[0], "csrf_token": token(page)}
        reply = other.post("/admin/sign-in/code", data=form, base_url=BASE)
        assert reply.status_code == status
    assert "เหลือ 9 ชุด" in client.get("/admin/profile", base_url=BASE).text


def test_a_new_password_moves_the_session_to_a_new_token(kit: Kit) -> None:
    client, thief = kit.client("parent"), kit.client()
    held = client.get_cookie("authz", domain="127.0.0.1")
    assert held is not None
    thief.set_cookie("authz", held.value, domain="127.0.0.1")
    post(client, "/admin/profile/password", {"old": PASSWORD, "new": FRESH, "again": FRESH})
    assert client.get("/admin/", base_url=BASE).status_code == 200
    assert thief.get("/admin/", base_url=BASE).status_code == 302


def test_a_hash_of_other_parameters_is_made_anew_at_the_next_sign_in(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    stronger = PasswordHasher(time_cost=2, memory_cost=2048, parallelism=1)
    monkeypatch.setattr(passwords, "HASHER", stronger)
    for name in ("parent", "head"):
        kit.client(name)
        query = select(SignIn.password_hash).where(SignIn.name == name)
        with kit.store.connect() as connection:
            kept = connection.scalar(query)
        assert kept is not None
        assert not stronger.check_needs_rehash(kept)
    kit.client("parent")


def test_few_passwords_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes 64 MiB: a flood of names waits, and is told so."""
    monkeypatch.setattr(passwords, "QUEUE_SECONDS", 0.01)
    with ExitStack() as full:
        for _ in range(passwords.AT_ONCE):
            full.enter_context(passwords._turn())
        with pytest.raises(TooManyError):
            passwords.verified("", PASSWORD)
    assert not passwords.verified("", PASSWORD)


def test_a_password_is_the_same_from_every_keyboard() -> None:
    kept = passwords.hashed("น้ำใจงามยามยาก")
    assert passwords.verified(kept, "น\u0e49\u0e4d\u0e32ใจงามยามยาก")


def test_a_part_of_a_page_leads_the_whole_page_to_signing_in(kit: Kit) -> None:
    reply = kit.client().get("/admin/", base_url=BASE, headers={"HX-Request": "true"})
    assert reply.headers["HX-Redirect"].startswith("/admin/sign-in")


def test_sessions_that_ran_out_are_cleared_away(kit: Kit) -> None:
    with writing(kit.store) as connection:
        connection.execute(update(ConsoleSession).values(expires_at=clock.now()))
    kit.client("parent")
    with kit.store.connect() as connection:
        assert len(connection.scalars(select(ConsoleSession.name)).all()) == 1
