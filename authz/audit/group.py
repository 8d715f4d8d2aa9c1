"""Group commit: threads of one process that wait to write share the next write (N-49, N-51).

A write costs a wait for the disk, and writes to one chain come one after the other. So
while one thread writes, the others queue; whoever comes next takes all that is queued. No
thread runs in the background: nothing is lost when the process ends or forks. Who has
returned has its record; when the shared write fails, everybody in it fails.

A forced write costs more processor time than a decision. So who will have something to write
says so beforehand (:meth:`GroupCommit.expect`), and while others are still coming, those who
are there wait for them: the last one writes for all. They wait for :data:`PATIENCE` seconds at
most, and not once :data:`ENOUGH` of them are there.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary, WeakSet

Store = TypeVar("Store")
Item = TypeVar("Item")
Done = TypeVar("Done")

MOST = 1000
"""Items in one write; what is over waits for the next, so that no answer waits for many."""
PATIENCE = 0.001
"""Seconds that those who are there wait for those who are coming."""
ENOUGH = 8
"""Callers that wait for nobody more: a larger write is not much cheaper for each."""


class _Ticket(Generic[Item, Done]):
    """One caller's items, and what became of them; ``turn`` opens when it may go on.

    It goes on because it is done, or because it ``leads``: it writes for all that wait.
    """

    __slots__ = ("error", "items", "leads", "result", "turn")

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.result: Sequence[Done] | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.turn: Lock | None = None

    def go_on(self) -> None:
        """Let its thread run, if it waits."""
        if self.turn is not None:
            self.turn.release()


class Coming:
    """One who will write soon, or says :meth:`over` and will not."""

    __slots__ = ("open", "queue")

    def __init__(self, queue: _Queue[Any, Any]) -> None:
        self.queue = queue
        self.open = True

    def over(self) -> None:
        """Nobody need wait any more; without effect for who wrote."""
        if self.open:
            self.queue.withdraw(self)


class _Queue(Generic[Item, Done]):
    """Who waits for one store, how many are coming, and whether somebody writes."""

    def __init__(self) -> None:
        self.guard = Lock()
        self.busy = False
        self.coming = 0
        self.waiting: deque[_Ticket[Item, Done]] = deque()

    def expect(self) -> Coming:
        """Somebody will come."""
        with self.guard:
            self.coming += 1
        return Coming(self)

    def withdraw(self, coming: Coming) -> None:
        """They will not, after all: those who waited for them go on."""
        with self.guard:
            coming.open = False
            self.coming -= 1
            if not self.busy:
                self._hand_on()

    def enter(self, ticket: _Ticket[Item, Done], coming: Coming | None) -> None:
        """Wait until somebody has written the ticket's items, or it is its turn to lead."""
        try:
            with self.guard:
                if coming is not None and coming.open and coming.queue is self:
                    coming.open = False
                    self.coming -= 1
                if not self.busy and (not self.coming or len(self.waiting) + 1 >= ENOUGH):
                    self._lead(ticket)
                    return
                turn = ticket.turn = Lock()
                turn.acquire()
                self.waiting.append(ticket)
            while not turn.acquire(timeout=PATIENCE):
                if self._overdue(ticket):
                    return
        except BaseException:  # a signal: nobody waits for the turn that this one may get
            self._desert(ticket)
            raise

    def take(self) -> list[_Ticket[Item, Done]]:
        """The leader's ticket and the oldest of the others, as many as fit into one write."""
        with self.guard:
            batch = [self.waiting.popleft()]
            size = len(batch[0].items)
            while self.waiting and size + len(self.waiting[0].items) <= MOST:
                size += len(self.waiting[0].items)
                batch.append(self.waiting.popleft())
            return batch

    def leave(self) -> None:
        """Hand the lead to the oldest ticket that waits, unless it waits for who is coming."""
        with self.guard:
            self.busy = False
            self._hand_on()

    def _lead(self, ticket: _Ticket[Item, Done]) -> None:
        self.busy = ticket.leads = True
        self.waiting.appendleft(ticket)

    def _hand_on(self) -> None:
        waiting = self.waiting
        if waiting and (not self.coming or len(waiting) >= ENOUGH):
            self.busy = waiting[0].leads = True
            waiting[0].go_on()

    def _overdue(self, ticket: _Ticket[Item, Done]) -> bool:
        """Whether the ticket has waited long enough for others, and now leads."""
        with self.guard:
            if self.busy or ticket not in self.waiting:
                return False
            self.waiting.remove(ticket)
            self._lead(ticket)
            return True

    def _desert(self, ticket: _Ticket[Item, Done]) -> None:
        with self.guard:
            if ticket in self.waiting:
                self.waiting.remove(ticket)
        if ticket.leads:
            self.leave()


class GroupCommit(Generic[Store, Item, Done]):
    """``commit`` for callers in many threads, a write for as many of them as there are."""

    def __init__(
        self,
        commit: Callable[[Store, Sequence[Item]], Sequence[Done]],
        shared: Callable[[BaseException], Exception],
    ) -> None:
        """``shared`` makes the error of those whose write somebody else tried."""
        self._commit = commit
        self._shared = shared
        self._queues: WeakKeyDictionary[Store, _Queue[Item, Done]] = WeakKeyDictionary()
        self._guard = Lock()
        _groups.add(self)

    def forget(self) -> None:
        """Begin anew in a forked child: who waited or held a lock is not in it."""
        self._queues = WeakKeyDictionary()
        self._guard = Lock()

    def expect(self, store: Store) -> Coming:
        """Who calls will soon call again with items, or say that it is over."""
        return (self._queues.get(store) or self._new(store)).expect()

    def __call__(
        self, store: Store, items: Sequence[Item], coming: Coming | None = None
    ) -> Sequence[Done]:
        """Commit ``items`` together; return what ``commit`` gave for them, or raise its error."""
        queue = self._queues.get(store) or self._new(store)
        ticket: _Ticket[Item, Done] = _Ticket(items)
        queue.enter(ticket, coming)
        if ticket.leads:
            self._lead(store, queue)
        elif ticket.error is not None:
            raise self._shared(ticket.error) from ticket.error
        return ticket.result or ()

    def _new(self, store: Store) -> _Queue[Item, Done]:
        with self._guard:
            return self._queues.setdefault(store, _Queue())

    def _lead(self, store: Store, queue: _Queue[Item, Done]) -> None:
        """Commit for all that wait, and let them go on, come what may; the next leader first."""
        batch = queue.take()
        try:
            items = batch[0].items
            if len(batch) > 1:
                items = [item for ticket in batch for item in ticket.items]
            done = self._commit(store, items)
            begin = 0
            for ticket in batch:
                end = begin + len(ticket.items)
                ticket.result, begin = done[begin:end], end
        except BaseException as error:
            for ticket in batch[1:]:
                ticket.error = error
            raise
        finally:
            queue.leave()
            for ticket in batch[1:]:
                ticket.go_on()


_groups: WeakSet[GroupCommit[Any, Any, Any]] = WeakSet()


def _forget_all() -> None:
    for group in list(_groups):
        group.forget()


os.register_at_fork(after_in_child=_forget_all)
