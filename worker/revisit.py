"""Records that failed under an earlier owner: their next attempt is the one that would have been next."""

import random

from . import clock
from .decide.retry import Policy, resumed
from .inbox import Inbox, Run
from .partition import Partition, offset_of
from .partitions import Partitions
from .spec import WorkerSpec


def policy_of(spec: WorkerSpec) -> Policy:
    """Return how records are tried again."""
    errors = spec.errors
    return Policy(errors.max_attempts, errors.backoff_initial, errors.backoff_max, errors.on_exhausted)


class Revisits:
    """Has each of them wait for that attempt, when it is the next of its partition to be begun."""

    def __init__(self, spec: WorkerSpec, partitions: Partitions, inbox: Inbox) -> None:
        self._policy = policy_of(spec)
        self._partitions = partitions
        self._inbox = inbox
        self._rng = random.Random()
        self._expected: dict[Partition, set[int]] = {}
        self.open = False
        """Whether any is still to come: then `look` is to be called on each turn of the loop."""

    def expect(self, partition: Partition) -> None:
        """Look out for the records of `partition` that are known to have failed."""
        failed = {offset for offset, state in partition.attempts.items() if state.failures}
        if failed and partition.in_order:  # else `retries` does it, lane by lane
            self._expected[partition] = failed
            self.open = True

    def look(self) -> None:
        """Block the partitions whose next record is one of them; have no call begin with others and reach one."""
        self._expected = {one: left for one, offsets in self._expected.items() if (left := self._left(one, offsets))}
        self.open = bool(self._expected)
        seen: set[Partition] = set()
        runs = self._inbox.drain() if self.open else []
        self._inbox.put_back(part for run in runs for part in self._parts(run, seen))

    def _left(self, partition: Partition, offsets: set[int]) -> set[int]:
        """Return which of `offsets` are still to be begun; what was found to be gone is not."""
        reached = partition.offsets.reached or 0
        return {offset for offset in offsets if offset >= reached} if partition.owned else set()

    def _parts(self, run: Run, seen: set[Partition]) -> list[Run]:
        """Return `run` cut before and after the first of its records that has failed."""
        partition, messages = run.partition, run.messages
        expected = self._expected.get(partition, set())
        at = next((at for at, message in enumerate(messages) if offset_of(message) in expected), None)
        first = partition not in seen
        seen.add(partition)
        if at is None or partition.blocked:
            return [run]
        if at == 0 and first:
            self._wait(run)
            return [Run(partition, messages[1:], singly=run.singly)]
        parts = ((messages[:at], run.singly), (messages[at : at + 1], True), (messages[at + 1 :], run.singly))
        return [Run(partition, part, singly=singly) for part, singly in parts]

    def _wait(self, run: Run) -> None:
        partition, message = run.partition, run.messages[0]
        case = partition.trouble(message)
        case.state, seconds = resumed(self._policy, case.state, now=clock.wall(), rng=self._rng)
        case.due = clock.monotonic() + seconds
        if partition.start is None:
            partition.begin(case.offset)
        partition.offsets.open(case.offset)
        self._partitions.block(partition, case)
