"""Signing in at an OpenID Connect provider, a real one (N-40, N-45)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import select, update

from authz.admin.context import NAME
from authz.audit.tables import AuditRecord
from authz.config.parties import SignInProvider, Words
from authz.directory.tables import Person
from authz.service import links, providers, users
from authz.service.database import writing
from tests.admin.kit import ORDINARY, Kit
from tests.admin.real_provider import SECRET, running
from tests.waiting import PATIENCE


@pytest.fixture
def issuer(kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A provider that the screens know as the school's accounts."""
    monkeypatch.setattr(providers, "TIMEOUT", PATIENCE)
    secret = tmp_path / "client-secret"
    secret.write_text(SECRET)
    with running(kit.url) as found:
        provider = SignInProvider(
            key="school",
            issuer=found,
            client_id="authz",
            client_secret=secret,
            name=Words(th="บัญชีโรงเรียน", en="the school's account"),
        )
        update = {"public_url": kit.url, "oidc": [provider]}
        settings = kit.console.settings.model_copy(update=update)
        kit.admin.extensions[NAME] = replace(kit.console, settings=settings)
        yield found
        providers.forget()


@pytest.fixture(autouse=True)
def nowhere_else(thai: BrowserContext) -> None:
    """The browser asks this machine alone: the provider's own pages want a font of the net."""

    def here(route: Route) -> None:
        local = urlsplit(route.request.url).hostname == "127.0.0.1"
        (route.continue_ if local else route.abort)()

    thai.route("**/*", here)


def at_provider(page: Page, account: str) -> None:
    """Sign in there, and agree."""
    page.fill("[name=login]", account)
    page.fill("[name=password]", "anything")
    page.click("form:has([value=login]) button")
    page.click("form:has([value=consent]) button")


def events(kit: Kit) -> list[str]:
    with kit.store.connect() as connection:
        bodies = connection.scalars(select(AuditRecord.body).order_by(AuditRecord.sequence))
        return [json.loads(body)["event"] for body in bodies]


def test_a_linked_account_signs_in_and_out_at_the_provider(
    kit: Kit, issuer: str, thai: BrowserContext
) -> None:
    users.add(kit.store, "linked", person=ORDINARY["teacher"], by="tests", local=False)
    links.link(kit.store, "linked", issuer=issuer, subject="teacher-7", by="tests")
    page = thai.new_page()
    page.goto(f"{kit.url}/admin/profile")
    page.click("text=เข้าสู่ระบบด้วยบัญชีโรงเรียน")
    at_provider(page, "teacher-7")
    expect(page.locator("h1")).to_have_text("บัญชีของฉัน")
    expect(page.locator("main")).not_to_contain_text("รหัสผ่าน")
    page.click("text=ออกจากระบบ >> nth=0")
    page.wait_for_url(f"{issuer}/session/end**")
    page.click("button[name=logout]")
    page.wait_for_url(f"{kit.url}/admin/sign-in**")
    assert {"signed_in", "signed_out"} <= set(events(kit))


@pytest.mark.usefixtures("issuer")
def test_an_account_that_nobody_linked_opens_nothing(kit: Kit, thai: BrowserContext) -> None:
    """Not even where it says to be somebody of that name."""
    page = thai.new_page()
    page.goto(f"{kit.url}/admin/sign-in")
    page.click("text=เข้าสู่ระบบด้วยบัญชีโรงเรียน")
    at_provider(page, "teacher")
    expect(page.locator("[role=alert]")).to_contain_text("ยังไม่ได้เชื่อม")
    assert "sign_in_refused" in events(kit)


@pytest.mark.usefixtures("issuer")
def test_an_invitation_links_an_account_once(kit: Kit, thai: BrowserContext) -> None:
    users.add(kit.store, "guest", person=ORDINARY["teacher"], by="tests", local=False)
    text = links.invite(kit.store, "guest", by="tests")
    page = thai.new_page()
    page.goto(f"{kit.url}/admin/invitation/{text}")
    page.click("main button")
    page.click("text=เข้าสู่ระบบด้วยบัญชีโรงเรียน")
    at_provider(page, "guest-of-school")
    expect(page.locator("h1")).to_have_text("หน้าแรก")
    assert [each.subject for each in links.of(kit.store, "guest")] == ["guest-of-school"]
    page.goto(f"{kit.url}/admin/invitation/{text}")
    expect(page.locator("h1")).to_have_text("ดำเนินการไม่สำเร็จ")
    with writing(kit.store) as connection:  # the roster says that they left
        left = update(Person).where(Person.id == ORDINARY["teacher"]).values(status="deregistered")
        connection.execute(left)
    page.goto(f"{kit.url}/admin/")
    expect(page.locator("h1")).to_have_text("เข้าสู่ระบบ")
