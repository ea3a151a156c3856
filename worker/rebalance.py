"""What the group's rebalances do to our partitions. Runs inside polls: what it raises, `kafka` raises after them."""

from collections.abc import Callable, Mapping, Sequence

from . import events, log
from .board import Phase
from .boardwriter import BoardWriter
from .commit import Committer
from .counters import Counter
from .decide.assignment import Action, Assigned, Committed, Event, Lost, Revoked, State, step
from .decide.pressure import Key
from .handover import Handover
from .membership import Membership
from .partition import Partition
from .partitions import Partitions


class Rebalancer:
    """Follows `decide.assignment` for every partition."""

    def __init__(
        self,
        partitions: Partitions,
        committer: Committer,
        handover: Handover,
        membership: Membership,
        board: BoardWriter,
    ) -> None:
        self._partitions = partitions
        self._membership = membership
        self._committer = committer
        self._handover = handover
        self._board = board
        self.finish: Callable[[Sequence[Partition]], None] = _nothing
        """Waits for what is under way of partitions that are being revoked."""
        self.closing = False
        """The consumer is being closed: what could be committed is, and a sync commit could block the stop."""

    def on_assign(self, keys: Sequence[Key]) -> None:
        """Begin with `keys`."""
        self._count(keys)
        self._each(keys, Assigned())
        self._handover.assigned([one for key in keys if (one := self._partitions.get(*key)) is not None])
        self._membership.joined()
        self._tell(events.ASSIGNED, keys)

    def on_revoke(self, keys: Sequence[Key]) -> None:
        """Commit what is done of `keys`, then let go of them: their next owner starts there."""
        self._count(keys)
        ending = self._each(keys, Revoked())
        if ending and not self.closing:
            self.finish(ending)
            before = self._board.current_phase
            self._board.phase(Phase.REVOKING)
            self._committer.settle(ending)
            self._board.phase(before)
        self._each([one.key for one in ending], Committed())
        self._tell(events.REVOKED, keys)

    def on_lost(self, keys: Sequence[Key]) -> None:
        """Let go of `keys`: they may have another owner, so nothing of them is committed."""
        self._count(keys)
        self._each(keys, Lost())
        self._tell(events.LOST, keys)

    def _each(self, keys: Sequence[Key], event: Event) -> list[Partition]:
        """Step the machine of each of `keys`; return those to commit."""
        to_commit: list[Partition] = []
        states = self._partitions.states
        for key in keys:
            following = step(states.get(key, State.UNASSIGNED), event)
            states[key] = following.state
            for action in following.actions:
                self._perform(action, key, to_commit)
        return to_commit

    def _perform(self, action: Action, key: Key, to_commit: list[Partition]) -> None:
        if action is Action.OPEN:
            self._partitions.open(key)
        elif action is Action.FORGET:
            self._partitions.forget(key)
        elif (partition := self._partitions.get(*key)) is not None:
            to_commit.append(partition)

    def _count(self, keys: Sequence[Key]) -> None:
        """Count a rebalance before the board shows what it changes: who has seen the one has counted the other."""
        if keys:
            self._board.add(Counter.REBALANCES)

    def _tell(self, event: events.Event, keys: Sequence[Key]) -> None:
        if keys:
            log.emit(event, partitions=", ".join(f"{topic}[{numbers}]" for topic, numbers in _by_topic(keys).items()))


def _nothing(partitions: Sequence[Partition]) -> None:
    """Wait for nothing: unless calls run beside each other, none is under way while partitions move."""


def _by_topic(keys: Sequence[Key]) -> Mapping[str, str]:
    topics: dict[str, list[int]] = {}
    for topic, number in sorted(keys):
        topics.setdefault(topic, []).append(number)
    return {topic: ",".join(map(str, numbers)) for topic, numbers in topics.items()}
