"""The one event loop of a worker, made at its first use: run by whoever awaits something, or by a thread of its own."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import suppress
from threading import Lock, Thread
from typing import Final, TypeVar

_T = TypeVar("_T")
STOP_SECONDS: Final = 1.0
"""For a loop to stop: one of which a callback does not return is left to the end of the process."""


class Loop:
    """An event loop. `share` has it run in a thread, for awaitables of several threads at a time."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None
        self._thread: Thread | None = None
        self._shared = False
        self._stopping = False
        self._lock = Lock()

    def share(self) -> None:
        """Have it run in a thread from its next use on."""
        self._shared = True

    def run(self, awaitable: Awaitable[_T]) -> _T:
        """Return what `awaitable` gives; what it raises comes through."""
        if self._shared:
            return asyncio.run_coroutine_threadsafe(_wait(awaitable), self._running()).result()
        return self._made().run_until_complete(awaitable)

    def soon(self, call: Callable[[], None]) -> None:
        """Have `call` called on the loop, which is shared."""
        self._running().call_soon_threadsafe(call)

    def blocking(self, function: Callable[..., Awaitable[_T]]) -> Callable[..., _T]:
        """Return `function` as a plain one."""
        run = self.run
        return lambda argument: run(function(argument))

    def finish(self, result: object, seconds: float) -> None:
        """Await `result` for at most `seconds` if it can be awaited."""
        if inspect.isawaitable(result):
            self.run(asyncio.wait_for(result, seconds))

    def close(self) -> None:
        """Cancel what still runs on the loop and close it."""
        runner, self._runner = self._runner, None
        if runner is not None and self._stop(runner):
            runner.close()

    def _made(self) -> asyncio.AbstractEventLoop:
        if self._runner is None:
            self._runner = asyncio.Runner()
        return self._runner.get_loop()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            loop = self._made()
            if self._thread is None:
                self._thread = Thread(target=self._live, args=(loop,), name="kherd-loop", daemon=True)
                self._thread.start()
        return loop

    def _live(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopping:
            # What a task of the user's raises of these passes through the loop; whoever awaits the task has it as well.
            with suppress(SystemExit, KeyboardInterrupt):
                loop.run_forever()

    def _stop(self, runner: asyncio.Runner) -> bool:
        """Stop the thread, if there is one; return whether the loop stands still."""
        if self._thread is None:
            return True
        self._stopping = True
        loop = runner.get_loop()
        loop.call_soon_threadsafe(loop.stop)
        self._thread.join(STOP_SECONDS)
        return not self._thread.is_alive()


async def _wait(awaitable: Awaitable[_T]) -> _T:
    return await awaitable
