"""The screen of the sign-ins: whoever runs the platform adds, helps and ends them (N-40, N-45)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select
from werkzeug.test import TestResponse

from authz import clock
from authz.admin.context import NAME
from authz.audit.tables import AuditRecord
from authz.config.parties import SignInProvider, Words
from authz.directory.recording import revision
from authz.directory.tables import Grant
from authz.errors import ConflictError
from authz.service import links, users, ways_in, ways_in_notices
from authz.service.database import writing
from authz.service.journals import catch_up
from authz.service.tables import SignIn, SignInNotice
from tests.admin.kit import BASE, HASH, ORDINARY, PASSWORD, PRIVILEGED, Kit, post, token

ISSUER = "https://login.school.test"


def change(kit: Kit, what: str, whose: str = "parent", **form: str) -> TestResponse:
    """Change a sign-in as whoever runs the platform."""
    at = "/admin/users/new" if what == "add" else f"/admin/users/of/{whose}"
    path = at if what == "add" else f"{at}/{what}"
    return post(kit.client("krung"), path, {"why": "asked in person", **form}, at=at)


def asked(kit: Kit) -> str:
    """The newest request of a way in that waits."""
    return str(ways_in.of(kit.store)[-1]["id"])


def approve(kit: Kit, who: str = "head", says: str = "approve") -> TestResponse:
    """Answer it as somebody else, who knows whose sign-in it is."""
    form = {"id": asked(kit), "answer": says, "why": "she stood before me"}
    return post(kit.client(who), "/admin/approvals/way-in", form, at="/admin/profile")


def last(kit: Kit) -> dict[str, Any]:
    """The newest record of a change of a sign-in."""
    with kit.store.connect() as connection:
        bodies = connection.scalars(
            select(AuditRecord.body)
            .where(AuditRecord.event.not_in(["decision", "signed_in", "signed_out"]))
            .order_by(AuditRecord.sequence.desc())
        )
        return next(
            found for body in bodies if (found := json.loads(body))["resource"]["type"] == "sign_in"
        )


def test_a_sign_in_is_added_and_its_first_password_shown_once(kit: Kit) -> None:
    reply = change(kit, "add", name="ครูใหม่", person=ORDINARY["teacher"], way="password")
    assert reply.location == "/admin/users"
    assert users.listed(kit.store, text="ครูใหม่") == []
    reply = approve(kit)
    (password,) = re.findall(r'class="figure"><code>([^<]+)', reply.text)
    record = last(kit)
    assert record["event"] == "user_added"
    assert record["detail"]["why"] == "she stood before me"
    assert record["subject"]["id"] == PRIVILEGED["head"]
    first, second = requests_recorded(kit)
    assert first["detail"]["why"] == "asked in person"
    assert first["subject"]["id"] == PRIVILEGED["krung"]
    assert second["detail"]["after"]["state"] == "approved"
    assert second["detail"]["request"] == first["detail"]["request"]
    assert password not in json.dumps(record)
    assert password not in kit.client("krung").get("/admin/users/of/ครูใหม่", base_url=BASE).text
    form = {"name": "ครูใหม่", "password": password}
    assert post(kit.client(), "/admin/sign-in", form).status_code == 302


@pytest.mark.parametrize(
    "form",
    [
        {"name": "parent", "person": ORDINARY["parent"]},
        {"name": "a/b", "person": ORDINARY["parent"]},
        {"name": "", "person": ORDINARY["parent"]},
        {"name": "x", "person": "nobody"},
        {"name": "x", "person": "", "auditor": "yes"},
        {"name": "x", "person": ORDINARY["parent"], "why": " "},
    ],
)
def test_a_sign_in_that_cannot_be_added_says_why(kit: Kit, form: dict[str, str]) -> None:
    page = kit.client("krung").get("/admin/users/new", base_url=BASE)
    assert page.status_code == 200
    reply = post(
        kit.client("krung"), "/admin/users/new", {"why": "new", **form}, at="/admin/users/new"
    )
    assert reply.status_code == 400
    assert "Traceback" not in reply.text


def test_an_auditor_who_administers_a_school_is_told_what_is_kept_apart(kit: Kit) -> None:
    asked = {"name": "suri", "person": PRIVILEGED["other"], "way": "password", "auditor": "yes"}
    reply = change(kit, "add", **asked)
    assert reply.status_code == 400
    assert "ผู้ดูแลระบบของโรงเรียนไม่ตรวจสอบงานของตนเอง" in reply.text
    assert users.listed(kit.store, text="suri") == []


def test_ending_a_sign_in_ends_its_sessions_at_once(kit: Kit) -> None:
    client = kit.client("parent")
    assert change(kit, "disable").location == "/admin/users/of/parent"
    assert client.get("/admin/", base_url=BASE).status_code == 302
    assert change(kit, "disable").status_code == 400
    assert last(kit)["event"] == "user_disabled"


def test_sessions_are_ended_and_the_sign_in_stays(kit: Kit) -> None:
    client = kit.client("parent")
    change(kit, "sessions")
    assert client.get("/admin/", base_url=BASE).status_code == 302
    kit.enter(client, "parent")


def test_a_reset_gives_a_first_password_and_takes_the_second_factor(kit: Kit) -> None:
    change(kit, "reset", "head")
    kit.enter(kit.client(), "head")  # nothing has happened yet
    reply = approve(kit, "siri")
    (password,) = re.findall(r'class="figure"><code>([^<]+)', reply.text)
    assert (
        post(kit.client(), "/admin/sign-in", {"name": "head", "password": PASSWORD}).status_code
        == 401
    )
    client = kit.client()
    assert post(client, "/admin/sign-in", {"name": "head", "password": password}).status_code == 302
    assert client.get("/admin/", base_url=BASE).location == "/admin/profile/password"


def requests_recorded(kit: Kit) -> list[dict[str, Any]]:
    """The records of requests of ways in, the oldest first."""
    catch_up(kit.store)
    with kit.store.connect() as connection:
        chosen = AuditRecord.event.in_(["way_in_asked", "way_in_answered"])
        bodies = connection.scalars(
            select(AuditRecord.body).where(chosen).order_by(AuditRecord.time)
        )
        return [json.loads(body) for body in bodies]


def test_who_runs_the_platform_gives_nobody_a_way_in_alone(kit: Kit) -> None:
    """N-45: with an account of one's own at a parent's sign-in one would see their child."""
    mine = {"issuer": ISSUER, "subject": "krung-at-home"}
    shown = [
        change(kit, "add", name="krung5", person=ORDINARY["parent"], way="password"),
        change(kit, "link", "parent", **mine),
        change(kit, "invite", "parent"),
        change(kit, "reset", "parent"),
    ]
    assert [each.status_code for each in shown] == [302] * 4
    assert users.listed(kit.store, text="krung5") == []
    assert links.of(kit.store, "parent") == []
    assert not any("figure" in each.text or "/invitation/" in each.text for each in shown)
    kit.enter(kit.client(), "parent")
    assert len(ways_in.of(kit.store)) == 4
    page = kit.client("krung").get("/admin/users", base_url=BASE).text
    assert "รอบุคคลที่สองอนุมัติ" in page
    for who in ("krung", "other", "parent", "audit"):  # who asks, another school's, the person
        assert approve(kit, who).status_code in {403, 404}, who
    assert len(ways_in.of(kit.store)) == 4


def test_the_asker_and_the_person_never_approve_it(kit: Kit) -> None:
    change(kit, "reset", "teacher")
    with writing(kit.store) as connection:
        for person in (PRIVILEGED["krung"], ORDINARY["teacher"]):
            row = {"id": f"dpo-{person}", "person": person, "role": "dpo", "origin": "tests"}
            connection.execute(insert(Grant).values(**row, recorded_at=clock.now()))
            revision.advance(connection)
    assert "คำขอเปิดทางเข้าสู่ระบบ" not in page_of(kit, "krung", "/admin/approvals")
    assert approve(kit, "krung").status_code == 302
    assert "teacher" in {each["name"] for each in ways_in.of(kit.store)}
    assert "รหัสผ่านแรกชุดใหม่" in page_of(kit, "siri", "/admin/approvals")


def page_of(kit: Kit, name: str, path: str) -> str:
    return kit.client(name).get(path, base_url=BASE).text


def test_the_person_and_their_schools_are_told_of_a_way_in(kit: Kit) -> None:
    change(kit, "link", "parent", issuer=ISSUER, subject="account-1")
    assert "รอการพิจารณา" in page_of(kit, "head", "/admin/")
    assert "รอการพิจารณา" not in page_of(kit, "other", "/admin/")
    assert approve(kit, "siri").status_code == 302
    assert "มีการเปิดทางเข้าสู่ระบบในนามของท่าน" in page_of(kit, "parent", "/admin/")
    assert "มีการเปิดทางเข้าสู่ระบบให้ " in page_of(kit, "head", "/admin/")
    for name in ("other", "teacher", "krung"):
        assert "มีการเปิดทางเข้าสู่ระบบ" not in page_of(kit, name, "/admin/"), name
    with kit.store.connect() as connection:
        rows = connection.execute(select(SignInNotice.about, SignInNotice.name))
        mails = {(about, name) for about, name in rows}
    assert mails >= {("asked", "head"), ("own", "parent"), ("near", "head")}
    assert not {"other", "teacher", "krung", "siri"} & {name for _about, name in mails}


def test_a_request_is_refused_answered_once_and_ends_unanswered(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(kit, "invite", "parent")
    form = {"id": asked(kit), "answer": "approve", "why": "again"}
    assert approve(kit, says="refuse").status_code == 302
    client = kit.client("head")
    assert post(client, "/admin/approvals/way-in", form, at="/admin/profile").status_code == 302
    assert "คำขอนี้มีผลการพิจารณาแล้ว" in client.get("/admin/approvals", base_url=BASE).text
    assert links.of(kit.store, "parent") == []
    change(kit, "invite", "parent")
    assert len(ways_in.of(kit.store)) == 1
    monkeypatch.setattr(ways_in_notices, "LASTS", timedelta(0))
    assert ways_in.of(kit.store) == []
    assert "คำเชิญให้เชื่อมบัญชีภายนอก" not in page_of(kit, "head", "/admin/approvals")


def test_what_cannot_be_done_any_more_is_told_and_still_waits(kit: Kit) -> None:
    change(kit, "link", "parent", issuer=ISSUER, subject="account-2")
    change(kit, "disable", "parent")
    assert approve(kit).status_code == 302
    assert len(ways_in.of(kit.store)) == 1
    assert links.of(kit.store, "parent") == []


def test_a_sign_in_of_nobody_on_file_is_nobodys_to_approve(kit: Kit) -> None:
    reply = change(kit, "add", name="spare", person="", way="password")
    assert re.findall(r'class="figure"><code>([^<]+)', reply.text)


def test_the_last_sign_in_of_the_platform_stays(kit: Kit) -> None:
    assert change(kit, "disable", "krung").status_code == 400
    with pytest.raises(ConflictError):
        users.disable(kit.store, "krung", by="tests")
    users.add(kit.store, "krung2", person=PRIVILEGED["krung"], by="tests")
    assert change(kit, "disable", "krung").status_code == 302
    with pytest.raises(ConflictError):
        users.disable(kit.store, "krung2", by="tests")


def test_an_account_is_linked_and_taken_away(kit: Kit) -> None:
    form = {"issuer": ISSUER, "subject": "person-7"}
    change(kit, "link", "parent", **form)
    assert links.of(kit.store, "parent") == []
    assert approve(kit).status_code == 302
    assert change(kit, "link", "teacher", **form).status_code == 400  # it opens one already
    assert "person-7" in kit.client("audit").get("/admin/users/of/parent", base_url=BASE).text
    change(kit, "unlink", "parent", **form)
    assert links.of(kit.store, "parent") == []
    assert last(kit)["detail"]["before"] == form


def test_an_invitation_is_shown_once_with_our_own_address(kit: Kit) -> None:
    name = Words(th="บัญชีโรงเรียน", en="school")
    provider = SignInProvider(key="school", issuer=ISSUER, client_id="us", name=name)
    found = kit.console.settings.model_copy(update={"oidc": [provider]})
    kit.admin.extensions[NAME] = replace(kit.console, settings=found)
    change(kit, "invite")
    reply = approve(kit)
    (address,) = re.findall(r"(https://\S+/admin/invitation/[\w-]+)", reply.text)
    assert address.startswith(found.public_url)
    guest = kit.client()
    path = address.removeprefix(found.public_url)
    assert "parent" in guest.get(path, base_url=BASE).text
    assert guest.get("/admin/invitation/guess", base_url=BASE).status_code == 404


def test_the_auditor_sees_no_form(kit: Kit) -> None:
    page = kit.client("audit").get("/admin/users/of/parent", base_url=BASE)
    assert re.findall(r'action="/admin/users[^"]*"', page.text) == []


def test_a_sign_in_that_is_not_there_is_not_found(kit: Kit) -> None:
    client = kit.client("krung")
    form = {"csrf_token": token(client.get("/admin/profile", base_url=BASE)), "why": "x"}
    assert client.get("/admin/users/of/nobody", base_url=BASE).status_code == 404
    for what in ("disable", "reset", "sessions", "link", "unlink", "invite"):
        reply = client.post(f"/admin/users/of/nobody/{what}", data=form, base_url=BASE)
        assert reply.status_code in {400, 404}, what


def test_many_sign_ins_are_pages_of_few_queries(kit: Kit) -> None:
    now = clock.now()
    row = {"password_hash": HASH, "must_change": False, "recovery_codes": []}
    row |= {"created_at": now, "created_by": "tests"}
    with writing(kit.store) as connection:
        connection.execute(insert(SignIn), [{"name": f"z{n:04}", **row} for n in range(300)])
    client = kit.client("krung")
    client.get("/admin/users", base_url=BASE)
    asked: list[str] = []
    event.listen(kit.store, "before_cursor_execute", lambda *args: asked.append(args[2]))
    page = client.get("/admin/users?q=z", base_url=BASE)
    assert len(re.findall(r'<th scope="row">', page.text)) == users.PAGE
    assert "after=z0049" in page.text
    assert len([sql for sql in asked if "sign_in" in sql]) <= 3
    assert len(asked) < 30
    further = client.get("/admin/users?q=z&after=z0249", base_url=BASE)
    assert "z0299" in further.text
    assert "after=z" not in further.text.split("<table")[1]
    assert "ไม่พบบัญชี" in client.get("/admin/users?q=%25", base_url=BASE).text


@pytest.mark.parametrize("whose", ["siri", "head", "audit"])
def test_who_runs_the_platform_links_no_account_to_a_granted_role(kit: Kit, whose: str) -> None:
    """N-44: an account of one's own would make one an officer, an auditor, a head."""
    form = {"issuer": ISSUER, "subject": "krung-at-home"}
    for reply in (
        change(kit, "link", whose, **form),
        change(kit, "invite", whose),
        change(kit, "add", name="krung3", person=PRIVILEGED[whose], way="password"),
    ):
        assert reply.status_code == 400
        assert "บรรทัดคำสั่ง" in reply.text
    assert links.of(kit.store, whose) == []
    assert users.listed(kit.store, text="krung3") == []
    links.link(kit.store, whose, issuer=ISSUER, subject="krung-at-home", by="operator")


def test_who_runs_the_platform_takes_no_place_of_who_oversees_it(kit: Kit) -> None:
    """Neither by a first password of the officer's, nor by an auditor of one's own making."""
    assert change(kit, "reset", "siri").status_code == 400
    form = {"name": "krung4", "person": ORDINARY["teacher"], "auditor": "yes", "way": "password"}
    assert change(kit, "add", **form).status_code == 400
    assert users.listed(kit.store, text="krung4") == []
    kit.enter(kit.client(), "siri")
