"""One handler call about one record: a retry, or a record of a batch that failed as a whole."""

from collections.abc import Sequence

from confluent_kafka import Message

from .boardwriter import BoardWriter
from .clock import read
from .context import context
from .counters import Counter
from .errors import Record
from .handler import Handler
from .partition import Partition, offset_of
from .refusals import REFUSALS, raise_refusals


class Caller:
    """Calls the handler with its board entry round it."""

    def __init__(self, handler: Handler, board: BoardWriter) -> None:
        self._handler = handler
        self._board = board

    def call(self, partition: Partition, message: Message, attempt: int) -> Sequence[Record]:
        """Return the records to produce; raises whatever the handler raised for this record."""
        board = self._board
        board.add(Counter.CALLS)
        if attempt > 1:
            board.add(Counter.RETRIED)
        began = read()
        context().attempt = attempt
        offset = offset_of(message)
        board.start_call(0, partition.topic_index, partition.number, offset, offset, attempt)
        try:
            return self._invoke(message)
        finally:
            board.end_call(0)
            context().attempt = 1
            board.busy(read() - began)

    def _invoke(self, message: Message) -> Sequence[Record]:
        REFUSALS.take()
        if self._handler.mode == "record":
            records = self._handler.call(message)
        else:
            (entry,) = self._handler.call_batch([message])
            if isinstance(entry, BaseException):
                raise entry
            records = entry
        raise_refusals()
        return records
