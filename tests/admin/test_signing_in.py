"""Signing in: password, second factor, sessions (N-40, N-45)."""

from __future__ import annotations

import pyotp
import pytest
from playwright.sync_api import BrowserContext, expect

from authz import clock
from authz.service import users
from tests.admin.kit import (
    BASE,
    PASSWORD,
    PRIVILEGED,
    Kit,
    post,
    token,
)

FRESH = "ส้มตำไทยใส่ถั่วเยอะๆ"


@pytest.mark.usefixtures("one_moment")
def test_the_first_sign_in_sets_a_password_and_a_second_factor(
    kit: Kit, thai: BrowserContext
) -> None:
    first = users.add(kit.store, "new", person=PRIVILEGED["head"], by="tests")
    page = kit.page(thai)
    page.fill("[name=name]", "new")
    page.fill("[name=password]", first)
    page.click("main button")
    expect(page.locator("h1")).to_have_text("รหัสผ่านใหม่")
    page.goto(f"{kit.url}/admin/")
    expect(page.locator("h1")).to_have_text("รหัสผ่านใหม่")  # nothing else opens before
    page.fill("[name=old]", first)
    page.fill("[name=new]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.click("main button")
    expect(page.locator("h1")).to_have_text("หน้าแรก")
    page.goto(f"{kit.url}/admin/second-factor")
    page.click("main summary")
    secret = page.inner_text("main details code").replace(" ", "")
    page.fill("[name=code]", pyotp.TOTP(secret).at(clock.now()))
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    expect(page.locator("li code")).to_have_count(10)
    page.click("text=เก็บรหัสไว้แล้ว")
    expect(page.locator("h1")).to_have_text("หน้าแรก")


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " "])
def test_a_wrong_password_and_an_unknown_name_are_told_in_the_same_words(
    kit: Kit, password: str
) -> None:
    replies = [
        post(kit.client(), "/admin/sign-in", {"name": name, "password": password})
        for name in ("head", "nobody")
    ]
    assert {reply.status_code for reply in replies} == {401}
    first, second = (reply.text.replace(token(reply), "") for reply in replies)
    assert first.replace('value="head"', "") == second.replace('value="nobody"', "")


@pytest.mark.usefixtures("one_moment")
def test_a_code_counts_once(kit: Kit) -> None:
    code = kit.code("head")
    for status in (302, 401):
        client = kit.client()
        reply = post(client, "/admin/sign-in", {"name": "head", "password": PASSWORD})
        form = {"code": code, "csrf_token": token(reply)}
        again = client.post("/admin/sign-in/code", data=form, base_url=BASE)
        assert again.status_code == status


@pytest.mark.usefixtures("one_moment")
def test_who_guesses_locks_nobody_out_but_themselves(kit: Kit) -> None:
    owner = kit.client("head")
    post(owner, "/admin/sign-out", {}, at="/admin/profile")
    stranger = kit.client()
    guess = {"name": "head", "password": "guess"}
    replies = [post(stranger, "/admin/sign-in", guess).status_code for _ in range(6)]
    assert replies == [401] * 5 + [429]
    kit.enter(owner, "head")  # the owner's own browser has a count of its own


def test_a_session_ends_everywhere_when_the_sign_in_is_disabled(kit: Kit) -> None:
    client = kit.client("head")
    assert client.get("/admin/", base_url=BASE).status_code == 200
    users.disable(kit.store, "head", by="tests")
    assert client.get("/admin/", base_url=BASE).status_code == 302


def test_a_stolen_session_is_worth_nothing_after_the_owner_signed_out(kit: Kit) -> None:
    owner, thief = kit.client("head"), kit.client()
    stolen = owner.get_cookie("authz", domain="127.0.0.1")
    assert stolen is not None
    thief.set_cookie("authz", stolen.value, domain="127.0.0.1")
    assert thief.get("/admin/", base_url=BASE).status_code == 200
    post(owner, "/admin/sign-out", {}, at="/admin/profile")
    assert thief.get("/admin/", base_url=BASE).status_code == 302


def test_a_form_without_its_token_changes_nothing(kit: Kit) -> None:
    client = kit.client("head")
    assert client.post("/admin/sign-out", base_url=BASE).status_code == 400
    assert client.get("/admin/", base_url=BASE).status_code == 200


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test/", "/\\evil.test", "x:y"])
def test_signing_in_leads_to_a_page_of_ours(kit: Kit, target: str) -> None:
    reply = post(
        kit.client(),
        "/admin/sign-in",
        {"name": "parent", "password": PASSWORD, "next": target},
    )
    assert reply.location == "/admin/"
