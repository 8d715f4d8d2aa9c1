"""The ``authz`` command as its users meet it: results, messages, exit statuses (page 4.2)."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import ROOT, Shell

COMMANDS = "serve db import evaluate search policy audit token user review doctor demo".split()  # noqa: SIM905
PERMIT = {
    "subject": {"type": "user", "id": "parent-somchai"},
    "action": {"name": "read"},
    "resource": {"type": "assessment_result", "id": "student-mali"},
}
REFUSAL = {
    **PERMIT,
    "subject": {"type": "user", "id": "parent-anan"},
    "resource": {"type": "assessment_result", "id": "student-ploy"},
}


def test_help_names_every_command(shell: Shell) -> None:
    text = shell("--help").stdout
    for name in (
        "serve",
        "db",
        "import",
        "evaluate",
        "search",
        "policy",
        "audit",
        "token",
        "user",
        "doctor",
        "demo",
    ):
        assert f"  {name} " in text


def test_evaluate_answers_a_line_a_line_in_order(demo: Shell) -> None:
    """4.2: what-if answers carry the codes and rules of page 2."""
    done = demo("evaluate", "-", stdin=f"{json.dumps(PERMIT)}\n\n{json.dumps(REFUSAL)}\n")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [answer["decision"] for answer in answers] == [True, False]
    assert answers[0]["context"]["rules"] == ["parent-read"]
    assert answers[1]["context"]["reason"]["code"] == "custody"


def test_evaluate_explains_in_thai_and_names_the_relations(demo: Shell) -> None:
    done = demo("evaluate", "-", "--explain", "--language", "th", stdin=json.dumps(REFUSAL))
    context = json.loads(done.stdout)["context"]
    assert "ข้อจำกัด" in context["reason"]["text"]
    told = context["explanation"]
    parent = next(rule for rule in told["rules"] if rule["rule"] == "parent-read")
    found = {each["relation"]: each["holds"] for each in parent["condition"]["relations"]}
    assert found == {"guardian": True, "minor": True}
    assert parent["struck_by"] == ["custody"]
    assert told["refusals"][0]["condition"]["relations"][0]["facts"][0]["since"]
    assert any("หากไม่มีข้อจำกัดเรื่องการดูแล" in change["text"] for change in told["changes"])


def test_evaluate_at_another_time_asks_about_it(demo: Shell) -> None:
    """2.1: only what-if tools accept another time; grown up in 2050, nobody is a minor (N-22)."""
    done = demo("evaluate", "-", "--at", "2050-01-01", stdin=json.dumps(PERMIT))
    assert json.loads(done.stdout)["decision"] is False


def test_evaluate_tells_the_line_that_is_no_request_and_goes_on(demo: Shell) -> None:
    """Page 5, "Values": the error names the line, and the status is 2 at the end."""
    wrong = {**PERMIT, "context": {"purpose": 3}}
    done = demo("evaluate", "-", stdin=f"{{\n{json.dumps(wrong)}\n{json.dumps(PERMIT)}\n[1]\n")
    assert done.returncode == 2
    assert [json.loads(line) for line in done.stdout.splitlines()][:2] == [
        {"error": "malformed", "line": 1},
        {"error": "malformed", "line": 2},
    ]
    assert json.loads(done.stdout.splitlines()[2])["decision"] is True
    assert "context.purpose" in done.stderr


def test_what_ifs_are_recorded_as_such(demo: Shell) -> None:
    """2.8: a what-if is in the trail, and is no access."""
    demo("evaluate", "-", stdin=json.dumps(PERMIT))
    found = demo("audit", "search", "--person", "student-mali", "--json", "--limit", 1)
    record = json.loads(found.stdout)["records"][0]
    assert record["event"] == "what_if"
    assert record["rules"] == ["parent-read"]


def test_looking_into_the_trail_is_itself_recorded(demo: Shell) -> None:
    demo("audit", "search", "--person", "student-krit")
    found = json.loads(
        demo("audit", "search", "--event", "trail_read", "--json", "--limit", 2).stdout
    )
    assert found["records"][0]["detail"]["asked"]["person"] == "student-krit"


def test_the_trail_verifies_and_damage_is_found(demo: Shell, tmp_path: Path) -> None:
    """N-49: a record that was changed is found and named."""
    assert demo("audit", "verify").returncode == 0
    assert demo("audit", "export", tmp_path / "trail.jsonl").returncode == 0
    assert demo("audit", "verify", "--export", tmp_path / "trail.jsonl").returncode == 0
    text = (tmp_path / "trail.jsonl").read_text("utf-8").replace("demo school", "demo skool", 1)
    (tmp_path / "damaged.jsonl").write_text(text, "utf-8")
    found = demo("audit", "verify", "--export", tmp_path / "damaged.jsonl")
    assert found.returncode == 1
    assert "changed" in found.stdout


def test_a_checkpoint_finds_a_tail_that_was_cut(demo: Shell, tmp_path: Path) -> None:
    known = json.loads(demo("audit", "checkpoint").stdout)
    (tmp_path / "known.json").write_text(json.dumps(known))
    assert demo("audit", "verify", "--since", tmp_path / "known.json").returncode == 0
    known["sequence"] += 1000
    (tmp_path / "later.json").write_text(json.dumps(known))
    assert demo("audit", "verify", "--since", tmp_path / "later.json").returncode == 1


def test_a_bad_roster_changes_nothing_and_says_where(shell: Shell, tmp_path: Path) -> None:
    """4.2: all or nothing; exit status 2 for bad input."""
    (tmp_path / "roster").mkdir()
    (tmp_path / "roster/users.csv").write_text("sourcedId\n")
    done = shell("import", "oneroster", tmp_path / "roster")
    assert done.returncode == 2
    assert "manifest" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_fact_names_file_and_line(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text('{"fact":"person","id":"a"}\n{"fact":"person","id":"b","shoe":3}\n')
    done = shell("import", "facts", path)
    assert done.returncode == 2
    assert f"{path}:2" in done.stderr
    path.write_text('{"fact":"person","id":"a"}\n')
    done = shell("import", "facts", path, "--json")
    assert json.loads(done.stdout)["recorded"] == {"person": 1}, "nothing of it was kept before"


def test_entities_are_imported(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "entities.json"
    path.write_text('[{"type": "user", "id": "a", "properties": {"roles": ["editor"]}}]')
    assert shell("import", "entities", path).returncode == 0
    path.write_text('[{"type": "user"}]')
    done = shell("import", "entities", path)
    assert done.returncode == 2
    assert "[0].id" in done.stderr


def test_a_token_is_printed_once_and_can_be_ended(shell: Shell) -> None:
    made = shell("token", "create", "--client", "grades", "--ttl", "1h", "--scope", "pdp")
    assert made.returncode == 0
    assert made.stdout.count(".") == 2
    assert shell("token", "revoke", "--client", "grades").returncode == 0
    assert shell("token", "revoke", "--client", "grades").returncode == 1
    assert shell("token", "revoke").returncode == 2
    assert shell("token", "create", "--client", "x", "--ttl", "soon").returncode == 2


def test_a_user_is_added_reset_and_disabled(shell: Shell) -> None:
    first = shell("user", "add", "siri", "--because", "new officer")
    assert first.returncode == 0
    assert len(first.stdout.strip()) >= 20
    assert shell("user", "reset", "siri").stdout != first.stdout
    assert shell("user", "disable", "siri").returncode == 0
    assert shell("user", "disable", "siri").returncode == 1


def test_the_doctor_finds_what_is_wrong(shell: Shell, tmp_path: Path) -> None:
    well = shell("doctor", "--json")
    assert well.returncode == 0, well.stdout
    assert all(check["well"] for check in json.loads(well.stdout))
    shell.environment["AUTHZ_DATABASE_URL"] = f"sqlite:///{tmp_path}/empty.db"
    ill = shell("doctor", "--json")
    assert ill.returncode == 1
    assert not {c["check"]: c["well"] for c in json.loads(ill.stdout)}["migrations"]


def test_a_setting_that_cannot_be_used_is_named(shell: Shell) -> None:
    shell.environment["AUTHZ_TIMEZONE"] = "Asia/Nowhere"
    done = shell("doctor")
    assert done.returncode == 2
    assert "AUTHZ_TIMEZONE" in done.stderr


def test_a_pack_with_a_defect_does_not_start(shell: Shell, tmp_path: Path) -> None:
    """3.3: file, line, what is wrong and what was expected."""
    pack = tmp_path / "pack"
    pack.mkdir()
    for file in (ROOT / "policies/school").glob("*.*"):
        (pack / file.name).write_text(file.read_text("utf-8").replace(", deny", ", Deny"), "utf-8")
    done = shell("serve", "--policy", pack)
    assert done.returncode == 2
    assert "policy.csv:" in done.stderr
    assert "allow, deny" in done.stderr


def test_search_lists_a_page_a_line_and_is_recorded_as_a_what_if(demo: Shell) -> None:
    """4.2: the same pages as over HTTP, at any moment (N-22)."""
    open_person = {**PERMIT, "resource": {"type": "assessment_result"}, "page": {"limit": 1}}
    done = demo("search", "resource", "-", stdin=f"{json.dumps(open_person)}\n\n[]\n")
    first, error = (json.loads(line) for line in done.stdout.splitlines())
    assert (done.returncode, error) == (2, {"error": "malformed", "line": 3})
    follow = {**open_person, "page": {"token": first["page"]["next_token"]}}
    rest = json.loads(demo("search", "resource", "-", stdin=json.dumps(follow)).stdout)
    listed = [each["id"] for each in (*first["results"], *rest["results"])]
    assert listed == sorted(listed)
    assert {"parent-somchai", "student-mali"} <= set(listed)
    grown = demo("search", "resource", "-", "--at", "2050-01-01", stdin=json.dumps(open_person))
    assert [each["id"] for each in json.loads(grown.stdout)["results"]] == ["parent-somchai"]
