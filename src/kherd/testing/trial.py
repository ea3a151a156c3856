"""A herd whose code changes on disk while it runs: handlers that say which version they are, and how rolls stand."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from .herd import Document, Herd
from .ledger import Entry, read
from .scenes import config
from .topics import Cluster
from .wait import until

PATIENCE: Final = 20.0


def version(name: str, *, at_import: str = "", at_build: str = "pass") -> str:
    """Return the source of a handler, `handlers:Handler`, that notes `name` with each record.

    `at_import` runs when its module is imported, `at_build` when a worker builds it.
    """
    return f"""
import ctypes, os, threading
from kherd.testing.ledger import Ledger
LEDGER = Ledger(LEDGER_PATH)
{at_import}

class Handler:
    def __init__(self):
        {at_build}

    def handle(self, message):
        LEDGER.write(message, note={name!r})
"""


def tables(
    cluster: Cluster, topic: str, count: int, *, protocol: str = "classic", **more: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the tables of a static herd of `count` workers that runs a `version`, with `more` merged in.

    A classic member hears of a rebalance within 0.3 s.
    """
    soon = {} if protocol == "consumer" else {"consumer": {"heartbeat.interval.ms": 300}}
    name = f"trial-{topic[-8:]}"  # the same in every file that is written for the herd
    made = config(
        cluster, topic, count, protocol=protocol, kafka=soon, app={"name": name, "handler": "handlers:Handler"}
    )
    return {**made, **{name: {**made.get(name, {}), **table} for name, table in more.items()}}


def roll(document: Document) -> Document:
    """Return the newest roll of a status document; one of state `none` if there was none."""
    return document["rolls"][-1] if document["rolls"] else {"state": "none", "generation": None}


def wait_roll(herd: Herd, state: str, seconds: float = PATIENCE) -> Document:
    """Wait until the newest roll is in `state`; return the status document."""
    return herd.wait_status(lambda document: roll(document)["state"] == state, seconds, f"a roll in state {state}")


def since(herd: Herd, seen: int) -> list[Entry]:
    """Return the ledger's entries after the first `seen`."""
    return read(herd.ledger).entries[seen:]


def wait_versions(herd: Herd, seen: int, partitions: int, *names: str) -> None:
    """Wait until after the first `seen` entries every partition was handled again, the last time by one of `names`."""

    def ours() -> bool:
        last = {entry.partition: entry.note for entry in since(herd, seen)}
        return len(last) == partitions and set(last.values()) <= set(names)

    until(ours, PATIENCE, f"records of all {partitions} partitions, handled by {' or '.join(names)}")


def versions(herd: Herd) -> Counter[str]:
    """Return how many records each version has handled."""
    return Counter(entry.note for entry in read(herd.ledger).entries)
