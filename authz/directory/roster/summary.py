"""What an import did, for people and as JSON (page 4.2: "prints a summary")."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

SHOWN = 20
"""How many rows of a listing are shown to people; :meth:`Summary.as_dict` has more."""


@dataclass(slots=True)
class Tally:
    """What became of the rows of one table."""

    added: int = 0
    changed: int = 0
    ended: int = 0
    returned: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """How many of something there are, and the first of them."""

    total: int = 0
    first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """What an import did, or would have done if its caller rolls it back.

    ``modes`` and ``rows`` are by file, ``tables`` by table of the directory.
    """

    version: str
    source: str
    partial: bool
    modes: dict[str, str]
    rows: dict[str, int]
    tables: dict[str, Tally]
    skipped: Listing = field(default_factory=Listing)
    """What ``--partial`` left out: file, line, column and reason."""
    idle_links: Listing = field(default_factory=Listing)
    """Agent links that give nothing (page 5, *Agent links*)."""
    hanging: Listing = field(default_factory=Listing)
    """Living rows that hang on an ended one: imported, without effect (page 5)."""
    returned: Listing = field(default_factory=Listing)
    """People who were de-registered and are registered again (page 5, *Leaving*)."""
    held: Listing = field(default_factory=Listing)
    """People whose status was set by another hand than this source, and so stays."""
    renamed: Listing = field(default_factory=Listing)
    """People with another given and family name: an id given to somebody else gives them all
    the rights and the sign-in of whoever had it."""
    administrators: Listing = field(default_factory=Listing)
    """Who becomes ``school_admin`` and where: their right reaches everybody there."""
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything in the directory is different now."""
        return any(
            each.added or each.changed or each.ended or each.returned
            for each in self.tables.values()
        )

    def as_dict(self) -> dict[str, Any]:
        """The summary for ``--json`` and for the audit record."""
        return {**asdict(self), "changed": self.changed}

    def lines(self) -> list[str]:
        """The summary for people."""
        lines = [f"OneRoster {self.version} from source {self.source!r}"]
        lines += [
            f"  {file}: {self.modes[file]}, {rows:,} rows" for file, rows in self.rows.items()
        ]
        lines += [f"  {name}: {_tally(tally)}" for name, tally in self.tables.items()]
        for title, listing in (
            ("left out", self.skipped),
            ("agent links that give nothing", self.idle_links),
            ("rows that hang on ended rows and have no effect", self.hanging),
            ("people registered again", self.returned),
            ("people whose status was set by hand and stays", self.held),
            ("people with an altogether other name (an id given to somebody else?)", self.renamed),
            ("new administrators", self.administrators),
        ):
            lines += _listing(title, listing)
        return lines + [f"note: {note}" for note in self.notes]


def _tally(tally: Tally) -> str:
    counts = [f"{count:,} {name}" for name, count in asdict(tally).items() if count]
    return ", ".join(counts) or "nothing"


def _listing(title: str, listing: Listing) -> list[str]:
    if not listing.total:
        return []
    shown = listing.first[:SHOWN]
    more = listing.total - len(shown)
    lines = [f"{listing.total:,} {title}:", *(f"  {each}" for each in shown)]
    return [*lines, f"  … and {more:,} more"] if more > 0 else lines
