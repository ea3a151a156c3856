"""Who may touch what the threads of a worker share: whoever holds the gate, one at a time.

The main thread holds it all the time but while it waits for Kafka, so nothing of the rest of the worker need know that
there are others: what they touch is only touched between two of the main thread's waits. No handler runs in it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Condition, Lock
from typing import Any, Final

from .kafka import ConsumerFactory

WAITING: Final = frozenset(
    {"commit", "committed", "offsets_for_times", "get_watermark_offsets", "list_topics", "close"}
)
"""Calls of a consumer that wait for brokers, beside those that bring records."""


class Gate:
    """A lock, and what is waited for in it. Not reentrant: callbacks come when the main thread has given it up."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.work = Condition(self.lock)
        """There is a record that may run."""
        self.rest = Condition(self.lock)
        """A record has ended."""

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Give it up for the time of a wait."""
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()

    def guard(self, factory: ConsumerFactory) -> ConsumerFactory:
        """Return a factory of consumers whose waits give the gate up and whose callbacks hold it."""

        def make(*args: Any, **kwargs: Any) -> GuardedConsumer:
            return GuardedConsumer(factory(*args, **kwargs), self)

        return make


class GuardedConsumer:
    """A consumer as the main thread uses it while it holds the gate."""

    def __init__(self, consumer: Any, gate: Gate) -> None:
        self._consumer = consumer
        self._gate = gate

    def poll(self, seconds: float) -> Any:
        """Poll."""
        with self._gate.aside():
            return self._consumer.poll(seconds)

    def consume(self, limit: int, seconds: float) -> Any:
        """Consume."""
        with self._gate.aside():
            return self._consumer.consume(limit, seconds)

    def subscribe(self, topics: Sequence[str], **callbacks: Callable[..., None]) -> None:
        """Subscribe."""
        self._consumer.subscribe(topics, **{name: self._held(call) for name, call in callbacks.items()})

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._consumer, name)
        return self._waiting(found) if name in WAITING else found

    def _held(self, call: Callable[..., None]) -> Callable[..., None]:
        def held(*args: Any) -> None:
            with self._gate.lock:
                call(*args)

        return held

    def _waiting(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def waiting(*args: Any, **kwargs: Any) -> Any:
            with self._gate.aside():
                return call(*args, **kwargs)

        return waiting
