"""Notes on commits: what goes with an offset in its metadata, what was found there, and how much the broker takes."""

from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka import KafkaError

from . import events, log
from .decide.handover import Commit, Identity, Log
from .decide.metadata import LIMIT, Kind, Known, Note, Place, believe, compose, read
from .decide.pressure import Key
from .partition import Partition


class Said(NamedTuple):
    """One commit of one partition."""

    offset: int
    text: str


class Notes:
    """Writes and reads the notes of one consumer."""

    def __init__(self) -> None:
        self.limit = LIMIT
        """Bytes that the brokers take, as far as is known."""
        self._foreign: set[Key] = set()

    def due(self, partition: Partition) -> Said | None:
        """Return what is to be committed of `partition`, None if that is on its way already."""
        said = self._say(partition)
        if partition.bare and said == (partition.sent, partition.told):  # so much is committed: the rest may follow
            partition.bare = False
            said = self._say(partition)
        return None if said == (partition.sent, partition.told) else said

    def last(self, partition: Partition) -> Said | None:
        """Return what is to be committed of `partition`, which ends, None if that is acknowledged already."""
        said = self._say(partition)
        known = said is not None and (said.offset, said.text) == (partition.committed, partition.acknowledged_text)
        return None if known else said

    def smaller(self, sent: Mapping[Partition, Said], errors: Mapping[Partition, KafkaError]) -> dict[Partition, Said]:
        """Return what to commit at once instead of what was refused for its size: the same without its notes."""
        refused = [one for one, error in errors.items() if error.code() == KafkaError.OFFSET_METADATA_TOO_LARGE]
        size = max((len(sent[one].text) for one in refused), default=0)
        if not size:
            return {}
        if size <= self.limit:
            self.limit = size // 2
            log.emit(events.METADATA_REFUSED, size=size, limit=self.limit)
        for one in refused:
            one.bare = True
        again = {one: self._say(one) for one in refused}
        return {one: said for one, said in again.items() if said is not None and len(said.text) < len(sent[one].text)}

    def heard(self, partition: Partition, commit: Commit) -> Note | None:
        """Return what was noted at the commit that `partition` begins with, if that is more than whose it is."""
        note = read(commit.metadata)
        if note.kind is Kind.FOREIGN and partition.key not in self._foreign:
            self._foreign.add(partition.key)
            log.emit(events.METADATA_FOREIGN, topic=partition.topic, partition=partition.number)
        if note.kind is Kind.BROKEN:
            self.ignored(partition, note.kind.value)
        return note if note.body else None

    def believed(
        self, partition: Partition, commit: Commit, note: Note | None, identity: Identity | None, found: Log
    ) -> Known | None:
        """Return what `note`, of the commit that `partition` begins with, says, if nothing speaks against it."""
        if note is None or identity is None or commit.offset is None:
            return None
        known = believe(note, Place(identity, partition.number, commit.offset))
        if known is None:
            self.ignored(partition, "it was written for another topic, partition or offset, or has been altered")
        elif known.done and known.done[-1][1] > found.end:
            self.ignored(partition, f"the log ends at {found.end}: it was cut")
            return None
        return known

    def ignored(self, partition: Partition, reason: str) -> None:
        """Tell that what was noted is not used."""
        log.emit(events.METADATA_IGNORED, topic=partition.topic, partition=partition.number, reason=reason)

    def _say(self, partition: Partition) -> Said | None:
        done = partition.offsets.committable
        return None if done is None else Said(done, self._text(partition, done))

    def _text(self, partition: Partition, done: int) -> str:
        simple = partition.offsets.plain and not partition.attempts
        if simple or partition.bare or partition.identity is None:
            partition.crowded = False
            return partition.metadata if len(partition.metadata) <= self.limit else ""
        for offset in [one for one in partition.attempts if partition.offsets.is_done(one)]:
            partition.settled(offset)
        known = Known(partition.offsets.runs(), partition.attempts)
        place = Place(partition.identity, partition.number, done)
        text, partition.crowded = compose(partition.nonce, place, known, self.limit)
        return text
