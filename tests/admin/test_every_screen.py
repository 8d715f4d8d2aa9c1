"""Every screen, in both languages: read aloud, on a phone, without JavaScript, and pictured.

The screens are those of the tour. One browser goes through them all, as one person after the
other, so that what the pages share is fetched once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize
from sqlalchemy import select
from werkzeug.test import Client

from authz import clock
from authz.admin.screens import SCREENS
from authz.audit.record import timestamp
from authz.audit.tables import AuditRecord
from authz.directory.tables import Person
from authz.service.database import reading
from authz.service.journals import catch_up
from tests.admin.kit import BASE, INCIDENT, ORDINARY, PRIVILEGED, Kit, token
from tests.admin.screenshots import FOLDER, LANGUAGES, arrive, files
from tests.admin.tour import Stop, names, stops
from tests.conftest import ROOT

SERIOUS: Final = {"serious", "critical"}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
DESK: Final[ViewportSize] = {"width": 1280, "height": 844}
LOOK: Final = Path(__file__).with_name("look.js").read_text("utf-8")
"""Whether the page is wider than the screen, and what axe says of it on a phone."""
WORD: Final = re.compile(r"(?<![\w.:/&;-])[A-Za-z][a-z]{2,}(?![\w.:@/-])")
NAMES: Final = {
    *("Authz", "OneRoster", "English", "authz", "demo", "tests", "facts", "school"),
    *("Demo", "Cloud", "Harbour", "Faraway", "Analytics", "Chrome", "Linux"),
    *(*PRIVILEGED, *ORDINARY),
}
"""Words that are no English: sign-ins, companies, browsers have names of their own."""
LEAVES: Final = ("/admin/sign-out", "/admin/language")
"""Forms that end the visit, or change its language; they are tried where they belong."""


@pytest.fixture(scope="module")
def tour(standing: Kit) -> list[Stop]:
    """The screens, of a school in which something happened."""
    return stops(standing)


def walk(
    kit: Kit,
    context: BrowserContext,
    tour: list[Stop],
    until: Literal["load", "domcontentloaded"] = "load",
) -> Iterator[tuple[Page, Stop]]:
    """One page of one browser at each screen in turn, signed in as whose screen it is."""
    page = kit.page(context)
    for who, some in groupby(sorted(tour, key=lambda stop: stop.who), lambda stop: stop.who):
        if who:
            kit.sign_in(context, who)
        for stop in some:
            arrive(kit, page, stop, until)
            yield page, stop


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_serious_keeps_anybody_out_of_any_screen(
    standing: Kit, tour: list[Stop], browser: Browser, language: str
) -> None:
    """WCAG 2.2 AA: axe finds nothing serious, and nothing is wider than a phone or a desk."""
    wrong = {}
    context = browser.new_context(locale=LANGUAGES[language], viewport=PHONE)
    context.add_init_script(Axe().axe_script)
    for page, stop in walk(standing, context, tour):
        if found := _wrong(page, language):
            wrong[stop.name] = found
    context.close()
    assert wrong == {}


def _wrong(page: Page, language: str) -> list[str]:
    """What stands in somebody's way on the page that is open, at both widths.

    It is first looked at as the page before it was left, for resizing costs.
    """
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    told = _at_this_width(page)
    page.set_viewport_size(DESK if page.viewport_size == PHONE else PHONE)
    told += _at_this_width(page)
    if page.locator("html").get_attribute("lang") != language:
        told.append("of another language")
    return told


def _at_this_width(page: Page) -> list[str]:
    """What is wrong on a desk or a phone; axe looks at the phone."""
    seen = page.evaluate(LOOK, page.viewport_size == PHONE)
    told = [f"{rule}: {html[:200]}" for rule, impact, html in seen["rules"] if impact in SERIOUS]
    return told + ([f"wider than {seen['width']}"] if seen["wider"] else [])


def test_every_screen_is_there_without_javascript(
    standing: Kit, tour: list[Stop], browser: Browser
) -> None:
    context = browser.new_context(locale="th-TH", java_script_enabled=False)
    for page, stop in walk(standing, context, tour, until="domcontentloaded"):
        assert page.locator("h1").count() == 1, stop
    context.close()


class Forms(HTMLParser):
    """The forms of a page as a browser without JavaScript knows them, and what it would miss."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self.open: dict[str, Any] | None = None
        self.choice = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        scripted = [name for name in said if name.startswith("on") or name == "style"]
        asks = [name for name in said if re.fullmatch("hx-(get|post|put|patch|delete)", name)]
        nowhere = "hx-boost" in said and tag != "form" and "href" not in said
        if scripted or asks or nowhere or (tag == "script" and "src" not in said):
            self.wrong.append(self.get_starttag_text() or tag)
        if tag == "form":
            self.open = {"action": "", "method": "get", **said, "fields": {}}
            self.forms.append(self.open)
        elif tag in {"input", "button", "select", "textarea"} and not said.get("form"):
            self._field(tag, said)
        elif tag == "option" and self.open is not None and said.get("value"):
            fields = self.open["fields"]
            fields[self.choice] = fields.get(self.choice) or said["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None

    def _field(self, tag: str, said: dict[str, str]) -> None:
        if self.open is None:
            self.wrong.append(self.get_starttag_text() or tag)
            return
        fields, name = self.open["fields"], said.get("name", "")
        if tag == "select":
            self.choice = name
        elif name and name not in fields:
            ticked = said.get("type") not in {"checkbox", "radio"} or "checked" in said
            text = {"date": "2099-01-01", "number": "1"}.get(said.get("type", ""), "ทดสอบ")
            if ticked:
                fields[name] = said.get("value") or text


def test_every_form_is_sent_and_answered_without_javascript(kit: Kit) -> None:
    """Each form as it stands, with something in each field: what comes is never our mistake."""
    clients: dict[str, Client] = {}
    sent: set[tuple[str, str]] = set()
    posts = {(screen.path, "post") for screen in SCREENS if screen.methods == ("POST",)}
    assert posts
    last = sorted(stops(kit), key=lambda stop: stop.who == "krung")  # who ends others' sign-ins
    for stop in last:
        client = clients.setdefault(stop.who, kit.client(stop.who))
        shown = client.get(stop.address, base_url=BASE)
        if shown.status_code == 302 and stop.who:  # a form before it ended the session
            kit.enter(client, stop.who)
            shown = client.get(stop.address, base_url=BASE)
        page = Forms(shown.text)
        assert page.wrong == [], stop
        for form in page.forms:
            action, method = form["action"] or stop.address, form["method"].lower()
            if action.startswith(LEAVES) or (action, method) in sent:
                continue
            sent.add((action, method))
            fields = {**form["fields"], "q": ""} if method == "get" else form["fields"]
            if method == "post":
                assert "csrf_token" in fields, (stop, action)
                fields["csrf_token"] = _fresh(kit, client, stop.who)
                reply = client.post(action, data=fields, base_url=BASE)
            else:
                reply = client.get(action.split("?")[0], query_string=fields, base_url=BASE)
            assert reply.status_code < 500, (stop, action, reply.text)
            assert "แบบฟอร์มนี้หมดอายุแล้ว" not in reply.text, (stop, action)
    assert len(sent) > 40


def _fresh(kit: Kit, client: Client, who: str) -> str:
    """The token of the session, which a form before may have begun anew."""
    shown = client.get("/admin/profile" if who else "/admin/sign-in", base_url=BASE)
    if shown.status_code == 302:
        kit.enter(client, who)
        shown = client.get("/admin/profile", base_url=BASE)
    return token(shown)


class Read(NamedTuple):
    """A page as it came, and the records that its request left."""

    stop: Stop
    status: int
    text: str
    records: str


@pytest.fixture(scope="module")
def pages(standing: Kit, tour: list[Stop]) -> list[Read]:
    """Every screen of the tour, and the files of lists, each asked for once."""
    review = next(stop.address for stop in tour if stop.name == "campaign_report")
    files = (
        "/admin/reports/unused/csv",
        "/admin/reports/access-of/html/student-mali",
        f"/admin/incident/{INCIDENT}/breach/csv?account=teacher-danai",
        *(f"{review}.{form}" for form in ("csv", "json")),
    )
    found = Stop("found", "/admin/guardianships/student-mali?find=สม", "head")
    meant = Stop("meant", "/admin/trail?person=ใจดี&subject=สม", "siri")
    asked = [*tour, found, meant, *(Stop("", each, "siri") for each in files)]
    clients = {who: standing.client(who) for who in {stop.who for stop in asked}}
    return [_read(standing, clients[stop.who], stop) for stop in asked]


def _read(kit: Kit, client: Client, stop: Stop) -> Read:
    since = timestamp(clock.now())
    reply = client.get(stop.address, base_url=BASE)
    catch_up(kit.store)
    with reading(kit.store) as connection:
        bodies = connection.scalars(select(AuditRecord.body).where(AuditRecord.time >= since))
        left = b"".join(bodies).decode()
    return Read(stop, reply.status_code, reply.text, left)


def test_everybody_whose_name_a_screen_shows_is_in_a_record_of_that_request(
    standing: Kit, pages: list[Read]
) -> None:
    """N-49, whoever it is: a list leaves a record of those on it, as a page about one does."""
    called: dict[str, set[str]] = {}
    with reading(standing.store) as connection:
        rows = connection.execute(select(Person.id, Person.given_name, Person.family_name))
        for ident, given, family in rows:
            called.setdefault(f"{given} {family}", set()).add(ident)
    missing, lists = {}, 0
    for page in pages:
        shown = {name for name in called if name in page.text}
        lists += len(shown) > 1
        told = {name for name in shown if any(f'"{each}"' in page.records for each in called[name])}
        assert page.status == (404 if page.stop.name == "not_found" else 200), page.stop
        if shown - told:
            missing[page.stop] = shown - told
    assert missing == {}
    assert lists > 25


def test_no_english_word_is_left_on_a_thai_page(pages: list[Read]) -> None:
    found = {}
    for page in pages:
        if not page.stop.name:
            continue
        main = page.text[page.text.index("<main") : page.text.index("</main>")]
        thai = re.sub(r'<article lang="en">.*?</article>', " ", main, flags=re.DOTALL)
        plain = re.sub(r"<(code|textarea|pre)\b.*?</\1>|<[^>]+>", " ", thai, flags=re.DOTALL)
        if words := set(WORD.findall(plain)) - NAMES:
            found[page.stop.name] = words
    assert found == {}


def test_every_screen_has_its_pictures_and_is_linked() -> None:
    index = (FOLDER / "README.md").read_text("utf-8")
    pictures = {name for each in names() for name in files(each)}
    assert {path.name for path in FOLDER.glob("*.png")} == pictures
    assert {name for name in pictures if f'"{name}"' not in index} == set()
    for page in ("README.md", "README.th.md", "docs/README.md"):
        assert "screens/README.md" in (ROOT / page).read_text("utf-8"), page


def test_the_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.png")) < 15_000_000
