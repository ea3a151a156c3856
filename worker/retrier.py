"""Tries failed records again when they are due: of each blocked partition its lowest, one attempt at a time."""

from collections.abc import Sequence
from dataclasses import replace

from . import clock
from .caller import Caller
from .inbox import Inbox, Run
from .outcomes import Outcomes
from .partition import Partition
from .partitions import Partitions


class Retrier:
    """Works on the heads of the blocked partitions."""

    def __init__(self, partitions: Partitions, inbox: Inbox, caller: Caller, outcomes: Outcomes) -> None:
        self._partitions = partitions
        self._inbox = inbox
        self._caller = caller
        self._outcomes = outcomes

    def wait(self, now: float) -> float | None:
        """Return the seconds until a retry is due; None if there is none to come."""
        dues = [due for one in self._partitions.blocked.values() if (due := one.due) is not None]
        return max(0.0, min(dues) - now) if dues else None

    @property
    def waiting(self) -> bool:
        """Whether there may be anything to try again."""
        return bool(self._partitions.blocked)

    def due(self) -> bool:
        """Return whether a retry is due."""
        return bool(self._partitions.blocked) and self.wait(clock.monotonic()) == 0.0

    def next(self) -> Partition | None:
        """Make the one attempt that has been due for longest; return its partition, None if nothing was due."""
        now = clock.monotonic()
        ripe = [(due, one) for one in self._partitions.blocked.values() if (due := one.due) is not None and due <= now]
        if not ripe:
            return None
        for _, partition in sorted(ripe, key=lambda pair: pair[0]):
            if not partition.troubles:
                self._go_on([one for _, one in ripe if not one.troubles])
                return partition
            if self._outcomes.waiting.may_try(partition.troubles[0]):
                self._attempt(partition)
                return partition
        return None

    def _go_on(self, partitions: Sequence[Partition]) -> None:
        """Let lists that failed be tried again: all that are due, for they failed together."""
        for one in partitions:
            if one.rest is not None:
                one.rest = replace(one.rest, due=None)
        self._inbox.put_back(Run(one, self._partitions.unblock(one)) for one in partitions if not one.blocked)

    def _attempt(self, partition: Partition) -> None:
        case = partition.troubles[0]
        if case.letter is not None:
            self._outcomes.publish(partition, case)
            return
        try:
            records = self._caller.call(partition, case.message, case.state.attempts + 1)
        except BaseException as error:  # noqa: BLE001 - the user's code ran: whatever it raised is the record's failure
            self._outcomes.raised(partition, case.message, error, case)
        else:
            self._outcomes.returned(partition, case.message, records, case)
