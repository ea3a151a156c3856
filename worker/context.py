"""`kherd.context()`: what a handler may ask about the call it is in."""

import logging
from dataclasses import dataclass, field


@dataclass(slots=True)
class Context:
    """`attempt` counts from 1; `stopping` is true once the worker drains: finish soon."""

    slot: int = -1
    attempt: int = 1
    stopping: bool = False
    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("kherd.handler"))


_current = Context()


def context() -> Context:
    """Return the context of this process: there is one handler call at a time."""
    return _current
