"""The demo's handler, as a user would write it: every order goes into a ledger, what is no JSON is poison."""

import json
import os
import time

from confluent_kafka import Message

from kherd import ProcessingError

WORK_SECONDS = 0.001


class Ledger:
    """Built in each worker after the fork; a line of the ledger is `key partition offset pid monotonic_ns`."""

    def __init__(self) -> None:
        self._fd = os.open(os.environ["KHERD_DEMO_LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def handle(self, message: Message) -> None:
        """Work for a moment, then write the order down: one write, so that a kill leaves a whole line or none."""
        try:
            order = json.loads(message.value() or b"")
        except ValueError as error:
            raise ProcessingError("not JSON") from error
        time.sleep(WORK_SECONDS)
        line = f"{order['key']} {message.partition()} {message.offset()} {os.getpid()} {time.monotonic_ns()}\n"
        os.write(self._fd, line.encode())

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self._fd)
