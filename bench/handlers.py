"""Handlers that do next to nothing: they look at each value, and write down how long all of them took.

`KHERD_BENCH_RESULT` is the file to write `seconds cpu_seconds` to. Module variables, not a class: an attribute's
look-up would cost as much as what is measured. What a raw loop does per list, to know when it has begun and ended, a
handler that is called per record does with one comparison: all values of the topic are of one length.
"""

import os
import time
from pathlib import Path

from confluent_kafka import Message

_records = _left = _bytes = _goal = 0
_began = _cpu_began = 0.0


def record(message: Message) -> None:
    """Take one record."""
    global _bytes  # noqa: PLW0603 - see above
    _bytes += len(message.value() or b"")
    if _bytes >= _goal:
        _reach()


def _reach() -> None:
    """Begin after the first record, finish after the last."""
    global _goal  # noqa: PLW0603 - see above
    if not _goal:
        begin()
        _goal = _records * _bytes
    if _bytes == _goal:
        finish()


def batch(messages: list[Message]) -> None:
    """Take a list of records."""
    global _left, _bytes  # noqa: PLW0603 - see above
    if _left == _records:
        begin()
    size = 0
    for message in messages:
        size += len(message.value() or b"")
    _bytes += size
    _left -= len(messages)
    if not _left:
        finish()


def set_records(records: int) -> None:
    """Say how many records there are, after the fork."""
    global _left, _records  # noqa: PLW0603 - see above
    _left = _records = records


def begin() -> None:
    """Start the clocks: the first record is there."""
    global _began, _cpu_began
    _began, _cpu_began = time.monotonic(), time.process_time()


def finish() -> None:
    """Stop the clocks and write down what they show, in one step."""
    seconds, cpu = time.monotonic() - _began, time.process_time() - _cpu_began
    write_down(f"{seconds} {cpu}")


def write_down(result: str) -> None:
    """Make the file that is waited for, in one step."""
    path = Path(os.environ["KHERD_BENCH_RESULT"])
    new = path.with_suffix(".new")
    new.write_text(result)
    new.replace(path)


def nothing() -> None:
    """Prepare nothing."""
