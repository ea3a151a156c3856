"""The death of a topic's leader, while records are sent to it."""

from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException

from ..testing.kafka import KafkaCluster
from ..testing.process import Process
from ..testing.wait import until
from ..worker import clock
from .jobs import TrialError

BEGIN: Final = 20.0
ASK: Final = 5.0


def leader_of(cluster: KafkaCluster, topic: str) -> int:
    """Return the broker that leads the only partition of `topic`.

    Raises:
        TrialError: none does: a broker that has just come back may not know a new topic for a while.
    """

    def ask() -> int | None:
        try:
            partitions = cluster.admin().list_topics(topic, timeout=ASK).topics[topic].partitions
        except KafkaException:
            return None
        return partitions[0].leader if 0 in partitions and partitions[0].leader > 0 else None

    try:
        return until(ask, BEGIN, f"the leader of {topic}", glance=0.1)
    except TimeoutError as error:
        raise TrialError(str(error)) from error


def wait_for(begun: Path, process: Process) -> None:
    """Wait for a trial's first record; raises TrialError if it ends before, or takes too long."""
    deadline = clock.monotonic() + BEGIN
    while not begun.exists():
        if process.ended(0.01):
            raise TrialError("it ended before its first record")
        if clock.monotonic() > deadline:
            raise TrialError(f"no record within {BEGIN:g} s")


def strike_down(cluster: KafkaCluster, leader: int, stall: float) -> None:
    """Kill the leader; for `stall` seconds before, its followers stand still: they have not what it acknowledges."""
    followers = [number for number in cluster.brokers if number != leader]
    if stall:
        for number in followers:
            cluster.pause(number)
        clock.sleep(stall)
    cluster.kill(leader)
    if stall:
        for number in followers:
            cluster.resume(number)
