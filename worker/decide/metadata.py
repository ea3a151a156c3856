"""What a commit's metadata says: whose it is, which records above it are finished, how often others were tried.

    kherd1;nonce=NNNNNNNNNNNNNNNN      nothing but the assignment's nonce, 16 hexadecimal digits
    kherd2;BASE85                      the same and more; RFC 1924's alphabet, Python's `base64.b85encode`

Format 2 is, in bytes: the nonce (8, big-endian), a seal (8), and the body: a map of what is finished (`donemap`), then
a number of attempts, and if that is not 0, a time in milliseconds since the epoch, and of each, in the order of their
offsets: how many offsets lie between it and the one before (or the commit), failures, crashes, milliseconds from that
time to its first failure, and from there to its last. The seal is BLAKE2b, 8 bytes, of the nonce, the cluster's and
topic's ids, partition, committed offset and body: a commit that was copied, translated or altered does not match.

Format 1 is written whenever it says everything, for earlier versions of kherd know no other.
"""

import struct
from base64 import b85decode, b85encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from hashlib import blake2b
from typing import Final

from .donemap import BrokenError, number, pack, take, unpack
from .handover import METADATA, Identity
from .handover import nonce_of as plain_nonce_of
from .offsets import Runs
from .retry import State

LIMIT: Final = 4096
"""Bytes, by the broker's default `offset.metadata.max.bytes`."""
SHARE: Final = 0.75
"""Of the limit: nothing is begun that could make it grow beyond."""
LEAST: Final = 40
"""A limit below this has no room for anything but a nonce."""
BOUNDLESS: Final = 1 << 30
_PREFIX: Final = "kherd2;"
_OURS: Final = "kherd"
_HEAD: Final = struct.Struct(">Q8s")
_PLACE: Final = struct.Struct(">QqqqQQ")
_MS: Final = 1000

Attempts = Mapping[int, State]
"""Of unfinished records, by their offsets."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a commit is about: an offset of a partition of a topic."""

    identity: Identity
    partition: int
    offset: int


class Kind(Enum):
    """Whose a commit's metadata is."""

    NONE = "there is none"
    OURS = "a worker of kherd has written it"
    FOREIGN = "another program has written it"
    BROKEN = "it begins like ours, and is not as ours is"


@dataclass(frozen=True, slots=True)
class Note:
    """A commit's metadata, as far as it can be read without knowing which topic it is. `body`: what `believe` reads."""

    kind: Kind
    nonce: int | None = None
    seal: bytes = b""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of records from the commit on: finished ones, and how often others were tried."""

    done: Runs = ()
    attempts: Attempts = field(default_factory=dict)


def plain(nonce: int, limit: int = LIMIT) -> str:
    """Return metadata that says whose the commit is, nothing if that is over `limit`."""
    text = METADATA.format(nonce)
    return text if len(text) <= limit else ""


def compose(nonce: int, place: Place, known: Known, limit: int) -> tuple[str, bool]:
    """Return metadata of at most `limit` bytes, and whether all of it would take more than its SHARE.

    What has no room is left out, the highest offsets first: of the map, then of the attempts.
    """
    if limit < LEAST or not (known.done or known.attempts):
        return plain(nonce, limit), False
    body = _body(place.offset, known, BOUNDLESS)
    crowded = _size(body) > SHARE * limit
    if _size(body) > limit:
        body = _body(place.offset, known, _room(limit))
    if not any(body):
        return plain(nonce, limit), crowded
    return _PREFIX + b85encode(_HEAD.pack(nonce, _seal(nonce, place, body)) + body).decode(), crowded


def read(text: str | None) -> Note:
    """Return what metadata is, and whose; its body is not looked at."""
    if not text:
        return Note(Kind.NONE)
    if (nonce := plain_nonce_of(text)) is not None:
        return Note(Kind.OURS, nonce)
    if not text.startswith(_PREFIX):
        return Note(Kind.BROKEN if text.startswith(_OURS) else Kind.FOREIGN)
    try:
        data = b85decode(text.removeprefix(_PREFIX))
    except ValueError:
        return Note(Kind.BROKEN)
    if len(data) <= _HEAD.size or _PREFIX + b85encode(data).decode() != text:
        return Note(Kind.BROKEN)
    nonce, seal = _HEAD.unpack_from(data)
    return Note(Kind.OURS, nonce, seal, data[_HEAD.size :])


def believe(note: Note, place: Place) -> Known | None:
    """Return what a note with a body says of `place`; None if it was not written for that, or has been altered."""
    if note.nonce is None or note.seal != _seal(note.nonce, place, note.body):
        return None
    return unsealed(note, place.offset)


def unsealed(note: Note, offset: int) -> Known | None:
    """Return what a note of a commit of `offset` says, whatever its seal; None if that is nothing that can be read."""
    try:
        done, at = unpack(offset, note.body)
        attempts, at = _attempts(offset, note.body, at)
    except (BrokenError, ValueError):
        return None
    return Known(done, attempts) if at == len(note.body) else None


def merged(one: Attempts, other: Attempts) -> dict[int, State]:
    """Return the attempts of both: of a record that both know, those that are more."""
    found = dict(one)
    for offset, state in other.items():
        known = found.get(offset)
        if known is None or state.crashes + state.failures > known.crashes + known.failures:
            found[offset] = state
    return found


def _body(base: int, known: Known, room: int) -> bytes:
    done = pack(base, known.done, max(1, room - 1))
    return done + _pack_attempts(base, known.attempts, room - len(done))


def _pack_attempts(base: int, attempts: Attempts, room: int) -> bytes:
    those = sorted(attempts.items())
    if not those:
        return number(0)
    since = min(_ms(state.first_failure) for _, state in those)
    head = number(since)
    parts: list[bytes] = []
    size = len(head)
    for offset, state in those:
        part = _pack_attempt(offset - base, state, since)
        if size + len(part) + len(number(len(parts) + 1)) > room:
            break
        parts.append(part)
        size += len(part)
        base = offset + 1
    return number(len(parts)) + head + b"".join(parts) if parts else number(0)


def _pack_attempt(distance: int, state: State, since: int) -> bytes:
    first = _ms(state.first_failure)
    later = max(0, _ms(state.last_failure) - first)
    values = (distance, state.failures, state.crashes, first - since, later)
    return b"".join(map(number, values))


def _attempts(base: int, body: bytes, at: int) -> tuple[dict[int, State], int]:
    count, at = take(body, at)
    found: dict[int, State] = {}
    if not count:
        return found, at
    since, at = take(body, at)
    for _ in range(count):
        values = []
        for _ in range(5):
            value, at = take(body, at)
            values.append(value)
        distance, failures, crashes, first, later = values
        began = since + first
        found[base + distance] = State(failures, began / _MS, (began + later) / _MS, crashes=crashes)
        base += distance + 1
    return found, at


def _ms(seconds: float) -> int:
    return max(0, round(seconds * _MS))


def _size(body: bytes) -> int:
    """Return the characters of metadata with `body`."""
    whole, rest = divmod(_HEAD.size + len(body), 4)
    return len(_PREFIX) + 5 * whole + (rest + 1 if rest else 0)


def _room(limit: int) -> int:
    """Return the bytes of the largest body that fits into `limit` characters."""
    whole, rest = divmod(limit - len(_PREFIX), 5)
    return max(0, 4 * whole + max(0, rest - 1) - _HEAD.size)


def _seal(nonce: int, place: Place, body: bytes) -> bytes:
    one = place.identity
    words = (nonce, one.cluster, one.high, one.low, place.partition, place.offset)
    return blake2b(_PLACE.pack(*words) + body, digest_size=8).digest()
