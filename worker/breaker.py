"""`kherd.CircuitBreaker`: stops calling what has failed again and again, on the whole host, until one probe succeeds.

While it is closed a call costs one look at a word of shared memory before it and one after it; all else is for trouble.
"""

import functools
import inspect
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from types import CoroutineType, TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar

from . import events, log
from .breakerargs import Classes, checked_classes, checked_name, checked_policy
from .breakers import BREAKERS
from .cell import Cell
from .decide.breaker import State
from .errors import BreakerOpen, ProcessingError, Retry, Skip, blame_breaker, count_for_breaker
from .refusals import REFUSALS, raise_refusals, refused, watch

__all__ = ["CircuitBreaker", "raise_refusals", "refused", "watch"]

SILENT: Final = (ProcessingError, Retry, Skip, BreakerOpen)
"""What says nothing of the dependency: a word to kherd, or of another breaker."""
P = ParamSpec("P")
R = TypeVar("R")

_probes: ContextVar[Mapping[str, int]] = ContextVar("kherd_probes", default={})  # noqa: B039 - it is never changed, but replaced
"""The probes of this thread or task: what it calls on the way goes through the same breaker."""


class CircuitBreaker:
    """A circuit breaker, shared by all workers of the host under its name; outside a herd, this process' own.

    `failure_threshold` failures in a row, whoever's they are, open it for `timeout` seconds: calls are refused with
    `BreakerOpen`. Then one call on the host is let through: if that probe succeeds the breaker is closed, if it fails
    it is open again. The configuration's `[breaker.NAME]` overrides both. Exceptions of `counts`, but not of `ignores`,
    are failures; `ProcessingError`, `Retry`, `Skip`, `BreakerOpen` and a cancellation are neither failure nor success;
    any other exception is an answer, and so a success. `fallback_ok` says that the handler has done its work although
    it was refused a call: without it, a record whose handler returns after that waits like one whose handler raised.

    Use it as `breaker.call(function, …)`, as a decorator, or as `with` and `async with`; the first two take coroutine
    functions too. Threads and tasks may share it. A call that is let through may call through the same breaker again.

    Raises:
        TypeError, ValueError: a parameter is none; the text says what it has to be.
    """

    __module__ = "kherd"
    __slots__ = ("_cell", "_counts", "_ignores", "fallback_ok", "name")

    def __init__(
        self,
        name: str,
        failure_threshold: int = 5,
        timeout: float = 60.0,
        *,
        counts: Classes = (Exception,),
        ignores: Classes = (),
        fallback_ok: bool = False,
    ) -> None:
        self.name = checked_name(name)
        self._counts = checked_classes("counts", counts)
        self._ignores = checked_classes("ignores", ignores)
        self.fallback_ok = fallback_ok
        given = checked_policy(failure_threshold, timeout)
        self._cell: Cell = BREAKERS.named(name, given.failure_threshold, given.timeout)
        if self._cell.given != given and not self._cell.differed:
            self._cell.differed = True
            log.emit(events.BREAKER_DIFFERS, breaker=name, known=str(self._cell.given), given=str(given))

    @property
    def state(self) -> str:
        """Its state now: "closed", "open", or "half_open" while the probe is under way."""
        return self._cell.state().name.lower()

    def call(self, func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what `func` returns for these arguments; of a coroutine function, a coroutine that does all of it.

        Raises:
            BreakerOpen: it was not called.
            BaseException: whatever it raised, unchanged.
        """
        hot = self._cell.hot
        if hot[0]:
            if inspect.iscoroutinefunction(func):
                return self._awaited(func(*args, **kwargs))  # type: ignore[return-value] # it is what `func` returns
            self._enter()
        try:
            result = func(*args, **kwargs)
        except BaseException as error:
            self._raised(error)
            raise
        if result.__class__ is CoroutineType:
            return self._awaited(result)  # type: ignore[return-value,arg-type] # as above
        if hot[0]:
            self._returned()
        return result

    def __call__(self, func: Callable[P, R]) -> Callable[P, R]:
        """Return `func` with each call of it a `call`.

        Raises:
            TypeError: it cannot be called, or is a generator function: its body runs when nobody looks any more.
        """
        if not callable(func):
            raise TypeError(f"CircuitBreaker {self.name!r} decorates functions, not a {type(func).__name__}")
        if inspect.isgeneratorfunction(func) or inspect.isasyncgenfunction(func):
            name = getattr(func, "__qualname__", repr(func))
            raise TypeError(
                f"CircuitBreaker {self.name!r} cannot decorate the generator {name}: use `with` in its body"
            )
        return self._later(func) if inspect.iscoroutinefunction(func) else self._through(func)

    def _later(self, func: Callable[..., Any]) -> Any:
        @functools.wraps(func)
        async def later(*args: Any, **kwargs: Any) -> Any:
            return await self._awaited(func(*args, **kwargs))

        return later

    def _through(self, func: Callable[P, R]) -> Callable[P, R]:
        """Return what does as `call` does: going through that would take as long again."""
        cell = self._cell

        @functools.wraps(func)
        def through(*args: P.args, **kwargs: P.kwargs) -> R:
            hot = cell.hot
            if hot[0]:
                self._enter()
            try:
                result = func(*args, **kwargs)
            except BaseException as error:
                self._raised(error)
                raise
            if result.__class__ is CoroutineType:
                return self._awaited(result)  # type: ignore[return-value,arg-type] # it is what `func` returns
            if hot[0]:
                self._returned()
            return result

        return through

    def __enter__(self) -> Self:
        """Raises BreakerOpen if the block is not to run."""
        if self._cell.hot[0]:
            self._enter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None:
            self._raised(error)
        elif self._cell.hot[0]:
            self._returned()

    async def __aenter__(self) -> Self:
        """Raises BreakerOpen if the block is not to run."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __repr__(self) -> str:
        return f"<kherd.CircuitBreaker {self.name!r} {self.state}>"

    async def _awaited(self, coroutine: Coroutine[Any, Any, R]) -> R:
        """Await it between the two looks; what was asked when it was made is of no account by then."""
        if self._cell.hot[0]:
            try:
                self._enter()
            except BreakerOpen:
                coroutine.close()
                raise
        try:
            result = await coroutine
        except BaseException as error:
            self._raised(error)
            raise
        if self._cell.hot[0]:
            self._returned()
        return result

    def _enter(self) -> None:
        """Let the call through, maybe as the probe, or refuse it."""
        cell, probes = self._cell, _probes.get()
        mine = probes.get(self.name)
        if mine is not None and cell.holds(mine):
            return
        through, probe = cell.ask()
        if probe is not None:
            _probes.set({**probes, self.name: probe})
        if not through:
            if not self.fallback_ok:
                REFUSALS.note(self.name)
            raise BreakerOpen(self.name, cell.after(), fallback_ok=self.fallback_ok)

    def _returned(self) -> None:
        self._cell.succeeded(self._probe())

    def _raised(self, error: BaseException) -> None:
        probe = self._probe()
        if _says_nothing(error):
            if probe is not None:
                self._cell.abandoned(probe)
        elif isinstance(error, self._counts) and not isinstance(error, self._ignores):
            state = self._cell.failed(probe, error)
            if state is State.CLOSED:
                count_for_breaker(error)
            elif not self.fallback_ok:
                blame_breaker(error, self.name)
        elif self._cell.hot[0]:
            self._cell.succeeded(probe)

    def _probe(self) -> int | None:
        """Return the number of the probe that ends here; None if it is none."""
        probes = _probes.get()
        if self.name not in probes:
            return None
        _probes.set({name: number for name, number in probes.items() if name != self.name})
        return probes[self.name]


def _says_nothing(error: BaseException) -> bool:
    """Whether it is a word to kherd, of another breaker, also as the named cause of something else, or no error."""
    if not isinstance(error, Exception) or isinstance(error, SILENT):
        return True
    seen: set[int] = set()
    cause = error.__cause__
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, BreakerOpen):
            return True
        seen.add(id(cause))
        cause = cause.__cause__
    return False
