"""librdkafka properties of every client: the configured ones, over kherd's defaults, under what it must own."""

from collections.abc import Mapping
from typing import Any, Final

from .spec import KafkaSpec

MAX_POLL_LEAST: Final = 300.0
ALIASES: Final = {
    "metadata.broker.list": "bootstrap.servers",
    "max.in.flight": "max.in.flight.requests.per.connection",
    "sasl.mechanisms": "sasl.mechanism",
    "retries": "message.send.max.retries",
    "queue.buffering.max.ms": "linger.ms",
    "compression.codec": "compression.type",
    "request.required.acks": "acks",
    "delivery.timeout.ms": "message.timeout.ms",
    "sasl.oauthbearer.client.credentials.client.id": "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.credentials.client.secret": "sasl.oauthbearer.client.secret",
    "auto.commit.enable": "enable.auto.commit",
}
"""Two names of one property: with both in one dictionary their order would decide."""
CONSUMER: Final = {
    # The default (1000 ms) costs 3-5 times the throughput: a full local queue sleeps that long.
    "fetch.queue.backoff.ms": "10",
    # Of the default (64 MB) throughput gains nothing, and every worker has such a queue.
    "queued.max.messages.kbytes": "16384",
}
EMBEDDED: Final = {
    # Its empty fetches wait the whole time, whatever arrives meanwhile.
    "fetch.wait.max.ms": "10",
}
CLIENT: Final = {
    # The default (100 ms) doubles the time to join; it still backs off to 10 s.
    "reconnect.backoff.ms": "1",
    "log.connection.close": "false",
}
PRODUCER: Final = {
    "linger.ms": "10",
    "compression.type": "snappy",
    # Bounded, and well below the least max.poll.interval.ms: a record's offset waits for its outputs.
    "message.timeout.ms": "120000",
}


def max_poll_interval(handler_timeout: float) -> float:
    """Return seconds: a call of the handler must fit in twice."""
    return max(MAX_POLL_LEAST, 2 * handler_timeout)


def consumer_properties(
    kafka: KafkaSpec, *, client_id: str, instance_id: str | None, handler_timeout: float
) -> dict[str, Any]:
    """Return the properties of a worker's consumer; `handler_timeout` is in seconds."""
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
    quick = EMBEDDED if kafka.embedded else {}
    return _merge(CLIENT, CONSUMER, quick, kafka.client, kafka.consumer, owned, _base(kafka, client_id))


def producer_properties(kafka: KafkaSpec, *, client_id: str) -> dict[str, Any]:
    """Return the properties of the producer of outputs and dead letters."""
    owned = {"acks": "all", "enable.idempotence": "true"}
    return _merge(CLIENT, PRODUCER, kafka.client, kafka.producer, owned, _base(kafka, client_id))


def admin_properties(kafka: KafkaSpec, *, client_id: str) -> dict[str, Any]:
    """Return the properties of a client that only asks."""
    return _merge(CLIENT, kafka.client, _base(kafka, client_id))


def _base(kafka: KafkaSpec, client_id: str) -> dict[str, Any]:
    return {"bootstrap.servers": kafka.bootstrap, "client.id": client_id}


def _merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the layers in one, the last one winning, each property under one name."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update((ALIASES.get(name, name), value) for name, value in layer.items())
    return merged
