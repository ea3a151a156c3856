"""How long partitions stood still, by the ledger: a killed worker's, and those that were none of its business."""

from collections.abc import Iterable
from dataclasses import dataclass

from .ledger import Handled


@dataclass(frozen=True, slots=True)
class Takeover:
    """A partition passed from a dead process to the next: its last record there to its first record here, in seconds.

    `again` is how many records the next process handled that the dead one had already handled; `beyond`, how many of
    them were not in the dead one's last call, so that it had finished them.
    """

    partition: int
    seconds: float
    again: int
    beyond: int


def takeovers(handled: Handled, topic: str, dead: int, partitions: Iterable[int]) -> list[Takeover]:
    """Return one takeover per partition that process `dead` worked on.

    Raises:
        LookupError: nothing is written of a partition by `dead`, or nothing by anybody after it.
    """
    owned = list(partitions)
    last_call = max((one.at for number in owned for one in handled.at(topic, number) if one.pid == dead), default=0.0)
    return [_takeover(handled, topic, dead, number, last_call) for number in owned]


def pauses(handled: Handled, topic: str, partitions: Iterable[int], since: float, until: float) -> list[float]:
    """Return the times in seconds between two handlings in a row of `partitions`, of all that touch [since, until]."""
    return [one for partition in partitions for one in handled.pauses(topic, partition, since, until)]


def longest_pause(
    handled: Handled, topic: str, partitions: Iterable[int], since: float, until: float = float("inf")
) -> float:
    """Return the longest time in seconds any of `partitions` stood still within [since, until]."""
    return max((handled.longest_pause(topic, partition, since, until) for partition in partitions), default=0.0)


def _takeover(handled: Handled, topic: str, dead: int, partition: int, last_call: float) -> Takeover:
    entries = handled.at(topic, partition)
    last = max((n for n, entry in enumerate(entries) if entry.pid == dead), default=None)
    if last is None or last + 1 == len(entries):
        raise LookupError(f"{topic}[{partition}]: nobody follows pid {dead} in the ledger")
    done = {entry.offset for entry in entries if entry.pid == dead}
    in_flight = {entry.offset for entry in entries if entry.pid == dead and entry.at >= last_call}
    heir = entries[last + 1].pid
    again = [entry.offset for entry in entries[last + 1 :] if entry.pid == heir and entry.offset in done]
    beyond = sum(offset not in in_flight for offset in again)
    return Takeover(partition, entries[last + 1].at - entries[last].at, len(again), beyond)
