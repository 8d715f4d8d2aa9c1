"""The decision point inside the application: same process, compiled engine, shared database.

The only module here that knows the service; all of it is imported when a point is opened. There
is no second way to a decision: what is asked here is decided, recorded and obliged as what is
asked over HTTP (3.1), under the application's own name.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from authz import clock
from authz.decision.request import key_of_value, parse
from authz.errors import AuthzError, MalformedError, PointUnavailableError, SettingError
from authz.middleware.answer import NOTIFY, REVIEW, UNAVAILABLE, Answer
from authz.middleware.health import Health
from authz.middleware.question import Question
from authz.recent import Recent

if TYPE_CHECKING:
    from authz.config import Settings
    from authz.decision.combine import Decision
    from authz.decision.request import Request
    from authz.service.decided import Decided

BY_POINT: Final = frozenset({NOTIFY, REVIEW})
KEPT: Final = 8192
"""Questions whose reading and whose answer's are kept; a kilobyte or two each."""
TOGETHER: Final = 1000
"""Questions that are decided of one state of the directory, and recorded together."""
MALFORMED: Final = MalformedError.code


class EmbeddedPoint:
    """The point of the settings (``AUTHZ_…``), in this process. Safe for threads.

    ``authz audit keep`` must run beside the application, as ``authz serve`` does by itself: it
    moves the records from this process's journal into the database.
    """

    def __init__(
        self,
        application: str,
        *,
        settings: Settings | None = None,
        asserts_mfa: bool = False,
        language: str = "en",
    ) -> None:
        """``application`` stands in every record as the one who asked.

        ``asserts_mfa``: whether this application may say that a second factor was shown (page
        5). SettingError or PolicyError where the point cannot be opened; a database that is away
        is no error yet.
        """
        from authz.config import load
        from authz.service.decided import Caller
        from authz.service.point import open_point
        from authz.service.search import SearchPoint

        if not application:
            raise SettingError("It is required.", where="application")
        self._settings = settings or load()
        self._point = open_point(self._settings)
        key = secrets.token_bytes(32)
        self._searches = SearchPoint(self._point, lambda: key)
        self._caller = Caller(application, asserts_mfa=asserts_mfa)
        self._language = language
        self._read: Recent[bytes, Request] = Recent(KEPT)
        self._told: Recent[bytes, tuple[Decision, Answer]] = Recent(KEPT)
        self._health = Health(f"embedded point of {application}")
        self._ready = False
        self._guard = Lock()
        _points.add(self)

    def decide(self, questions: Sequence[Question]) -> list[Answer]:
        """An answer for each (:meth:`authz.middleware.point.Point.decide`)."""
        items = [self._item(question) for question in questions]
        answers: list[Answer] = []
        for begin in range(0, len(items), TOGETHER):
            answers += self._decided(items[begin : begin + TOGETHER])
        return answers

    def _item(self, question: Question) -> Request | MalformedError:
        """What the question says, read as over HTTP; MalformedError raised where it is no JSON."""
        key = _key_of(question)
        known = self._read.get(key) if key else None
        if known is None:
            copied = json.loads(question.key())  # whoever asked may change theirs
            try:
                known = parse(copied, "questions.")
            except MalformedError as error:
                return error
            if key:
                self._read.keep(key, known)
        return known

    def search(self, question: Question, *, limit: int | None = None) -> Iterator[str]:
        """The ids, page by page (:meth:`authz.middleware.point.Point.search`)."""
        from authz.decision.search import Kind, parse_search

        body = question.to_wire()
        token = ""
        while True:
            page = {"token": token or None, "limit": limit}
            try:
                self._begin()
                asked = parse_search(Kind.RESOURCE, {**body, "page": page})
                found = self._searches.search(asked, self._caller)
            except MalformedError:
                raise
            except Exception as error:
                self._failed(error)
                raise PointUnavailableError(
                    "The decision point gives no list.", reason=UNAVAILABLE
                ) from error
            yield from found.listed
            token = found.next_token
            if not token:
                return

    def permitted(self, statement: Any, question: Question, *, person: Any) -> Any:
        """The statement with only rows of people that the question is permitted for.

        ``person`` is the column that holds their ids. As with a search, no permit and no access:
        what is shown is asked for, which leaves the record (:func:`authz.permitted`).
        """
        from authz.service.permitted import permitted

        return permitted(
            statement,
            question.subject,
            question.action,
            question.category,
            person=person,
            subject_type=question.subject_type,
            properties=question.properties,
            context=self._believed(question),
            policy=self._point.policy,
            place=self._point.place,
        )

    def counts(self) -> dict[str, int]:
        """Decisions asked for, and questions refused because none could be made."""
        return self._health.counts()

    def close(self) -> None:
        """End this process's chain of records in order, and let go of the database."""
        from authz.service.journals import close

        with self._guard:
            self._ready = False
            close(self._point.store)

    def _decided(self, items: Sequence[Request | MalformedError]) -> list[Answer]:
        try:
            self._begin()
            found = self._point.at_once(items, self._caller)
            if found is None:
                found = self._point.evaluate(items, self._caller, path="questions")
        except Exception as error:  # noqa: BLE001 (no decision is a refusal, whatever it was)
            self._failed(error)
            self._health.refused({UNAVAILABLE: len(items)})
            return [Answer.refused(UNAVAILABLE)] * len(items)
        self._health.went_well()
        return [self._answer(one) for one in found]

    def _answer(self, one: Decided) -> Answer:
        """What an application is told over HTTP, and no more (page 5, "Reasons outward")."""
        if one.malformed is not None:
            return Answer.refused(MALFORMED)
        key = one.question.request.key if one.question else b""
        known = self._told.get(key)
        if known is None or known[0] is not one.decision:
            known = one.decision, self._outward(one.decision)
            if key:
                self._told.keep(key, known)
        place = f"{one.receipt.chain}-{one.receipt.sequence}" if one.receipt else ""
        return known[1].recorded(place)

    def _outward(self, decision: Decision) -> Answer:
        from authz.decision.answer import outward

        body = outward(decision, self._point.policy.catalogue, self._language)
        return Answer.from_wire(body, by_point=BY_POINT)

    def _believed(self, question: Question) -> dict[str, Any]:
        said = dict(question.context)
        return said if self._caller.asserts_mfa else {**said, "mfa": None}

    def _begin(self) -> None:
        """Make sure of the tables, the journal and the record of what is started with, once."""
        if not self._ready:
            with self._guard:
                self._make_sure()

    def _make_sure(self) -> None:
        from authz.service import standing
        from authz.service.database import require
        from authz.service.journals import claim, count, journal_of, open_journal

        store = self._point.store
        if self._ready:  # another thread was faster
            return
        require(store)
        claim(store, self._settings)
        if journal_of(store) is None:
            open_journal(store, self._settings)
            count(self._settings)
        standing.note(store, self._settings, self._point.policy)
        self._ready = True

    def _failed(self, error: Exception) -> None:
        code = error.code if isinstance(error, AuthzError) else type(error).__name__
        self._health.failed(UNAVAILABLE, code, clock.monotonic())

    def forked(self) -> None:
        """In a forked child: the connections are the parent's, and a lock may be held for ever."""
        self._guard = Lock()
        self._health = Health(self._health.name)
        self._point.store.dispose(close=False)


def _key_of(question: Question) -> bytes:
    """Bytes that only questions with the same members have; empty where they can have none."""
    subject = question.subject_type, question.subject, question.subject_properties
    resource = question.category, question.person, question.properties
    return key_of_value((subject, question.action, resource, question.context))


_points: WeakSet[EmbeddedPoint] = WeakSet()


def _forked() -> None:
    for each in list(_points):
        each.forked()


os.register_at_fork(after_in_child=_forked)
