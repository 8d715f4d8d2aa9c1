"""The records of a chain one by one, up to the first that is not as it was written (N-49).

It names what is wrong, and where; that nothing is, :mod:`authz.audit.spans` tells of many
records at once, and faster.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from authz.audit.chain import MAIN, Tip, digest
from authz.audit.merkle import entry, leaf_hash
from authz.audit.saying import Row, members, said
from authz.audit.tables import INDEX_COLUMNS
from authz.vocabulary import Event

_COLUMNS: Final = 3
"""Where the index columns of a row begin."""
_EVENT: Final = _COLUMNS + INDEX_COLUMNS.index("event")
_RETIRED: Final = Event.TRAIL_RETIRED.value
_WRITERS: Final = frozenset({Event.WRITER_OPENED.value, Event.WRITER_CLOSED.value})


class Fault(NamedTuple):
    """Where a chain is no more as it was written: after ``tip``, or what was derived there."""

    chain: str
    tip: Tip
    derived: str = ""


class Writer(NamedTuple):
    """What a record of the main chain says of another: it was opened, or ``closed`` there."""

    sequence: int
    chain: str
    closed: Tip | None


class Walk:
    """One pass over neighbouring records of a chain: ``tip`` is the last that is whole."""

    def __init__(self, chain: str, tip: Tip) -> None:
        self.chain = chain
        self.tip = tip
        self.writers: list[Writer] = []
        self.seal: bytes | None = None
        self.tips: list[bytes] = []
        self.leaves: list[bytes] = []
        self.mentions: list[Row] = []
        self.found = 0
        self.fault: Fault | None = None

    def run(self, rows: list[Any], last: int) -> None:
        """Check the rows, up to record ``last``."""
        self.tips.append(self.tip.hash)
        if self.tip.hash:
            self._steps(rows)
        if self.tip.sequence < last and self.fault is None:
            self.fault = Fault(self.chain, self.tip)

    def _steps(self, rows: list[Any]) -> None:
        chain, place, tip = self.chain, *self.tip
        main = chain == MAIN
        for row in rows:
            sequence, body, stored = row[0], row[1], row[2]
            place += 1
            if (
                sequence != place
                or type(sequence) is not int
                or not isinstance(body, bytes)
                or digest(tip, place, body) != stored
            ):
                self.fault = Fault(chain, Tip(place - 1, tip))
                break
            told = said(place, body)
            if told is None or told.columns != row[3:]:
                column = _wrong(told.columns if told else (), row[3:])
                self.fault = Fault(chain, Tip(place - 1, tip), f"column {column}")
                break
            self.mentions += told.mentions
            if main:
                self.tell(sequence, row[_EVENT], body)
            self.leaves.append(leaf_hash(entry(chain, place, body)))
            tip = stored
            self.tips.append(tip)
        self.tip = Tip(self.tip.sequence + len(self.leaves), tip)

    def tell(self, sequence: int, event: str, body: bytes) -> None:
        """Keep what a record of the main chain says of other chains."""
        if event in _WRITERS:
            self.writers.append(_writer(sequence, body))
        elif event == _RETIRED:
            self.seal = _octets(_detail(members(body)).get("seal"))

    def mentioned(self, stored: list[Row]) -> None:
        """Hold the mentions on file against those that the records say, and count them."""
        self.found = len(self.mentions)
        if stored == self.mentions:
            return
        upto = self.tip.sequence
        differ = {*self.mentions} ^ {row for row in stored if row[0] <= upto}
        if not differ:
            return
        place = int(min(row[0] for row in differ))
        whole = len(self.leaves) - (upto - place + 1)
        del self.leaves[whole:]
        self.tip = Tip(place - 1, self.tips[whole])
        self.fault = Fault(self.chain, self.tip, "mentions")


def _wrong(expected: tuple[str, ...], columns: tuple[Any, ...]) -> str:
    """The first index column that does not say what the record says, if there is one."""
    pairs = zip(INDEX_COLUMNS, expected, columns, strict=False)
    return next((name for name, right, found in pairs if right != found), "body")


def _writer(sequence: int, body: bytes) -> Writer:
    found = members(body)
    chain = str(found.get("resource", {}).get("id", ""))
    if found["event"] == Event.WRITER_OPENED:
        return Writer(sequence, chain, None)
    detail = _detail(found)
    records = detail.get("records")
    last = records if type(records) is int else -1
    return Writer(sequence, chain, Tip(last, _octets(detail.get("hash"))))


def _detail(found: dict[str, Any]) -> dict[str, Any]:
    """What the record tells; nothing where somebody wrote something else there."""
    detail = found.get("detail")
    return detail if isinstance(detail, dict) else {}


def _octets(text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (TypeError, ValueError):
        return b""
