"""Handlers whose calls overlap, and what their ledger says: of a key's records one at a time, in order, or not.

Each call is written down when it begins (the note `began`) and when it ends (without a note if the record is done), so
that calls beside each other can be told from calls one after the other.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from .ledger import Entry, Handled
from .story import PRELUDE

KEYS: Final = 40
BEGAN: Final = "began"
THREADS: Final = f"""{PRELUDE}
import random

def handle(message):
    LEDGER.write(message, note="began")
    time.sleep(random.random() * 0.02)
    LEDGER.write(message)
"""
"""A handler's source: each call takes up to 20 ms, at random."""
COROUTINES: Final = f"""{PRELUDE}
import asyncio, random

async def handle(message):
    LEDGER.write(message, note="began")
    await asyncio.sleep(random.random() * 0.02)
    LEDGER.write(message)
"""
"""The same as a coroutine function."""
SOURCES: Final[Mapping[str, str]] = {"threads": THREADS, "coroutines": COROUTINES}
Lane = Callable[[Entry], object]


def workers(count: int, concurrency: int = 64, order: str = "key", **more: Any) -> dict[str, Any]:
    """Return the table `workers`."""
    return {"count": count, "concurrency": concurrency, "order": order, **more}


def key(n: int) -> bytes:
    """Return the key of record number `n`: one of KEYS, every third record has the first."""
    return b"key-%d" % (0 if n % 3 == 0 else n % KEYS)


def by_key(entry: Entry) -> object:
    """Return the lane of an entry under `order = "key"`; a record without a key has one of its own."""
    return entry.partition, entry.offset if entry.key is None else entry.key


def by_partition(entry: Entry) -> object:
    """Return the lane of an entry under `order = "partition"`."""
    return entry.partition


def calls(handled: Handled) -> Handled:
    """Return the beginnings of calls alone."""
    return Handled(entry for entry in handled.entries if entry.note == BEGAN)


def ends(handled: Handled) -> Handled:
    """Return the ends of calls that did their record alone."""
    return Handled(entry for entry in handled.entries if not entry.note)


def disorder(handled: Handled, lane: Lane) -> list[Entry]:
    """Return what was begun for the first time after a later record of its lane."""
    highest: dict[object, int] = defaultdict(lambda: -1)
    seen: set[tuple[str, int, int]] = set()
    late = []
    for entry in calls(handled).entries:
        record = (entry.topic, entry.partition, entry.offset)
        if record not in seen:
            seen.add(record)
            if entry.offset < highest[lane(entry)]:
                late.append(entry)
            highest[lane(entry)] = max(highest[lane(entry)], entry.offset)
    return late


def overlaps(handled: Handled, lane: Lane) -> list[tuple[Entry, Entry]]:
    """Return calls that began while another one of their lane was under way; one that never ended was killed."""
    return [pair for entries in _lanes(handled, lane).values() for pair in _overlaps(entries)]


def width(handled: Handled) -> int:
    """Return how many calls were under way at the same time, at the most."""
    most = 0
    under_way: set[tuple[int, int, int]] = set()
    for entry in handled.entries:
        call = (entry.pid, entry.partition, entry.offset)
        under_way.add(call) if entry.note == BEGAN else under_way.discard(call)
        most = max(most, len(under_way))
    return most


def _lanes(handled: Handled, lane: Lane) -> dict[object, list[Entry]]:
    lanes: dict[object, list[Entry]] = defaultdict(list)
    for entry in handled.entries:
        lanes[lane(entry)].append(entry)
    return lanes


def _overlaps(entries: list[Entry]) -> Iterator[tuple[Entry, Entry]]:
    """Yield (begun, under way) of one lane: the latter has an end later on, by the same process."""
    under_way: dict[tuple[int, int], Entry] = {}
    ends_at = _ends_at(entries)
    for at, entry in enumerate(entries):
        call = (entry.pid, entry.offset)
        if entry.note == BEGAN:
            yield from ((entry, one) for one in under_way.values())
            if ends_at[at]:
                under_way[call] = entry
        else:
            under_way.pop(call, None)


def _ends_at(entries: list[Entry]) -> list[bool]:
    """Return for each entry whether it is a beginning that has an end."""
    found = [False] * len(entries)
    ended: set[tuple[int, int]] = set()
    for at in range(len(entries) - 1, -1, -1):
        call = (entries[at].pid, entries[at].offset)
        if entries[at].note == BEGAN:
            found[at] = call in ended
            ended.discard(call)
        else:
            ended.add(call)
    return found
