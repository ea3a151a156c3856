"""Records received and not begun, in order: runs of one partition each."""

from collections import deque
from collections.abc import Iterable, Iterator

from . import clock
from .partition import Messages, Partition, size_of


class Run:
    """Consecutive records of one epoch of one partition. `singly`: to be handled one by one, for their batch failed."""

    __slots__ = ("messages", "partition", "singly")

    def __init__(self, partition: Partition, messages: Messages, *, singly: bool = False) -> None:
        self.partition = partition
        self.messages = messages
        self.singly = singly


class Inbox:
    """A queue of runs that knows how much it holds."""

    def __init__(self) -> None:
        self._runs: deque[Run] = deque()
        self.records = 0
        self.begun = False
        """Whether a list from here is being worked on that comes before everything else."""
        self.ripe_at = 0.0
        """When the first of what is here was received, in monotonic seconds; 0: it has waited before."""

    def __bool__(self) -> bool:
        return bool(self._runs) or self.begun

    def __iter__(self) -> Iterator[Run]:
        return iter(self._runs)

    @property
    def bytes(self) -> int:
        """Bytes of the values of what is here; counted when asked for."""
        return sum(size_of(run.messages) for run in self._runs)

    def append(self, run: Run) -> None:
        """Add what was received last."""
        if not self._runs:
            self.ripe_at = clock.monotonic()
        self._runs.append(run)
        self._count(run, 1)

    def put_back(self, runs: Iterable[Run]) -> None:
        """Put `runs`, in their order, before everything else."""
        for run in reversed(list(runs)):
            if run.messages:
                self.ripe_at = 0.0
                self._runs.appendleft(run)
                self._count(run, 1)

    def leave_out(self, partition: Partition) -> None:
        """Drop what is here of `partition` and finished."""
        for run in (runs := self.drain()):
            if run.partition is partition:
                run.messages = partition.unfinished(run.messages)
        self.put_back(runs)

    def drain(self) -> list[Run]:
        """Remove and return everything."""
        runs, self._runs, self.records = list(self._runs), deque(), 0
        return runs

    def take(self) -> Run:
        """Remove and return the first run."""
        run = self._runs.popleft()
        self._count(run, -1)
        return run

    def take_batch(self, limit: int) -> list[Run]:
        """Remove and return the first runs, up to `limit` records: one handler call's; or one run singly."""
        taken: list[Run] = []
        left = limit
        while self._runs and left > 0 and not (taken and self._runs[0].singly):
            run = self.take()
            if len(run.messages) > left and not run.singly:
                self.put_back([Run(run.partition, run.messages[left:])])
                run = Run(run.partition, run.messages[:left])
            taken.append(run)
            left -= len(run.messages)
            if run.singly:
                break
        return taken

    def _count(self, run: Run, sign: int) -> None:
        self.records += sign * len(run.messages)
