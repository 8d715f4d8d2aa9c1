"""Golden cases: files of stories, each with its facts and the questions asked about them.

A file is about one topic and makes one world: the rows of its ``roster`` and of each story's,
and the facts of its stories, so that the facts of a story stand beside its cases. Times without
an offset are local; ``at`` of a case is when it is asked (the file's ``at`` where it says none).

    about: what the file is about
    clauses: [N-22]               # of every case; a story and a case may add their own
    at: 2026-11-15T12:00
    recorded: 2026-11-15T11:00    # when the facts are put on file; ``at``, if not given
    roster: {people: [...], orgs: [...], ...}
    stories:
      - title: what it tells
        clauses: [...]
        roster: {...}
        facts: [{fact: ..., ...}]
        cases:
          - name: a sentence
            clauses: [...]
            at: ...
            asserts_mfa: false    # the caller may not assert a second factor
            language: th
            near: parent-read     # the rule that a refusal narrowly misses
            request: {subject: ..., action: ..., resource: ..., context: ...}
            expect: permit RULE, RULE for PURPOSE | refuse REASON, ... | malformed FIELD
            outward: {...}        # to a caller over HTTP
            inward: {...}         # to a what-if tool; or ``as outward``
            record: {...}         # without what is the same in every record of the file

``expect`` is worked out by hand from page 2; what follows it is written by
``python -m tests.golden.fill`` from the oracle, never from the product, and then reviewed.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from tests.oracle.school import KEYS
from tests.world import TABLES, World, moment

FOLDER = Path(__file__).parent
FILE = {"about", "clauses", "at", "recorded", "roster", "stories"}
STORY = {"title", "clauses", "roster", "facts", "cases"}
ASKED = {"name", "clauses", "at", "asserts_mfa", "language", "near", "request", "expect"}
ANSWERED = {"outward", "inward", "record"}
SAME = "as outward"
CLAUSE = re.compile(r"[NE]-\d\d|\d\.\d(/[a-z_-]+)?|p5")
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One question with the answer that page 2 gives."""

    name: str
    clauses: frozenset[str]
    at: datetime
    request: Row
    expect: str
    asserts_mfa: bool
    language: str
    near: str
    answers: Mapping[str, Any]

    @property
    def outcome(self) -> str:
        """``permit``, ``refuse`` or ``malformed``."""
        return self.expect.split()[0]

    @property
    def names(self) -> list[str]:
        """The rules or reasons that are expected, or the field at fault."""
        return self.expect.removeprefix(self.outcome).partition(" for ")[0].strip().split(", ")

    @property
    def purpose(self) -> str | None:
        """The purpose of a permit."""
        return self.expect.partition(" for ")[2] or None


@dataclass(frozen=True)
class Golden:
    """A file: its world and its cases."""

    path: Path
    world: World
    cases: list[Case]


class _Loader(yaml.SafeLoader):
    """YAML in which a date is a text, as in JSON, and no member stands twice."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    found = loader.construct_mapping(node, deep=True)
    if len(found) != len(node.value):
        raise ValueError(f"a member stands twice{node.start_mark}")
    return found


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def files() -> list[Path]:
    """Every golden file."""
    return sorted(FOLDER.glob("*.yaml"))


def load(path: Path) -> Golden:
    """The file; ValueError where it holds what no golden file has."""
    content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)
    _only(content, FILE, {"about", "at", "stories"}, path.name)
    at = moment(content["at"])
    world = World(recorded=moment(content.get("recorded", content["at"])))
    _roster(world, content.get("roster", {}), path.name)
    cases: list[Case] = []
    told: set[tuple[Any, ...]] = set()
    for story in content["stories"]:
        where = f"{path.name}: {story.get('title')}"
        _only(story, STORY, {"title", "cases"}, where)
        _roster(world, story.get("roster", {}), where)
        keys = {_key(line) for line in story.get("facts", [])}
        if keys & told:
            raise ValueError(f"{where}: {sorted(map(str, keys & told))} is another story's fact")
        told |= keys
        world.facts += story.get("facts", [])
        shared = {*content.get("clauses", []), *story.get("clauses", [])}
        cases += [_case(case, shared, at, where) for case in story["cases"]]
    names = [case.name for case in cases]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{path.name}: two cases are called {sorted(twice)}")
    return Golden(path, world, cases)


def everything() -> Iterator[Golden]:
    """Every golden file, loaded."""
    return (load(path) for path in files())


def _case(case: Row, shared: set[str], at: datetime, story: str) -> Case:
    where = f"{story}: {case.get('name')}"
    _only(case, ASKED | ANSWERED, {"name", "request", "expect"}, where)
    clauses = frozenset(shared | set(case.get("clauses", [])))
    if not clauses or not all(CLAUSE.fullmatch(clause) for clause in clauses):
        raise ValueError(f"{where}: {sorted(clauses)} are no clauses")
    return Case(
        name=case["name"],
        clauses=clauses,
        at=moment(case["at"]) if "at" in case else at,
        request=case["request"],
        expect=case["expect"],
        asserts_mfa=case.get("asserts_mfa", True),
        language=case.get("language", "en"),
        near=case.get("near", ""),
        answers={
            name: case["outward"] if case[name] == SAME else case[name]
            for name in ANSWERED
            if name in case
        },
    )


def _roster(world: World, rows: Mapping[str, list[Row]], where: str) -> None:
    _only(rows, set(TABLES), set(), where)
    for table, some in rows.items():
        getattr(world, table).extend(some)


def _key(line: Row) -> tuple[Any, ...]:
    kind = line["fact"]
    return (kind, *(line.get(name) for name in KEYS.get(kind, ("id",))))


def _only(found: Mapping[str, Any], known: set[str], needed: set[str], where: str) -> None:
    if strange := set(found) - known:
        raise ValueError(f"{where}: {sorted(strange)} is no member; there are {sorted(known)}")
    if missing := needed - set(found):
        raise ValueError(f"{where}: {sorted(missing)} is missing")
