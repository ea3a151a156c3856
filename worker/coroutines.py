"""Tasks of one event loop that handle records beside each other, for a handler that is a coroutine function.

The loop runs in a thread of its own. Each call is a task of its own, so that what a handler sets in a context variable,
or a cancellation of itself, ends with it.
"""

import asyncio
import inspect
import sys
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Final

from . import results
from .boardwriter import BoardWriter
from .clock import read
from .context import beside, enter
from .engine import Engine
from .errors import Record
from .handler import Handler
from .refusals import REFUSALS, raise_refusals
from .results import NOTHING
from .task import Ending, Task

SWITCH: Final = 0.0005
"""Seconds after which the main thread makes way for the loop; Python's default would have all calls wait for 5 ms."""


class Coroutines:
    """Up to `count` at a time; a call has a free row of the board. `leave`: see `threads.Threads`."""

    def __init__(
        self, engine: Engine, handler: Handler, board: BoardWriter, *, count: int, leave: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._gate = engine.gate
        self._handler = handler
        self._board = board
        self._contexts = beside(count)
        self._leave = leave
        self._around = copy_context()
        """What each call begins with: nothing that another one has set."""
        self._free = list(range(count - 1, -1, -1))
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: list[tuple[int, Ending]] = []
        self._called = False
        self._stopped = False
        sys.setswitchinterval(SWITCH)

    def wake(self, count: int) -> None:
        """Have up to `count` more records begun."""
        del count
        if not self._called and self._free:
            self._called = True
            self._handler.loop.soon(self._go_on)

    def stop(self) -> None:
        """Begin nothing any more."""
        self._stopped = True

    def _go_on(self) -> None:
        """Pass on what has ended and begin what may run; on the loop, as all that follows, once for all of one turn."""
        try:
            ended, self._ended = self._ended, []
            with self._gate.lock:
                self._called = False
                for row, ending in ended:
                    self._engine.end(ending)
                    self._free.append(row)
                begun = self._take()
            for row, task in begun:
                self._start(row, task)
        except BaseException as fault:  # noqa: BLE001 - a fault of ours
            self._fail(fault)

    def _take(self) -> Sequence[tuple[int, Task]]:
        found: list[tuple[int, Task]] = []
        while self._free and not self._stopped and (task := self._engine.begin()) is not None:
            found.append((self._free.pop(), task))
        return found

    def _start(self, row: int, task: Task) -> None:
        running = asyncio.get_running_loop()
        started = running.create_task(self._run(row, task), context=self._around.copy())
        self._tasks.add(started)  # a loop keeps only weak references
        started.add_done_callback(self._tasks.discard)

    async def _run(self, row: int, task: Task) -> None:
        try:
            ending = await self._call(row, task)
            self._ended.append((row, ending))
            if len(self._ended) == 1:
                asyncio.get_running_loop().call_soon(self._go_on)
        except BaseException as fault:  # noqa: BLE001 - not the user's, whose exceptions are caught round each call
            self._fail(fault)

    async def _call(self, row: int, task: Task) -> Ending:
        partition, attempt = task.place, task.attempt
        records: Sequence[Record] = NOTHING
        error: BaseException | None = None
        context = self._contexts[row]
        context.attempt = attempt
        enter(context)
        self._board.start_call(row, partition.topic_index, partition.number, task.offset, task.offset, attempt)
        began = read()
        try:
            REFUSALS.watch()
            records = await self._handle(task)
            raise_refusals()
        except BaseException as raised:  # noqa: BLE001 - the user's code ran: whatever it raised is the record's failure
            error = raised
        seconds = read() - began
        self._board.end_call(row)
        return Ending(task, attempt, seconds, records, error)

    async def _handle(self, task: Task) -> Sequence[Record]:
        result = await self._handler.function(task.message)
        if inspect.isawaitable(result):
            result = await result
        return NOTHING if result is None else results.records(result)

    def _fail(self, fault: BaseException) -> None:
        self._leave()
        with self._gate.lock:
            self._engine.fail(fault)
