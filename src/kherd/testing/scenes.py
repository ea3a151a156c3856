"""What the scenarios have in common: a handler that keeps a ledger, a herd's configuration, and a herd come to rest."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..worker import clock
from .herd import Document, Herd
from .ledger import Handled, read
from .topics import ANSWER, Cluster

LEDGER: Final = """
from kherd.testing.ledger import Ledger

LEDGER = Ledger(LEDGER_PATH)

def handle(message):
    LEDGER.write(message)
"""
"""A handler's source: writes every record down and does nothing else."""
CATCH_UP: Final = 20.0
SETTLE: Final = 60.0
"""Seconds until members of a new group have their shares: KIP-848 takes some of the broker's 5 s heartbeats for it."""


def config(
    cluster: Cluster,
    topic: str,
    count: int,
    *,
    protocol: str = "classic",
    static: bool = True,
    **tables: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the tables of a herd of `count` workers on `topic`; `tables` are merged into them.

    A static herd has an instance of its own, a dynamic one none. A canary has to stay ready for 0.2 s.
    """
    kafka = {
        "bootstrap": cluster.bootstrap,
        "topics": [topic],
        "group_protocol": protocol,
        "static_membership": static,
        "client": {key: value for key, value in cluster.client_properties().items() if key != "bootstrap.servers"},
    }
    made: dict[str, dict[str, Any]] = {
        "app": {"instance": "here"} if static else {},
        "kafka": kafka,
        "workers": {"count": count},
        "dead_letter": {"create": False},
        "reload": {"settle": 0.2},
    }
    for name, table in tables.items():
        made[name] = {**made.get(name, {}), **table}
    return made


def group(herd: Herd) -> str:
    """Return the name of the herd's group."""
    settings = herd.settings
    return str(settings["kafka"].get("group", settings["app"]["name"]))


def members(cluster: Cluster, name: str) -> set[str]:
    """Return the group.instance.id, or the member id, of every member that the coordinator knows of."""
    admin = cluster.admin()
    described = admin.describe_consumer_groups([name], request_timeout=ANSWER)[name].result(ANSWER)
    return {one.group_instance_id or one.member_id for one in described.members}


def shares(document: Document) -> dict[int, set[int]]:
    """Return slot -> partitions that its process has now, by a status document (of a herd with one topic)."""
    return {slot["slot"]: {one["partition"] for one in slot["partitions"]} for slot in document["slots"]}


def settled(document: Document, count: int, partitions: int) -> bool:
    """Whether `count` workers are ready, and each partition has one owner, nobody having two more than another."""
    workers = document["workers"]
    if not workers["ready"] == count == sum(workers["by_state"].values()):
        return False
    owned = shares(document).values()
    times = Counter(partition for one in owned for partition in one)
    sizes = [len(one) for one in owned]
    return times == Counter(range(partitions)) and max(sizes) - min(sizes) <= 1


def wait_settled(herd: Herd, count: int, partitions: int, seconds: float = SETTLE) -> Document:
    """Wait until the herd is settled and return its status."""
    what = f"{partitions} partitions shared by {count} workers"
    return herd.wait_status(lambda document: settled(document, count, partitions), seconds, what)


def wait_handled(herd: Herd, topic: str, produced: Mapping[int, Iterable[int]], seconds: float = CATCH_UP) -> Handled:
    """Wait until every record of `produced` (partition -> offsets) is handled; return the ledger.

    Raises:
        AssertionError: some are not in time; says which.
    """
    handled = read(herd.ledger)
    deadline = clock.monotonic() + seconds
    while missing := handled.missing(topic, produced):
        if clock.monotonic() > deadline:
            raise AssertionError(f"{len(missing)} records not handled within {seconds:g} s: {sorted(missing)[:20]}")
        clock.sleep(0.1)
        handled = read(herd.ledger)
    return handled


Standing = tuple[int, int, int, frozenset[int]]
"""What a rebalance or restart of a worker would change: its pid, incarnation, rebalances and partitions."""


def standings(document: Document) -> dict[int, Standing]:
    """Return slot -> standing."""
    return {
        slot["slot"]: (
            slot["pid"],
            slot["incarnation"],
            slot["counters"]["rebalances"],
            frozenset(one["partition"] for one in slot["partitions"]),
        )
        for slot in document["slots"]
    }
