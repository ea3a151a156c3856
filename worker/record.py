"""Record mode: the handler is called inline, record after record, with a microsecond of our own round each call."""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Any, Final

from confluent_kafka import Message

from .board import DURATIONS
from .boardwriter import BoardWriter
from .clock import NANOSECONDS, read
from .commit import Committer
from .counters import Counter
from .decide.duration import SLOW
from .desk import Desk
from .handler import Handler
from .inbox import Inbox, Run
from .outcomes import Outcomes
from .partition import Messages, Partition, offset_of
from .pulse import Pulse
from .refusals import REFUSALS, raise_refusals, swallowed


class Why(IntEnum):
    """Why a burst of records ended."""

    ALL = 0
    """There are no more."""
    DUE = 1
    """It is time to look up."""
    RETURNED = 2
    """The handler returned something."""
    RAISED = 3
    """The handler raised, or was refused a call by a circuit breaker and said nothing of it."""


_CALLS: Final = int(Counter.CALLS)
_HANDLED: Final = int(Counter.HANDLED)
_BUSY_NS: Final = int(Counter.BUSY_NS)


class RecordWork:
    """Handles the inbox, run by run."""

    def __init__(
        self,
        *,
        handler: Handler,
        inbox: Inbox,
        outcomes: Outcomes,
        committer: Committer,
        desk: Desk,
        pulse: Pulse,
        board: BoardWriter,
    ) -> None:
        self._handler = handler
        self._inbox = inbox
        self._outcomes = outcomes
        self._committer = committer
        self._desk = desk
        self._pulse = pulse
        self._board = board
        self._message: Any = None
        self._error: BaseException | None = None
        self._result: Any = None
        self._slow = 0
        """Calls of this burst whose duration has been noted."""

    def step(self) -> None:
        """Handle the first run, or as much of it as may be begun."""
        run = self._inbox.take()
        partition = run.partition
        records = iter(run.messages)
        if partition.blocked or not partition.owned or not self._desk.may_begin():
            self._keep(partition, records)
            return
        if partition.start is None:
            partition.begin(offset_of(run.messages[0]))
        ends = iter(_ends(run.messages))
        while (why := self._burst(partition, records, ends)) is not Why.ALL:
            if why is Why.RAISED and self._error is not None:
                self._outcomes.raised(partition, self._message, self._error)
            elif why is Why.RETURNED:
                self._returned(partition)
            if read() >= self._pulse.due:
                self._desk.look_up()
            if not self._desk.may_go_on(partition):
                self._keep(partition, records)
                return

    def _burst(self, partition: Partition, records: Iterator[Message], ends: Iterator[int]) -> Why:
        """Call the handler until something comes up that is not just the next record."""
        pulse, invoke, words, hot = self._pulse, self._handler.invoke, self._board.words, partition.enter()
        refusals = REFUSALS.names
        refusals.clear()
        before = records.__length_hint__()  # type: ignore[attr-defined] # a list's iterator knows
        done: Any = None
        why = Why.ALL
        began = now = read()
        pulse.go_on(now)
        for message, end in zip(records, ends, strict=False):
            try:
                result = invoke(message)
            except BaseException as error:  # noqa: BLE001 - the user's code ran: whatever it raised is the record's failure
                why, self._message, self._error = Why.RAISED, message, error
                break
            if result is not None:
                why, self._message, self._result = Why.RETURNED, message, result
                break
            since, now = now, read()
            if now < pulse.glance:
                words[hot] = done = end
                continue
            if refusals:
                now = since
                why, self._message, self._error = Why.RAISED, message, swallowed(REFUSALS.take())
                break
            words[hot] = done = end
            if not self._glance(now - since, now):
                why = Why.DUE
                break
        ended = read()
        if why >= Why.RETURNED:
            self._note(ended - now)
        self._board.end_call(0)
        calls = before - records.__length_hint__()  # type: ignore[attr-defined]
        self._account(partition, done, calls, why, ended - began)
        return why

    def _glance(self, seconds: float, now: float) -> bool:
        """Note a call that took `seconds`, and that the next one begins; return whether to go on with it."""
        self._note(seconds)
        self._board.since(now)
        return self._pulse.go_on(now)

    def _note(self, seconds: float) -> None:
        if seconds > SLOW:
            self._slow += 1
            self._board.took(seconds)

    def _account(self, partition: Partition, done: int, calls: int, why: Why, busy: float) -> None:
        words = self._board.words
        words[_CALLS] += calls
        words[DURATIONS] += calls - self._slow
        self._slow = 0
        words[_BUSY_NS] += int(busy * NANOSECONDS)
        finished = calls - (why >= Why.RETURNED)
        if finished:
            words[_HANDLED] += finished
            partition.offsets.reach(done)
            partition.show()
            self._committer.progress(partition, finished)

    def _returned(self, partition: Partition) -> None:
        result, self._result = self._result, None
        try:
            records = self._handler.collect(result)
            raise_refusals()
        except BaseException as error:  # noqa: BLE001 - the user's generator ran
            self._outcomes.raised(partition, self._message, error)
        else:
            self._outcomes.returned(partition, self._message, records)

    def _keep(self, partition: Partition, records: Iterator[Message]) -> None:
        """Keep what was not begun where it belongs; of a partition that is not ours any more nothing is kept."""
        if not partition.owned:
            return
        if partition.blocked:
            partition.keep(records)
        else:
            self._inbox.put_back([Run(partition, list(records))])


def _ends(messages: Messages) -> Iterable[int]:
    """Return how far all is done after each of `messages`, which are in order; without gaps they need not be asked.

    That is where the next one begins: what lies between does not exist, or was finished by an earlier owner.
    """
    first, last = offset_of(messages[0]), offset_of(messages[-1])
    if last - first == len(messages) - 1:
        return range(first + 1, last + 2)
    return [*map(offset_of, messages[1:]), last + 1]
