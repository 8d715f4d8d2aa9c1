"""Policy tests as they are written: ``<pack>/tests/*.yaml``, read strictly (3.3).

A file is a list of cases. A case states what holds and what is expected; a member that
is not known, or of another type, is an error with file and line, so that no test passes
because of a misspelling.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from authz.decision.catalogue import About, Catalogue
from authz.errors import PolicyError
from authz.policy.source import text_of
from authz.policy.words import either
from authz.vocabulary import ObligationId, Relation

PEOPLE = [
    "case",
    "clauses",
    "roles",
    "holds",
    "fails",
    "classes",
    "contract_fields",
    "subject",
    "resource",
    "ask",
    "expect",
]
ENTITIES = ["case", "clauses", "roles", "subject", "resource", "ask", "expect"]
ASK = ["action", "category", "purpose", "fields", "context", "properties", "action_properties"]
SUBJECT = ["type", "id", "properties"]
RESOURCE = ["id", "known", "properties"]
PERMIT = ["decision", "rules", "purpose", "obligations"]
REFUSAL = ["decision", "reason", "rules"]
OBLIGATIONS = tuple(name.value for name in ObligationId)

Purposes = frozenset[str] | None
"""The purposes for which something holds; None where it holds for all."""


@dataclass(frozen=True, slots=True)
class Case:
    """One policy test. ``where`` is its file and line."""

    name: str
    where: str
    clauses: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    holds: Mapping[str, Purposes] = field(default_factory=dict)
    fails: frozenset[str] = frozenset()
    classes: tuple[str, ...] = ()
    contract_fields: tuple[tuple[Purposes, frozenset[str]], ...] = ()
    subject: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    ask: Mapping[str, Any] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file with the place where it stands."""

    raw: yaml.Node
    path: Path

    def fail(self, message: str, expected: str) -> NoReturn:
        """Stop, with file and line."""
        line = self.raw.start_mark.line + 1
        raise PolicyError(message, where=f"{self.path}:{line}", hint=f"Expected {expected}.")

    def mapping(self, known: Iterator[str] | list[str] | tuple[str, ...] | None) -> dict[str, Node]:
        """The members by name, each once and each known (any, where ``known`` is None)."""
        if not isinstance(self.raw, yaml.MappingNode):
            self.fail("This is no mapping.", "name: value")
        names = None if known is None else tuple(known)
        found: dict[str, Node] = {}
        for key, value in self.raw.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if names is not None and name not in names:
                Node(key, self.path).fail(f"{name!r} is unknown here.", either(names))
            if name in found:
                Node(key, self.path).fail(f"{name!r} is there twice.", "it once")
            found[name] = Node(value, self.path)
        return found

    def items(self) -> list[Node]:
        """The items of a list."""
        if not isinstance(self.raw, yaml.SequenceNode):
            self.fail("This is no list.", "[one, two]")
        return [Node(item, self.path) for item in self.raw.value]

    def text(self) -> str:
        """A text, not empty."""
        value = self.json()
        if not isinstance(value, str) or not value.strip():
            self.fail("This is no text.", "a text")
        return value

    def texts(self) -> tuple[str, ...]:
        """A list of texts, each once."""
        found: list[str] = []
        for item in self.items():
            if item.text() in found:
                item.fail(f"{item.text()!r} is there twice.", "it once")
            found.append(item.text())
        return tuple(found)

    def truth(self) -> bool:
        """True or false."""
        value = self.json()
        if not isinstance(value, bool):
            self.fail("This is neither true nor false.", "true or false")
        return value

    def json(self) -> Any:
        """Whatever it is, as JSON has it."""
        if isinstance(self.raw, yaml.ScalarNode):
            try:
                value = yaml.constructor.SafeConstructor().construct_object(self.raw)
            except (yaml.YAMLError, ValueError):
                value = ...
            if value is None or isinstance(value, str | bool | int | float):
                return value
            self.fail("This is no value of JSON.", "a text in quotes")
        if isinstance(self.raw, yaml.SequenceNode):
            return [item.json() for item in self.items()]
        return {name: value.json() for name, value in self.mapping(None).items()}


class CaseReader:
    """Reads the cases of a pack's test folder."""

    def __init__(self, catalogue: Catalogue, rules: frozenset[str]) -> None:
        self.catalogue = catalogue
        self.rules = rules
        self.people = catalogue.about is About.PEOPLE
        self.seen: dict[str, str] = {}

    def folder(self, folder: Path) -> list[Case]:
        """The cases of all files, in the order of their names."""
        files = sorted(folder.glob("*.yaml"))
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path not in files and not path.name.startswith((".", "__")):
                raise PolicyError(
                    "This is no file of policy tests.", where=str(path), hint="Expected *.yaml."
                )
        return [case for path in files for case in self.file(path)]

    def file(self, path: Path) -> Iterator[Case]:
        """The cases of one file."""
        text = text_of(path)
        try:
            _check_plain(text, path)
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark else ""
            what = getattr(error, "problem", None) or "it cannot be read"
            raise PolicyError(f"It is not YAML: {what}.", where=f"{path}{line}") from error
        except RecursionError as error:
            raise PolicyError("It is nested too deeply.", where=f"{path}:1") from error
        if root is None:
            raise PolicyError("There is no case in it.", where=f"{path}:1", hint="Expected a list.")
        for node in Node(root, path).items():
            yield self.case(node)

    def case(self, node: Node) -> Case:
        """One case."""
        members = node.mapping(PEOPLE if self.people else ENTITIES)
        for name in ("case", "ask", "expect"):
            if name not in members:
                node.fail(f"The case has no {name!r}.", f"{name}: …")
        name, where = members["case"].text(), f"{node.path}:{node.raw.start_mark.line + 1}"
        if name in self.seen:
            node.fail(f"The case stands at {self.seen[name]} too.", "another name")
        self.seen[name] = where
        roles = self._named(members.get("roles"), "role", self.catalogue.roles)
        fails = self._named(members.get("fails"), "relation", tuple(Relation))
        return Case(
            name=name,
            where=where,
            clauses=members["clauses"].texts() if "clauses" in members else (),
            roles=frozenset(roles),
            holds=self._holds(members.get("holds")),
            fails=frozenset(fails),
            classes=members["classes"].texts() if "classes" in members else (),
            contract_fields=tuple(self._contracts(members.get("contract_fields"))),
            subject=_entity(members.get("subject"), SUBJECT),
            resource=_entity(members.get("resource"), RESOURCE),
            ask=self._ask(members["ask"]),
            expect=self._expect(members["expect"]),
        )

    def _named(self, node: Node | None, what: str, known: tuple[str, ...]) -> tuple[str, ...]:
        names = node.texts() if node else ()
        for name in names:
            if node and name not in known:
                node.fail(f"The {what} {name!r} is unknown.", either(known))
        return names

    def _holds(self, node: Node | None) -> dict[str, Purposes]:
        """``[guardian, {contracted: [service]}]``: each relation, for which purposes."""
        found: dict[str, Purposes] = {}
        for item in node.items() if node else ():
            if isinstance(item.raw, yaml.MappingNode):
                named: dict[str, Purposes] = {
                    name: frozenset(self._named(value, "purpose", tuple(self.catalogue.purposes)))
                    for name, value in item.mapping(tuple(Relation)).items()
                }
            else:
                named = {item.text(): None}
            for name, purposes in named.items():
                if name not in tuple(Relation) or name in found:
                    item.fail(f"The relation {name!r} is unknown or twice.", either(Relation))
                found[name] = purposes
        return found

    def _contracts(self, node: Node | None) -> Iterator[tuple[Purposes, frozenset[str]]]:
        """A list of fields for all purposes, or a list of them for each."""
        if node is None:
            return
        if isinstance(node.raw, yaml.SequenceNode):
            yield None, frozenset(node.texts())
            return
        for purpose, value in node.mapping(tuple(self.catalogue.purposes)).items():
            yield frozenset({purpose}), frozenset(value.texts())

    def _ask(self, node: Node) -> dict[str, Any]:
        """What is asked. Words that the catalogue lacks may be asked, to see them refused."""
        members = node.mapping(ASK)
        for name in ("action", "category"):
            if name not in members:
                node.fail(f"It asks for no {name}.", f"{name}: …")
            members[name].text()
        for name in ("context", "properties", "action_properties"):
            if name in members:
                members[name].mapping(None)
        return {name: value.json() for name, value in members.items()}

    def _expect(self, node: Node) -> dict[str, Any]:
        either_way = node.mapping((*PERMIT, *REFUSAL))
        if "decision" not in either_way:
            node.fail("It expects no decision.", "decision: true or false")
        permit = either_way["decision"].truth()
        members = node.mapping(PERMIT if permit else REFUSAL)
        needed = "rules" if permit else "reason"
        if needed not in members:
            node.fail(f"It does not say which {needed}.", f"{needed}: …")
        if "rules" in members:
            self._named(members["rules"], "rule", tuple(sorted(self.rules)))
        if "obligations" in members:
            members["obligations"].mapping(OBLIGATIONS)
        return {name: value.json() for name, value in members.items()}


def _check_plain(text: str, path: Path) -> None:
    """No anchors: a case says itself what it says."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise PolicyError(
                "There is an anchor or an alias.",
                where=f"{path}:{line}",
                hint="Expected each case in full.",
            )


def _entity(node: Node | None, known: list[str]) -> dict[str, Any]:
    if node is None:
        return {}
    members = node.mapping(known)
    for name in ("type", "id"):
        if name in members:
            members[name].text()
    if "properties" in members:
        members["properties"].mapping(None)
    if "known" in members:
        members["known"].truth()
    return {name: value.json() for name, value in members.items()}
