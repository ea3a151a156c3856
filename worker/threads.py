"""Threads that handle records beside each other, for a handler that is a plain function.

They are started when there is work for them, in the worker. A thread cannot be interrupted: a call that hangs ends
with its process.
"""

from collections.abc import Callable, Sequence
from contextvars import copy_context
from threading import Thread

from .boardwriter import BoardWriter
from .clock import read
from .context import beside, enter
from .engine import Engine
from .errors import Record
from .handler import Handler
from .refusals import REFUSALS, raise_refusals
from .results import NOTHING
from .task import Ending, Task


class Threads:
    """Up to `count` of them; the number of a thread is the row of its call on the board.

    `leave` ends the process if it is a copy of the worker that the handler has made.
    """

    def __init__(
        self, engine: Engine, handler: Handler, board: BoardWriter, *, count: int, leave: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._gate = engine.gate
        self._handler = handler
        self._board = board
        self._contexts = beside(count)
        self._leave = leave
        self._threads: list[Thread] = []
        self._idle = 0
        self._stopped = False

    def wake(self, count: int) -> None:
        """Have up to `count` more records begun."""
        missing = min(count - self._idle, len(self._contexts) - len(self._threads))
        for _ in range(missing):
            row = len(self._threads)
            around = copy_context()
            thread = Thread(target=around.run, args=(self._live, row), name=f"kherd-runner-{row}", daemon=True)
            self._threads.append(thread)
            thread.start()
        if self._idle:
            self._gate.work.notify(count)

    def stop(self) -> None:
        """Begin nothing any more; threads end as soon as their calls do."""
        self._stopped = True
        self._gate.work.notify_all()

    def _live(self, row: int) -> None:
        try:
            enter(self._contexts[row])
            REFUSALS.watch()
            self._run(row)
        except BaseException as fault:  # noqa: BLE001 - not the user's, whose exceptions are caught round each call
            self._leave()
            with self._gate.lock:
                self._engine.fail(fault)

    def _run(self, row: int) -> None:
        with self._gate.lock:
            task = self._next()
        while task is not None:
            ending = self._call(row, task)
            with self._gate.lock:
                self._engine.end(ending)
                task = self._next()

    def _next(self) -> Task | None:
        """Return the next record, waiting for it; None at the end."""
        while not self._stopped:
            task = self._engine.begin()
            if task is not None:
                if self._idle and self._engine.queues.startable:  # whoever was woken for one may find two
                    self._gate.work.notify()
                return task
            self._idle += 1
            self._gate.work.wait()
            self._idle -= 1
        return None

    def _call(self, row: int, task: Task) -> Ending:
        partition, attempt = task.place, task.attempt
        records: Sequence[Record] = NOTHING
        error: BaseException | None = None
        self._contexts[row].attempt = attempt
        self._board.start_call(row, partition.topic_index, partition.number, task.offset, task.offset, attempt)
        began = read()
        try:
            REFUSALS.take()
            records = self._handler.call(task.message)
            raise_refusals()
        except BaseException as raised:  # noqa: BLE001 - the user's code ran: whatever it raised is the record's failure
            error = raised
        seconds = read() - began
        self._board.end_call(row)
        return Ending(task, attempt, seconds, records, error)
