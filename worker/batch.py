"""Batch mode: one handler call per list of records; what follows when one fails is up to `failedlists`."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from confluent_kafka import Message

from . import events, log
from .board import IN_FLIGHT_ROWS
from .boardwriter import BoardWriter
from .caller import Caller
from .clock import read
from .commit import Committer
from .context import context
from .counters import Counter
from .decide.classify import Verdict
from .desk import Desk
from .errors import Record
from .failedlists import FailedLists, Lists, known
from .handler import Handler
from .inbox import Inbox, Run
from .outcomes import Outcomes
from .partition import Partition, offset_of
from .pulse import Pulse
from .refusals import REFUSALS, raise_refusals
from .results import NOTHING

Entries = Sequence[Sequence[Record] | BaseException]


class BatchWork:
    """Handles the inbox, list by list."""

    def __init__(
        self,
        *,
        handler: Handler,
        caller: Caller,
        inbox: Inbox,
        outcomes: Outcomes,
        committer: Committer,
        desk: Desk,
        pulse: Pulse,
        board: BoardWriter,
        batch_size: int,
        failed_lists: FailedLists | None,
    ) -> None:
        """`failed_lists` is None if lists that fail are not to be bisected: then they are rerun in lists of one."""
        self._handler = handler
        self._caller = caller
        self._inbox = inbox
        self._outcomes = outcomes
        self._committer = committer
        self._desk = desk
        self._pulse = pulse
        self._board = board
        self._batch_size = batch_size
        self._failed_lists = failed_lists

    def step(self) -> None:
        """Handle the first list; nothing if nothing may be begun."""
        if not self._desk.may_begin() or (self._failed_lists is not None and self._failed_lists.step()):
            return
        runs = self._inbox.take_batch(self._batch_size)
        if runs[0].singly:
            self._singly(runs[0])
            return
        lists = self._ready(runs)
        if lists:
            self._together(lists)

    def _ready(self, runs: Iterable[Run]) -> dict[Partition, Sequence[Message]]:
        """Return the records to handle, by partition; what is blocked waits in its backlog."""
        lists: dict[Partition, Sequence[Message]] = {}
        for run in runs:
            partition = run.partition
            if partition.owned and not partition.blocked:
                known = lists.get(partition)
                lists[partition] = run.messages if known is None else [*known, *run.messages]
            elif partition.owned:
                partition.keep(run.messages)
        return lists

    def _together(self, lists: Lists) -> None:
        rest = known(lists)
        error = self._attempt(lists, 1 if rest is None else rest.failures + 1)
        if error is not None:
            self._failed(lists, error)

    def _attempt(self, lists: Lists, attempt: int) -> BaseException | None:
        """Call the handler with `lists` and settle them; return what it raised instead."""
        count = sum(map(len, lists.values()))
        try:
            entries = self._call(lists, count, attempt)
        except BaseException as error:  # noqa: BLE001 - the user's code ran: whatever it raised is the list's failure
            return error
        if entries is None:
            for partition, those in lists.items():
                self._finished(partition, those)
        elif entries[-1] and not isinstance(entries[-1], BaseException) and entries.count(NOTHING) == len(entries) - 1:
            self._board.add(Counter.HANDLED, count)
            self._outcomes.returned_together(lists, entries[-1])
        else:
            at = 0
            for partition, those in lists.items():
                self._settle(partition, those, entries[at : at + len(those)])
                at += len(those)
        return None

    def _call(self, lists: Lists, count: int, attempt: int) -> Entries | None:
        """Return an entry for each of `count` records, None if there is nothing in any of them."""
        board = self._board
        messages = list(chain.from_iterable(lists.values()))  # a list of the user's own: he may empty it
        rows = min(len(lists), IN_FLIGHT_ROWS)
        for row, (partition, those) in zip(range(rows), lists.items(), strict=False):
            first, last = offset_of(those[0]), offset_of(those[-1])
            board.start_call(row, partition.topic_index, partition.number, first, last, attempt)
            if partition.start is None:
                partition.begin(first)
        board.add(Counter.CALLS)
        if attempt > 1:
            board.add(Counter.RETRIED)
        began = read()
        context().attempt = attempt
        try:
            REFUSALS.take()
            result = self._handler.invoke(messages)
            entries = None if result is None else self._handler.entries(result, count)
            if not self._tells_of_outages(entries or ()):
                raise_refusals()
            return entries
        finally:
            context().attempt = 1
            for row in range(rows):
                board.end_call(row)
            board.busy(read() - began)

    def _tells_of_outages(self, entries: Entries) -> bool:
        """Return whether the handler says itself which records it could not handle for an outage."""
        return any(isinstance(entry, BaseException) and self._outcomes.is_outage(entry) for entry in entries)

    def _failed(self, lists: Lists, error: BaseException) -> None:
        verdict, count = self._outcomes.judge(error).verdict, sum(map(len, lists.values()))
        if count == 1:
            [(partition, [message])] = lists.items()
            self._outcomes.raised(partition, message, error)
        elif verdict is Verdict.OUTAGE:
            self._outcomes.kept_from(lists, error)
        elif self._failed_lists is not None and verdict is not Verdict.SKIP:
            self._failed_lists.failed(lists, error, self._attempt)
        else:
            self._board.add(Counter.FAILED)
            log.emit(events.BATCH_FAILED, count=count, error=error, attempt=1)
            self._inbox.put_back([Run(partition, those, singly=True) for partition, those in lists.items()])

    def _settle(self, partition: Partition, messages: Sequence[Message], entries: Entries) -> None:
        if entries.count(NOTHING) == len(entries):
            self._finished(partition, messages)
            return
        for message, entry in zip(messages, entries, strict=True):
            if isinstance(entry, BaseException):
                self._outcomes.raised(partition, message, entry)
            else:
                self._outcomes.returned(partition, message, entry)

    def _finished(self, partition: Partition, messages: Sequence[Message]) -> None:
        self._board.add(Counter.HANDLED, len(messages))
        if partition.offsets.pending:  # of some it may have been told before that they are not finished
            for message in messages:
                partition.offsets.close(offset_of(message))
        partition.offsets.reach(offset_of(messages[-1]) + 1)
        partition.show()
        self._committer.progress(partition, len(messages))

    def _singly(self, run: Run) -> None:
        partition = run.partition
        records = iter(run.messages)
        if partition.owned and not partition.blocked:
            for message in records:
                self._one(partition, message)
                if read() >= self._pulse.due:
                    self._desk.look_up()
                if not self._desk.may_go_on(partition):
                    break
        self._keep(partition, records)

    def _one(self, partition: Partition, message: Message) -> None:
        try:
            produced = self._caller.call(partition, message, 1)
        except BaseException as error:  # noqa: BLE001 - the user's code ran: whatever it raised is the record's failure
            self._outcomes.raised(partition, message, error)
        else:
            self._outcomes.returned(partition, message, produced)

    def _keep(self, partition: Partition, records: Iterator[Message]) -> None:
        """Keep what was not begun where it belongs; a partition that is not ours any more drops it."""
        if partition.owned and partition.blocked:
            partition.keep(records)
        elif partition.owned:
            self._inbox.put_back([Run(partition, list(records), singly=True)])
