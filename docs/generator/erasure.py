"""What an erasure takes away and what it leaves, from the product's own list."""

from __future__ import annotations

from authz.service.personal import ENDED, ERASED, KEPT, Columns
from docs.generator.markdown import table, tick

INTRO = """\
# What an erasure reaches

`authz erase PERSON --because TEXT` carries out an erasure that is approved (N-34, E-04). Here is
every column in which a person's id, name or words about them may stand, by table. A test holds that
none is forgotten.

An id that stays leads to the person for whoever holds the database: a record that names a fact or a
sign-in by its own number can be traced through the row of that number for as long as it is there.
"""


def page() -> str:
    """The page of all three."""
    gone = [row for each in ERASED for row in _rows(each.why, each.columns)]
    ended = [row for each in ENDED for row in _rows(each.why, each.columns)]
    kept = [row for each in KEPT for row in _rows(each.why, each.columns)]
    return (
        f"{INTRO}\n## Taken away\n\n"
        + table(["table", "columns", "how"], gone)
        + "\n\n## Taken away once it has ended\n\n"
        + table(["table", "columns", "how"], ended)
        + "\n\n## Kept\n\n"
        + table(["table", "columns", "why"], kept)
    )


def _rows(text: str, columns: Columns) -> list[tuple[str, str, str]]:
    """A row for each table."""
    return [
        (tick(name), ", ".join(map(tick, chosen)), text) for name, chosen in sorted(columns.items())
    ]
