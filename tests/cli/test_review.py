"""``authz review`` from definition to report, at the shell (4.2, N-46, N-47)."""

from __future__ import annotations

import json

from tests.cli.conftest import Shell

ASK = {
    "subject": {"type": "user", "id": "mentor-pim"},
    "action": {"name": "read"},
    "resource": {"type": "learner_profile", "id": "student-ton"},
    "context": {"purpose": "advice"},
}


def permits(demo: Shell) -> bool:
    done = demo("evaluate", "-", stdin=json.dumps(ASK))
    return bool(json.loads(done.stdout)["decision"])


def test_a_review_is_run_from_the_shell(demo: Shell) -> None:
    assert permits(demo)
    wanted = ["--kind", "mentoring", "--stage", "admin-suri:14", "--fallback", "dpo-siri"]
    made = demo("review", "define", "--name", "mentors", *wanted, "--because", "yearly")
    assert made.returncode == 0, made.stderr
    campaign = made.stdout.strip()
    early = demo("review", "start", campaign, "--because", "yearly")
    assert (early.returncode, "[conflict]" in early.stderr) == (1, True)
    seen = json.loads(demo("review", "preview", campaign, "--json").stdout)
    assert (seen["items"], seen["reviewers"]) == (1, {"admin-suri": 1})
    assert len(demo("review", "start", campaign, "--because", "yearly").stdout.strip()) == 64
    (item,) = json.loads(demo("review", "show", campaign, "--json").stdout)
    assert (item["holder"], item["state"]) == ("mentor-pim", "open")
    decide = ["review", "decide", campaign, item["number"], "--as", "admin-suri"]
    assert demo(*decide, "--verdict", "revoke").returncode == 1  # without a reason
    assert demo(*decide, "--verdict", "revoke", "--because", "it is over").returncode == 0
    stranger = demo("review", "submit", campaign, "--as", "admin-chai")
    assert "[not_found]" in stranger.stderr
    assert demo("review", "submit", campaign, "--as", "admin-suri").returncode == 0
    assert permits(demo)  # all of one item: it waits for a second person
    closed = demo("review", "close", campaign, "--confirm", "--because", "seen")
    assert "applied" in closed.stderr
    assert not permits(demo)
    report = demo("review", "report", campaign)
    assert json.loads(report.stdout)["items"][0]["verdict_reason"] == "it is over"
    assert "SHA-256" in report.stderr
    assert demo("review", "report", campaign, "--format", "csv").stdout.startswith("review,")
    listed = json.loads(demo("review", "list", "--json").stdout)
    assert [each["state"] for each in listed if each["id"] == campaign] == ["applied"]
    file = demo.folder / "report.json"
    file.write_text(demo("review", "report", campaign).stdout, encoding="utf-8")
    checked = demo("review", "check", file)
    assert (checked.returncode, "what the trail says" in checked.stderr) == (0, True)
    file.write_text(file.read_text("utf-8").replace("it is over", "it is not"), encoding="utf-8")
    assert "hash:" in demo("review", "check", file).stderr


def test_a_review_is_called_off_at_the_shell_and_ended_only_while_it_runs(demo: Shell) -> None:
    wanted = ["--kind", "grant", "--stage", "school:14", "--fallback", "dpo-siri"]
    define = ["review", "define", "--name", "all", *wanted, "--because", "yearly"]
    planned = demo(*define).stdout.strip()
    ended = demo("review", "end", planned, "--verdicts", "drop", "--because", "a mistake")
    assert (ended.returncode, "[conflict]" in ended.stderr) == (1, True)
    assert demo("review", "cancel", planned, "--because", "not this year").returncode == 0
    listed = json.loads(demo("review", "list", "--json").stdout)
    assert {each["id"]: each["state"] for each in listed}[planned] == "cancelled"


def test_what_is_due_is_done_and_said(demo: Shell) -> None:
    done = demo("review", "due")
    assert done.returncode == 0, done.stderr
    assert "reviews opened" in done.stderr
    assert "0 reminders sent" in done.stderr
