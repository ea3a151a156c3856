"""What follows a handler's return or exception, and the answers to what was produced for it.

A record is open from the moment that it needs more than its handler until that is settled: so no commit passes it,
and whatever answer comes for a partition that is not ours any more changes nothing.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from confluent_kafka import Message

from . import clock, events, log
from .appeals import Appeals
from .boardwriter import BoardWriter
from .commit import Committer
from .counters import Counter
from .deadletter import Stage, letter
from .decide.classify import Disposition, Verdict, classify
from .decide.retry import Again, GiveUp, backoff, counted, failed
from .errors import Record
from .importing import load_classes
from .inbox import Inbox, Run
from .keeper import Keeper
from .outputs import Delivery, Outputs
from .partition import Partition, offset_of
from .revisit import policy_of
from .seldom import Seldom
from .spec import WorkerSpec
from .ticket import Joint, OutputError, Ticket
from .trouble import Trouble
from .waiting import Waiting

COUNTED: Final = {Verdict.SKIP: Counter.SKIPPED, Verdict.OUTAGE: Counter.OUTAGES}
"""Verdicts on calls that are no failures."""
REPEAT_SECONDS: Final = 1.0
"""How often a partition may say that outputs fail: with the brokers gone, all that is in flight fails at once."""


class Outcomes:
    """Settles records, or blocks their partition until they can be."""

    def __init__(
        self,
        *,
        spec: WorkerSpec,
        worker: str,
        outputs: Outputs,
        keeper: Keeper,
        committer: Committer,
        inbox: Inbox,
        board: BoardWriter,
        appeals: Appeals,
    ) -> None:
        self._spec = spec
        self._worker = worker
        self._outputs = outputs
        self._keeper = keeper
        self._committer = committer
        self._inbox = inbox
        self._board = board
        errors = spec.errors
        self._policy = policy_of(spec)
        self._poison = load_classes(errors.poison)
        self._outage = load_classes(errors.outage, "errors.outage")
        self.waiting = Waiting(self._policy, keeper)
        self._rng = random.Random()
        self._seldom = Seldom(REPEAT_SECONDS)
        self.appeals = appeals
        appeals.put_aside = self._put_aside

    def returned(
        self, partition: Partition, message: Message, records: Sequence[Record], trouble: Trouble | None = None
    ) -> None:
        """Settle a record whose handler returned, once `records` are acknowledged."""
        case = trouble or partition.trouble(message)
        self._board.add(Counter.HANDLED)
        if not records:
            self._settled(partition, case)
            return
        partition.offsets.open(case.offset)
        case.due = None
        self._outputs.submit(Ticket(partition, case, len(records), target=records[0].topic), records)

    def returned_together(self, lists: Mapping[Partition, Sequence[Message]], records: Sequence[Record]) -> None:
        """Settle all of `lists`, whose one call returned `records`, once these are acknowledged."""
        for partition, messages in lists.items():
            for message in messages:
                partition.offsets.open(offset_of(message))
        self._outputs.submit(Joint(lists, len(records), records[0].topic), records)

    def raised(
        self,
        partition: Partition,
        message: Message,
        error: BaseException,
        trouble: Trouble | None = None,
        stage: Stage = "HANDLE",
    ) -> None:
        """Settle a record whose handler raised, as the exception asks, or keep it for another attempt."""
        case = trouble or partition.trouble(message)
        case.failed(error, stage)
        partition.offsets.open(case.offset)
        answer = self.judge(error)
        self._board.add(COUNTED.get(answer.verdict, Counter.FAILED))
        if answer.verdict is Verdict.SKIP:
            self._settled(partition, case)
        elif answer.verdict is Verdict.POISON:
            case.state = counted(case.state, clock.wall())
            self._put_aside(partition, case)
        elif answer.verdict is Verdict.OUTAGE:
            self.appeals.excuse(partition, case)
            self.waiting.wait_out(partition, case, answer)
        else:
            self._keep(partition, case, answer)

    def is_outage(self, error: BaseException) -> bool:
        """Return whether `error` says that no record is at fault."""
        return self.judge(error).verdict is Verdict.OUTAGE

    def judge(self, error: BaseException) -> Disposition:
        """Return what `error` asks for."""
        return classify(error, self._poison, self._outage)

    def kept_from(self, lists: Mapping[Partition, Sequence[Message]], error: BaseException) -> None:
        """Keep all of `lists`, whose one call an outage has kept from its end; the first of each is tried alone."""
        self._board.add(Counter.OUTAGES)
        self.waiting.together(lists, error, self.judge(error))

    def take_answers(self) -> None:
        """Settle what was produced and is acknowledged, keep what was refused."""
        for delivery in self._outputs.poll():
            ticket = delivery.token
            if isinstance(ticket, Joint):
                self._delivered_together(ticket, delivery)
            elif isinstance(ticket, Ticket) and ticket.partition.owned:
                self._delivered(ticket, delivery)

    def publish(self, partition: Partition, case: Trouble) -> None:
        """Try again to publish the dead letter of `case`."""
        if case.letter is not None:
            case.due = None
            self._outputs.submit_dead_letter(Ticket(partition, case, 1, case.letter, case.letter.topic), case.letter)

    def _delivered(self, ticket: Ticket, delivery: Delivery) -> None:
        partition, case = ticket.partition, ticket.trouble
        where = {"topic": partition.topic, "partition": partition.number, "offset": case.offset}
        if delivery.error is None:
            if ticket.letter is None:
                self._board.add(Counter.PRODUCED, ticket.amount)
            else:
                self._board.add(Counter.DEAD_LETTERED)
                self._board.add(Counter.QUARANTINED, ticket.letter.quarantine)
                self._board.add(Counter.DIVERTED, int(case.diverted))
                log.emit(events.DEAD_LETTERED, **where, dead_letter_topic=ticket.target, error=ticket.letter.error)
            self._settled(partition, case)
        elif ticket.letter is None:
            if self._seldom((partition.key, ticket.target)):
                log.emit(events.PRODUCE_FAILED, **where, output_topic=ticket.target, reason=delivery.error)
            self.raised(partition, case.message, OutputError(delivery.error), case, "PRODUCE")
        else:
            case.refusals += 1
            case.due = clock.monotonic() + backoff(self._policy, case.refusals, self._rng)
            self._keeper.keep(partition, case)
            log.emit(events.DEAD_LETTER_FAILED, **where, dead_letter_topic=ticket.target, reason=delivery.error)

    def _delivered_together(self, joint: Joint, delivery: Delivery) -> None:
        owned = {partition: messages for partition, messages in joint.lists.items() if partition.owned}
        if delivery.error is None:
            self._board.add(Counter.PRODUCED, joint.amount)
            for partition, messages in owned.items():
                for message in messages:
                    partition.offsets.close(offset_of(message))
                partition.show()
                self._committer.progress(partition, len(messages))
            return
        self._board.add(Counter.FAILED)
        count, reason = sum(map(len, owned.values())), f"its output to {joint.target} failed: {delivery.error}"
        log.emit(events.BATCH_FAILED, count=count, error=reason, attempt=1)
        self._inbox.put_back([Run(partition, messages, singly=True) for partition, messages in owned.items()])

    def _put_aside(self, partition: Partition, case: Trouble) -> None:
        assert case.error is not None
        case.letter = letter(
            self._spec,
            case.message,
            case.error,
            attempts=case.state.attempts,
            first_failure=case.state.first_failure,
            last_failure=case.state.last_failure,
            stage=case.stage,
            worker=self._worker,
        )
        self.publish(partition, case)

    def _keep(self, partition: Partition, case: Trouble, asked: Disposition) -> None:
        if self.appeals.waits(partition, case, guarded=asked.tried):
            return
        case.state, answer = failed(self._policy, case.state, now=clock.wall(), after=asked.after, rng=self._rng)
        partition.tried(case.offset, case.state)
        self._committer.progress(partition, 0)
        if isinstance(answer, GiveUp):
            self.appeals.ask(partition, case)
            return
        case.due = clock.monotonic() + answer.seconds
        self._keeper.keep(partition, case)
        if partition.troubles[0] is case:  # those behind it wait for it, and would all say so
            self._tell(partition, case, answer)

    def _tell(self, partition: Partition, case: Trouble, answer: Again) -> None:
        log.emit(
            events.RECORD_HELD if answer.newly_held else events.RECORD_RETRIED,
            topic=partition.topic,
            partition=partition.number,
            offset=case.offset,
            attempts=case.state.failures,
            attempt=case.state.failures,
            seconds=answer.seconds,
            error=case.error,
            **({"reason": 'errors.on_exhausted is "hold"'} if answer.newly_held else {}),
        )

    def _settled(self, partition: Partition, case: Trouble) -> None:
        """Nothing is left to be done for the record: its offset may be passed."""
        partition.offsets.reach(case.offset + 1)
        partition.offsets.close(case.offset)
        partition.settled(case.offset)
        partition.show()
        self._committer.progress(partition, 0 if case.letter else 1)
        self.appeals.settled(partition, case)
        if case in partition.troubles:
            partition.troubles.remove(case)
            if case.letter is None:
                where = {"topic": partition.topic, "partition": partition.number, "offset": case.offset}
                log.emit(events.RECORD_RELEASED, **where, attempt=case.state.failures + 1)
        self._keeper.settled(partition, case)
