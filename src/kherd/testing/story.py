"""What most scenarios need: a herd's tables, a switch that its handler looks at, and records put in one by one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaException, Producer

from . import ledger
from .herd import Document, Herd
from .producing import FLUSH, RELIABLE
from .topics import Cluster
from .wait import until

PATIENCE: Final = 30.0
PRELUDE: Final = """
import os, time
from kherd import ProcessingError, Record, Results, Retry, Skip, context
from kherd.testing.ledger import Ledger
from kherd.testing.story import Switch
LEDGER = Ledger(LEDGER_PATH)
SWITCH = Switch(LEDGER_PATH + ".switch")
"""
"""The beginning of a handler's module."""
Headers = Sequence[tuple[str, bytes | None]]


class Switch:
    """Something a test can turn that handlers, in whatever process, see; a file."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    @property
    def on(self) -> bool:
        """Whether it has been turned on."""
        return self._path.exists()

    def turn_on(self) -> None:
        """Turn it on."""
        self._path.touch()


def switch(herd: Herd) -> Switch:
    """Return the `SWITCH` of a handler that begins with PRELUDE."""
    return Switch(f"{herd.ledger}.switch")


def tables(cluster: Cluster, *topics: str, user: str | None = None, **more: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration that consumes `topics` as `user`, with `more` tables; their `kafka` is merged in.

    Lag is read five times a second, a classic member hears of a rebalance within 0.3 s instead of 3 s, and a canary
    has to stay ready for 0.2 s instead of 5 s, so that tests do not wait for any of it.
    """
    own = {name: value for name, value in cluster.client_properties(user).items() if name != "bootstrap.servers"}
    kafka: dict[str, Any] = {"bootstrap": cluster.bootstrap, "topics": list(topics), **({"client": own} if own else {})}
    kafka |= more.get("kafka", {})
    if kafka.get("group_protocol") != "consumer":
        kafka["consumer"] = {"heartbeat.interval.ms": 300, **kafka.get("consumer", {})}
    return {"lag": {"interval": 0.2}, "reload": {"settle": 0.2}, **more, "kafka": kafka}


def put(
    cluster: Cluster,
    topic: str,
    *values: bytes | None,
    partition: int = 0,
    key: bytes | None = None,
    headers: Headers = (),
) -> None:
    """Produce `values` to one partition, in order, and wait until they are acknowledged."""
    producer = Producer({**cluster.client_properties(), **RELIABLE})
    errors: list[Any] = []
    for value in values:
        producer.produce(topic, value, key, partition, lambda error, _: errors.append(error), headers=list(headers))
    left = producer.flush(FLUSH)
    if left or any(errors):
        raise KafkaException(next(filter(None, errors), f"{left} records not acknowledged"))


def handled(herd: Herd, count: int, seconds: float = PATIENCE) -> ledger.Handled:
    """Return the ledger as soon as it has `count` entries."""
    return until(lambda: _enough(herd, count), seconds, f"{count} entries in {herd.ledger}")


def wait_committed(
    cluster: Cluster, herd: Herd, topic: str, wanted: Mapping[int, int], seconds: float = PATIENCE
) -> None:
    """Wait until the herd's group has committed exactly `wanted`, partition -> offset; others have no commit."""
    until(lambda: committed(cluster, herd, topic) == dict(wanted), seconds, f"commits {dict(wanted)} of {topic}")


def committed(cluster: Cluster, herd: Herd, topic: str) -> dict[int, int]:
    """Return what the herd's group has committed, partition -> offset."""
    settings = herd.settings
    return cluster.committed(settings["kafka"].get("group", settings["app"]["name"]), topic)


def shared(status: Document) -> bool:
    """Whether all workers are ready, and each has as many partitions as any other, at least one."""
    numbers = {len(slot["partitions"]) for slot in status["slots"]}
    return bool(status["workers"]["ready"] == status["workers"]["wanted"] and len(numbers) == 1 and numbers != {0})


def _enough(herd: Herd, count: int) -> ledger.Handled | None:
    found = ledger.read(herd.ledger)
    return found if len(found) >= count else None
