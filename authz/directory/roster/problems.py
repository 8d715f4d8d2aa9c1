"""What is wrong with a roster: every place is kept up to a cap, all of them are counted."""

from __future__ import annotations

from collections.abc import Iterable

from authz.errors import RosterError

CAP = 100
"""How many problems are told one by one; the others are counted."""

SHORT = 40
"""How much of a cell is shown."""


class RosterProblemsError(RosterError):
    """A refused roster. ``problems`` holds one line each: ``users.csv:17: column role: …``."""

    def __init__(self, problems: tuple[str, ...], total: int) -> None:
        if total == 1:
            super().__init__(f"{problems[0]} Nothing was imported.")
        else:
            more = [f"… and {total - len(problems)} more"] if total > len(problems) else []
            listing = "\n".join((*problems, *more))
            super().__init__(f"{total} problems, nothing was imported:\n{listing}")
        self.problems = problems
        self.total = total


class Findings:
    """A list that stops growing: the first :data:`CAP` entries and the count of all."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self.total = 0

    def add(self, text: str) -> None:
        """Take one finding."""
        self.total += 1
        if len(self.listed) < CAP:
            self.listed.append(text)

    def extend(self, texts: Iterable[str], total: int) -> None:
        """Take the first of ``total`` findings; ``texts`` need not hold more than the cap."""
        self.listed.extend(list(texts)[: max(0, CAP - len(self.listed))])
        self.total += total

    def refuse(self) -> None:
        """Refuse the roster if anything was found (page 4.2: all or nothing)."""
        if self.total:
            raise RosterProblemsError(tuple(self.listed), self.total)


def place(file: str, line: int, column: str, text: str) -> str:
    """A problem with where it is: file, line and column."""
    return f"{file}:{line}: column {column}: {text}"


def short(cell: str) -> str:
    """A cell as it may be shown: quoted, without control characters, and short."""
    return repr(cell if len(cell) <= SHORT else cell[: SHORT - 1] + "…")
