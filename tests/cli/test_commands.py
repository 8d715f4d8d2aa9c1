"""The ``authz`` command as its users meet it: results, messages, exit statuses (page 4.2)."""

from __future__ import annotations

import codecs
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Shell

COMMANDS = [
    "serve",
    "db",
    "import",
    "evaluate",
    "search",
    "policy",
    "audit",
    "token",
    "user",
    "erase",
    "review",
    "doctor",
    "demo",
]
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
        "erase",
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


@pytest.mark.parametrize("command", [["evaluate"], ["search", "action"]])
def test_a_line_is_read_as_strictly_as_a_body(demo: Shell, command: list[str]) -> None:
    """Page 5, "Values": what HTTP refuses is no request here either, and the rest is answered."""
    good = json.dumps(PERMIT).encode()
    deep = b'{"context":' + b"[" * 40 + b"]" * 40 + b"}"
    lines = [
        codecs.BOM_UTF8 + good,
        good.replace(b"student-mali", b"student-\xff"),
        good.replace(b"student-mali", b"student-\\ud800"),
        good.replace(b'{"subject"', b'{"action":{"name":"delete"},"subject"'),
        good.replace(b'{"subject"', b'{"context":{"x":NaN},"subject"'),
        deep,
        good,
    ]
    file = demo.folder / "strict.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    done = demo(*command, file)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2, done.stderr
    assert [each.get("line") for each in answers] == [None, 2, 3, 4, 5, 6, None]
    assert {"error": "malformed", "line": 2} in answers
    assert "Traceback" not in done.stderr


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


def test_the_trail_verifies_and_an_exported_copy_does_with_the_key_alone(
    demo: Shell, shell: Shell, tmp_path: Path
) -> None:
    """N-49: all of it and the records of one person, on a machine without the database."""
    verified = demo("audit", "verify")
    assert verified.returncode == 0, verified.stdout
    for name, words in (("all.zip", ()), ("one.zip", ("--person", "student-mali"))):
        made = demo("audit", "export", tmp_path / name, *words)
        assert made.returncode == 0, made.stderr
        (tmp_path / "keys").write_text(demo("audit", "key", "show").stdout)
        found = shell("audit", "verify", "--bundle", tmp_path / name, "--key", tmp_path / "keys")
        assert found.returncode == 0, found.stdout + found.stderr
    text = (tmp_path / "all.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(text[:-100])
    found = shell("audit", "verify", "--bundle", tmp_path / "cut.zip", "--key", tmp_path / "keys")
    assert found.returncode == 2
    assert "no bundle" in found.stderr


def test_a_range_and_a_damaged_record_are_told(shell: Shell) -> None:
    shell("audit", "search", "--person", "nobody")
    assert shell("audit", "verify", "--chain", "main", "--first", 1, "--last", 1).returncode == 0
    harm = "UPDATE audit_record SET reason = 'x' WHERE sequence = 1"
    unguard = "DROP TRIGGER audit_record_update"
    shell.python(
        "import sqlite3; c = sqlite3.connect('authz.db');"
        f"c.execute({unguard!r}); c.execute({harm!r}); c.commit()"
    )
    found = shell("audit", "verify", "--json")
    damage = json.loads(found.stdout)["damage"]
    assert found.returncode == 1
    assert (damage["kind"], damage["chain"], damage["sequence"]) == ("index", "main", 1)
    assert "at record main-1: index" in shell("audit", "verify").stdout


def test_a_checkpoint_finds_a_tail_that_was_cut(shell: Shell, tmp_path: Path) -> None:
    """N-49: an old backup is restored; what was published later tells it."""
    shell("audit", "search", "--person", "nobody")
    first = shell("audit", "checkpoint")
    (tmp_path / "first").write_text(first.stdout)
    with (
        closing(sqlite3.connect(tmp_path / "authz.db")) as here,
        closing(sqlite3.connect(tmp_path / "backup")) as copy,
    ):
        here.backup(copy)  # of what its log still holds too
    shell("audit", "search", "--person", "nobody")
    (tmp_path / "second").write_text(shell("audit", "checkpoint").stdout)
    for name in ("first", "second"):
        assert shell("audit", "verify", "--since", tmp_path / name).returncode == 0
    for path in tmp_path.glob("authz.db*"):
        path.unlink()
    (tmp_path / "backup").rename(tmp_path / "authz.db")
    assert shell("audit", "verify", "--since", tmp_path / "first").returncode == 1  # the folder's
    found = shell("audit", "verify", "--since", tmp_path / "second")
    assert found.returncode == 1
    assert "tail_cut" in found.stdout


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
    long = shell("token", "create", "--client", "x", "--ttl", "366d")
    assert (long.returncode, long.stdout) == (2, "")
    assert "365 days at most" in long.stderr
    assert "AUTHZ_TOKEN_DAYS" in long.stderr


def test_a_user_is_added_reset_and_disabled(shell: Shell) -> None:
    first = shell("user", "add", "siri", "--because", "new officer")
    assert first.returncode == 0
    assert len(first.stdout.strip()) >= 20
    assert shell("user", "reset", "siri").stdout != first.stdout
    assert shell("user", "disable", "siri").returncode == 0
    assert shell("user", "disable", "siri").returncode == 1


def test_the_command_is_a_process(shell: Shell) -> None:
    """All other tests run it in their own."""
    done = shell.process("-m", "authz.cli", "audit", "verify", "--json")
    assert (done.returncode, json.loads(done.stdout)["whole"]) == (0, True)
    refused = shell.process("-m", "authz.cli", "token", "revoke", "--id", "none")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("authz: ")


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


def test_an_approved_erasure_is_carried_out_on_the_trail(shell: Shell, tmp_path: Path) -> None:
    """N-34: by its command, which asks why."""
    shell.environment["AUTHZ_AUDIT_PSEUDONYMS"] = "true"
    assert shell("erase", "kid").returncode == 2
    refused = shell("erase", "kid", "--because", "request 7")
    assert (refused.returncode, "[conflict]" in refused.stderr) == (1, True)
    facts = tmp_path / "facts.jsonl"
    person = {"fact": "person", "id": "kid", "status": "active"}
    erasure = {"fact": "erasure", "person": "kid", "approved_at": "2026-01-01"}
    facts.write_text(f"{json.dumps(person)}\n{json.dumps(erasure)}\n")
    assert shell("import", "facts", facts).returncode == 0
    found = json.loads(shell("audit", "search", "--person", "kid", "--json").stdout)["records"]
    assert {record["resource"]["id"] for record in found} == {"kid"}
    assert {record["detail"]["why"] for record in found} == {"authz import facts facts.jsonl"}
    assert shell("erase", "kid", "--because", "request 7").returncode == 0
    assert json.loads(shell("audit", "search", "--person", "kid", "--json").stdout)["records"] == []
    assert shell("audit", "verify").returncode == 0


def test_a_store_without_roles_grants_none(shell: Shell) -> None:
    done = shell("db", "grant", "authz")
    assert done.returncode != 0
    assert "Only PostgreSQL has roles" in done.stderr
