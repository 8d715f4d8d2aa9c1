"""The demo school behind the screens, and everybody who signs in to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pyotp
from argon2 import PasswordHasher
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from playwright.sync_api import APIResponse, BrowserContext, Page
from sqlalchemy import Engine, event, update
from werkzeug.serving import make_server
from werkzeug.test import Client, TestResponse
from werkzeug.wsgi import ClosingIterator

from authz import clock
from authz.admin import context, create_admin
from authz.admin.application import mounted
from authz.admin.context import Console
from authz.api import create_app
from authz.api.context import NAME
from authz.cli.demo.school import Demo, write
from authz.config import Settings, load
from authz.policy.load import load as load_pack
from authz.service import console_key, incidents, passwords, point, users
from authz.service.database import open_store, upgrade, writing
from authz.service.decide import DecisionPoint
from authz.service.point import place
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster
from authz.service.tables import SignIn
from tests.conftest import ROOT
from tests.waiting import PATIENCE
from tests.world import frozen

PASSWORD = "ข้าวเหนียวมะม่วงอร่อยมาก"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PRIVILEGED = {
    "siri": "dpo-siri",
    "krung": "ops-krung",
    "head": "admin-prapai",
    "other": "admin-suri",
    "audit": "support-aom",
}
"""Sign-ins with a second factor, and who they are in the demo school."""
INCIDENT = "INC-1"
"""An incident that is open in every test."""
ORDINARY = {"parent": "parent-somchai", "teacher": "teacher-danai"}


def settings(folder: Path) -> Settings:
    """Settings whose every file is in that folder."""
    return load(
        database_url=f"sqlite:///{folder / 'authz.db'}",
        key_folder=folder / "keys",
        policy=ROOT / "policies" / "school",
        console_policy=ROOT / "policies" / "console",
    )


def build(folder: Path) -> Demo:
    """The demo school in that folder, with sign-ins."""
    found = settings(folder)
    demo = write(folder / "demo", clock.now().date())
    store = open_store(found.database_url, durability="os")
    upgrade(store)
    import_oneroster(store, demo.roster, local=found.local, by="tests")
    facts = demo.facts.read_text(encoding="utf-8").splitlines()
    import_facts(
        store,
        lambda: facts,
        name="facts.jsonl",
        catalogue=load_pack(found.policy).catalogue,
        local=found.local,
        by="tests",
    )
    for name, person in {**PRIVILEGED, **ORDINARY}.items():
        _sign_in(store, found, name, person)
    point = DecisionPoint(store, load_pack(found.policy), place(found))
    title = "เครื่องของครูหายพร้อมรายชื่อนักเรียน"
    incidents.open_incident(point, title, ident=INCIDENT, by="tests")
    store.dispose()
    return demo


def _sign_in(store: Engine, found: Settings, name: str, person: str) -> None:
    """A sign-in that has its own password, and a second factor where its role wants one."""
    users.add(
        store,
        name,
        person=person,
        by="tests",
        auditor=name == "audit",
        catalogue=load_pack(found.policy).catalogue,
    )
    secret = console_key.encrypt(found.key_folder, SECRET) if name in PRIVILEGED else None
    with writing(store) as connection:
        connection.execute(
            update(SignIn)
            .where(SignIn.name == name)
            .values(password_hash=HASH, must_change=False, totp_secret=secret, recovery_codes=[])
        )


@dataclass(frozen=True)
class Kit:
    """The screens of one test, on a copy of the demo school."""

    console: Console
    admin: Flask
    app: Any
    demo: Demo
    url: str

    @property
    def store(self) -> Engine:
        return self.console.store

    def client(self, name: str = "") -> Client:
        """A browser without a screen; signed in, if a name is given."""
        client = Client(self.app, use_cookies=True)
        if name:
            self.enter(client, name)
        return client

    def enter(self, client: Client, name: str) -> None:
        """Sign in, with the second factor where there is one."""
        form = {"name": name, "password": PASSWORD}
        reply = post(client, "/admin/sign-in", form, at="/admin/sign-in")
        if name in PRIVILEGED:
            assert "/sign-in/code" in reply.text
            form = {"code": self.code(name), "csrf_token": token(reply)}
            reply = client.post("/admin/sign-in/code", data=form, base_url=BASE)
        assert reply.status_code == 302, reply.text

    def code(self, name: str) -> str:
        """A code that counts, however many came before it in the same half minute."""
        with writing(self.store) as connection:
            connection.execute(update(SignIn).where(SignIn.name == name).values(totp_step=None))
        return pyotp.TOTP(SECRET).at(clock.now())

    def page(self, context: BrowserContext, name: str = "") -> Page:
        """A page of the browser, at the screens; signed in, if a name is given."""
        patient(context)
        if name:
            self.sign_in(context, name)
        page = context.new_page()
        page.goto(f"{self.url}/admin/{'' if name else 'sign-in'}")
        return page

    def sign_in(self, context: BrowserContext, name: str) -> None:
        """Give a browser somebody's session and no other's, by the forms but without a page."""
        patient(context)
        context.clear_cookies()
        address = f"{self.url}/admin/sign-in"
        form = {"name": name, "password": PASSWORD}
        asked = _send(context, address, form, context.request.get(address).text())
        if name in PRIVILEGED:
            asked = _send(context, f"{address}/code", {"code": self.code(name)}, asked.text())
        assert asked.status == HTTPStatus.FOUND, asked.text()


BASE = "http://127.0.0.1"
PATIENT = PATIENCE * 1000
"""Milliseconds that a browser waits for what is to come, as all that waits in tests."""
point.load = context.load = cache(load_pack)  # type: ignore[attr-defined]
passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
HASH = passwords.HASHER.hash(PASSWORD)
"""A weak hash, so that signing in costs a test nothing."""


def token(reply: TestResponse) -> str:
    """The token of the form on a page."""
    return _token(reply.text)


def _token(text: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert found, text
    return found[1]


def _send(context: BrowserContext, address: str, form: dict[str, str], page: str) -> APIResponse:
    """Send the form of a page with a browser's cookies, and go nowhere."""
    full: dict[str, str | float | bool] = {**form, "csrf_token": _token(page)}
    return context.request.post(address, form=full, max_redirects=0)


def post(client: Client, path: str, form: dict[str, Any], *, at: str = "") -> TestResponse:
    """Send a form, as found on the page ``at``."""
    shown = client.get(at or path, base_url=BASE)
    return client.post(path, data={**form, "csrf_token": token(shown)}, base_url=BASE)


def patient(context: BrowserContext) -> None:
    """Let whatever the browser is asked to do take its time on a busy machine."""
    context.set_default_timeout(PATIENT)


def press(page: Page, selector: str) -> None:
    """Click what leads to another page, and be there: a click alone is over before that.

    For whoever goes on with what waits for nothing: an address, a look into the store, axe.
    """
    with page.expect_navigation():
        page.click(selector)


def tab_to(page: Page, selector: str) -> None:
    """Press the tabulator until that has the focus, as somebody without a mouse does."""
    wanted = page.locator(selector).first
    for _ in range(120):
        if wanted.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the tabulator does not lead to {selector}")


def statements(store: Engine, ask: Callable[[], TestResponse]) -> int:
    """How many statements a page asks of the store, once what decisions keep of facts is read.

    Both times at the same moment: a session in use is noted each minute.
    """
    asked: list[object] = []

    def note(*_: object) -> None:
        asked.append(None)

    with frozen(clock.now()):
        ask()
        event.listen(store, "before_cursor_execute", note)
        assert ask().status_code == 200
        event.remove(store, "before_cursor_execute", note)
    return len(asked)


class Compiled(BytecodeCache):
    """Templates compiled once for all tests."""

    kept: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """What is kept, if anything is."""
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self.kept[bucket.key] = bucket.bytecode_to_string()


def at_once(app: WSGIApplication) -> WSGIApplication:
    """The application, its answers made whole and its files closed before any of it is sent.

    werkzeug's server closes no file of a browser that hung up while it looked for more of it.
    """

    def answered(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with closing(ClosingIterator(app(environ, start_response))) as body:
            return [b"".join(body)]

    return answered


def serve(folder: Path, demo: Demo) -> tuple[Kit, Any]:
    """The screens and the decision point on loopback, and the server to shut down.

    A pack is read and checked once for all of them.
    """
    found = settings(folder)
    api = create_app(found)
    here = api.extensions[NAME]
    console = Console.open(found, here.point)
    admin = create_admin(console)
    admin.jinja_env.bytecode_cache = Compiled()
    app = mounted(api, admin)
    server = make_server("127.0.0.1", 0, at_once(app), threaded=True)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return Kit(console, admin, app, demo, f"http://127.0.0.1:{server.server_port}"), server
