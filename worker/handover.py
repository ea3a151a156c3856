"""Where an assignment begins: at the group's commit, or further, where the board of a dead worker says.

What decides is `decide.handover`; here it is asked what that has to know. Until it is known, a partition waits.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from confluent_kafka import KafkaException

from . import clock, events, log
from .boardwriter import BoardWriter
from .channel import Message
from .commit import Committer
from .counters import Counter
from .decide.handover import Commit, Entry, Ignored, Log, choose, screen
from .decide.metadata import Known, merged
from .decide.offsets import length, united
from .decide.pressure import Key
from .inbox import Inbox, Run
from .kafka import Client
from .names import Names
from .partition import Partition
from .partitions import Partitions
from .pulse import Pulse
from .revisit import Revisits
from .starts import Starts
from .wait import Wait

LOOKUP_SECONDS: Final = 1.0
"""For what is committed, inside a rebalance callback; a broker that is there answers within milliseconds."""
AGAIN_SECONDS: Final = 0.3
"""For that between records."""
RETRY_FIRST: Final = 0.3
RETRY_MOST: Final = 5.0
PATIENCE: Final = 5.0
"""How long a partition waits for the rest, once what is committed is known; then it begins there."""
TOO_LATE: Final = "its topic or its log could not be looked up in time"


class Handover:
    """Begins assignments. `hear` takes in what the supervisor has said, `ask` sends it a message."""

    def __init__(
        self,
        *,
        client: Client,
        committer: Committer,
        partitions: Partitions,
        inbox: Inbox,
        starts: Starts,
        revisits: Revisits,
        pulse: Pulse,
        board: BoardWriter,
        hear: Callable[[], object],
        ask: Callable[[Message], None],
    ) -> None:
        self._client = client
        self._committer = committer
        self._partitions = partitions
        self._inbox = inbox
        self._starts = starts
        self._revisits = revisits
        self._pulse = pulse
        self._board = board
        self._hear = hear
        self._names = Names(pulse, ask)
        self._waits: dict[Partition, Wait] = {}
        self._adopted: set[Partition] = set()
        self._retry_at = 0.0
        self._pause = RETRY_FIRST
        self.open = False
        """Whether `look` has anything to do on each turn of the loop."""

    @property
    def holding(self) -> bool:
        """Whether a partition waits."""
        return bool(self._waits)

    def assigned(self, partitions: Sequence[Partition]) -> None:
        """Have `partitions` begin where they should; called in their on_assign, raises nothing of Kafka's."""
        if not partitions or self._pulse.stopping:
            return
        self._hear()
        now = clock.monotonic()
        self._names.name(partitions, now)
        known = self._look_up(partitions, LOOKUP_SECONDS)
        for one, commit in known.items():
            self._screen(one, commit)
        self._see(list(known))
        begun = self._settle(clock.monotonic())
        starts = {one.key: offset for one, commit in known.items() if (offset := self._start(one, commit)) is not None}
        starts |= {one.key: offset for one, offset in begun.items() if offset is not None}
        starts |= self._starts.assigned([one for one in known if one.key not in starts and one not in self._waits])
        for one in partitions:
            if one in self._waits:
                self._partitions.hold(one)
        try:
            self._client.assign([one.key for one in partitions], starts)
        except KafkaException as error:  # the binding assigns, from the commits; what is done already is left out
            log.emit(events.CLIENT_ERROR, code="assign", text=str(error))
        self.open = True

    def _start(self, partition: Partition, commit: Commit) -> int | None:
        """Return where to begin, as far as is known: librdkafka would ask again behind the fetches of others."""
        seen = self._waits[partition].log if partition in self._waits else None
        return self._starts.first_of(seen) if commit.offset is None and seen is not None else commit.offset

    def look(self) -> None:
        """Learn what partitions wait for, and let them go on; between records, never in a callback."""
        now = clock.monotonic()
        unnamed = self._names.missing
        self._names.look(now)
        for one in unnamed - self._names.missing:  # only with the topic's id there may be notes on its commits
            if one.owned:
                self._committer.progress(one, 0)
        if self._waits:
            self._hear()
            self._waits = {one: wait for one, wait in self._waits.items() if one.owned}
            self._learn(now)
        if self._adopted:
            self._committer.tick(now, at_once=True)
            self._adopted = {one for one in self._adopted if one.owned and one.committed is None}
        if self._revisits.open:
            self._revisits.look()
        self.open = bool(self._waits or self._adopted or self._names.missing or self._revisits.open)

    def _learn(self, now: float) -> None:
        unknown = [one for one, wait in self._waits.items() if wait.commit is None]
        unseen = [one for one, wait in self._waits.items() if wait.commit and not wait.sees(now)]
        blind = [one for one in unseen if self._names.fresh(one.topic, now)]
        if (unknown or blind) and now >= self._retry_at:
            known = self._look_up(unknown, AGAIN_SECONDS) if unknown else {}
            for one, commit in known.items():
                if not self._screen(one, commit):
                    self._release(one, commit, None)
            self._see(blind + [one for one in known if one in self._waits])
            now = clock.monotonic()
            failed = len(known) < len(unknown) or any(not self._waits[one].sees(now) for one in blind)
            self._pause = min(2 * self._pause, RETRY_MOST) if failed else RETRY_FIRST
            self._retry_at = now + self._pause
        commits = {one: wait.commit for one, wait in self._waits.items()}
        for one, offset in self._settle(now).items():
            self._release(one, commits[one], offset)

    def _look_up(self, partitions: Sequence[Partition], seconds: float) -> dict[Partition, Commit]:
        """Return what is known to be committed; of what is not known to be, partitions wait."""
        reason = "the coordinator does not know yet"
        try:
            found = self._client.committed([one.key for one in partitions], seconds)
        except KafkaException as error:
            found, reason = {}, error.args[0].str()
        for one in partitions:
            if one.key in found:
                self._waits.pop(one, None)
                one.based(found[one.key])
            elif one not in self._waits:
                self._waits[one] = Wait(clock.monotonic())
                log.emit(events.COMMIT_UNKNOWN, topic=one.topic, partition=one.number, reason=reason)
        return {one: found[one.key] for one in partitions if one.key in found}

    def _screen(self, partition: Partition, commit: Commit) -> bool:
        """Have `partition` wait if boards, or what was noted at the commit, may spare it anything; return whether."""
        entries, ignored = screen(self._pulse.heritage.entries.get(partition.key, ()), commit)
        _tell(ignored)
        note = self._committer.notes.heard(partition, commit)
        if entries or note:
            self._waits[partition] = Wait(clock.monotonic(), commit, entries, note)
        return partition in self._waits

    def _see(self, partitions: Sequence[Partition]) -> None:
        """Note the leaders' epochs of `partitions`, and the logs of those of them that could follow a board."""
        keys = [one.key for one in partitions]
        logs: Mapping[Key, Log] = {}
        epochs: Mapping[Key, int | None] = {}
        try:
            if any(one in self._waits for one in partitions):
                logs = self._client.logs(keys)
                epochs = {key: found.epoch for key, found in logs.items()}
            elif keys:
                epochs = self._client.epochs(keys)
        except KafkaException:  # a leader that does not answer: who waits for this asks again
            return
        for one in partitions:
            one.led(epochs.get(one.key))
            if one in self._waits:
                self._waits[one].log, self._waits[one].seen_at = logs.get(one.key), clock.monotonic()

    def _settle(self, now: float) -> dict[Partition, int | None]:
        """Decide what can be decided of what waits: where it begins if that is not the commit, else None."""
        settled: dict[Partition, int | None] = {}
        for one, wait in self._waits.items():
            if wait.log is not None and wait.sees(now) and self._names.fresh(one.topic, now):
                settled[one] = self._choose(one, wait, wait.log)
            elif wait.commit and now - wait.since >= PATIENCE:
                _tell(Ignored(entry, TOO_LATE) for entry in wait.entries)
                if wait.note:
                    self._committer.notes.ignored(one, TOO_LATE)
                settled[one] = None
        for one in settled:
            del self._waits[one]
        return settled

    def _choose(self, partition: Partition, wait: Wait, found: Log) -> int | None:
        identity = self._pulse.heritage.identities.get(partition.topic)
        best, ignored = choose(wait.entries, identity, found)
        _tell(ignored)
        commit = wait.commit or Commit(None)
        noted = self._committer.notes.believed(partition, commit, wait.note, identity, found)
        if best is not None:
            return self._follow(partition, best, commit, noted or Known(), found.start)
        if noted is not None and commit.offset is not None:
            self._begin(partition, commit.offset, noted)
            where = {"topic": partition.topic, "partition": partition.number, "offset": commit.offset}
            log.emit(events.NOTES_TAKEN_OVER, **where, count=length(noted.done), attempts=len(noted.attempts))
            return commit.offset
        return None

    def _follow(self, partition: Partition, best: Entry, commit: Commit, noted: Known, start: int) -> int:
        begun = start if commit.offset is None else commit.offset
        above = united(best.above, noted.done, best.done)
        saved = best.done + length(above) - begun - length(noted.done)
        self._begin(partition, best.done, Known(above, merged(noted.attempts, dict(best.attempts))))
        self._committer.progress(partition, 0)
        self._adopted.add(partition)
        self._board.add(Counter.HANDED_OVER, saved)
        where = {"topic": partition.topic, "partition": partition.number, "offset": best.done}
        log.emit(events.HANDED_OVER, **where, committed=commit.offset, worker_pid=best.pid, count=saved)
        return best.done

    def _begin(self, partition: Partition, offset: int, known: Known) -> None:
        partition.go_on(offset, known.done, known.attempts)
        self._inbox.leave_out(partition)
        self._revisits.expect(partition)

    def _release(self, partition: Partition, commit: Commit | None, offset: int | None) -> None:
        """Go on with a partition that had to wait."""
        partition.waiting = False
        if not partition.blocked:
            self._inbox.put_back([Run(partition, self._partitions.unblock(partition))])
        if offset is None and commit is not None and commit.offset is None:
            self._starts.late(partition)


def _tell(ignored: Iterable[Ignored]) -> None:
    for one in ignored:
        entry = one.entry
        where = {"topic": entry.topic, "partition": entry.partition, "offset": entry.done}
        log.emit(events.NOT_HANDED_OVER, **where, worker_pid=entry.pid, reason=one.reason)
