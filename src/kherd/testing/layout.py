"""Server properties that depend on how many brokers there are, and on how one is reached."""

import base64
import uuid
from collections.abc import Iterable, Mapping

from .broker import Ports
from .ports import Port

REPLICAS = 3
"""Copies of the internal topics, where there are that many brokers."""


def addresses(ports: Iterable[Port]) -> str:
    """Return a bootstrap string."""
    return ",".join(f"127.0.0.1:{port.number}" for port in ports)


def new_cluster_id() -> str:
    """Return a random id as Kafka's own tool makes them: 22 characters, never one that looks like an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def quorum(brokers: Mapping[int, Ports]) -> dict[str, str]:
    """Return who votes, and how many copies internal topics have among so many brokers."""
    copies = min(REPLICAS, len(brokers))
    in_sync = max(1, copies - 1)
    return {
        "controller.quorum.voters": ",".join(f"{n}@127.0.0.1:{own.controller.number}" for n, own in brokers.items()),
        "default.replication.factor": str(copies),
        "min.insync.replicas": str(in_sync),
        "offsets.topic.replication.factor": str(copies),
        "transaction.state.log.replication.factor": str(copies),
        "transaction.state.log.min.isr": str(in_sync),
        "share.coordinator.state.topic.replication.factor": str(copies),
        "share.coordinator.state.topic.min.isr": str(in_sync),
    }


def listeners(own: Ports, *, proxied: bool, secured: bool) -> dict[str, str]:
    """Return where a broker listens and what it tells clients: a proxied one names its proxy's port."""
    ports = {"CLIENT": own.client, "BROKER": own.broker}
    if proxied:
        ports["DIRECT"] = own.direct
    told = {**ports, "CLIENT": own.entrance} if proxied else ports
    outside, inside = ("SASL_SSL", "SSL") if secured else ("PLAINTEXT", "PLAINTEXT")
    protocols = {"CLIENT": outside, "DIRECT": outside, "BROKER": inside, "CONTROLLER": inside}
    return {
        "listeners": _named({**ports, "CONTROLLER": own.controller}),
        "advertised.listeners": _named(told),
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
    }


def _named(ports: Mapping[str, Port]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port.number}" for name, port in ports.items())
