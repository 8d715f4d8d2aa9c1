"""The moment of a decision, which notes every moment that it is compared with (3.5).

Facts hold intervals, and a decision asks of each only whether its moment lies before or after
an end of it. So whoever knows all these ends knows how long the decision stands: at every other
moment with the same ends before it and after it, the same facts give the same answer.

It is a :class:`~datetime.datetime` like any other, so that a relation need know nothing of it;
Python asks the operand of the narrower class first, whichever side it stands on. What is no
comparison could let a decision hang on something that was not noted, and is refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn


class Moment(datetime):
    """A moment; ``since`` and ``until`` are the nearest of those it was compared with.

    The comparisons of any moment ``m`` with ``since <= m < until`` come out as they did of
    this one. None: it was compared with none on that side.
    """

    since: datetime | None
    until: datetime | None

    @classmethod
    def of(cls, now: datetime) -> Moment:
        """This moment, compared with nothing yet."""
        made = cls(
            *(now.year, now.month, now.day),
            *(now.hour, now.minute, now.second, now.microsecond),
            tzinfo=now.tzinfo,
            fold=now.fold,
        )
        made.since = made.until = None
        return made

    def _note(self, other: datetime) -> None:
        if datetime.__gt__(other, self):
            if self.until is None or datetime.__lt__(other, self.until):
                self.until = other
        elif self.since is None or datetime.__gt__(other, self.since):
            self.since = other

    def __lt__(self, other: Any) -> bool:
        self._note(other)
        return datetime.__lt__(self, other)

    def __le__(self, other: Any) -> bool:
        self._note(other)
        return datetime.__le__(self, other)

    def __gt__(self, other: Any) -> bool:
        self._note(other)
        return datetime.__gt__(self, other)

    def __ge__(self, other: Any) -> bool:
        self._note(other)
        return datetime.__ge__(self, other)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("the moment of a decision is compared, and nothing else")

    # `m < until` cannot say what `m == until` is for a moment just before and just after, and
    # whoever computes with a moment has something that was never compared.
    __eq__: Any = _refuse
    __ne__: Any = _refuse
    __hash__: Any = _refuse
    __add__: Any = _refuse
    __radd__: Any = _refuse
    __sub__: Any = _refuse
    __rsub__: Any = _refuse
    astimezone: Any = _refuse
    date: Any = _refuse
    time: Any = _refuse
    timetz: Any = _refuse
    timestamp: Any = _refuse
    isoformat: Any = _refuse
    strftime: Any = _refuse
    replace: Any = _refuse
