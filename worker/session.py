"""One consumer and everything that lives as long as it does."""

import os
import socket
from dataclasses import dataclass

from confluent_kafka import Consumer

from .appeals import Appeals
from .batch import BatchWork
from .boardwriter import BoardWriter
from .caller import Caller
from .channel import Channel
from .commit import Committer
from .desk import Desk, hear
from .fetch import Fetcher
from .handler import Handler
from .handover import Handover
from .inbox import Inbox
from .joining import Joining
from .kafka import Client, ConsumerFactory
from .membership import Membership
from .outcomes import Outcomes
from .outputs import Outputs, ProducerFactory
from .partitions import Partitions
from .pauses import Pauses
from .pulse import Pulse
from .rebalance import Rebalancer
from .record import RecordWork
from .retrier import Retrier
from .spec import SlotIdentity, WorkerSpec, instance_id
from .starts import Starts


@dataclass(frozen=True, slots=True)
class Tools:
    """What outlives a consumer: one set per process."""

    spec: WorkerSpec
    identity: SlotIdentity
    handler: Handler
    channel: Channel
    pulse: Pulse
    board: BoardWriter


class Session:
    """The parts, put together; `work` handles what `fetcher` brings."""

    def __init__(
        self, tools: Tools, *, consumer: ConsumerFactory = Consumer, producer: ProducerFactory | None = None
    ) -> None:
        """Create the consumer and what belongs to it; it has not joined the group yet.

        Raises:
            KafkaException: librdkafka refuses a property.
            HandlerError: `kafka.oauth`, or a class of `errors.poison` or `.outage`, cannot be imported.
        """
        spec, board, pulse = tools.spec, tools.board, tools.pulse
        self.tools = tools
        self.pulse = pulse
        self.board = board
        self.handler = tools.handler
        name = client_id(spec, tools.identity.slot)
        static = name if spec.kafka.static_membership and spec.instance is not None else None
        self.client = Client(spec, client_id=name, instance_id=static, factory=consumer)
        self.outputs = Outputs(spec, name, producer_factory=producer)
        self.inbox = Inbox()
        self.partitions = Partitions(board)
        self.committer = Committer(self.client, self.partitions, board, spec.commit_interval)
        latest = spec.kafka.start == "latest"
        self.starts = Starts(self.client, self.committer, self.inbox, pulse, latest=latest)
        self.membership = Membership(self.client, tools.channel, board)
        self.joining = Joining(self.client)
        self.handover = self._handover()
        self.rebalancer = Rebalancer(self.partitions, self.committer, self.handover, self.membership, board)
        self.fetcher = Fetcher(spec=spec, client=self.client, partitions=self.partitions, inbox=self.inbox, board=board)
        self.pauses = Pauses(
            spec=spec,
            client=self.client,
            partitions=self.partitions,
            inbox=self.inbox,
            outputs=self.outputs,
            pulse=pulse,
            board=board,
        )
        self.outcomes = self._outcomes(f"{name}@{socket.gethostname()} pid {os.getpid()}")
        caller = Caller(tools.handler, board)
        self.retrier = Retrier(self.partitions, caller, self.outcomes)
        self.desk = self._desk(spec)
        self.work = self._work(caller)
        self._topics = spec.kafka.topics

    def _handover(self) -> Handover:
        channel = self.tools.channel
        return Handover(
            client=self.client,
            committer=self.committer,
            partitions=self.partitions,
            inbox=self.inbox,
            starts=self.starts,
            pulse=self.pulse,
            board=self.board,
            hear=lambda: hear(channel, self.pulse),
            ask=channel.send,
        )

    def _outcomes(self, worker: str) -> Outcomes:
        return Outcomes(
            spec=self.tools.spec,
            worker=worker,
            outputs=self.outputs,
            partitions=self.partitions,
            committer=self.committer,
            inbox=self.inbox,
            board=self.board,
            appeals=Appeals(
                wait=self.tools.spec.errors.backoff_max,
                partitions=self.partitions,
                rulings=self.pulse.rulings,
                send=self.tools.channel.send,
                idle=lambda: self.pulse.quiet or self.pulse.stopping,
            ),
        )

    def _desk(self, spec: WorkerSpec) -> Desk:
        return Desk(
            channel=self.tools.channel,
            client=self.client,
            committer=self.committer,
            fetcher=self.fetcher,
            inbox=self.inbox,
            membership=self.membership,
            outcomes=self.outcomes,
            outputs=self.outputs,
            pauses=self.pauses,
            pulse=self.pulse,
            retrier=self.retrier,
            board=self.board,
            spec=spec,
        )

    def _work(self, caller: Caller) -> RecordWork | BatchWork:
        tools = self.tools
        if tools.handler.mode == "record":
            return RecordWork(
                handler=tools.handler,
                inbox=self.inbox,
                outcomes=self.outcomes,
                committer=self.committer,
                desk=self.desk,
                pulse=self.pulse,
                board=self.board,
            )
        return BatchWork(
            handler=tools.handler,
            caller=caller,
            inbox=self.inbox,
            outcomes=self.outcomes,
            committer=self.committer,
            desk=self.desk,
            pulse=self.pulse,
            board=self.board,
            batch_size=tools.spec.batch_size,
        )

    def join(self) -> None:
        """Subscribe; the polls that follow join the group."""
        self.membership.identify()
        self.pauses.obey()
        self._topics = self.pulse.topics or self.tools.spec.kafka.topics
        self.client.subscribe(self._topics, self.rebalancer)

    def follow_topics(self) -> None:
        """Subscribe to what the supervisor has named since: a topic that matches came, or one went."""
        if self.pulse.topics not in {(), self._topics}:
            self._topics = self.pulse.topics
            self.client.subscribe(self._topics, self.rebalancer)


def client_id(spec: WorkerSpec, slot: int) -> str:
    """Return the name of a slot's clients; with an instance it is the `group.instance.id` as well."""
    return f"{spec.app}-{slot}" if spec.instance is None else instance_id(spec.app, spec.instance, slot)
