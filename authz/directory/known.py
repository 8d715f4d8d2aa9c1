"""Facts kept by one process for the next question alike, for as long as they are true (3.5).

A kept fact is used only where it is provably what a read would give now:

* It is kept under all that decides what is read: the two people, what the context names,
  and the parts that the rules about the question need.
* It is of the directory's revision, and that is read from the store for every decision.
  Every transaction that changes a fact moves the revision, so that one revision is one
  state: a guardianship revoked by any process refuses the next decision of this one.
  That holds for one database; what was put in its place, such as a backup, is another era.
* It holds intervals, not whether they cover this moment: what ends by time, ends.

Facts are kept only from a snapshot that cannot write, since a revision that is rolled
back may come again for another state.
"""

from __future__ import annotations

from authz.decision.request import Question
from authz.directory import reader
from authz.directory.asking import Asking
from authz.directory.facts import Facts
from authz.directory.needs import Needs
from authz.recent import Recent

MOST = 4096
"""How many questions' facts a process keeps; some kilobytes each."""

Key = tuple[int, str, str, str | None, str | None, str | None, Needs]


class KnownFacts:
    """The facts last asked for, of many threads; two at once may read the same facts twice."""

    def __init__(self, most: int = MOST) -> None:
        self._kept: Recent[Key, Facts] = Recent(most)

    def __len__(self) -> int:
        """How many questions' facts are kept."""
        return len(self._kept)

    def people(self, asking: Asking, question: Question, needs: Needs) -> Facts:
        """The facts that bear on the question, of the snapshot's own revision."""
        if not asking.keepable:
            return reader.people(asking, question, needs)
        request = question.request
        key = (
            asking.era,
            request.subject.id,
            request.resource.id,
            question.ticket,
            question.order,
            question.case,
            needs,
        )
        kept = self._kept.get(key)
        if kept is None or kept.revision != asking.revision():
            kept = reader.people(asking, question, needs)
            self._kept.keep(key, kept)
        return kept
