"""librdkafka properties of every client: the configured ones, over kherd's defaults, under what it must own."""

from typing import Any, Final

from .spec import KafkaSpec

MAX_POLL_LEAST: Final = 300.0
CONSUMER: Final = {
    # The default (1000 ms) costs 3-5 times the throughput: a full local queue sleeps that long.
    "fetch.queue.backoff.ms": "10",
    "queued.max.messages.kbytes": "16384",
}
CLIENT: Final = {
    # The default (100 ms) doubles the time to join; it still backs off to 10 s.
    "reconnect.backoff.ms": "1",
    "log.connection.close": "false",
}
PRODUCER: Final = {"linger.ms": "10", "compression.type": "snappy", "message.timeout.ms": "120000"}


def max_poll_interval(handler_timeout: float) -> float:
    """Return seconds: a call of the handler must fit in twice."""
    return max(MAX_POLL_LEAST, 2 * handler_timeout)


def consumer_properties(
    kafka: KafkaSpec, *, client_id: str, instance_id: str | None, handler_timeout: float
) -> dict[str, Any]:
    """Return the properties of a worker's consumer."""
    owned: dict[str, Any] = {
        "group.id": kafka.group,
        "group.protocol": kafka.group_protocol,
        "enable.auto.commit": "false",
        "enable.auto.offset.store": "false",
        "auto.offset.reset": kafka.start,
        "max.poll.interval.ms": str(int(max_poll_interval(handler_timeout) * 1000)),
        "statistics.interval.ms": "1000",
    }
    if instance_id is not None:
        owned["group.instance.id"] = instance_id
    if kafka.group_protocol == "classic":
        owned["partition.assignment.strategy"] = "cooperative-sticky"
    quick = {"fetch.wait.max.ms": "10"} if kafka.embedded else {}
    return {**CLIENT, **CONSUMER, **quick, **kafka.client, **kafka.consumer, **owned, **_base(kafka, client_id)}


def producer_properties(kafka: KafkaSpec, *, client_id: str) -> dict[str, Any]:
    """Return the properties of the producer of outputs and dead letters."""
    owned = {"acks": "all", "enable.idempotence": "true"}
    return {**CLIENT, **PRODUCER, **kafka.client, **kafka.producer, **owned, **_base(kafka, client_id)}


def admin_properties(kafka: KafkaSpec, *, client_id: str) -> dict[str, Any]:
    """Return the properties of a client that only asks."""
    return {**CLIENT, **kafka.client, **_base(kafka, client_id)}


def _base(kafka: KafkaSpec, client_id: str) -> dict[str, Any]:
    return {"bootstrap.servers": kafka.bootstrap, "client.id": client_id}
