"""Years of the Buddhist era, which Thai exports write where a year of the common era belongs.

As an end such a year is five centuries too late, so that a right would never end; as a birth
date it makes a minor of everybody. Both are refused where facts and rosters come in (2.4).
"""

from __future__ import annotations

from datetime import date

BUDDHIST = range(2440, 2660)
"""The years 1897 to 2116 as the Buddhist era counts them."""
MEANT = "is a year of the Buddhist era, 543 more than the year that is meant"


def is_buddhist(day: date) -> bool:
    """Whether the year of a day or moment is surely meant in the Buddhist era."""
    return day.year in BUDDHIST
