"""librdkafka's log lines as events, and the one thing that it says nowhere else: that a position was reset."""

import logging
import re
from dataclasses import dataclass
from typing import Final

from . import events, log
from .seldom import Seldom

LOGGER: Final = "kherd.librdkafka"
_RESET: Final = re.compile(r"(?P<topic>[\w.-]+) \[(?P<partition>\d+)\]: offset reset \(at offset (?P<offset>\d+)\b")
"""A reset because of an error: one for want of a committed offset names no number."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The client has left `offset`, which the broker does not have, for `kafka.start`."""

    topic: str
    partition: int
    offset: int


class ClientLog(logging.Handler):
    """Logs librdkafka's lines from INFO on, each facility's once per minute; keeps the resets in `resets`."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.resets: list[Reset] = []
        self._seldom = Seldom()

    def emit(self, record: logging.LogRecord) -> None:
        """Log `record` as an event; called inside librdkafka, so it never raises."""
        args = record.args if isinstance(record.args, tuple) and record.args else (record.name, record.getMessage())
        facility, text = str(args[0]), str(args[-1])
        if facility == "OFFSET" and (found := _RESET.search(text)):
            self.resets.append(Reset(found["topic"], int(found["partition"]), int(found["offset"])))
        if self._seldom(facility):
            log.emit(events.CLIENT_LOG, facility=facility, text=text)

    def logger(self) -> logging.Logger:
        """Return the logger to give to a client; its lines go nowhere else."""
        logger = logging.getLogger(LOGGER)
        logger.handlers[:] = [self]
        logger.propagate = False
        return logger
