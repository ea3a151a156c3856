"""A consumer that does not get into its group: whether any broker answers it at all is asked now and then.

A consumer made while every broker is fenced (a cluster that starts, or wakes up) may lose the only broker it knew and
ask nobody again (librdkafka #5301): another one takes its place. Or it may miss one answer and wait for the next
refresh of its metadata, five minutes: an answer to this question wakes it.
"""

from typing import Final

from . import clock
from .fetch import ConsumerFaultError, Fault
from .kafka import Client

PATIENCE_SECONDS: Final = 15.0
"""A join takes a second; in a classic group it may wait for the other members, with brokers that answer."""
ASK_SECONDS: Final = 1.0


class Joining:
    """Looks at one consumer, from its first poll until it is in the group."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ask_at = clock.monotonic() + PATIENCE_SECONDS

    def look(self, now: float) -> None:
        """Ask if it is time to; `now` in monotonic seconds.

        Raises:
            ConsumerFaultError: nobody answers (`Fault.DEAF`).
        """
        if now < self._ask_at:
            return
        self._ask_at = now + PATIENCE_SECONDS
        if not self._client.is_heard(ASK_SECONDS):
            raise ConsumerFaultError(Fault.DEAF, f"no broker answered within {ASK_SECONDS:g} s")
