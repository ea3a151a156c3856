"""`kherd.context()`: what a handler may ask about the call it is in."""

import logging
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


_current = Context()


def context() -> Context:
    """Return the context of this process: there is one handler call at a time, also of a coroutine handler."""
    return _current
