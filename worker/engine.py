"""Handler calls beside each other: the main thread's side of it.

What is received goes into queues (`decide.queues`); runners, threads or tasks of one event loop, take from them
what may run, and say themselves that a record is done, so that its lane goes on at once. What else follows from a call
(counters, outputs, retries, dead letters, commits) is done here, by the main thread, between two of its waits.
All methods are to be called while the gate is held.
"""

from collections import Counter as Tally
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Protocol, Self

from . import clock
from .boardwriter import BoardWriter
from .commit import Committer
from .counters import Counter
from .decide.pressure import Key
from .decide.queues import Order, Queues
from .desk import BRIEF, Desk
from .entrance import Entrance
from .gate import Gate
from .inbox import Inbox
from .kafka import CallbackError
from .outcomes import Outcomes
from .partition import Partition
from .partitions import Partitions
from .quarantine import Quarantine
from .task import Ending, Task

_ACTIVE: Final = int(Counter.ACTIVE)
CHUNK: Final = 100
"""Records that are queued before runners have their turn at the gate: half a millisecond's."""
BREATH: Final = 0.0001
"""Seconds of that turn: who gives a lock up and takes it at once is the first to have it."""
BEAT: Final = 0.1
"""Seconds between two heartbeats while calls of a revoked partition are waited for."""


class Runners(Protocol):
    """What calls the handler."""

    def wake(self, count: int) -> None:
        """Have up to `count` more records begun."""

    def stop(self) -> None:
        """Begin nothing any more."""


class Engine:
    """The queues and what follows from a call."""

    def __init__(
        self,
        *,
        gate: Gate,
        order: Order,
        inbox: Inbox,
        partitions: Partitions,
        outcomes: Outcomes,
        committer: Committer,
        desk: Desk,
        board: BoardWriter,
    ) -> None:
        self.gate = gate
        self.queues: Queues[Task] = Queues()
        self.runners: Runners | None = None
        self.entrance = Entrance(self.queues, order, inbox, partitions)
        self._partitions = partitions
        self._inbox = inbox
        self._outcomes = outcomes
        self._committer = committer
        self._desk = desk
        self._board = board
        self._endings: deque[Ending] = deque()
        self._fault: BaseException | None = None
        self._awaited = False
        self._ended: Callable[[Task], None] = lambda _: None

    def under(self, quarantine: Quarantine) -> Self:
        """Ask `quarantine` which records run alone and which not at all, and tell it of each call that has ended."""
        self.queues.alone, self.entrance.set_aside = quarantine.must_run_alone, quarantine.set_aside
        self._ended = quarantine.ended
        return self

    @property
    def busy(self) -> bool:
        """Whether calls are under way, or have ended without what follows from them."""
        return bool(self.queues.active or self._endings)

    @property
    def records(self) -> int:
        """How many records are in flight here."""
        return self.queues.records + self.entrance.overflow.records

    @property
    def bytes(self) -> int:
        """The bytes of their values."""
        return self.queues.bytes + self.entrance.overflow.bytes

    @property
    def full(self) -> frozenset[Key]:
        """The partitions of which nothing more may be begun for now."""
        return self.entrance.overflow.keys

    def empty(self) -> frozenset[Key]:
        """Return the partitions that have nothing in flight here."""
        return frozenset(one.key for one in self._partitions if not self.queues.count(one))

    def step(self) -> None:
        """Queue what was received."""
        self.entrance.follow()  # before a new epoch of a partition has anything to begin
        while self._inbox:
            self.entrance.take(CHUNK)
            self._wake()
            if self._inbox:
                with self.gate.aside():
                    clock.sleep(BREATH)

    def turn(self) -> None:
        """Do what follows from calls that have ended, and let begin what may.

        Raises:
            CallbackError: a runner has a fault of ours.
        """
        if self._fault is not None:
            raise CallbackError(f"{type(self._fault).__name__}: {self._fault}") from self._fault
        self._collect()
        self.entrance.follow()
        self._wake()

    def begin(self) -> Task | None:
        """Return the record that a runner is to handle now; None if there is nothing for it."""
        if not self._desk.may_begin():
            return None
        while (task := self.queues.take()) is not None:
            if task.place.owned:
                self._board.words[_ACTIVE] = self.queues.active
                return task
            self.queues.forget(task.place)
            self.queues.ended(task)
        return None

    def end(self, ending: Ending) -> None:
        """Take in how a runner's call ended. A record that is done by that is done on the board from here on."""
        task = ending.task
        if ending.error is not None or task.case is not None:
            self.queues.rest(task)
        else:
            self.queues.ended(task)
            if task.place.owned and not ending.records:
                task.place.offsets.close(task.offset)
                task.place.show()
        self._endings.append(ending)
        self._board.words[_ACTIVE] = self.queues.active
        if self._awaited:
            self.gate.rest.notify()

    def fail(self, fault: BaseException) -> None:
        """Note a fault of ours in a runner, which the main thread ends with."""
        self._fault = fault

    def finish(self, partitions: Iterable[Partition], seconds: float) -> None:
        """Begin nothing more of `partitions` and wait for their calls under way, at most `seconds`.

        They are being revoked: whoever has them next would else handle the next record of a key beside its last one.
        """
        those = list(partitions)
        for one in those:
            self.queues.withdraw(one)
        deadline = clock.monotonic() + seconds
        self._awaited = True
        while any(map(self.queues.running, those)) and clock.monotonic() < deadline and self._fault is None:
            self.gate.rest.wait(BEAT)
            self._board.beat()
        self._awaited = False
        self._collect()

    def stop(self) -> None:
        """Begin nothing any more, whatever comes."""
        if self.runners is not None:
            self.runners.stop()

    def settle(self) -> None:
        """Wait for all calls under way, of which nothing follows any more: others need their rows of the board."""
        self._awaited = True
        while self.queues.active and self._fault is None:
            self.gate.rest.wait(BEAT)
            self._board.beat()

    def wait(self) -> float | None:
        """Return how long the main thread may wait for records at the most, in seconds; None: as long as it likes."""
        return BRIEF if self.busy else None

    def _wake(self) -> None:
        if self.runners is not None and (count := self.queues.startable) and self._desk.may_begin():
            self.runners.wake(count)

    def _collect(self) -> None:
        done: Tally[Partition] = Tally()
        while self._endings:
            ending = self._endings.popleft()
            self._account(ending)
            task = ending.task
            self._ended(task)
            if not task.place.owned:
                continue
            if ending.error is not None:
                self._outcomes.raised(task.place, task.message, ending.error, task.trouble())
            elif ending.records or task.case is not None:
                self._outcomes.returned(task.place, task.message, ending.records, task.trouble())
            else:
                done[task.place] += 1
        for partition, count in done.items():
            self._board.add(Counter.HANDLED, count)
            self._committer.progress(partition, count)

    def _account(self, ending: Ending) -> None:
        board = self._board
        board.add(Counter.CALLS)
        if ending.attempt > 1:
            board.add(Counter.RETRIED)
        board.busy(ending.seconds)
