"""Crashes whose redeliveries are counted: kills under a stream that is committed seldom, and of a whole herd."""

import os
import signal
from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition
from kafka.admin import KafkaAdminClient, MemberToRemove

from ..worker.board import Board
from ..worker.boardrow import PartitionWord, rows_in_use
from .herd import Herd
from .ledger import Handled, read
from .producing import Feeder
from .scenes import group, members, shares, wait_handled, wait_settled
from .story import PRELUDE, committed, switch
from .topics import Cluster
from .wait import until

SELDOM: Final = {"commit_interval": 5}
"""The table `delivery`: without the board, 5 seconds' worth of records would be delivered again."""
PROGRESS: Final = 60
"""Records a worker handles before it is killed."""
PATIENCE: Final = 60.0
GATED: Final = f"""{PRELUDE}
def handle(message):
    LEDGER.write(message)
    while message.value() == b"wait" and not SWITCH.on:
        time.sleep(0.02)
"""
"""A handler's module: a record `wait` is in flight until the switch is turned on."""


def kill_and_count(
    herd: Herd, cluster: Cluster, topic: str, *, workers: int, partitions: int, rate: float, number: int
) -> dict[str, Any]:
    """Kill `number` workers in turn under a stream; return the account for `results.report`.

    Raises:
        AssertionError: a record that was acknowledged was not handled.
    """
    wait_settled(herd, workers, partitions)
    wait_identified(herd, partitions)
    with Feeder(cluster.client_properties(), topic, rate, partitions=partitions) as feeder:
        # A first commit that is on its way when its worker dies looks like one that was deleted.
        until(lambda: len(committed(cluster, herd, topic)) == partitions, PATIENCE, "a commit of each partition")
        for index in range(number):
            wait_settled(herd, workers, partitions)
            slot = index % workers
            pid = herd.worker_pids()[slot]
            until(lambda pid=pid: _handled_by(herd, pid) >= PROGRESS, PATIENCE, f"work of {pid}")  # type: ignore[misc]
            os.kill(pid, signal.SIGKILL)
            herd.wait_status(lambda status, pid=pid, slot=slot: _replaced(status, slot, pid), PATIENCE)  # type: ignore[misc]
        wait_settled(herd, workers, partitions)
    handled = wait_handled(herd, topic, feeder.acknowledged, PATIENCE)
    again = handled.duplicates(topic)
    return {
        "kills": number,
        "records": len(handled),
        "delivered_again": sum(again.values()) - len(again),
        "handed_over": herd.status()["totals"]["handed_over"],
        "refused": [event["reason"] for event in herd.events("not_handed_over")],
    }


def wait_identified(herd: Herd, partitions: int) -> None:
    """Wait until the boards of a new herd tell which topic is meant of all `partitions`: others are not followed."""
    until(lambda: _identified(herd) == partitions, PATIENCE, f"{partitions} partitions whose topic is known")


def die_at(herd: Herd, offset: int) -> Handled:
    """Wait until the record at `offset` is in flight, then kill the whole herd; return what was handled by then."""
    until(lambda: _in_flight(herd, offset), PATIENCE, f"the record at {offset} to be in flight")
    herd.kill()
    return read(herd.ledger)


def go_on(herd: Herd) -> None:
    """Start a herd that was killed by `die_at` again, with nothing to hold it up."""
    switch(herd).turn_on()
    herd.start()


def dissolve(cluster: Cluster, herd: Herd) -> None:
    """Take the dead members of a killed herd out of its group."""
    name = group(herd)
    client = KafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    try:
        static = herd.settings["kafka"]["static_membership"]
        found = members(cluster, name)
        key = "group_instance_id" if static else "member_id"
        client.remove_group_members(name, [MemberToRemove(**{key: one}) for one in found])
    finally:
        client.close()
    until(lambda: not members(cluster, name), PATIENCE, "an empty group")


def alter(cluster: Cluster, herd: Herd, topic: str, offsets: Mapping[int, int]) -> None:
    """Set the offsets of the group of a killed herd, as an operator does."""
    dissolve(cluster, herd)
    consumer = Consumer({**cluster.client_properties(), "group.id": group(herd), "log_level": "0"})
    try:
        rows = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]
        consumer.commit(offsets=rows, asynchronous=False)
    finally:
        consumer.close()


def offsets_of(handled: Handled, topic: str, *, since: int = 0, partition: int = 0) -> list[int]:
    """Return the offsets of a partition in the order of their handling, from the entry number `since` on."""
    return [entry.offset for entry in handled.at(topic, partition)[since:]]


def _handled_by(herd: Herd, pid: int) -> int:
    return sum(entry.pid == pid for entry in read(herd.ledger).entries)


def _identified(herd: Herd) -> int:
    count = 0
    for path in (herd.state / "board").iterdir():
        fd = os.open(path, os.O_RDWR)
        try:
            board = Board(fd)
        finally:
            os.close(fd)
        count += sum(board.words[base + PartitionWord.CLUSTER] != 0 for base in rows_in_use(board.words))
        board.close()
    return count


def _replaced(status: Mapping[str, Any], slot: int, pid: int) -> bool:
    one = next((one for one in status["slots"] if one["slot"] == slot), None)
    return one is not None and one["pid"] not in {None, pid} and one["state"] == "ready"


def _in_flight(herd: Herd, offset: int) -> bool:
    entries = read(herd.ledger).entries
    return bool(entries) and entries[-1].offset == offset and bool(shares(herd.status()))
