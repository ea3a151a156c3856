"""librdkafka properties that the configuration may not set, each with the reason and what to use instead."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ...worker.properties import ALIASES, max_poll_interval

if TYPE_CHECKING:  # the schema asks this module, which only reads it
    from .schema import Settings

_NAME: Final = re.compile(r"[a-z0-9._]{1,100}")
_COMMIT: Final = "kherd commits what is finished, and nothing else"
_IDS: Final = "it is made of app.name, app.instance and the slot"
_LATER: Final = "exactly-once does not exist in this version of kherd"
_ACKS: Final = "outputs and dead letters are always acknowledged by all in-sync replicas, without duplicates"
_OURS: Final = "kherd has a callback of its own there"

OWNED: Final = {
    "bootstrap.servers": "use kafka.bootstrap",
    "group.id": "use kafka.group",
    "group.instance.id": f"{_IDS}; see kafka.static_membership",
    "group.protocol": "use kafka.group_protocol",
    "group.protocol.type": "Kafka has one type for consumers",
    "client.id": _IDS,
    "partition.assignment.strategy": "it is cooperative-sticky: a group with two strategies cannot agree",
    "enable.auto.commit": _COMMIT,
    "auto.commit.enable": _COMMIT,
    "auto.commit.interval.ms": "use delivery.commit_interval",
    "enable.auto.offset.store": _COMMIT,
    "auto.offset.reset": "use kafka.start",
    "max.poll.interval.ms": "it is twice workers.handler_timeout, at least 300 s",
    "statistics.interval.ms": "kherd reads the statistics itself",
    "enable.partition.eof": "it makes an event of every partition's end that nobody reads",
    "consume.callback.max.messages": "use workers.batch_size",
    "transactional.id": _LATER,
    "transaction.timeout.ms": _LATER,
    "enable.idempotence": _ACKS,
    "enable.gapless.guarantee": _ACKS,
    "acks": _ACKS,
    "delivery.report.only.error": "every delivery is accounted for",
    "plugin.library.paths": "a plugin's threads and hooks do not survive the fork of a worker",
    "interceptors": "kherd has none",
    "enable.sasl.oauthbearer.unsecure.jwt": "it is for development of librdkafka; use kafka.oauth",
    "log.queue": "librdkafka's log lines become events of kherd's log",
    "log.thread.name": "librdkafka's log lines become events of kherd's log",
    "internal.termination.signal": "kherd handles all signals",
    "opaque": _OURS,
    "default_topic_conf": "set topic properties directly",
    "default.topic.config": "set topic properties directly",
    "logger": "librdkafka's log lines become events of kherd's log",
    "on_commit": _OURS,
    "on_delivery": _OURS,
    "oauth_cb": "use kafka.oauth",
}
CLASSIC_ONLY: Final = frozenset({"session.timeout.ms", "heartbeat.interval.ms"})
CONSUMER_ONLY: Final = frozenset({"group.remote.assignor"})
MOCK: Final = "test.mock."


def refusals(settings: "Settings") -> Iterator[str]:
    """Yield a problem for every property that kherd must own, or that the group protocol does not have."""
    kafka = settings.kafka
    for section, properties in (("client", kafka.client), ("consumer", kafka.consumer), ("producer", kafka.producer)):
        for name in properties:
            reason = _reason(name, section, settings.group_protocol)
            if reason is not None:
                yield f"kafka.{section}.{name}: {reason}"
        if section != "client" and "security.protocol" in properties and "security.protocol" not in kafka.client:
            yield f"kafka.{section}.security.protocol: belongs in [kafka.client]: every client has to log in"
    if settings.group_protocol == "consumer" and kafka.preset == "classic-30s":
        yield (
            "kafka.preset: sets session and heartbeat, which under KIP-848 are the group's configuration on the broker,"
            ' got "classic-30s"'
        )
    yield from _intervals(settings)


def _reason(name: str, section: str, protocol: str) -> str | None:
    owned = _owned(ALIASES.get(name, name))
    if owned is not None:
        return f"cannot be set: {owned}"
    if not _NAME.fullmatch(name):
        return "is no name of a property: they are of small letters, digits, dots and underscores"
    if protocol == "consumer" and name in CLASSIC_ONLY and section != "producer":
        return 'cannot be set with kafka.group_protocol "consumer": it is the group\'s configuration on the broker'
    if protocol == "classic" and name in CONSUMER_ONLY:
        return 'cannot be set with kafka.group_protocol "classic": kherd assigns cooperative-sticky'
    return None


def _owned(name: str) -> str | None:
    """Return why kherd must own the property `name`, None if it need not."""
    if name.endswith("_cb"):
        return OWNED.get(name, _OURS)
    return 'use kafka.bootstrap = "embedded"' if name.startswith(MOCK) else OWNED.get(name)


def _intervals(settings: "Settings") -> Iterator[str]:
    """What librdkafka would refuse in words of its own, about a property that cannot be set here."""
    kafka = settings.kafka
    both = {**kafka.client, **kafka.consumer}
    session, heartbeat = _number(both.get("session.timeout.ms")), _number(both.get("heartbeat.interval.ms"))
    longest = max_poll_interval(settings.workers.handler_timeout) * 1000
    if session is not None and session > longest:
        yield (
            f"kafka.consumer.session.timeout.ms: must not be above max.poll.interval.ms ({longest:.0f} with this"
            f" workers.handler_timeout), got {session}"
        )
    if session is not None and heartbeat is not None and heartbeat >= session:
        yield f"kafka.consumer.heartbeat.interval.ms: must be below session.timeout.ms ({session}), got {heartbeat}"
    producer = {ALIASES.get(name, name): value for name, value in {**kafka.client, **kafka.producer}.items()}
    if _number(producer.get("message.timeout.ms")) == 0:
        yield "kafka.producer.message.timeout.ms: must be above 0: an output that is never given up blocks, got 0"


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text) else None
