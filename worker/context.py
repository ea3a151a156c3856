"""`kherd.context()`: what a handler may ask about the call it is in."""

import logging
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Context:
    """The call in progress; the worker writes it, a handler only reads it.

    `slot` is -1 outside a worker. `attempt` counts from 1. `stopping` turns true once the worker drains: finish what
    is begun, begin nothing long. What is written to `logger` becomes a log line of the worker.
    """

    slot: int = -1
    attempt: int = 1
    stopping: bool = False
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("kherd.handler"))


_process = Context()
_beside: list[Context] = []
_here: ContextVar[Context] = ContextVar("kherd.context", default=_process)


def context() -> Context:
    """Return the context of this call: the process' own, unless calls run beside each other (`workers.concurrency`)."""
    return _here.get()


def beside(count: int) -> list[Context]:
    """Return `count` contexts for calls that run beside each other; `enter` makes one that of a thread or a task."""
    _beside.extend(Context(slot=_process.slot) for _ in range(count - len(_beside)))
    if _process.stopping:  # asked after they were added: from there on `stop` finds them
        stop()
    return _beside[:count]


def enter(one: Context) -> None:
    """Make `one` the context of this thread, or of this task of an event loop."""
    _here.set(one)


def stop() -> None:
    """Say in every context that the worker is stopping; a signal handler may call it at any moment."""
    _process.stopping = True
    for one in _beside:
        one.stopping = True
