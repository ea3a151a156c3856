"""librdkafka properties that the configuration may not set, each with the reason and what to use instead."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # the schema asks this module, which only reads it
    from .schema import Settings

OWNED: Final = {
    "bootstrap.servers": "use kafka.bootstrap",
    "metadata.broker.list": "use kafka.bootstrap",
    "group.id": "use kafka.group",
    "group.instance.id": "it is made of app.name, app.instance and the slot; see kafka.static_membership",
    "group.protocol": "use kafka.group_protocol",
    "client.id": "it is made of app.name, app.instance and the slot",
    "enable.auto.commit": "kherd commits only what is finished",
    "auto.commit.interval.ms": "use delivery.commit_interval",
    "enable.auto.offset.store": "kherd commits only what is finished",
    "auto.offset.reset": "use kafka.start",
    "max.poll.interval.ms": "it follows from workers.handler_timeout",
    "statistics.interval.ms": "kherd reads the statistics itself",
    "enable.partition.eof": "kherd has no use for it",
    "transactional.id": "exactly-once is not in this version",
    "transaction.timeout.ms": "exactly-once is not in this version",
    "enable.idempotence": "dead letters and outputs are always idempotent",
    "acks": "dead letters and outputs are always acknowledged by all in-sync replicas",
    "request.required.acks": "dead letters and outputs are always acknowledged by all in-sync replicas",
    "plugin.library.paths": "plugins are not supported",
    "error_cb": "kherd logs errors itself",
    "test.mock.num.brokers": 'use kafka.bootstrap = "embedded"',
}
CLASSIC_ONLY: Final = {
    "session.timeout.ms": "under KIP-848 the broker's group configuration decides",
    "heartbeat.interval.ms": "under KIP-848 the broker's group configuration decides",
    "partition.assignment.strategy": "under KIP-848 the broker assigns; see group.remote.assignor",
    "group.protocol.type": "KIP-848 has none",
}


def refusals(settings: "Settings") -> Iterator[str]:
    """Yield a problem for every property that kherd must own, or that the group protocol does not have."""
    kafka = settings.kafka
    consumer_protocol = settings.group_protocol == "consumer"
    for section, properties in (("client", kafka.client), ("consumer", kafka.consumer), ("producer", kafka.producer)):
        for name in properties:
            if name in OWNED:
                yield f"kafka.{section}.{name}: cannot be set: {OWNED[name]}"
            elif consumer_protocol and section != "producer" and name in CLASSIC_ONLY:
                reason = CLASSIC_ONLY[name]
                yield f'kafka.{section}.{name}: cannot be set with kafka.group_protocol "consumer": {reason}'
            elif name == "partition.assignment.strategy":
                yield f"kafka.{section}.{name}: cannot be set: kherd uses cooperative-sticky, never mixed"
    if consumer_protocol and kafka.preset == "classic-30s":
        yield 'kafka.preset: "classic-30s" sets session and heartbeat, which KIP-848 leaves to the broker'
