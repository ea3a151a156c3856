"""Crash hand-over: whether a partition may go on where a dead worker's board says, instead of at the commit.

A board tells what was done; it does not tell what has happened since. So its entry counts only if everything says that
nothing has: it is about the same topic of the same cluster, no leader has changed that could have cut the log, the
offset is still in the log, and the group's commit is the one that the entry's assignment began with, or one that it
sent and not older than the last one it knows to have arrived. Whatever else is committed was meant, by an operator or
by another member, and wins.
"""

from base64 import b85decode, b85encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from .donemap import pack, unpack
from .offsets import WINDOW, Runs, length
from .retry import State

METADATA: Final = "kherd1;nonce={:016x}"
"""What every commit's metadata says: format version 1, and the assignment it belongs to."""
_PREFIX: Final = "kherd1;nonce="
_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Commit:
    """What a group has committed for a partition. `offset` None: nothing; `nonce` None: no worker of kherd did."""

    offset: int | None
    nonce: int | None = None
    metadata: str = field(default="", compare=False, repr=False)
    """All that was committed with it: `metadata` reads that."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which topic a name means: words of its cluster's and its own id. An id is never given to another topic."""

    cluster: int
    high: int
    low: int


@dataclass(frozen=True, slots=True)
class Log:
    """A partition's log as its leader has it: first offset, next offset to be read, leader epoch (None: not told)."""

    start: int
    end: int
    epoch: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What a dead worker's board says of one partition.

    `base` is the commit it began with, `sent` and `acked` the highest offsets that it committed and that were
    acknowledged, `done` how far it was. None: not known, or none.
    """

    topic: str
    partition: int
    pid: int
    identity: Identity | None
    nonce: int
    epoch: int | None
    base: Commit | None
    sent: int | None
    acked: int | None
    done: int
    above: Runs = ()
    """What is finished above `done`."""
    attempts: tuple[tuple[int, State], ...] = ()
    """How often unfinished records were tried, by offset."""

    @property
    def finished(self) -> int:
        """How many offsets are finished, from 0 on."""
        return self.done + length(self.above)


@dataclass(frozen=True, slots=True)
class Ignored:
    """An entry that is not used, and why."""

    entry: Entry
    reason: str


def nonce_of(metadata: str | None) -> int | None:
    """Return the nonce in a commit's metadata; None if it is not of the form that kherd writes."""
    if metadata is None or not metadata.startswith(_PREFIX) or len(metadata) != len(_PREFIX) + _DIGITS:
        return None
    try:
        nonce = int(metadata[len(_PREFIX) :], 16)
    except ValueError:
        return None
    return nonce if METADATA.format(nonce) == metadata else None


def saves(entry: Entry, commit: Commit) -> bool:
    """Return whether going on at `entry` would spare records beyond `commit`, or attempts."""
    committed = -1 if commit.offset is None else commit.offset
    return entry.done > committed or (entry.done == committed and bool(entry.above or entry.attempts))


def doubt_of_commit(entry: Entry, commit: Commit) -> str | None:
    """Return why `commit`, the group's present one, speaks against `entry`; None if it does not."""
    if commit.nonce == entry.nonce and commit.offset is not None:
        return _doubt_of_own(entry, commit.offset)
    if entry.acked is not None:
        return f"its commit of {entry.acked} was replaced by another one"
    if entry.base is None:
        return "it did not know yet what was committed"
    return _doubt_of_base(entry, commit) if commit == entry.base else "something else was committed since it began"


def _doubt_of_base(entry: Entry, commit: Commit) -> str | None:
    if entry.sent is not None and commit.offset is None:
        # A commit that arrived, though its answer did not, and was deleted since looks the same.
        return "the commit that it sent has not arrived, or was deleted"
    if commit.offset is not None and commit.nonce is None:
        # The same offset may have been set once more, on purpose: nothing tells the two apart.
        return "it began at a commit that no worker made"
    return None


def _doubt_of_own(entry: Entry, committed: int) -> str | None:
    least = entry.acked if entry.acked is not None else (entry.base.offset if entry.base else None)
    if entry.sent is None or committed > entry.sent:
        return "the commit is further than any that it sent"
    return f"the commit is older than its own of {least}: it was set back" if committed < (least or 0) else None


def doubt_of_topic(entry: Entry, identity: Identity | None) -> str | None:
    """Return why the topic that the name means now (None: unknown) speaks against `entry`; None if it does not."""
    if entry.identity is None or identity is None:
        return "which topic this is is not known"
    if entry.identity.cluster != identity.cluster:
        return "it is of another cluster"
    return "the topic was re-created" if entry.identity != identity else None


def doubt_of_log(entry: Entry, log: Log) -> str | None:
    """Return why the partition's log speaks against `entry`; None if it does not."""
    if (entry.above[-1][1] if entry.above else entry.done) > log.end:
        return f"the log ends at {log.end}: it was cut"
    if entry.done < log.start:
        return f"the log begins at {log.start}"
    if entry.epoch is None or log.epoch is None:
        return "its leader epoch is not known"
    if entry.epoch != log.epoch:
        # Of what the leader before had appended last, the next one may not have a copy.
        return f"the partition has another leader since (epoch {entry.epoch}, now {log.epoch})"
    return None


def screen(entries: Iterable[Entry], commit: Commit) -> tuple[list[Entry], list[Ignored]]:
    """Return what may be used as far as `commit` tells, and what may not; what would save nothing is neither."""
    known = list(entries)
    followers = [entry for entry in known if _has_followed(entry, commit)]
    worth = [entry for entry in known if saves(entry, commit)]
    doubts = [(entry, _doubt(entry, commit, undone=any(one != entry for one in followers))) for entry in worth]
    usable = [entry for entry, doubt in doubts if doubt is None]
    return usable, [Ignored(entry, doubt) for entry, doubt in doubts if doubt is not None]


def _has_followed(entry: Entry, commit: Commit) -> bool:
    """Return whether `entry` has sent a commit after `commit`: if that arrived, somebody has set it back since."""
    return entry.sent is not None and entry.nonce != commit.nonce and (commit.offset is None or entry.base == commit)


def _doubt(entry: Entry, commit: Commit, *, undone: bool) -> str | None:
    doubt = doubt_of_commit(entry, commit)
    if doubt is None and undone and commit.nonce != entry.nonce:
        return "a later commit has not arrived, or was undone"
    if doubt is None and entry.identity is None:
        return "it did not know yet which topic this is"
    return doubt


def choose(entries: Sequence[Entry], identity: Identity | None, log: Log) -> tuple[Entry | None, list[Ignored]]:
    """Return the furthest of `entries`, which `screen` has passed, that topic and log allow; and those they do not."""
    doubts = [(entry, doubt_of_topic(entry, identity) or doubt_of_log(entry, log)) for entry in entries]
    usable = [entry for entry, doubt in doubts if doubt is None]
    best = max(usable, key=lambda entry: (entry.done, entry.finished, len(entry.attempts)), default=None)
    return best, [Ignored(entry, doubt) for entry, doubt in doubts if doubt is not None]


def cluster_word(cluster: str) -> int:
    """Return the board's word for a cluster id: never 0, which says that it is not known."""
    return int.from_bytes(blake2b(cluster.encode(), digest_size=8).digest(), "little", signed=True) or 1


def identity_of(cluster: str, topic_id: str) -> Identity | None:
    """Return the identity of a topic by its id, 32 hexadecimal digits; None if that is zero, which no topic has."""
    data = bytes.fromhex(topic_id)
    high, low = (int.from_bytes(half, "big", signed=True) for half in (data[:8], data[8:]))
    return Identity(cluster_word(cluster), high, low) if high or low else None


def encode(entry: Entry) -> dict[str, Any]:
    """Return `entry` as the supervisor tells it to workers."""
    identity, base = entry.identity, entry.base
    return {
        "topic": entry.topic,
        "partition": entry.partition,
        "pid": entry.pid,
        "identity": None if identity is None else [identity.cluster, identity.high, identity.low],
        "nonce": entry.nonce,
        "epoch": entry.epoch,
        "base": None if base is None else [base.offset, base.nonce],
        "sent": entry.sent,
        "acked": entry.acked,
        "done": entry.done,
        "above": b85encode(pack(entry.done, entry.above, WINDOW)).decode(),
        "attempts": [
            [offset, one.failures, one.first_failure, one.last_failure, one.crashes] for offset, one in entry.attempts
        ],
    }


def decode(told: Mapping[str, Any]) -> Entry:
    """Return the entry that `encode` made this of."""
    identity, base = told["identity"], told["base"]
    return Entry(
        **{
            **told,
            "identity": None if identity is None else Identity(*identity),
            "base": None if base is None else Commit(*base),
            "above": unpack(told["done"], b85decode(told["above"]))[0],
            "attempts": tuple((offset, _state(*words)) for offset, *words in told["attempts"]),
        }
    )


def _state(failures: int, first: float, last: float, crashes: int) -> State:
    return State(failures, first, last, crashes=crashes)
