"""Records that an outage keeps from being handled: they wait, in order, and it costs them no attempt.

One that was refused by a circuit breaker waits until that would let a call through: that is looked at in shared memory,
without a call of the handler. Any other one is tried again with backoff.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from confluent_kafka import Message

from . import clock, events, log
from .breakers import BREAKERS, Breakers
from .decide.classify import Disposition
from .decide.retry import Policy, backoff
from .keeper import Keeper
from .partition import Partition
from .trouble import Trouble

LOOK: Final = 0.1
"""Seconds between two looks at a breaker: how late a partition goes on once it is closed."""


class Waiting:
    """Says when such records are tried again."""

    def __init__(self, policy: Policy, keeper: Keeper, breakers: Breakers = BREAKERS) -> None:
        self._policy = policy
        self._keeper = keeper
        self._breakers = breakers
        self._rng = random.Random()

    def wait_out(self, partition: Partition, case: Trouble, answer: Disposition) -> None:
        """Keep the record of `case`, which an outage has kept from being handled."""
        case.outages += 1
        case.breakers, case.tried = answer.breakers, answer.tried
        case.vain = 0 if self._breakers.shut(case.breakers) else case.vain + 1
        case.due = clock.monotonic() + self._pause(case)
        self._keeper.keep(partition, case)
        if case.outages == 1 and partition.troubles[0] is case:  # those behind it wait for it, and would all say so
            where = {"topic": partition.topic, "partition": partition.number, "offset": case.offset}
            log.emit(events.RECORD_WAITS, **where, reason=reason_of(case.error))

    def together(self, lists: Mapping[Partition, Sequence[Message]], error: BaseException, answer: Disposition) -> None:
        """Keep all of `lists`, which were handled in one call: the first record of each is tried alone."""
        for partition, messages in lists.items():
            case = partition.trouble(messages[0])
            case.error = error
            partition.offsets.open(case.offset)
            self.wait_out(partition, case, answer)
            partition.keep(messages[1:])

    def may_try(self, case: Trouble) -> bool:
        """Return whether to try the record of `case`, which is due; if not, it is due again a little later."""
        # Who was the probe lets others go first the next time: it may be the record, after all.
        if not case.breakers or self._breakers.may_try(case.breakers, LOOK if case.tried else 0.0):
            return True
        case.due = clock.monotonic() + LOOK
        return False

    def _pause(self, case: Trouble) -> float:
        if case.vain == 0:
            return LOOK
        if self._breakers.knows(case.breakers):
            # The breaker was closed by somebody else a moment after it had refused the call; but only once in a row.
            return LOOK if case.vain == 1 else backoff(self._policy, case.vain - 1, self._rng)
        return backoff(self._policy, case.vain, self._rng)


def reason_of(error: BaseException | None) -> str:
    """Return what is said of an outage; the traceback of who was refused a call says no more."""
    return f"{type(error).__name__}: {error}"
