"""What follows when a batch handler fails with more than one record: the list is tried again, then bisected.

A call that raised is taken to have had no effect (`workers.bisect`). A list waits between two attempts as a record
does, and its partitions with it.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from confluent_kafka import Message

from . import clock, events, log
from .bisection import Attempt, Bisection, Lists
from .boardwriter import BoardWriter
from .counters import Counter
from .decide.classify import Verdict
from .decide.retry import Policy, State, backoff
from .inbox import Inbox, Run
from .outcomes import Outcomes
from .partition import Partition, offset_of
from .partitions import Partitions
from .trouble import Rest

_HANDLED: Final = int(Counter.HANDLED)


__all__ = ["FailedLists", "Lists", "known"]


class FailedLists:
    """Keeps them, and settles what has been found out about their records."""

    def __init__(
        self,
        *,
        policy: Policy,
        inbox: Inbox,
        partitions: Partitions,
        outcomes: Outcomes,
        board: BoardWriter,
    ) -> None:
        self._policy = policy
        self._inbox = inbox
        self._partitions = partitions
        self._outcomes = outcomes
        self._board = board
        self._rng = random.Random()
        self._bisection: Bisection | None = None

    def step(self) -> bool:
        """Make the next call of the bisection that is under way; return whether there is one."""
        if self._bisection is None:
            return False
        if not self._bisection.step():
            self._bisection, self._inbox.begun = None, False
        return True

    def failed(self, lists: Lists, error: BaseException, attempt: Attempt) -> None:
        """Have `lists`, which failed together, tried again together; if they have been, find out which records fail."""
        before = known(lists)
        rest = before or Rest(first_failure=clock.wall(), handled=self._board.words[_HANDLED])
        rest = replace(rest, failures=rest.failures + 1)
        if before is None:  # else it is the same failure: or one record among thousands would look like many
            self._board.add(Counter.FAILED)
        log.emit(events.BATCH_FAILED, count=_count(lists), error=error, attempt=rest.failures)
        if before is None:
            self._wait(lists, rest, self._first_wait(error))
        else:
            self._bisection = Bisection(self, lists, rest, attempt)
            self._inbox.begun = True

    def _first_wait(self, error: BaseException) -> float:
        answer = self._outcomes.judge(error)
        if answer.verdict is Verdict.POISON:
            return 0.0  # no time will make it better
        return backoff(self._policy, 1, self._rng) if answer.after is None else answer.after

    def _wait(self, lists: Lists, rest: Rest, seconds: float) -> None:
        due = clock.monotonic() + seconds
        for partition, those in lists.items():
            if partition.owned:
                self._partitions.rest(partition, replace(rest, offset=offset_of(those[0]), due=due))
                partition.keep(those)

    def give_up(self, lists: Lists, rest: Rest, error: BaseException) -> None:
        """Have `lists` wait whole: nothing speaks for one record being at fault rather than all, or the handler."""
        seconds = backoff(self._policy, rest.failures, self._rng)
        log.emit(events.BISECTION_STOPPED, count=_count(lists), error=error, attempt=rest.failures, seconds=seconds)
        self._wait(lists, rest, seconds)

    def works(self, rest: Rest) -> bool:
        """Return whether the handler has handled anything in this process since a list failed first."""
        return self._board.words[_HANDLED] > rest.handled

    def exhausted(self, rest: Rest) -> bool:
        """Return whether a list has failed as often as a record may."""
        return rest.failures >= self._policy.max_attempts

    def judge(self, error: BaseException) -> Verdict:
        """Return what `error` says of the record that it was raised for."""
        return self._outcomes.judge(error).verdict

    def kept_from(self, lists: Lists, error: BaseException) -> None:
        """Keep `lists`, which an outage has kept from being handled."""
        self._outcomes.kept_from({one: those for one, those in lists.items() if one.owned}, error)

    def blame(self, partition: Partition, message: Message, error: BaseException, before: Rest | None = None) -> None:
        """Settle a record that failed alone; it has used its attempts up in the list, if that has failed `before`."""
        if not partition.owned:
            return
        case = partition.trouble(message)
        if before is not None:
            failures = self._policy.max_attempts - 1
            case.state = State(failures, before.first_failure, clock.wall(), crashes=case.state.crashes)
        self._outcomes.raised(partition, message, error, case)

    def go_on(self, partition: Partition, messages: Sequence[Message]) -> None:
        """Handle `messages` next, or when their partition goes on."""
        if partition.owned and partition.blocked:
            partition.keep(messages)
        elif partition.owned:
            self._inbox.put_back([Run(partition, messages)])


def known(lists: Lists) -> Rest | None:
    """Return what is known of failures of a list that began as one of `lists` does."""
    rests = [
        partition.rest
        for partition, those in lists.items()
        if partition.rest is not None and partition.rest.offset == offset_of(those[0])
    ]
    return max(rests, key=lambda rest: rest.failures, default=None)


def _count(lists: Lists) -> int:
    return sum(map(len, lists.values()))
