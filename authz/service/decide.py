"""The decision point: questions in, recorded decisions out (2.8, 3.1).

There is no second way to a decision, and no switch that turns recording off: what
:meth:`DecisionPoint.evaluate` returns has its records, written together and durable, or
it raises :class:`AuditUnavailableError` and nothing is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from authz import clock
from authz.audit import log
from authz.audit.group import Coming
from authz.audit.log import Receipt
from authz.audit.record import timestamp
from authz.decision.catalogue import About
from authz.decision.combine import refuse
from authz.decision.request import Question, Request, question
from authz.directory import reader
from authz.directory.asking import Asking, NotKept, Remembered, snapshot
from authz.directory.facts import Facts, Place
from authz.directory.known import KnownFacts
from authz.directory.moment import Moment
from authz.directory.needs import EVERYTHING, needs
from authz.directory.relations import Situation
from authz.engine import decide as engine
from authz.engine.policy import Policy
from authz.errors import MalformedError
from authz.measures import DECISIONS
from authz.recent import Recent
from authz.service import duties
from authz.service.database import reading, translated, writing
from authz.service.decided import MALFORMED, Caller, Decided, Found, Items, Semantic
from authz.service.decision_records import DecisionRecords
from authz.service.stands import Stands
from authz.service.watch import watch

AGAIN = 8192
"""How many decisions a process keeps; a few kilobytes each."""


@dataclass(frozen=True)
class DecisionPoint:
    """A policy and a store, asked many times, from many threads.

    ``again`` is what was decided last of a question, by the era of the store and by whether the
    caller is believed about a second factor: all else it hangs on, :class:`Stands` looks at.
    ``all_facts`` are read for tools that tell more than the decision stands on.
    """

    store: Engine
    policy: Policy
    place: Place
    known: KnownFacts = field(default_factory=KnownFacts, compare=False, repr=False)
    again: Recent[tuple[int, bytes, bool], Decided] = field(
        default_factory=lambda: Recent(AGAIN), compare=False, repr=False
    )
    all_facts: bool = False

    def evaluate(
        self,
        items: Items,
        caller: Caller,
        *,
        request_id: str = "",
        semantic: Semantic = Semantic.EXECUTE_ALL,
        path: str = "",
    ) -> list[Decided]:
        """Decide the items in their order, and record each, all together (N-49).

        ``path`` leads the field names of a malformed single question. MalformedError is
        raised for a single item only; in a batch its place is refused (page 5).
        AuditUnavailableError and StoreUnavailableError leave no answer at all.
        """
        coming = log.expect(self.store)
        try:
            found, now = self._decide(items, caller, semantic)
            if len(items) == 1 and found[0].malformed is not None and not path:
                raise found[0].malformed
            told = DecisionRecords(self.policy, caller, request_id, now)
            receipts = self._record(found, told, coming)
        finally:
            if coming is not None:
                coming.over()
        _count(found)
        return [
            Decided(one.decision, one.question, one.situation, one.malformed, place, one.stands)
            for one, place in zip(found, receipts, strict=True)
        ]

    def at_once(self, items: Items, caller: Caller) -> list[Decided] | None:
        """What :meth:`evaluate` gives for one item of which a decision stands.

        It is the same look, decision and record, without all that other items need. None where
        there is more to do. AuditUnavailableError as there.
        """
        watching = watch(self.store)
        if len(items) != 1 or watching is None or self.all_facts:
            return None
        item = items[0]
        if isinstance(item, MalformedError):
            return None
        try:
            seen = watching.look()
        except OperationalError:  # told by whoever decides anew
            return None
        now = clock.now()
        kept = self.again.get((seen.era, item.key, caller.asserts_mfa)) if item.key else None
        stands = kept.stands if kept else None
        form = stands.form(seen.revision, now, caller.client) if stands else None
        if kept is None or form is None:  # none is kept where people are hidden in records
            return None
        body = form.spelt("", timestamp(now), caller.token_id)
        (receipt,) = log.record_spelt(self.store, (body,))
        decision = kept.decision
        DECISIONS.add("permit" if decision.permit else "refuse", decision.reason or "")
        return [Decided(decision, kept.question, receipt=receipt, stands=stands)]

    def _decide(self, items: Items, caller: Caller, semantic: Semantic) -> Found:
        """The decisions, all of one state of the directory, and the moment that they are of."""
        with translated():
            try:
                return self._of_kept(items, caller, semantic)
            except NotKept:
                return self._of_one_snapshot(items, caller, semantic)

    def _of_kept(self, items: Items, caller: Caller, semantic: Semantic) -> Found:
        """Decided by kept facts alone, where one look shows that they are still true.

        NotKept where they do not answer every item: all are then of one snapshot.
        """
        watching = watch(self.store)
        if watching is None:
            raise NotKept
        seen = watching.look()
        asking = Remembered(seen.revision, seen.era)
        now = clock.now()  # not before the look: see below
        return list(self._until(asking, items, caller, now, semantic)), now

    def _of_one_snapshot(self, items: Items, caller: Caller, semantic: Semantic) -> Found:
        with snapshot(self.store) as asking:
            # A snapshot begins with its first statement. The moment is not before it, so that
            # what was revoked while a request waited for its connection is revoked for it.
            asking.revision()
            now = clock.now()
            return list(self._until(asking, items, caller, now, semantic)), now

    def what_if(
        self,
        items: Items,
        caller: Caller,
        at: datetime,
        *,
        request_id: str = "",
        also: Callable[[Connection, Decided], None] | None = None,
    ) -> list[Decided]:
        """Ask today's facts about another moment; recorded as such, and never an access.

        ``also`` is called with each answer in the same snapshot, before it is recorded.
        """
        every = Semantic.EXECUTE_ALL
        whole = replace(self, all_facts=True)
        with reading(self.store) as connection:
            asking = Asking.over(connection)
            found = list(whole._until(asking, items, caller, at, every))  # noqa: SLF001 (itself)
            if also is not None:
                for one in found:
                    also(connection, one)
        told = DecisionRecords(self.policy, caller, request_id, clock.now())
        log.record(self.store, [told.what_if(one, at) for one in found if one.malformed is None])
        return found

    def _until(
        self,
        asking: Asking,
        items: Items,
        caller: Caller,
        now: datetime,
        semantic: Semantic,
    ) -> Iterator[Decided]:
        for item in items:
            if isinstance(item, MalformedError):
                one = Decided(refuse(MALFORMED), malformed=item)
            elif item.key and asking.keepable and not self.all_facts:
                one = self._again(asking, item, caller, now)
            else:
                one = self._one(asking, item, caller, now)
            yield one
            if semantic.stops_at(permit=one.decision.permit):
                return

    def _again(self, asking: Asking, item: Request, caller: Caller, now: datetime) -> Decided:
        """What was decided of this question before, where it stands; else it is decided now."""
        key = asking.era, item.key, caller.asserts_mfa
        kept = self.again.get(key)
        if kept and kept.stands and kept.stands.at(asking.revision(), now):
            return kept
        moment = Moment.of(now)
        one = self._one(asking, item, caller, moment)
        if one.malformed is not None or any(duties.of(one.decision, one.situation, now)):
            return one
        stands = Stands(asking.revision(), moment.since, moment.until)
        one = Decided(one.decision, one.question, stands=stands)
        self.again.keep(key, one)
        return one

    def _one(self, asking: Asking, item: Request, caller: Caller, now: datetime) -> Decided:
        try:
            asked = self.question(item, caller)
        except MalformedError as error:
            return Decided(refuse(MALFORMED), malformed=error)
        return self.decided(asking, asked, now)

    def question(self, request: Request, caller: Caller) -> Question:
        """The question that this caller's request is, under this policy."""
        if self.policy.catalogue.about is About.PEOPLE:
            return question(request, believes_mfa=caller.asserts_mfa)
        return Question(request)

    def decide(self, connection: Connection, asked: Question, now: datetime) -> Decided:
        """The decision on these facts at this moment; nothing is recorded yet."""
        return self.decided(Asking.over(connection), asked, now)

    def decided(self, asking: Asking, asked: Question, now: datetime) -> Decided:
        """The same in a snapshot of the store."""
        strange = engine.unknown_word(self.policy, asked)
        if strange is not None:
            facts = Facts(revision=asking.revision())
            return Decided(strange, asked, self._situation(asked, facts, now))
        situation = self._situation(asked, self._facts(asking, asked), now)
        return Decided(engine.decide_known(self.policy, asked, situation), asked, situation)

    def _facts(self, asking: Asking, asked: Question) -> Facts:
        """What the rules about the question can ask, as the directory stands now."""
        if self.policy.catalogue.about is not About.PEOPLE:
            return reader.entities(asking, asked)
        if self.all_facts:
            return reader.people(asking, asked, EVERYTHING)
        rules = self.policy.applicable(asked.action, asked.category)
        return self.known.people(asking, asked, needs(rules.relations))

    def _situation(self, asked: Question, facts: Facts, now: datetime) -> Situation:
        return Situation(asked, facts, now, self.place, self.policy.catalogue)

    def _record(
        self, found: Sequence[Decided], told: DecisionRecords, coming: Coming | None
    ) -> list[Receipt]:
        due = [duty for one in found for duty in duties.of(one.decision, one.situation, told.now)]
        if not (due and duties.unopened(self.store, due)):
            return log.record_spelt(self.store, told.spelt(self.store, found), coming)
        if coming is not None:
            coming.over()
        with writing(self.store) as connection:
            receipts = log.append(connection, [told.entry(one) for one in found])
            duties.open_all(connection, due, told.request_id)
        return receipts


def _count(found: Sequence[Decided]) -> None:
    """Count the decisions, those with one outcome together."""
    outcomes: dict[tuple[bool, str], int] = {}
    for one in found:
        outcome = one.decision.permit, one.decision.reason or ""
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    for (permit, reason), number in outcomes.items():
        DECISIONS.add("permit" if permit else "refuse", reason, by=number)
