"""Lists of what somebody may see, for the price of a query or of some pages, not of each row.

A list is no permit: what is shown of a person is asked for (``Guard.ask_all``, one call for all
rows of a page), which also says which of their fields may be shown.
"""

from __future__ import annotations

from typing import Any, Final

from authz.errors import TooLargeError
from authz.middleware.point import AsyncPoint, Point
from authz.middleware.question import Question
from authz.middleware.threads import InThreads

MOST: Final = 10_000
"""Ids that a statement is narrowed to; a database takes some ten thousand of them."""


def permitted(
    point: Point, statement: Any, question: Question, *, person: Any, most: int = MOST
) -> Any:
    """The SQLAlchemy statement, with only rows of people that the question is permitted for.

    ``person`` is its column of their ids; the question's own person does not matter. Embedded,
    it is a condition of the policy in the same query; else the ids come from searches, page by
    page. TooLargeError where they are more than ``most``, PointUnavailableError where the point
    fails: a list is never shorter than it should be.
    """
    narrowed = getattr(point, "permitted", None)
    if narrowed is not None:
        return narrowed(statement, question, person=person)
    ids: list[str] = []
    for each in point.search(question):
        _bounded(ids, most)
        ids.append(each)
    return statement.where(person.in_(ids))


async def permitted_async(
    point: AsyncPoint, statement: Any, question: Question, *, person: Any, most: int = MOST
) -> Any:
    """The same in an event loop."""
    if isinstance(point, InThreads) and hasattr(point.point, "permitted"):
        return permitted(point.point, statement, question, person=person)
    ids: list[str] = []
    async for each in point.search(question):
        _bounded(ids, most)
        ids.append(each)
    return statement.where(person.in_(ids))


def _bounded(ids: list[str], most: int) -> None:
    if len(ids) >= most:
        raise TooLargeError(
            f"More than {most} people are permitted.",
            hint="Narrow the question, use the embedded mode, or page through the search.",
        )
