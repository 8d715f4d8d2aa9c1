"""``authz policy lint`` lists what the compiled engine would leave to Casbin (issue 3, part 1)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from authz.cli import cli
from authz.policy.uncompiled import uncompiled
from tests.cli.conftest import ROOT

PACKS = [
    *(ROOT / "policies" / name for name in ("school", "console")),
    *(ROOT / "tests/packs" / name for name in ("todo", "certification")),
]
MODEL = """[request_definition]
r = sub, obj, act

[policy_definition]
p = sub, obj, when

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.sub == p.sub && \\
    r.obj == p.obj && {matcher}
"""
RULES = "p, ann, map, True\n# a remark\np, bo, map, 1 +\np, bo, plan, 1 +\n"


def lint(*words: object) -> Result:
    return CliRunner().invoke(cli, ["policy", "lint", *map(str, words)], catch_exceptions=False)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A model of somebody's own, with rules that are no expressions."""
    (tmp_path / "model.conf").write_text(MODEL.format(matcher="eval(p.when)"))
    (tmp_path / "policy.csv").write_text(RULES)
    return tmp_path


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_every_pack_here_is_compiled_whole(pack: Path) -> None:
    assert uncompiled(pack) == ()
    done = lint(pack, "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert told["uncompiled"] == []
    assert told["permits"] > 0
    assert lint(pack).stdout.startswith(f"{pack}: {told['permits']} permits")


def test_every_pack_of_the_repository_is_looked_at() -> None:
    found = {
        path.parent for part in ("policies", "tests") for path in (ROOT / part).rglob("*.conf")
    }
    assert {path for path in found if (path / "catalogue.toml").exists()} == set(PACKS)


def test_a_matcher_that_is_not_compiled_is_named_with_its_line(plain: Path) -> None:
    (plain / "model.conf").write_text(MODEL.format(matcher="{r.act: 1} == {p.when: 1}"))
    done = lint(plain, "--casbin")
    assert done.exit_code == 0
    assert done.stdout == (
        f"{plain / 'model.conf'}:11: left to Casbin: Unsupported: Dict is left to Casbin\n"
    )
    assert done.stderr == ""
    (note,) = json.loads(lint(plain, "--casbin", "--json").stdout)["uncompiled"]
    assert (note["file"], note["line"]) == (str(plain / "model.conf"), 11)
    assert "{r_act: 1} == {p_when: 1}" in note["text"]


def test_a_rule_that_is_not_compiled_is_named_on_each_of_its_lines(plain: Path) -> None:
    notes = json.loads(lint(plain, "--casbin", "--json").stdout)["uncompiled"]
    assert [(Path(note["file"]).name, note["line"]) for note in notes] == [
        ("policy.csv", 3),
        ("policy.csv", 4),
    ]
    assert all(note["reason"].startswith("rule 1 +: SyntaxError") for note in notes)


def test_what_is_compiled_whole_is_said_so(plain: Path) -> None:
    (plain / "policy.csv").write_text("p, ann, map, r.act == 'read'\n")
    assert lint(plain, "--casbin").stdout == f"{plain}: everything is compiled\n"


def test_what_casbin_cannot_read_is_a_defect(plain: Path) -> None:
    from authz.errors import PolicyError  # noqa: PLC0415 (named here alone)

    (plain / "model.conf").write_text("[matchers]\nm = \n")
    with pytest.raises(PolicyError, match="Casbin cannot read it"):
        lint(plain, "--casbin")
    with pytest.raises(PolicyError):
        lint(plain)
