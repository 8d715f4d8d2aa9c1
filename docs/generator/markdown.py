"""The little Markdown that generated pages need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def cell(text: object) -> str:
    """Text that cannot break out of its table cell."""
    return " ".join(str(text).split()).replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table with these column names."""
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    lines += ["| " + " | ".join(cell(text) for text in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def code(text: str, language: str = "text") -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def tick(text: object) -> str:
    """A name in code type, or nothing."""
    return f"`{text}`" if str(text) else ""


def plain(docstring: str | None) -> str:
    """The first paragraph of a docstring, without the marks of its markup."""
    first = (docstring or "").strip().split("\n\n")[0]
    return " ".join(first.replace("``", "`").split())
