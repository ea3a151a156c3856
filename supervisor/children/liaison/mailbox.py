"""How the liaison's threads hand messages to the main thread, which alone serves the channel."""

import os
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from ....worker.channel import Message


class Mailbox:
    """A queue whose descriptor is readable while something waits; `put` and `wake` may be called from anywhere.

    It is never closed: a thread that is still at it would write into whatever file has the number then.
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[Message] = SimpleQueue()
        self._event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        """Return the descriptor, for a selector."""
        return self._event

    def put(self, message: Message) -> None:
        """Leave `message` for the main thread."""
        self._queue.put(message)
        self.wake()

    def wake(self) -> None:
        """Make the main thread look; also from a signal handler."""
        os.eventfd_write(self._event, 1)

    def take(self) -> Iterator[Message]:
        """Yield what waits."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._event)
        while True:
            try:
                yield self._queue.get_nowait()
            except Empty:
                return


def send(mailbox: Mailbox, kind: str, **fields: Any) -> None:
    """Leave a message of type `kind` with `fields`."""
    mailbox.put({"type": kind, **fields})
