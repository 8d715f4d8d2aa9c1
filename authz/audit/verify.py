"""Is the trail as it was written? Many chains, one tree, signed checkpoints (N-49).

One pass in the order of the leaves, in constant memory: for each chain its hashes, for
each record its index columns and mentions, over all of them the tree, whose root must be
that of every checkpoint at its size. What was retired is passed over by its tiles. Then
the records that have no place in the tree yet, the heads, and whether every chain that was
opened is there. What is named is the first bad record in this order, and what was done.

``run`` may share the jobs among processes; what it gives must come in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain as joined
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from authz.audit import segments, state
from authz.audit.chain import MAIN, Damage, Kind, Tip, Verdict, check_end, genesis
from authz.audit.finding import Damaged, explained
from authz.audit.growth import Growth, in_tree
from authz.audit.leftover import left, spans
from authz.audit.marks import Mark, Marks, Source, read
from authz.audit.note import Verifier
from authz.audit.pieces import UNPLACED, Job, Piece, jobs, pieces
from authz.audit.segments import begun
from authz.audit.spans import Checked, check_job
from authz.audit.stored import lenient
from authz.audit.tree import size as tree_size
from authz.audit.walk import Fault, Writer

Progress = Callable[[int, int], None]
"""Called with how many records are done, and of how many."""

Run = Callable[[Iterable[Job]], Iterator[Checked]]


def verify(
    connection: Connection,
    *,
    sources: Sequence[Source] = (),
    since: Source | None = None,
    keys: Sequence[Verifier] = (),
    progress: Progress | None = None,
    run: Run | None = None,
) -> Verdict:
    """Whether the whole trail is as it was written, and what ``sources`` were signed over.

    With ``since``, a checkpoint, only what came after it is read: that the tree it was
    signed over is still there follows from the stored tiles, not from the records.
    With ``keys``, every checkpoint must be signed by one of them.
    """
    known = (sources, since, keys)
    try:
        return _verified(connection, known, progress, run)
    except DBAPIError as error:
        if connection.dialect.name != "sqlite" or "decode to UTF-8" not in str(error.orig):
            raise
    with lenient(connection):
        return _verified(connection, known, progress, None)


def _verified(
    connection: Connection,
    known: tuple[Sequence[Source], Source | None, Sequence[Verifier]],
    progress: Progress | None,
    run: Run | None,
) -> Verdict:
    sources, since, keys = known
    marks = Marks(connection, keys)
    marks.add(sources)
    walk = _Verification(connection, progress, run)
    try:
        walk.begin(marks, _known(since, keys) if since else None)
        walk.tree_part()
        walk.rest()
        walk.writers()
        walk.strays()
        walk.sealed()
    except Damaged as found:
        return walk.verdict(found.damage)
    return walk.verdict(marks.damage)


def verify_range(
    connection: Connection,
    chain: str,
    *,
    first: int = 1,
    last: int | None = None,
    progress: Progress | None = None,
    run: Run | None = None,
) -> Verdict:
    """Whether the records ``first`` to ``last`` of a chain are as they were written.

    What record ``first`` follows is believed; without ``last`` they must end at the head.
    """
    walk = _Verification(connection, progress, run)
    head = walk.heads.get(chain, genesis(chain))
    upto = head.sequence if last is None else min(last, head.sequence)
    gone = walk.retired.tips.get(chain, genesis(chain)).sequence
    first = max(first, gone + 1)
    walk.total = max(0, upto - first + 1)
    walk.partial = True
    try:
        walk.segments()
        if upto > gone or not gone:
            walk.span(chain, first, upto)
        if upto == head.sequence:
            walk.end(chain)
    except Damaged as found:
        return walk.verdict(found.damage)
    return walk.verdict(None)


def _known(since: Source, keys: Sequence[Verifier]) -> Mark:
    found = read(since, keys)
    if isinstance(found, Damage):
        raise Damaged(found)
    return found


class _Verification:
    """What a pass knows so far: ``tips`` are the last whole records of the chains."""

    def __init__(self, connection: Connection, progress: Progress | None, run: Run | None) -> None:
        self.connection = connection
        self.heads = state.heads(connection)
        self.counts = state.counted(connection)
        self.total = sum(count.records for count in self.counts.values())
        self.progress = progress
        self.retired = segments.read(connection)
        self.run: Run = run or (lambda given: (check_job(connection, job) for job in given))
        self.tips: dict[str, Tip] = {**self.retired.tips}
        self.opened: set[str] = {MAIN, *self.retired.tips}
        self.closed: dict[str, Tip] = {**self.retired.closed}
        self.seal: bytes | None = None
        self.records = 0
        self.mentions = 0
        self.growth: Growth | None = None
        self.broken: Damage | None = None
        self.left: dict[str, tuple[int, int]] = {}
        self.partial = False
        """Whether not all of the main chain is read, which tells what chains there are."""

    def begin(self, marks: Marks, since: Mark | None) -> None:
        """Begin with the first leaf, or after those of a checkpoint."""
        self.partial = since is not None
        self.segments()
        if since is None:
            self.growth = Growth(self.connection, marks)
            return
        there = tree_size(self.connection)
        if there < since.size:
            text = f"the tree has {there} leaves, but {since.name} was signed over {since.size}"
            raise Damaged(Damage(Kind.TAIL_CUT, 0, text, chain=""))
        self.growth = Growth(self.connection, marks, since.size)
        if not self.growth.has(since):
            text = f"the stored tree is not the one that {since.name} was signed over"
            raise Damaged(Damage(Kind.REWRITTEN, 0, text, chain=""))
        if since.size > self.retired.leaves:
            self.tips |= state.sequenced(self.connection, since.size)
        self.total -= sum(tip.sequence - self._gone(chain) for chain, tip in self.tips.items())

    def tree_part(self) -> None:
        """Go through the leaves, up to the first batch that does not follow."""
        assert self.growth is not None  # noqa: S101 (begin made it)
        self.growth.pass_over(self.retired)
        for checked in self.run(jobs(self._batches(self.growth.size))):
            self.growth.feed(checked.leaves)
            self.absorb(checked)
        if self.broken is not None:
            raise Damaged(self.growth.pending or self.broken)
        self.growth.close()

    def rest(self) -> None:
        """Go through the records that are not in the tree, the main chain's first."""
        known = {*self.heads, *self.counts, *self.tips}
        others = sorted((each for each in known if each != MAIN), key=str)
        for part in ([MAIN], others):
            unplaced = joined.from_iterable(self._unplaced(chain) for chain in part)
            for checked in self.run(jobs(unplaced)):
                self.absorb(checked)
            for chain in part:
                self.end(chain)

    def span(self, chain: str, first: int, last: int) -> None:
        """Go through some records of a chain; those in the tree must be its leaves."""
        before: Tip | None = self.retired.tips.get(chain, genesis(chain))
        if first - 1 not in {0, self._gone(chain)}:
            before = state.place(self.connection, chain, first - 1)
        self.tips[chain] = before or Tip(first - 2, b"")
        if before is None:
            raise Damaged(explained(self.connection, Fault(chain, self.tips[chain]), self.heads))
        for checked in self.run(jobs(self._placed(chain, first, last))):
            placed = [piece for piece in checked.pieces if piece.position != UNPLACED]
            in_tree(self.connection, placed, checked.leaves)
            self.absorb(checked)

    def writers(self) -> None:
        """Whether each chain that was opened is there, and each closed one as it was closed."""
        for chain in sorted(self.opened - {MAIN}):
            if chain not in self.heads:
                end = self.closed.get(chain)
                text = f"the whole chain is missing{f', of {end.sequence} records' if end else ''}"
                raise Damaged(Damage(Kind.MISSING, 1, text, chain))
        for chain, end in self.closed.items():
            damage = check_end(self.tips.get(chain, genesis(chain)), end)
            if damage is not None:
                raise Damaged(damage.of(chain))

    def segments(self) -> None:
        """Whether what was left of retired records, and their batches, is as it was written."""
        if self.retired.damage is not None:
            raise Damaged(self.retired.damage)
        if not self.retired.leaves:
            return
        ends: dict[Any, int] = {}
        position = 0
        for row in state.batches(self.connection):
            if position == self.retired.leaves:
                break
            if not _is_batch(row) or row[0] != position or row[2] != ends.get(row[1], 0) + 1:
                break
            position += row[3]
            ends[row[1]] = row[2] + row[3] - 1
        tips = {chain: tip.sequence for chain, tip in self.retired.tips.items() if tip.sequence}
        if position != self.retired.leaves or ends != tips:
            text = f"the batches from leaf {position} on are not those of the records retired"
            raise Damaged(Damage(Kind.BATCH, 0, text, chain=""))
        self._leftover()

    def _leftover(self) -> None:
        """Whether what is still there of the last segment is what it was."""
        there = left(self.connection, self.retired)
        self.left = spans(there)
        for checked in (check_job(self.connection, job) for job in jobs(there)):
            if checked.fault is not None:
                raise Damaged(explained(self.connection, checked.fault, self.heads))
            in_tree(self.connection, checked.pieces, checked.leaves)
            self.records += len(checked.leaves)
            self.mentions += checked.mentions

    def sealed(self) -> None:
        """Whether the segments are those that the trail tells of."""
        if self.seal == (self.retired.seal or None) or (self.partial and self.seal is None):
            return
        text = "the segments are not those that the trail says were retired"
        raise Damaged(Damage(Kind.SEGMENT, 0, text, chain=""))

    def strays(self) -> None:
        """Whether no mention is on file of a record that there is not."""
        if not self.partial and state.mentions(self.connection) != self.mentions:
            chain, sequence = state.stray_mention(self.connection)
            text = "there is a mention of it, and no such record"
            raise Damaged(Damage(Kind.INDEX, int(sequence), text, str(chain)))

    def absorb(self, checked: Checked) -> None:
        """Take over what a job found; its fault, explained, is the end."""
        self.tips.update(checked.tips)
        self.records += len(checked.leaves)
        self.mentions += checked.mentions
        self.seal = checked.seal or self.seal
        for writer in checked.writers:
            self._writer(writer)
        if self.progress is not None:
            self.progress(self.records, self.total)
        if checked.fault is not None:
            pending = self.growth.pending if self.growth else None
            raise Damaged(pending or explained(self.connection, checked.fault, self.heads))

    def end(self, chain: Any) -> None:
        """Whether a chain ends at its head, and somebody opened it."""
        head, count = self.heads.get(chain), self.counts.get(chain)
        if not self._is_opened(chain):
            text = f"records of a chain {chain!r}, which nobody writes"
            raise Damaged(Damage(Kind.APPENDED, 1, text, str(chain)))
        tip = self.tips.get(chain, genesis(chain))
        if head is None and (count or tip.sequence):
            last = count.last if count else tip.sequence
            raise Damaged(Damage(Kind.HEAD, last, "the head is missing", chain))
        self._no_other(chain, tip.sequence)
        damage = check_end(tip, head) if head else None
        if damage is not None:
            raise Damaged(damage.of(chain))

    def _no_other(self, chain: str, last: int) -> None:
        """Whether the chain has no record but those of the numbers 1 to ``last``."""
        count = self.counts.get(chain)
        gone, kept = self._gone(chain), self.left.get(chain, (1, 0))
        if count is None or count.records == last - gone + kept[1] - kept[0] + 1:
            return
        found = state.stray(self.connection, chain, (gone + 1, last), kept)
        if found is None and self.partial:
            return  # one is missing that was not asked for
        at = found if isinstance(found, int) and found <= gone else last + 1
        text = f"a record was put beside the {last} that were written"
        raise Damaged(Damage(Kind.APPENDED, at, text, chain))

    def verdict(self, damage: Damage | None) -> Verdict:
        """What was found."""
        growth = self.growth
        leaves, checkpoints = (growth.size, growth.checkpoints) if growth else (0, 0)
        return Verdict(self.records, leaves, checkpoints, damage)

    def _batches(self, position: int) -> Iterator[Piece]:
        """The leaves from ``position`` on; a batch is given once the next one follows it."""
        ends = {chain: tip.sequence for chain, tip in self.tips.items()}
        waiting: Piece | None = None
        for row in state.batches(self.connection, position - 1 if position else None):
            if not _is_batch(row) or row[0] != position or row[2] != ends.get(row[1], 0) + 1:
                text = f"the leaves from {position} on are not in an order that was given"
                chain, sequence = (waiting.chain, waiting.first) if waiting else ("", 0)
                self.broken = Damage(Kind.BATCH, sequence, text, chain)
                return
            if waiting is not None:
                yield waiting
            waiting = begun(Piece(row[1], row[2], row[3], row[0]), self.retired)
            ends[waiting.chain] = waiting.last
            position += waiting.length
        if waiting is not None:
            yield waiting

    def _placed(self, chain: str, first: int, last: int) -> Iterator[Piece]:
        """Records of a chain, as far as they are in the tree with their places."""
        for position, _, begin, count in state.batches_of(self.connection, chain, first, last):
            upto = min(last, begin + count - 1)
            if first >= begin:
                placed = Piece(chain, first, upto - first + 1, position + first - begin)
                yield begun(placed, self.retired)
                first = upto + 1
        yield from self._loose(chain, first, last)

    def _unplaced(self, chain: str) -> Iterator[Piece]:
        head, tip = self.heads.get(chain), self.tips.get(chain, genesis(chain))
        if head is not None and isinstance(head.sequence, int):
            yield from self._loose(chain, tip.sequence + 1, head.sequence)

    def _loose(self, chain: str, first: int, last: int) -> Iterator[Piece]:
        return (begun(piece, self.retired) for piece in pieces(chain, first, last))

    def _gone(self, chain: str) -> int:
        """The last record of a chain that was retired."""
        tip = self.retired.tips.get(chain)
        return tip.sequence if tip else 0

    def _writer(self, writer: Writer) -> None:
        if writer.closed is None:
            self.opened.add(writer.chain)
        else:
            self.closed[writer.chain] = writer.closed

    def _is_opened(self, chain: Any) -> bool:
        """Whether the main chain tells of it; what was not read of it is looked up."""
        if self.partial and chain not in self.opened:
            self.opened |= state.opened(self.connection)
        return chain in self.opened


def _is_batch(row: Any) -> bool:
    numbers = all(type(row[at]) is int for at in (0, 2, 3))
    return numbers and isinstance(row[1], str) and row[3] > 0
