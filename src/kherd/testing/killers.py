"""Records that kill the process that handles them, among others that do not: a handler, and what is to come of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from confluent_kafka import Message

from . import ledger
from .handovers import wait_identified
from .herd import Herd
from .reading import headers, read
from .results import count, report
from .scenes import wait_settled
from .story import PRELUDE, put, wait_committed
from .topics import Cluster

KILL: Final = f"""{PRELUDE}
import ctypes, resource, signal

def overflow():
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))
    if library.malloc(ctypes.c_size_t(1 << 33)) is None:
        library.abort()

def leak():
    taken = []
    while len(taken) < 40:
        taken.append(os.urandom(1 << 20) * 10)
        time.sleep(0.02)
    stuck_in_a_loop()

def stuck_in_a_loop():
    while True:
        time.sleep(0.05)

ENDS = {{
    b"segfault": lambda: ctypes.string_at(0),
    b"abort": os.abort,
    b"exit": lambda: os._exit(7),
    b"permanent": lambda: os._exit(100),
    b"kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    b"overflow": overflow,
    b"leak": leak,
    b"hang": stuck_in_a_loop,
}}

def meet(message):
    if message.value() in ENDS:
        LEDGER.write(message, note="dies")
        ENDS[message.value()]()
"""
RECORD: Final = f"""{KILL}
def handle(message):
    meet(message)
    LEDGER.write(message)
"""
BATCH: Final = f"""{KILL}
def handle(messages):
    for message in messages:
        meet(message)
    LEDGER.write(*messages)
"""
FIRST: Final = b"first"
"""The value of the record at offset 0."""
Killers = Mapping[int, Sequence[tuple[int, bytes]]]
"""By partition, at which offset which kind is."""
DEATHS: Final = 3
"""`errors.max_crashes`."""


def feed(cluster: Cluster, topic: str, killers: Killers, number: int) -> None:
    """Put records into each of the partitions behind that of `settle`, `number` with it, `killers` among them."""
    for partition, places in killers.items():
        kinds = dict(places)
        put(cluster, topic, *(kinds.get(offset, b"%d" % offset) for offset in range(1, number)), partition=partition)


def settle(cluster: Cluster, one: Herd, topic: str, workers: int, partitions: int) -> None:
    """Wait until a crash of the herd costs nothing but what is in flight: a record of each partition is committed.

    A commit that is the first of all, and on its way when its worker dies, cannot be told from one that was deleted.
    """
    wait_settled(one, workers, partitions)
    wait_identified(one, partitions)
    for partition in range(partitions):
        put(cluster, topic, FIRST, partition=partition)
    wait_committed(cluster, one, topic, dict.fromkeys(range(partitions), 1))


def many() -> int:
    """Return how many records a partition has."""
    return count(5000, 300)


def expect(  # noqa: PLR0917 - a scenario's own
    cluster: Cluster, one: Herd, topic: str, killers: Killers, number: int, scenario: str
) -> list[Message]:
    """Wait until everything fed is done; return the dead letters, one for each killer, after a look at the ledger."""
    wait_committed(cluster, one, topic, dict.fromkeys(killers, number), seconds=120.0)
    deadly = {(partition, offset) for partition, places in killers.items() for offset, _ in places}
    letters = read(cluster, f"dlq.{topic}")
    origins = sorted(origin(letter) for letter in letters)
    assert origins == sorted(deadly), f"dead letters of {origins}, not of {sorted(deadly)}"
    record = ledger.read(one.ledger)
    dying = [entry for entry in record.entries if entry.note == "dies"]
    done = {(entry.partition, entry.offset) for entry in record.entries if entry.note != "dies"}
    died = {(entry.partition, entry.offset) for entry in dying}
    assert died == deadly, f"{died} died, not {deadly}"
    everything = {(partition, offset) for partition in killers for offset in range(number)}
    missing = everything - deadly - done
    assert not missing, f"not handled: {sorted(missing)[:20]}"
    assert done <= everything - deadly
    report(
        f"quarantine_{scenario}",
        {
            "records": len(everything),
            "killers": len(deadly),
            "deaths": len(dying),
            "dead_letters": len(letters),
            "handled": len(done),
            "handled_again": len(record) - len(dying) - len(done),
        },
    )
    return letters


def again(one: Herd) -> dict[tuple[int, int], int]:
    """Return how often records that do not kill were handled more than once, where the hand-over had what it needs.

    A worker that could not ask about its topic in time, on a machine that is too busy, begins at the commit.
    """
    late = {event["partition"] for event in one.events("not_handed_over") if "in time" in event["reason"]}
    times: dict[tuple[int, int], int] = {}
    for entry in ledger.read(one.ledger).entries:
        if entry.note != "dies":
            times[entry.partition, entry.offset] = times.get((entry.partition, entry.offset), 0) + 1
    return {where: number for where, number in times.items() if number > 1 and where[0] not in late}


def deaths(one: Herd) -> dict[tuple[int, int], int]:
    """Return how often each killer was called."""
    times: dict[tuple[int, int], int] = {}
    for entry in ledger.read(one.ledger).entries:
        if entry.note == "dies":
            times[entry.partition, entry.offset] = times.get((entry.partition, entry.offset), 0) + 1
    return times


def origin(letter: Message) -> tuple[int, int]:
    """Return the partition and the offset that a dead letter's record came from."""
    told = said(letter)
    return int(told["__dlq.errors.partition"]), int(told["__dlq.errors.offset"])


def said(letter: Message) -> dict[str, Any]:
    """Return what the headers of a dead letter say, as text."""
    return {name: (value or b"").decode() for name, value in headers(letter)}
