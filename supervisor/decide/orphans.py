"""Which boards of dead workers are kept: those that could still spare a successor something, within bounds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ...worker.decide.handover import Commit, Entry, saves
from ...worker.decide.pressure import Key

MOST_BOARDS: Final = 32
"""Half a megabyte each: a crash loop must not fill the disk."""
MOST_ENTRIES: Final = 2000
"""Each worker is told all of them."""


@dataclass(frozen=True, slots=True)
class Orphan:
    """The board of a dead worker: its file's name, and what it has for whoever goes on."""

    name: str
    entries: tuple[Entry, ...]


Orphans = tuple[Orphan, ...]
"""In the order of their deaths."""


def admit(orphans: Orphans, orphan: Orphan) -> Orphans:
    """Return the boards to keep when `orphan` has come: the newest, as far as the bounds allow."""
    room = MOST_ENTRIES
    kept: list[Orphan] = []
    for one in (orphan, *reversed(orphans)):
        room -= len(one.entries)
        if room < 0 or len(kept) == MOST_BOARDS:
            break
        if one.entries:
            kept.append(one)
    return tuple(reversed(kept))


def succeed(orphans: Orphans, acknowledged: Mapping[Key, int]) -> Orphans:
    """Return what is left after commits of later owners were acknowledged: those are the group's word now."""
    return _without(orphans, [key for one in orphans for key in _keys(one) if key in acknowledged])


def pass_by(orphans: Orphans, committed: Mapping[Key, int | None]) -> Orphans:
    """Return what is left when the group, whoever of it, has `committed` so much: what is passed spares nothing."""
    left = (
        replace(one, entries=tuple(entry for entry in one.entries if saves(entry, Commit(committed.get(_key(entry))))))
        for one in orphans
    )
    return tuple(one for one in left if one.entries)


def _without(orphans: Orphans, keys: Sequence[Key]) -> Orphans:
    gone = set(keys)
    left = (replace(one, entries=tuple(entry for entry in one.entries if _key(entry) not in gone)) for one in orphans)
    return tuple(one for one in left if one.entries)


def _keys(orphan: Orphan) -> list[Key]:
    return [_key(entry) for entry in orphan.entries]


def _key(entry: Entry) -> Key:
    return entry.topic, entry.partition
