"""What has to be known to read a result: its labels, and the notes under each table."""

from typing import Final

from ..supervisor.cli.words import UNKNOWN, duration
from .result import Result
from .summary import MAX_DRIFT

EMBEDDED: Final = "embedded broker (librdkafka mock: no disk, no replication), RF 1"
INCOMPLETE: Final = "INCOMPLETE: this run was cut short, or gave up."


def labels(result: Result) -> list[str]:
    """Return what stands over everything: where, on what, when, and whether it is all."""
    of = result.environment
    machine = f"{of.get('cpu')}, {of.get('cores')} cores, {of.get('kernel')}"
    before, after, most = (of.get(f"load_{name}", UNKNOWN) for name in ("before", "after", "most"))
    load = f"load {before} before, {after} after, {most} at most"
    kherd = f"kherd {of.get('kherd')} ({of.get('git') or 'no git'})"
    clients = f"confluent-kafka {of.get('confluent_kafka')}, librdkafka {of.get('librdkafka')}"
    found = [
        f"Broker: {broker_label(result)}.",
        f"Machine: {machine}; {load}.",
        f"Software: {kherd}, {of.get('python')}, {clients}.",
        f"Run: {result.began[:10]}, {duration(result.seconds)}, seed {result.seed}: {result.command}",
    ]
    return found if result.complete else [INCOMPLETE, *found]


def broker_label(result: Result) -> str:
    """Return what was measured against, with its replication factor."""
    broker = result.broker
    if broker.kind == "embedded":
        return EMBEDDED
    copies = f"RF {broker.replication}, min.insync.replicas {broker.min_insync}"
    if broker.kind == "harness":
        return f"Apache Kafka {broker.version or ''}, {broker.brokers} KRaft broker(s), all on this host, {copies}"
    return f"a given Kafka of {broker.brokers} broker(s), {copies}"


def of_rates(result: Result, drifted: float | None) -> list[str]:
    """Return how the maximum rates are to be read, and whether comparing them makes sense."""
    load = result.matrix.load
    values = f"values of {load.size} bytes, {load.entropy:.0%} random, {load.partitions} partitions"
    moved = UNKNOWN if drifted is None else f"{drifted:.1%}"
    verdict = f"above {MAX_DRIFT:.0%}: all comparisons are inconclusive" if (drifted or 0) > MAX_DRIFT else ""
    return [
        f"Medians of {load.rounds} rounds of {load.seconds:g} s with a 95 % bootstrap interval; {values}.",
        (
            "CPU s/M: CPU seconds of the client process per million records; batch: records per batch; wire: bytes sent"
            " per byte of value; lost: reported delivered, and not in the topic."
        ),
        f"Control ({result.control}): drift {', '.join(filter(None, (moved, verdict)))}.",
    ]


def of_latencies(result: Result) -> list[str]:
    """Return how latencies are to be read."""
    return [
        (
            f"At {result.matrix.load.fraction:.0%} of each cell's own maximum, from the moment a record was due to its"
            " delivery report; medians over the rounds of each round's exact quantile. send: how late it was given to"
            " the client."
        ),
        "With acks=0 the report comes when the record is written to the socket: no broker has it yet.",
    ]


def of_faults(result: Result) -> list[str]:
    """Return how losses are to be read."""
    fault = result.matrix.fault
    return [
        (
            f"{fault.rate:,} records/s for {fault.seconds:g} s per kill; then the topic is read back record by record."
            " stall: how long the followers stood still before the kill, as in a long garbage collection;"
            " lost: reported delivered, and not there; duplicated: copies beyond the first; longest: the worst latency,"
            " with the election of a new leader in it."
        )
    ]


def of_consumers(result: Result) -> list[str]:
    """Return how the contenders are to be read."""
    course = result.matrix.consume
    return [
        (
            f"{course.records:,} records of {course.size} bytes, hot (just written). Each contender reads all of it in"
            " a group of its own, with the same librdkafka settings; measured from its first record to its last."
            " Ratios are paired by round."
        )
    ]
