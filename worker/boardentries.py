"""What a dead worker's board has for whoever goes on: one `Entry` per partition that it still had."""

from .board import NONE, Board, StateWord
from .boardattempts import attempts_of
from .boardrow import PartitionWord, rows_in_use, seal_of
from .boardview import steady, topic_at
from .boardwindow import runs_of
from .decide.handover import Commit, Entry, Identity, saves


def entries_of(board: Board) -> list[Entry]:
    """Return the entries that may spare a successor anything: with more done than is known to be committed."""
    words = board.words
    found = (steady(words, base, lambda base=base: _entry(words, base)) for base in rows_in_use(words))  # type: ignore[misc]
    return [entry for entry in found if entry is not None and _has_progress(entry)]


def acknowledged_of(board: Board) -> dict[tuple[str, int], int]:
    """Return the last offset, by topic and partition, that a commit was acknowledged for while the row was in use."""
    words = board.words
    acknowledged = {}
    for base in rows_in_use(words):
        offset = words[base + PartitionWord.COMMITTED]
        if offset != NONE:
            topic = topic_at(words, words[base + PartitionWord.TOPIC])
            acknowledged[topic, words[base + PartitionWord.PARTITION]] = offset
    return acknowledged


def identities_of(board: Board) -> dict[str, Identity]:
    """Return which topics the assigned partitions were of, by name."""
    words = board.words
    found = {}
    for base in rows_in_use(words):
        if words[base + PartitionWord.SEAL] == seal_of(words, base):
            identity = _identity(words, base)
            if identity is not None:
                found[topic_at(words, words[base + PartitionWord.TOPIC])] = identity
    return found


def _has_progress(entry: Entry) -> bool:
    if entry.acked is not None:
        return saves(entry, Commit(entry.acked))
    return entry.base is None or saves(entry, entry.base)


def _entry(words: memoryview, base: int) -> Entry | None:
    if not words[base + PartitionWord.USED] or words[base + PartitionWord.SEAL] != seal_of(words, base):
        return None
    topic = topic_at(words, words[base + PartitionWord.TOPIC])
    done = words[base + PartitionWord.DONE]
    if not topic or done < 0:
        return None
    return Entry(
        topic=topic,
        partition=words[base + PartitionWord.PARTITION],
        pid=words[StateWord.PID],
        identity=_identity(words, base),
        nonce=words[base + PartitionWord.NONCE],
        epoch=_known(words[base + PartitionWord.LEADER_EPOCH]),
        base=_base(words, base),
        sent=_known(words[base + PartitionWord.SENT]),
        acked=_known(words[base + PartitionWord.COMMITTED]),
        done=done,
        above=runs_of(words, base, done),
        attempts=tuple(sorted((at, state) for at, state in attempts_of(words, base).items() if at >= done)),
    )


def _identity(words: memoryview, base: int) -> Identity | None:
    cluster = words[base + PartitionWord.CLUSTER]
    if not cluster:
        return None
    return Identity(cluster, words[base + PartitionWord.TOPIC_ID_HIGH], words[base + PartitionWord.TOPIC_ID_LOW])


def _base(words: memoryview, base: int) -> Commit | None:
    if not words[base + PartitionWord.BASED]:
        return None
    return Commit(_known(words[base + PartitionWord.BASE_OFFSET]), _known(words[base + PartitionWord.BASE_NONCE]))


def _known(word: int) -> int | None:
    return None if word == NONE else word
