"""Everything that the product can say is documented, and every link leads somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from authz.cli import cli
from authz.policy.load import load
from authz.vocabulary import Reason
from docs import generate
from docs.generator import commands, errors, http, settings, traceability
from docs.generator.obligations import TITLES

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
SHELL = re.compile(r"^ *```(?:sh|console)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
OBLIGATION = re.compile(r"^\| ([NE]-\d\d) \|", re.MULTILINE)


def _pages() -> list[Path]:
    return [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("name", generate.PAGES)
def test_generated_pages_are_fresh(name: str) -> None:
    assert _page(name) == generate.text_of(name), "run `make docs`"


def test_every_command_is_documented() -> None:
    page = _page("reference/command-line.md")
    assert [path for path, _ in commands.commands() if f"## `{path}`" not in page] == []


def test_every_command_explains_itself() -> None:
    said = {path: text.splitlines()[2] for path, text in commands.commands()}
    assert [path for path, line in said.items() if not line.startswith("  ")] == []


def _examples() -> list[tuple[str, str]]:
    """Each call of the command in a shell example, with its page."""
    return [
        (str(page.relative_to(ROOT)), call.strip())
        for page in _pages()
        for block in SHELL.findall(page.read_text(encoding="utf-8"))
        for call in re.findall(r"(?:^|[$|] )(authz [^|>\n]*)", block, re.MULTILINE)
    ]


@pytest.mark.parametrize(("page", "call"), _examples())
def test_shell_examples_use_commands_and_options_that_exist(page: str, call: str) -> None:
    words = shlex.split(call)[1:]
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None, f"{page}: {call}"
        command = found
    known = {option for parameter in command.params for option in parameter.opts}
    used = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert used <= known, f"{page}: {call}"


def test_every_setting_is_documented() -> None:
    page = _page("reference/settings.md")
    bare = [name for name, (_, _, text) in settings.variables().items() if not text]
    assert bare == []
    assert [name for name in settings.variables() if f"`{name}`" not in page] == []


def test_every_reason_and_rule_is_documented_in_thai_and_english() -> None:
    page = _page("reference/policy.md")
    policy = load(ROOT / "policies" / "school")
    rules = [compiled.rule.id for compiled in (*policy.permits, *policy.refusals)]
    assert [name for name in (*rules, *Reason) if page.count(f"| `{name}` |") < 1] == []
    assert [name for name in rules if set(policy.catalogue.reasons[name]) != {"th", "en"}] == []


def test_every_error_is_documented_once() -> None:
    page = _page("reference/errors.md")
    codes = [kind.code for kind in errors.kinds()]
    assert len(codes) == len(set(codes))
    assert [code for code in codes if f"| `{code}` |" not in page] == []


def test_every_route_is_documented() -> None:
    page = _page("reference/http.md")
    missing = [path for method, path, _ in http.routes() if f"`{method} {path}`" not in page]
    assert missing == []


def test_every_obligation_is_traced(shared: Path) -> None:
    spec = (shared / "spec" / "1-obligations.md").read_text(encoding="utf-8")
    assert sorted(OBLIGATION.findall(spec)) == sorted(TITLES)


def test_only_known_obligations_are_cited() -> None:
    assert traceability.unknown() == {}


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    if "://" in target:
        return True
    aim = (page.parent / path).resolve() if path else page
    if not aim.exists():
        return False
    return not anchor or anchor in map(_anchor, HEADING.findall(aim.read_text("utf-8")))


@pytest.mark.parametrize("page", _pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not _leads_somewhere(page, target)] == []


def test_every_decision_is_listed() -> None:
    index = _page("decisions/README.md")
    pages = (ROOT / "docs" / "decisions").glob("*.md")
    assert [
        page.name for page in pages if page.name != "README.md" and page.name not in index
    ] == []
