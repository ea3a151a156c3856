"""What a herd's commits say beside their offsets, and a herd that goes on elsewhere without the boards of the first."""

import shutil
from collections.abc import Callable, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition

from ..worker.decide.metadata import Known, read, unsealed
from .handovers import dissolve
from .herd import Herd
from .scenes import group
from .story import PRELUDE, tables
from .topics import Cluster, committed
from .wait import until

PATIENCE: Final = 30.0
RESULTS: Final = f"""{PRELUDE}
def settle(message):
    if message.value() == b"bad" and not SWITCH.on:
        return ConnectionError("the database is away")
    return None

def handle(messages):
    for message in messages:
        LEDGER.write(message, note=str(context().attempt))
    return Results([settle(message) for message in messages])
"""
"""A batch handler's module: records `bad` fail until the switch is turned on, the others are done at once."""


def noted(cluster: Cluster, herd: Herd, topic: str, partition: int = 0) -> tuple[int, Known]:
    """Return what the herd's group has committed, -1 if nothing, and what is noted there."""
    found = _row(cluster, group(herd), topic, partition)
    known = unsealed(read(found.metadata), found.offset) if found.offset >= 0 else None
    return found.offset, known or Known()


def wait_noted(
    cluster: Cluster, herd: Herd, topic: str, condition: Callable[[int, Known], object], what: str = "a note"
) -> Known:
    """Wait until `condition(offset, known)` holds of what is committed for partition 0; return what is known."""
    return until(lambda: _matching(noted(cluster, herd, topic), condition), PATIENCE, what)


def commit(cluster: Cluster, herd: Herd, topic: str, offset: int, metadata: str) -> None:
    """Commit for the herd's group, which has no members, as another program does."""
    consumer = Consumer({**cluster.client_properties(), "group.id": group(herd), "log_level": "0"})
    try:
        consumer.commit(offsets=[TopicPartition(topic, 0, offset, metadata)], asynchronous=False)
    finally:
        consumer.close()


def metadata(cluster: Cluster, herd: Herd, topic: str) -> str:
    """Return the metadata of what the herd's group has committed for partition 0."""
    return _row(cluster, group(herd), topic, 0).metadata or ""


def lose(cluster: Cluster, herd: Herd) -> None:
    """End a herd as the loss of its host does: its processes, its boards, and its members of the group are gone."""
    herd.kill()
    shutil.rmtree(herd.state)
    dissolve(cluster, herd)


def on_a_host(cluster: Cluster, topic: str, name: str, **more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a herd of one worker of the app of `topic`, on host `name`."""
    app = {"name": f"n-{topic[-8:]}", "instance": name}
    made: dict[str, Any] = {"app": app, "workers": {"count": 1}, "kafka": {"static_membership": True}, **more}
    return tables(cluster, topic, **made)


def _row(cluster: Cluster, name: str, topic: str, partition: int) -> TopicPartition:
    return committed(cluster.own_properties, name, [TopicPartition(topic, partition)])[0]


def _matching(found: tuple[int, Known], condition: Callable[[int, Known], object]) -> Known | None:
    return found[1] if condition(*found) else None
