"""The embedded broker's process: tells its address, makes topics on request, serves until it is told to end."""

import selectors
import signal
import socket
from typing import Self

from ....worker import events, log
from ....worker.channel import Channel, Message
from ....worker.exits import WorkerExit
from .library import EmbeddedBrokerError
from .mock import MockCluster
from .spec import BrokerSpec


def run(spec: BrokerSpec, channel: Channel) -> int:
    """Serve until TERM or the channel's end of file; return the exit code."""
    with StopSignal() as stop:
        try:
            cluster = start(spec)
        except EmbeddedBrokerError as error:
            log.emit(events.BROKER_FAILED, reason=str(error))
            return WorkerExit.PERMANENT
        with cluster:
            channel.send({"type": "bootstrap", "value": cluster.bootstrap})
            _serve(cluster, channel, stop)
    return WorkerExit.DRAINED


def start(spec: BrokerSpec) -> MockCluster:
    """Start the cluster that `spec` describes, its topics made.

    Raises:
        EmbeddedBrokerError: this installation has no usable mock cluster, or it refused a topic.
    """
    cluster = MockCluster(spec.brokers)
    try:
        for name, partitions in spec.topics.items():
            cluster.create_topic(name, partitions)
    except EmbeddedBrokerError:
        cluster.close()
        raise
    return cluster


class StopSignal:
    """SIGTERM as something a selector can wait for; to be made before anything slow, so that none is missed."""

    def __init__(self) -> None:
        self.seen = False
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._on_term)

    def fileno(self) -> int:
        """Return a descriptor that is readable once a signal came."""
        return self._wake.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._wake.close()
        self._waker.close()

    def _on_term(self, _number: int, _frame: object) -> None:
        self.seen = True


def _serve(cluster: MockCluster, channel: Channel, stop: StopSignal) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        selector.register(stop, selectors.EVENT_READ)
        while not stop.seen and not channel.closed:
            writable = selectors.EVENT_WRITE if channel.outbox else 0
            selector.modify(channel, selectors.EVENT_READ | writable)
            selector.select()
            channel.flush()
            while not channel.closed and (received := channel.receive()) is not None:
                _answer(cluster, channel, received[0])


def _answer(cluster: MockCluster, channel: Channel, message: Message) -> None:
    """Create the topic that is asked for; one that exists counts as created."""
    if message["type"] != "create_topic":
        return
    name, partitions = message["topic"], message["partitions"]
    try:
        made = cluster.create_topic(name, partitions)
    except EmbeddedBrokerError as error:
        log.emit(events.TOPIC_MISSING, topic=name, reason=str(error))
        return
    if made:
        log.emit(events.TOPIC_CREATED, topic=name, partitions=partitions)
    channel.send({"type": "created", "topic": name, "partitions": partitions})
