"""``may(…)`` for the templates of a page: many small questions, asked in one call.

::

    {% do may.ahead("read", "assessment_result", students) %}
    {% for student in students %}
      {% if may("read", "assessment_result", student) %}…{% endif %}

An answer here is for what a page shows of itself, as a link. Whoever follows the link is asked
about anew. Each is a decision with its record.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any, Final

from authz.errors import RefusedError
from authz.middleware.declare import Needs
from authz.middleware.guard import Asked, AsyncGuard, Guard
from authz.middleware.identity import Identity
from authz.middleware.permitted import BY_FILTER

_log = logging.getLogger("authz.middleware")
MOST_SINGLY: Final = 10
"""Questions asked one by one on a page before it is told that they can be asked ahead."""
PERSON: Final = "person"
_Key = tuple[str, str, str, str]


class Page:
    """The questions of one page, each asked once."""

    def __init__(self, guard: Guard, who: Callable[[], Identity | None]) -> None:
        self._guard = guard
        self._who = who
        self._known: dict[_Key, bool] = {}
        self._ahead: dict[_Key, None] = {}
        self._singly = 0

    def ahead(self, action: str, category: str, people: Iterable[Any], *, purpose: str = "") -> str:
        """Ask about all these people when the first answer is wanted, in one call.

        Empty text, so that a template can print it.
        """
        for person in people:
            self._ahead[action, category, str(person), purpose] = None
        return ""

    def __call__(self, action: str, category: str, person: Any, *, purpose: str = "") -> bool:
        """May whoever is signed in do this? False too where nobody is, or nothing answers."""
        key = (action, category, str(person), purpose)
        if key not in self._known:
            if key not in self._ahead:
                self._alone(key)
            self._ask({**self._ahead, key: None})
            self._ahead.clear()
        return self._known[key]

    def _ask(self, keys: Iterable[_Key]) -> None:
        wanted = [key for key in keys if key not in self._known]
        self._known.update(zip(wanted, may(self._guard, self._who(), wanted), strict=True))

    def _alone(self, key: _Key) -> None:
        self._singly += 1
        if self._singly == MOST_SINGLY:
            _log.warning("a page asks may%r and others one by one: use may.ahead(…)", key[:2])


def may(guard: Guard, who: Identity | None, keys: Iterable[_Key]) -> list[bool]:
    """An answer for each action, category, person and purpose, in their order, in one call."""
    asked = _asked(keys)
    if who is None or not asked:
        return [False] * len(asked)
    return [not isinstance(each, RefusedError) for each in guard.ask_all(asked, who)]


async def may_async(
    guard: Guard | AsyncGuard, who: Identity | None, keys: Iterable[_Key]
) -> list[bool]:
    """The same for one event loop."""
    listed = list(keys)
    if isinstance(guard, Guard):
        return await asyncio.to_thread(may, guard, who, listed)
    asked = _asked(listed)
    if who is None or not asked:
        return [False] * len(asked)
    return [not isinstance(each, RefusedError) for each in await guard.ask_all(asked, who)]


def _asked(keys: Iterable[_Key]) -> list[Asked]:
    """What to ask: nothing is handed out here, so that limits on data bind nobody."""
    return [
        (Needs(action, category, PERSON, purpose=purpose, carries=BY_FILTER), {PERSON: person})
        for action, category, person, purpose in keys
    ]
