"""Record mode: the handler is called inline, record after record, with a microsecond of our own round each call."""

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final

from confluent_kafka import Message

from .board import Counter
from .boardwriter import SINCE_WORD, BoardWriter
from .clock import read_ns
from .commit import Committer
from .desk import Desk
from .handler import Handler
from .inbox import Inbox, Run
from .outcomes import Outcomes
from .partition import Partition, offset_of
from .pulse import Pulse


class Why(IntEnum):
    """Why a burst of records ended."""

    ALL = 0
    """There are no more."""
    DUE = 1
    """It is time to look up."""
    RETURNED = 2
    """The handler returned something."""
    RAISED = 3
    """The handler raised."""


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
        while (why := self._burst(partition, records)) is not Why.ALL:
            if why is Why.RAISED and self._error is not None:
                self._outcomes.raised(partition, self._message, self._error)
            elif why is Why.RETURNED:
                self._returned(partition)
            if read_ns() >= self._pulse.due:
                self._desk.look_up()
            if not self._desk.may_go_on(partition):
                self._keep(partition, records)
                return

    def _burst(self, partition: Partition, records: Iterator[Message]) -> Why:
        """Call the handler until something comes up that is not just the next record."""
        board, pulse, invoke = self._board, self._pulse, self._handler.invoke
        words, hot, since = board.words, partition.enter(), SINCE_WORD
        before = records.__length_hint__()  # type: ignore[attr-defined] # a list's iterator knows
        done: Any = None
        why = Why.ALL
        began = now = read_ns()
        for message in records:
            words[since] = now
            try:
                result = invoke(message)
            except BaseException as error:  # noqa: BLE001 - the user's code ran: whatever it raised is the record's failure
                why, self._message, self._error = Why.RAISED, message, error
                break
            if result is not None:
                why, self._message, self._result = Why.RETURNED, message, result
                break
            words[hot] = done = message.offset() + 1  # type: ignore[operator] # a record that was received has one
            now = read_ns()
            if now >= pulse.due:
                why = Why.DUE
                break
        board.end_call(0)
        self._account(partition, done, before - records.__length_hint__(), why, read_ns() - began)  # type: ignore[attr-defined]
        return why

    def _account(self, partition: Partition, done: int, calls: int, why: Why, busy: int) -> None:
        words = self._board.words
        words[_CALLS] += calls
        words[_BUSY_NS] += busy
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
