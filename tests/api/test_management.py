"""The trail, the reports and the incidents over HTTP: scopes, forms, refusals, records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from authz.service.tokens import create_token
from tests.api.conftest import EVALUATION, Client, question

SEARCH = "/api/v1/audit/search"
ACCESS = "/api/v1/reports/access-of/mali"
BREACH = "/api/v1/reports/breach"
UNUSED = "/api/v1/reports/unused"
INCIDENTS = "/api/v1/incidents"


@pytest.fixture
def officer(client: Client) -> Client:
    """A console that reads the trail and keeps the register; one decision is on record."""
    token = create_token(
        client.store,
        client.settings,
        "console",
        ["audit:read", "directory:write"],
        timedelta(hours=1),
        by="tests",
    )
    assert client.post(EVALUATION, question()).json["decision"]
    return Client(client.app, token)


@pytest.mark.parametrize("path", [SEARCH, ACCESS, f"{BREACH}?account=x", UNUSED, INCIDENTS])
def test_reading_needs_the_scope(client: Client, path: str) -> None:
    """Page 4.3: a token for decisions reads no trail."""
    assert client.ask("GET", path, authorization=None).status_code == 401
    answer = client.ask("GET", path)
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_the_trail_is_searched_and_the_search_recorded(officer: Client) -> None:
    """N-49: by person, page by page, and who looked is on record."""
    first = officer.ask("GET", f"{SEARCH}?person=mali&limit=1").json
    assert len(first["records"]) == 1
    assert first["records"][0]["record"]["event"] == "decision"
    assert set(first["records"][0]) == {"chain", "sequence", "hash", "record"}
    second = officer.ask("GET", f"{SEARCH}?person=mali&limit=1&after={first['after']}").json
    assert second["records"] != first["records"]
    asked = officer.ask("GET", f"{SEARCH}?event=trail_read&application=console").json["records"]
    assert asked[-1]["record"]["subject"] == {"type": "client", "id": "console"}
    assert asked[-1]["record"]["resource"]["id"] == "mali"


@pytest.mark.parametrize(
    "query", ["persn=x", "person=a&person=b", "since=x", "decision=maybe", "limit=-1", "after=x"]
)
def test_what_is_not_known_in_a_query_is_refused(officer: Client, query: str) -> None:
    answer = officer.ask("GET", f"{SEARCH}?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "malformed")
    assert answer.json["field"]


@pytest.mark.parametrize(
    ("form", "kind"),
    [("json", "application/json"), ("csv", "text/csv"), ("html", "text/html"),
     ("pdf", "application/pdf")],
)  # fmt: skip
def test_a_report_has_four_forms_and_two_languages(officer: Client, form: str, kind: str) -> None:
    """Issue 4, part 6."""
    for path in (ACCESS, f"{BREACH}?account=mali", UNUSED):
        mark = "&" if "?" in path else "?"
        answer = officer.ask("GET", f"{path}{mark}format={form}&language=th")
        assert answer.status_code == 200
        assert answer.content_type.startswith(kind)
        assert answer.headers["Content-Language"] == "th"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.data


def test_a_page_has_a_policy_for_its_style_and_fonts(officer: Client) -> None:
    answer = officer.ask("GET", f"{ACCESS}?format=html", accept_language="th")
    assert answer.headers["Content-Language"] == "th"
    assert "style-src 'sha256-" in answer.headers["Content-Security-Policy"]
    assert "font-src data:" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("asker", "status"), [("mali", 200), ("anan", 403), ("somchai", 403)])
def test_on_behalf_of_somebody_only_who_may(officer: Client, asker: str, status: int) -> None:
    """N-22, N-30: a father under a custody restriction is refused as a stranger is."""
    answer = officer.ask("GET", f"{ACCESS}?for={asker}", accept_language="th")
    assert answer.status_code == status
    if status == 403:
        assert "เจ้าของข้อมูล" in answer.json["detail"]


def test_staff_are_named_only_where_the_setting_says_so(officer: Client) -> None:
    officer.post(EVALUATION, question())
    assert "subject" not in str(officer.ask("GET", ACCESS).json["accesses"])


def test_an_incident_goes_its_way(officer: Client) -> None:
    """E-07, N-50: opened, assigned, updated, closed, with its clock."""
    made = officer.post(INCIDENTS, {"title": "A leak", "id": "I-1", "persons": ["mali"]})
    assert (made.status_code, made.json["state"], made.json["late"]) == (201, "open", False)
    assert 71 < made.json["hours_left"] <= 72
    path = f"{INCIDENTS}/I-1"
    assert officer.post(f"{path}/assign", {"assignee": "wanida"}).json["state"] == "assigned"
    assert officer.post(f"{path}/close", {}).status_code == 409
    told: dict[str, Any] = {"cause": "c", "effect": "e", "remedy": "r"}
    assert officer.post(f"{path}/update", told).json["cause"] == "c"
    done = officer.post(f"{path}/close", {"not_reported": "Nobody was concerned."})
    assert done.json["state"] == "closed"
    assert officer.ask("GET", INCIDENTS).json == {"incidents": []}
    (shown,) = officer.ask("GET", f"{INCIDENTS}?all=true").json["incidents"]
    assert "hours_left" not in shown
    history = officer.ask("GET", path).json["history"]
    assert [step["action"] for step in history] == [
        "incident_opened",
        "incident_assigned",
        "incident_updated",
        "incident_closed",
    ]
    assert {step["by"] for step in history} == {"console"}
    draft = officer.ask("GET", f"{BREACH}?account=mali&incident=I-1").json
    assert "I-1" in str(draft["letters"])


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("", {}, 400),
        ("", {"title": "x", "known_at": "soon"}, 400),
        ("", {"title": "x", "known_at": "2999-01-01"}, 400),
        ("", {"title": "x", "persons": "mali"}, 400),
        ("", {"title": "x", "persons": ["nobody"]}, 404),
        ("", {"title": "x", "state": "closed"}, 400),
        ("", {"title": 3}, 400),
        ("/none/assign", {"assignee": "mali"}, 404),
        ("/none/update", {"cause": "x"}, 404),
        ("/none/close", {}, 404),
    ],
)
def test_a_change_that_cannot_be_is_told(
    officer: Client, path: str, sent: dict[str, Any], status: int
) -> None:
    assert officer.post(INCIDENTS + path, sent).status_code == status


def test_changing_needs_another_scope_than_reading(client: Client) -> None:
    token = create_token(
        client.store, client.settings, "r", ["audit:read"], timedelta(hours=1), by="tests"
    )
    reader = Client(client.app, token)
    assert reader.post(INCIDENTS, {"title": "x"}).status_code == 403
    assert reader.ask("GET", f"{INCIDENTS}/none").status_code == 404
