"""The policy for who reads it: its matrix, its versions, and a trial of a new one (3.3, N-52).

A trial decides nothing: the new text is loaded as the service would load it, compared, and
asked again what was asked; nobody is answered by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from authz.audit import search as trail
from authz.decision.answer import sentence
from authz.engine.policy import Compiled, Policy
from authz.errors import PolicyError
from authz.policy import diff
from authz.policy.clauses import clauses
from authz.policy.load import load
from authz.policy.source import POLICY, read
from authz.service import condition_texts, replay
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.replay import Compared
from authz.vocabulary import Event

WEEK: Final = timedelta(days=7)
MOST: Final = 5000
"""Decisions that a trial asks again: some seconds of work."""


@dataclass(frozen=True, slots=True)
class Told:
    """A rule for people: its sentence, its condition in words, the promises that it keeps."""

    id: str
    text: str
    condition: str
    written: str
    actions: list[str]
    purposes: list[str]
    fields: tuple[str, ...]
    clauses: tuple[str, ...]
    line: int


def told(
    policy: Policy, folder: Path, rules: tuple[Compiled, ...], category: str, language: str
) -> list[Told]:
    """These rules in the reader's language, as far as they are about this category."""
    cited = clauses(read(folder).files[POLICY])
    catalogue = policy.catalogue
    return [
        Told(
            id=rule.id,
            text=sentence(catalogue, rule.id, language),
            condition=condition_texts.condition(rule.condition, language, policy.catalogue),
            written=rule.condition,
            actions=[a for a in catalogue.actions if rule.actions is None or a in rule.actions],
            purposes=list(rule.purposes or ()),
            fields=rule.categories.get(category, ()) or catalogue.fields_of(category),
            clauses=cited.get(rule.id, ()),
            line=rule.line,
        )
        for rule in (compiled.rule for compiled in rules)
        if category in rule.categories
    ]


def versions(point: DecisionPoint, after: str = "") -> tuple[list[dict[str, Any]], str]:
    """The packs that the service started with, newest first, with what each one changed."""
    with reading(point.store) as connection:
        page = trail.search(connection, event=Event.POLICY_CHANGED, limit=20, after=after)
    found = [
        {
            "at": each.record["time"],
            "digest": each.record["detail"].get("after", {}).get("digest", ""),
            "pack": each.record.get("resource", {}).get("id", ""),
            "differences": [
                diff.Change(**{**change, "how": diff.How(change["how"])}).line()
                for change in each.record["detail"].get("differences", ())
            ],
        }
        for each in page.records
    ]
    return found, page.after


@dataclass(frozen=True, slots=True)
class Trial:
    """What a new ``policy.csv`` would change: the words, and the decisions of last week."""

    changes: list[str]
    compared: Compared


def text(folder: Path) -> str:
    """The ``policy.csv`` of the pack in that folder."""
    return read(folder).files[POLICY]


def trial(point: DecisionPoint, folder: Path, new: str, now: datetime) -> Trial:
    """Try a new ``policy.csv`` with the pack's model and catalogue; PolicyError of a defect.

    The text goes to a folder of its own, which is gone afterwards; no path is taken from
    anybody, and a condition is checked before it is compiled, as at a start.
    """
    files = {**read(folder).files, POLICY: new.replace("\r\n", "\n")}
    with TemporaryDirectory(prefix="authz-trial-") as place:
        for name, content in files.items():
            (Path(place) / name).write_text(content, encoding="utf-8")
        try:
            policy = load(Path(place))
        except PolicyError as error:
            where = error.where.replace(f"{place}/", "")
            raise PolicyError(error.message, where=where, hint=error.hint) from error
    return Trial(
        [change.line() for change in diff.diff(point.policy, policy)],
        replay.compared(point, policy, now - WEEK, MOST),
    )
