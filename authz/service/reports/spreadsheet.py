"""What a spreadsheet would take for a formula is led by an apostrophe: for every CSV (N-51)."""

from __future__ import annotations

from typing import Final

BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def cell(text: str) -> str:
    """The text of a cell, which a spreadsheet shows and does not carry out."""
    return f"'{text}" if text.startswith(BEGINS_A_FORMULA) else text
