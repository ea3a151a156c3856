"""The user's code as the worker calls it: loaded, checked, built, and called in one way whatever its kind.

A coroutine handler runs on one event loop kept for the life of the worker. Unless `workers.concurrency` is above 1, a
call runs to completion, one at a time, and background tasks run only while one does. The loop and a class' instance are
made by `load`, so after the fork.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, cast

from . import alarm, events, log, results
from .errors import HandlerError
from .eventloop import Loop
from .importing import failure, load_classes, resolve
from .results import NOTHING, Records
from .spec import WorkerSpec

__all__ = ["CLOSE_SECONDS", "Handler", "HandlerError", "Loop", "Mode", "load", "load_classes", "resolve", "verify"]

Mode = Literal["record", "batch"]
CLOSE_SECONDS: Final = 5.0

_METHODS: Final[dict[str, str]] = {"record": "handle", "batch": "handle_batch"}
_ARGUMENT: Final[dict[str, str]] = {"record": "the message", "batch": "the list of messages"}


class Handler:
    """A usable handler. `invoke` is the user's callable made blocking, for a loop that counts nanoseconds."""

    def __init__(
        self, name: str, mode: Mode, invoke: Callable[[Any], Any], close: Callable[[], Any] | None, loop: Loop
    ) -> None:
        self.name = name
        self.mode: Mode = mode
        self.function = invoke
        self.asynchronous = _is_coroutine(invoke)
        self.invoke = loop.blocking(invoke) if self.asynchronous else invoke
        self.loop = loop
        self._close = close

    def call(self, message: object) -> Records:
        """Handle one message and return the records to produce.

        Raises:
            ResultError: the handler returned something else.
            BaseException: whatever the handler raised, unchanged.
        """
        result = self.invoke(message)
        return NOTHING if result is None else self.collect(result)

    def call_batch(self, messages: Sequence[object]) -> list[Records | BaseException]:
        """Handle a list of messages; return for each its records, or the exception that fails it alone.

        Raises:
            ResultError: the handler returned something else.
            ResultLengthError: it returned `Results` of another length.
            BaseException: whatever the handler raised, unchanged.
        """
        count = len(messages)
        result = self.invoke(messages)
        return [NOTHING] * count if result is None else self.entries(result, count)

    def entries(self, result: object, count: int) -> list[Records | BaseException]:
        """Return what `call_batch` does, for what `invoke` returned for `count` messages; raises as it does."""
        return results.batch(self._settled(result), count)

    def collect(self, result: object) -> Records:
        """Return the records in `result`, what `invoke` returned; raises as `call` does."""
        return results.records(self._settled(result))

    def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Close the handler and the event loop; errors, and taking longer than `seconds`, are logged."""
        try:
            with alarm.after(seconds, f"close() took longer than {seconds:g} s"):
                try:
                    if self._close is not None:
                        self.loop.finish(self._close(), seconds)
                finally:
                    self.loop.close()
        except BaseException as error:  # noqa: BLE001 - the user's code ran; the worker ends in any case
            log.emit(events.HANDLER_CLOSE_FAILED, error=error, handler=self.name, reason=repr(error))

    def _settled(self, result: object) -> object:
        return self.loop.run(result) if inspect.isawaitable(result) else result


def load(spec: WorkerSpec) -> Handler:
    """Import, check and build the handler of `spec`; call it in the worker, after the fork.

    Raises:
        HandlerError: the handler cannot be used.
    """
    target = _checked(spec)
    loop = Loop()
    try:
        instance = _build(target, spec, loop) if inspect.isclass(target) else target
        function = _callable_of(instance, spec)
        _check_function(function, spec)
    except HandlerError:
        loop.close()
        raise
    close = None if inspect.isroutine(instance) else getattr(instance, "close", None)
    return Handler(spec.handler, spec.mode, function, close if callable(close) else None, loop)


def verify(spec: WorkerSpec) -> None:
    """Check the handler of `spec` as far as possible without building a class or calling anything.

    Raises:
        HandlerError: the handler cannot be used.
    """
    target = _checked(spec)
    if not inspect.isclass(target):
        _check_function(_callable_of(target, spec), spec)


def _checked(spec: WorkerSpec) -> object:
    target = resolve(spec.handler, spec.pythonpath)
    load_classes(spec.errors.poison)
    load_classes(spec.errors.outage, "errors.outage")
    if inspect.isclass(target):
        _check_class(target, spec)
    return target


def _check_class(target: type, spec: WorkerSpec) -> None:
    wanted = _METHODS[spec.mode]
    if not hasattr(target, wanted):
        other = next((name for name in _METHODS.values() if hasattr(target, name)), None)
        has = f"it has only {other}" if other else "a handler class has handle or handle_batch"
        raise HandlerError(
            f'{spec.handler!r}: class {target.__name__} has no {wanted} for workers.mode = "{spec.mode}" ({has})'
        )
    if not _accepts(target, 0):
        raise HandlerError(
            f"{spec.handler!r}: class {target.__name__} must be buildable without arguments: each worker builds one"
        )


def _build(target: type, spec: WorkerSpec, loop: Loop) -> object:
    async def build() -> object:
        return target()

    asynchronous = _is_coroutine(getattr(target, _METHODS[spec.mode]))
    try:  # a coroutine handler's class may need the running loop (a client session, a lock)
        return loop.run(build()) if asynchronous else target()
    except BaseException as error:  # the user's constructor ran: whatever it raised is the reason
        raise failure(f"{spec.handler!r}: building {target.__name__}()", error) from error


def _callable_of(target: object, spec: WorkerSpec) -> Callable[[Any], Any]:
    method = None if inspect.isroutine(target) else getattr(target, _METHODS[spec.mode], None)
    function: Any = target if method is None else method
    if not callable(function):
        raise HandlerError(
            f"{spec.handler!r} is of type {type(function).__name__}: not a function, a coroutine function or a class"
        )
    return cast("Callable[[Any], Any]", function)


def _check_function(function: Callable[[Any], Any], spec: WorkerSpec) -> None:
    if inspect.isasyncgenfunction(function) or inspect.isasyncgenfunction(getattr(function, "__call__", None)):  # noqa: B004 - its kind is asked
        raise HandlerError(
            f"{spec.handler!r} is an async generator; return a list of kherd.Record instead of yielding them"
        )
    if not _accepts(function, 1):
        raise HandlerError(
            f"{spec.handler!r} cannot be called with one argument, {_ARGUMENT[spec.mode]} "
            f'(workers.mode = "{spec.mode}"): its signature is {inspect.signature(function)}'
        )


def _accepts(function: Callable[..., Any], count: int) -> bool:
    try:
        signature = inspect.signature(function)
    except ValueError:  # a builtin without one
        return True
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _is_coroutine(function: object) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004
