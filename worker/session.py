"""One consumer and everything that lives as long as it does."""

import os
import socket
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from confluent_kafka import Consumer

from .appeals import Appeals
from .boardwriter import BoardWriter
from .caller import Caller
from .channel import Channel
from .commit import Committer
from .crew import Crew
from .desk import Desk, hear
from .fetch import Fetcher
from .handler import Handler
from .handover import Handover
from .inbox import Inbox
from .joining import Joining
from .kafka import Client, ConsumerFactory
from .keeper import Keeper, WholePartition
from .membership import Membership
from .outcomes import Outcomes
from .outputs import Outputs, ProducerFactory
from .partitions import Partitions
from .pauses import Pauses
from .pulse import Pulse
from .quarantine import Work
from .rebalance import Rebalancer
from .retrier import Retrier
from .retries import Retries
from .revisit import Revisits
from .spec import SlotIdentity, WorkerSpec, instance_id
from .starts import Starts
from .works import quarantine_of


@dataclass(frozen=True, slots=True)
class Tools:
    """What outlives a consumer: one set per process."""

    spec: WorkerSpec
    identity: SlotIdentity
    handler: Handler
    channel: Channel
    pulse: Pulse
    board: BoardWriter
    leave: Callable[[], None] = lambda: None
    """Ends the process if it is a copy of the worker that the handler has made."""


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
        self._crew = Crew() if spec.concurrency > 1 else None
        self.tools = tools
        self.pulse = pulse
        self.board = board
        self.handler = tools.handler
        name = client_id(spec, tools.identity.slot)
        static = name if spec.kafka.static_membership and spec.instance is not None else None
        factory = consumer if self._crew is None else self._crew.gate.guard(consumer)
        self.client = Client(spec, client_id=name, instance_id=static, factory=factory)
        self.outputs = Outputs(spec, name, producer_factory=producer)
        self.inbox = Inbox()
        self.partitions = Partitions(board, in_order=self._crew is None)
        self.committer = Committer(self.client, self.partitions, board, spec.commit_interval)
        self.revisits = Revisits(spec, self.partitions, self.inbox)
        self.starts = Starts(self.client, self.committer, self.inbox, pulse, spec.kafka.start)
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
        self.keeper: Keeper = WholePartition(self.partitions, self.inbox) if self._crew is None else self._crew.keeper
        self.outcomes = self._outcomes(f"{name}@{socket.gethostname()} pid {os.getpid()}")
        caller = Caller(tools.handler, board)
        self.retrier = self._retrier(caller)
        self.desk = self._desk(spec)
        self.engine = None if self._crew is None else self._crew.assemble(self)
        self.quarantine = quarantine_of(self, caller)
        self.work: Work = self.quarantine if self.engine is None else self.engine.under(self.quarantine)
        self._topics = spec.kafka.topics

    @property
    def busy(self) -> bool:
        """Whether calls are under way between the turns of the loop."""
        return self.engine is not None and self.engine.busy

    def turn(self) -> None:
        """Do what follows from calls that have ended meanwhile. Raises CallbackError: a fault of ours."""
        if self.engine is not None:
            self.engine.turn()

    def flush(self, seconds: float) -> None:
        """Wait for answers to what is produced, at most `seconds`."""
        with self._crew.gate.aside() if self._crew is not None else nullcontext():
            self.outputs.flush(seconds)

    def stop(self) -> None:
        """Begin no further call."""
        if self.engine is not None:
            self.engine.stop()

    def settle(self) -> None:
        """After `stop`: wait for the calls under way."""
        if self.engine is not None:
            self.engine.settle()

    def leave(self) -> None:
        """The end: calls that are still under way go on by themselves, and nothing follows from them."""
        if self._crew is not None:
            self._crew.leave()

    def _handover(self) -> Handover:
        channel = self.tools.channel
        return Handover(
            client=self.client,
            committer=self.committer,
            partitions=self.partitions,
            inbox=self.inbox,
            starts=self.starts,
            revisits=self.revisits,
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
            keeper=self.keeper,
            committer=self.committer,
            inbox=self.inbox,
            board=self.board,
            appeals=Appeals(
                wait=self.tools.spec.errors.backoff_max,
                keeper=self.keeper,
                rulings=self.pulse.rulings,
                send=self.tools.channel.send,
                idle=lambda: self.pulse.quiet or self.pulse.stopping,
            ),
        )

    def _retrier(self, caller: Caller) -> Retrier | Retries:
        if self._crew is not None:
            return Retries(self.tools.spec, self.partitions, self.outcomes, self._crew.keeper)
        return Retrier(self.partitions, self.inbox, caller, self.outcomes)

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
