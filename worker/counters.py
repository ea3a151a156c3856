"""The counters of a board, which follow its state words."""

from enum import IntEnum
from typing import Final

COUNTERS: Final = 24
"""The word of the first."""


class Counter(IntEnum):
    """Running totals since the process started, and gauges (marked so)."""

    CALLS = COUNTERS
    """Handler calls."""
    HANDLED = COUNTERS + 1
    """Records whose handler returned."""
    FAILED = COUNTERS + 2
    """Handler calls that raised, and records that `Results` called failed; `Skip` and outages excluded."""
    SKIPPED = COUNTERS + 3
    """Records put aside by `Skip`."""
    DEAD_LETTERED = COUNTERS + 4
    """Dead letters acknowledged by the broker."""
    RETRIED = COUNTERS + 5
    """Handler calls that were a second or later attempt."""
    PRODUCED = COUNTERS + 6
    """Returned records acknowledged by the broker."""
    FETCHED = COUNTERS + 7
    """Records received."""
    FETCHED_BYTES = COUNTERS + 8
    """Bytes of values received, estimated from every sixteenth fetch: a sum over all would cost 3 % of the rate."""
    BUSY_NS = COUNTERS + 9
    """Nanoseconds spent inside the handler."""
    COMMITS = COUNTERS + 10
    """Offset commits acknowledged."""
    COMMIT_FAILURES = COUNTERS + 11
    """Offset commits refused or lost."""
    REBALANCES = COUNTERS + 12
    """Assignments and revocations that changed something."""
    BUFFERED = COUNTERS + 13
    """Gauge: records received and not finished."""
    BUFFERED_BYTES = COUNTERS + 14
    """Gauge: their bytes."""
    PAUSED = COUNTERS + 15
    """Gauge: partitions paused now."""
    ASSIGNED = COUNTERS + 16
    """Gauge: partitions assigned now."""
    HELD = COUNTERS + 17
    """Gauge: partitions held because a record's attempts are exhausted."""
    UNTRACKED = COUNTERS + 18
    """Gauge: assigned partitions that found no row on the board."""
    BATCHES = COUNTERS + 19
    """Fetches that returned at least one record."""
    HANDED_OVER = COUNTERS + 20
    """Records that were not delivered again after a crash: the dead worker's board said that they were finished."""
    OUTAGES = COUNTERS + 21
    """Handler calls that an outage has kept from their end: no failures."""
    QUARANTINED = COUNTERS + 22
    """Dead letters, acknowledged by the broker, of records that had killed their process."""
    DIVERTED = COUNTERS + 23
    """Of the dead letters, those of records whose attempts were exhausted."""
    ACTIVE = COUNTERS + 24
    """Gauge: handler calls under way now, where they run beside each other (`workers.concurrency`)."""


GAUGES: Final = frozenset(
    {
        Counter.BUFFERED,
        Counter.BUFFERED_BYTES,
        Counter.PAUSED,
        Counter.ASSIGNED,
        Counter.HELD,
        Counter.UNTRACKED,
        Counter.ACTIVE,
    }
)
