"""Facts kept by one process for the next question alike, for as long as they are true (3.5).

A kept fact is used only where it is provably what a read would give now:

* It is kept under all that decides what is read: the two people, what the context names,
  and the parts that the rules about the question need.
* It is of the directory's revision, and that is read from the store for every decision.
  Every transaction that changes a fact moves the revision, so that one revision is one
  state: a guardianship revoked by any process refuses the next decision of this one.
* It holds intervals, not whether they cover this moment: what ends by time, ends.

Facts are kept only from a snapshot that cannot write, since a revision that is rolled
back may come again for another state.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from authz.decision.request import Question
from authz.directory import reader
from authz.directory.asking import Asking
from authz.directory.facts import Facts
from authz.directory.needs import Needs

MOST = 4096
"""How many questions' facts a process keeps; some kilobytes each."""

Key = tuple[str, str, str | None, str | None, str | None, Needs]


class KnownFacts:
    """The facts last asked for, of many threads; the longest unused go first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Facts] = OrderedDict()
        self._lock = Lock()

    def people(self, asking: Asking, question: Question, needs: Needs) -> Facts:
        """The facts that bear on the question, of the snapshot's own revision."""
        if not asking.keepable:
            return reader.people(asking, question, needs)
        key = _key(question, needs)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
        if kept is not None and kept.revision == asking.revision():
            return kept
        facts = reader.people(asking, question, needs)
        self._keep(key, facts)
        return facts

    def _keep(self, key: Key, facts: Facts) -> None:
        with self._lock:
            self._kept[key] = facts
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def _key(question: Question, needs: Needs) -> Key:
    request = question.request
    return (
        request.subject.id,
        request.resource.id,
        question.ticket,
        question.order,
        question.case,
        needs,
    )
