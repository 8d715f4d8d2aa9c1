"""Puts facts and entities on file: all of a file or nothing, each with its record (4.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import tzinfo

from sqlalchemy import Connection, Engine

from authz import clock
from authz.audit.record import Entry, Ref
from authz.decision.catalogue import Catalogue
from authz.directory.recording.change import Author, Change
from authz.directory.recording.lines import Fact, read
from authz.directory.recording.members import Reading
from authz.directory.recording.revision import advance
from authz.directory.recording.write import Writer
from authz.errors import FactError
from authz.service import changing, separation
from authz.service.changing import By
from authz.service.database import writing
from authz.vocabulary import Event

BATCH = 500
MOST_PROBLEMS = 100


@dataclass
class FactsSummary:
    """What a facts file changed, by kind: recorded, replaced, ended.

    ``apart`` are the people who were granted a role in it and hold roles now that the pack
    keeps apart, with these roles.
    """

    revision: int = 0
    recorded: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    apart: dict[str, list[str]] = field(default_factory=dict)

    def count(self, change: Change) -> None:
        """Count one line."""
        kind = change.fact.kind.name
        table = self.ended if change.fact.delete else self.replaced
        counted = table if change.fact.delete or change.before is not None else self.recorded
        counted[kind] = counted.get(kind, 0) + 1

    @property
    def lines(self) -> int:
        """How many lines changed something."""
        return sum(sum(t.values()) for t in (self.recorded, self.replaced, self.ended))


def import_facts(
    store: Engine,
    opened: Callable[[], Iterable[str]],
    *,
    name: str,
    catalogue: Catalogue,
    local: tzinfo,
    by: str,
    because: str = "",
    progress: Callable[[int], None] = lambda _: None,
) -> FactsSummary:
    """Put the facts of a file on file; FactError names every bad line, and nothing changed.

    ``opened`` gives the lines each time it is called: what others refer to (people,
    recipients, projects) is read first, wherever in the file it stands.
    """
    author = Author(by, because, clock.now())
    with writing(store) as connection:
        return put(connection, author, opened, Reading(local, catalogue), name, progress)


def put(
    connection: Connection,
    author: Author,
    opened: Callable[[], Iterable[str]],
    reading: Reading,
    name: str,
    progress: Callable[[int], None] = lambda _: None,
) -> FactsSummary:
    """The same in the caller's transaction, with which the facts and their records stand."""
    summary = FactsSummary()
    writer = Writer(connection, author, name)
    summary.revision = advance(connection)
    granted: set[str] = set()
    for first in (True, False):
        facts = _chosen(opened(), reading, name, first=first)
        for batch in _batches(facts):
            changes = _write(writer, batch, summary)
            granted.update(_granted(changes))
            progress(len(batch))
    met = separation.conflicts(connection, reading.catalogue, sorted(granted), author.now)
    summary.apart = {
        person: sorted({role for each in found for role in each.roles})
        for person, found in met.items()
    }
    return summary


def _granted(changes: Iterable[Change]) -> Iterator[str]:
    """Who was granted a role by these lines."""
    facts = (change.fact for change in changes)
    return (fact.about for fact in facts if fact.kind.name == "grant" and not fact.delete)


def _chosen(
    lines: Iterable[str], reading: Reading, name: str, *, first: bool
) -> Iterator[Fact | FactError]:
    """The facts of one pass; every bad line is told in the first."""
    for fact in read(lines, reading, name):
        if isinstance(fact, FactError):
            if first:
                yield fact
        elif fact.kind.first is first:
            yield fact


def _batches(facts: Iterable[Fact | FactError]) -> Iterator[list[Fact]]:
    """Facts by the batch; FactError for all the bad lines, once they are known."""
    batch: list[Fact] = []
    problems: list[FactError] = []
    for fact in facts:
        if isinstance(fact, FactError):
            problems.append(fact)
            if len(problems) >= MOST_PROBLEMS:
                break
            continue
        if not problems:
            batch.append(fact)
            if len(batch) >= BATCH:
                yield batch
                batch = []
    if problems:
        raise together(problems)
    if batch:
        yield batch


def _write(writer: Writer, batch: list[Fact], summary: FactsSummary) -> list[Change]:
    changes, problems = writer.write(batch)
    if problems:
        raise together(problems)
    for change in changes:
        summary.count(change)
    _record(writer.connection, writer.author, changes, summary.revision)
    return changes


def together(problems: list[FactError]) -> FactError:
    """One error that tells them all, a line each."""
    if len(problems) == 1:
        return problems[0]
    told = "\n".join(f"  {problem}" for problem in problems[:MOST_PROBLEMS])
    more = "the first of them" if len(problems) >= MOST_PROBLEMS else "all of them"
    return FactError(
        f"{len(problems)} lines cannot be put on file; nothing was changed ({more}):\n{told}"
    )


def _record(connection: Connection, author: Author, changes: list[Change], revision: int) -> None:
    by = By(author.by, author.because.strip() or changing.UNSAID, author.now)
    changing.record(connection, [_entry(by, change, revision) for change in changes])


def _entry(by: By, change: Change, revision: int) -> Entry:
    fact = change.fact
    return changing.changed(
        Event.FACT_CHANGED,
        by,
        Ref("person", fact.about) if fact.about else Ref(fact.kind.name, fact.key),
        change.before or {},
        change.after,
        action="delete" if fact.delete else "record",
        people=change.people,
        revision=revision,
        more={"fact": fact.kind.name, "key": fact.key},
    )
