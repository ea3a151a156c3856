"""What the worker looks up to between records: the supervisor, deliveries, the group, commits, pauses."""

import os
from typing import Final, Protocol

from . import clock, log
from .boardwriter import BoardWriter
from .channel import Channel, Message
from .commit import Committer
from .decide.halted import decode
from .exits import WorkerExit
from .fetch import Fetcher
from .inbox import Inbox
from .kafka import Client
from .membership import Membership
from .outcomes import Outcomes
from .outputs import Outputs
from .partition import Partition
from .pauses import Pauses
from .pulse import Pulse
from .spec import WorkerSpec

LONGEST_TICK: Final = 0.1
"""Seconds between two looks at the supervisor's channel."""
POLL_SHARE: Final = 10
"""Polls are at most this part of max.poll.interval apart."""
IDLE: Final = 0.2
"""Longest wait for a record: how late a TERM may be seen, and the rhythm of an idle worker."""
BRIEF: Final = 0.01
"""Wait for a record while answers that the next step needs are outstanding: only asking brings them."""


class Retries(Protocol):
    """What is asked of whoever tries failed records again."""

    def wait(self, now: float) -> float | None: ...  # noqa: D102 - seconds until there is something to do
    def due(self) -> bool: ...  # noqa: D102


class Desk:
    """Everything that is not handling records."""

    def __init__(
        self,
        *,
        channel: Channel,
        client: Client,
        committer: Committer,
        fetcher: Fetcher,
        inbox: Inbox,
        membership: Membership,
        outcomes: Outcomes,
        outputs: Outputs,
        pauses: Pauses,
        pulse: Pulse,
        retrier: Retries,
        board: BoardWriter,
        spec: WorkerSpec,
    ) -> None:
        self._channel = channel
        self._client = client
        self._committer = committer
        self._fetcher = fetcher
        self._inbox = inbox
        self._membership = membership
        self._outcomes = outcomes
        self._outputs = outputs
        self._pauses = pauses
        self._pulse = pulse
        self._retrier = retrier
        self._board = board
        self._commit_interval = spec.commit_interval
        self._batch_size = spec.batch_size
        self._batch_wait = spec.batch_wait if spec.mode == "batch" else 0.0
        self._tick = min(spec.commit_interval, LONGEST_TICK)
        self._heard_at = 0.0

    def look_up(self) -> None:
        """Do what is due; called between records, never in a callback."""
        now = clock.monotonic()
        if now - self._heard_at >= LONGEST_TICK:
            self._heard_at = now
            self._board.beat()
            self._pulse.guard()
            hear(self._channel, self._pulse)
            self._outcomes.appeals.look()
            log.flush()
        if self._outputs.pending:
            self._outcomes.take_answers()
        since_poll = now - self._client.polled_at
        answerable = self._committer.unanswered and since_poll >= self._commit_interval
        if answerable or since_poll >= self._client.max_poll_interval / POLL_SHARE:
            self._fetcher.look()
        self._committer.tick(now)
        self._pauses.apply()
        self._membership.look()
        self._pulse.next(clock.monotonic() + self._tick)

    def may_go_on(self, partition: Partition) -> bool:
        """Return whether to begin another record of `partition` now."""
        return partition.owned and not partition.blocked and self.may_begin() and not self._retrier.due()

    def may_begin(self) -> bool:
        """Return whether to begin anything now; beside that, a retry that is due goes before the next record."""
        return not (self._pulse.stopping or self._pulse.quiet or self._outputs.full)

    def patience(self) -> float:
        """Return for how many seconds to wait for a record."""
        now = clock.monotonic()
        waits = [IDLE, self._committer.wait(now), BRIEF if self._outputs.pending else None]
        if not self._pulse.quiet:
            waits += [self._retrier.wait(now), self._inbox.ripe_at + self._batch_wait - now if self._inbox else None]
        return max(0.0, min(wait for wait in waits if wait is not None))

    def is_ripe(self) -> bool:
        """Return whether what is at hand is to be handled now, or is a batch that may still be filled."""
        inbox = self._inbox
        if not inbox or inbox.begun or not self._batch_wait or inbox.records >= self._batch_size:
            return bool(inbox)
        return clock.monotonic() >= inbox.ripe_at + self._batch_wait


def hear(channel: Channel, pulse: Pulse) -> list[str]:
    """Take what the supervisor says; return the types of its messages. Its end is ours, at once."""
    types = []
    while (received := channel.receive()) is not None:
        message, fds = received
        for fd in fds:
            os.close(fd)
        types.append(str(message.get("type")))
        if not pulse.rulings.take(message):
            _take_in(message, pulse)
    if channel.closed:
        os._exit(WorkerExit.TEMPORARY)
    channel.flush()
    return types


def _take_in(message: Message, pulse: Pulse) -> None:
    match message["type"]:
        case "quiet":
            pulse.quiet = bool(message.get("on"))
        case "paused":
            pulse.halted = decode(message)
        case "stop":
            pulse.stop()
        case "together":
            pulse.together = True
        case "leave":
            pulse.leave = True
        case _:
            _learn(message, pulse)


def _learn(message: Message, pulse: Pulse) -> None:
    match message["type"]:
        case "orphans" | "identities":
            pulse.heritage.take(message)
        case "suspects":
            pulse.suspects.take(message)
        case _ if message.get("topics"):
            pulse.topics = tuple(message["topics"])
