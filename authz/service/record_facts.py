"""Puts facts and entities on file: all of a file or nothing, each with its record (4.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from sqlalchemy import Connection, Engine

from authz import clock
from authz.audit.log import Ready
from authz.audit.record import Entry, Ref
from authz.decision.catalogue import Catalogue
from authz.directory.recording.change import Author, Change
from authz.directory.recording.lines import Fact, read
from authz.directory.recording.members import Reading
from authz.directory.recording.revision import advance, following
from authz.directory.recording.step import Step, run
from authz.directory.recording.write import AgainError, Writer
from authz.errors import FactError
from authz.service import changing, separation
from authz.service.changing import By
from authz.service.database import reading as snapshot
from authz.service.database import writing
from authz.service.spooled import Spooled
from authz.vocabulary import Event

BATCH = 500
MOST_PROBLEMS = 100
TRIES = 3
"""How often the rows are made before the directory is held for it."""


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
    recipients, projects) is read first, wherever in the file it stands. All is made before the
    transaction that writes it begins, so that others wait for as little as can be.
    """
    author = Author(by, because, clock.now())
    made = _Facts(author, opened, Reading(local, catalogue), name, progress)
    try:
        for _ in range(TRIES):
            summary = _ahead(store, made)
            if summary is not None:
                return summary
    except AgainError:  # only whoever writes sees what stands there when it comes again
        pass
    with writing(store) as connection:
        return _put(connection, made)


def put(
    connection: Connection,
    author: Author,
    opened: Callable[[], Iterable[str]],
    reading: Reading,
    name: str,
) -> FactsSummary:
    """The same in the caller's transaction, with which the facts and their records stand."""
    return _put(connection, _Facts(author, opened, reading, name, lambda _: None))


@dataclass(frozen=True)
class _Facts:
    """A file of facts, and who puts it on file."""

    author: Author
    opened: Callable[[], Iterable[str]]
    reading: Reading
    name: str
    progress: Callable[[int], None]
    granted: set[str] = field(default_factory=set)
    """Who is granted a role in it."""

    def batches(
        self, connection: Connection, summary: FactsSummary, *, ahead: bool = False
    ) -> Iterator[_Written]:
        """What writes each batch, and its records; each is counted."""
        writer = Writer(connection, self.author, self.name, ahead=ahead)
        for first in (True, False):
            for batch in _batches(_chosen(self.opened(), self.reading, self.name, first=first)):
                made = writer.batch(batch)
                if made.problems:
                    raise together(made.problems)
                for change in made.changes:
                    summary.count(change)
                self.granted.update(_granted(made.changes))
                yield made.steps, _entries(self.author, made.changes, summary.revision)
                self.progress(len(batch))

    def apart(self, connection: Connection, summary: FactsSummary) -> None:
        """Tell whose roles do not go together now."""
        catalogue, people = self.reading.catalogue, sorted(self.granted)
        met = separation.conflicts(connection, catalogue, people, self.author.now)
        summary.apart = {
            person: sorted({role for each in found for role in each.roles})
            for person, found in met.items()
        }


_Written = tuple[list[Step], list[Entry]]


class _MovedError(Exception):
    """Somebody changed the directory since the rows were made."""


def _put(connection: Connection, facts: _Facts) -> FactsSummary:
    """Each batch is written before the next is made."""
    summary = FactsSummary(revision=advance(connection))
    for steps, entries in facts.batches(connection, summary):
        for step in steps:
            run(connection, step)
        changing.record(connection, entries)
    facts.apart(connection, summary)
    return summary


def _ahead(store: Engine, facts: _Facts) -> FactsSummary | None:
    """All is made of a snapshot, and then written; nothing where the directory moved on meanwhile.

    Whoever writes keeps all others from writing (SQLite), or from a record (PostgreSQL).
    """
    with Spooled[tuple[list[Step], Sequence[Entry] | Sequence[Ready]]]() as made:
        with snapshot(store) as connection:
            summary = FactsSummary(revision=following(connection))
            for steps, entries in facts.batches(connection, summary, ahead=True):
                made.put((steps, changing.ready(connection, entries)))
        try:
            with writing(store) as connection:
                _same(connection, summary)
                for steps, records in made:
                    for step in steps:
                        run(connection, step)
                    changing.record_ready(connection, records)
                facts.apart(connection, summary)
        except _MovedError:
            return None
    return summary


def _same(connection: Connection, summary: FactsSummary) -> None:
    if advance(connection) != summary.revision:
        raise _MovedError


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


def together(problems: list[FactError]) -> FactError:
    """One error that tells them all, a line each."""
    if len(problems) == 1:
        return problems[0]
    told = "\n".join(f"  {problem}" for problem in problems[:MOST_PROBLEMS])
    more = "the first of them" if len(problems) >= MOST_PROBLEMS else "all of them"
    return FactError(
        f"{len(problems)} lines cannot be put on file; nothing was changed ({more}):\n{told}"
    )


def _entries(author: Author, changes: Iterable[Change], revision: int) -> list[Entry]:
    by = By(author.by, author.because.strip() or changing.UNSAID, author.now)
    return [_entry(by, change, revision) for change in changes]


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
