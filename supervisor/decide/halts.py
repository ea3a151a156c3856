"""What operators have paused: everything, topics, single partitions, each since when (seconds since the epoch).

Of two pauses none holds the other: a wider one takes the narrower in, and keeps nothing of it.
"""

import difflib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...worker.decide.halted import Halted
from ..config.types import is_topic

VERSION: Final = 1
"""Of the document in the state folder."""
MAX_PARTITION: Final = 2**31 - 1
COMPARED: Final = 1000
"""Topics among which a nearest name is looked for: the supervisor has no time for more."""
SHOWN: Final = 10
"""Topics, and partitions of each, that a sentence names."""


@dataclass(frozen=True, slots=True)
class Place:
    """A partition; without `partition` a whole topic, without `topic` everything."""

    topic: str | None = None
    partition: int | None = None

    def __str__(self) -> str:
        if self.topic is None:
            return "everything"
        return self.topic if self.partition is None else f"{self.topic}[{self.partition}]"

    @property
    def wider(self) -> "list[Place]":
        """What holds it, beside itself."""
        places = [Place()] if self.topic is not None else []
        return [*places, Place(self.topic)] if self.partition is not None else places

    def holds(self, other: "Place") -> bool:
        """Whether `other` is this place or a part of it."""
        return self.topic is None or (self.topic == other.topic and self.partition in {None, other.partition})


Halts = Mapping[Place, float]
EVERYTHING: Final = Place()


class InsideError(Exception):
    """A part of what is paused as a whole was to be resumed."""


class DocumentError(Exception):
    """A document is not one of this version and this herd; says why."""


def pause(halts: Halts, place: Place, now: float) -> Halts:
    """Return `halts` with `place` paused since `now`, or as they are if it is paused already."""
    if any(known in halts for known in (place, *place.wider)):
        return halts
    return {**{known: since for known, since in halts.items() if not place.holds(known)}, place: now}


def resume(halts: Halts, place: Place) -> Halts:
    """Return `halts` without those of `place` and of its parts.

    Raises:
        InsideError: what holds `place` is paused as a whole; says what to do.
    """
    for known in place.wider:
        if known in halts:
            whole = "kherd resume" if known == EVERYTHING else f"kherd resume {known}"
            part = "TOPIC" if known == EVERYTHING else f"{known}:P"
            raise InsideError(
                f"{known} is paused as a whole, so {place} cannot be resumed alone: "
                f"`{whole}`, then `kherd pause {part}` for each that is to stay paused"
            )
    return {known: since for known, since in halts.items() if not place.holds(known)}


def unknown(place: Place, topics: Mapping[str, int], configured: Collection[str]) -> str | None:
    """Return why there is no such place, as far as `topics` (name -> partitions) tell; empty: they are not known."""
    if place.topic is None or not topics:
        return None
    count = topics.get(place.topic)
    if count is None and place.topic not in configured:
        names = sorted(topics)
        near = difflib.get_close_matches(place.topic, names[:COMPARED], n=1)
        hint = (
            f"did you mean {near[0]}?"
            if near
            else f"there is {', '.join(names[:SHOWN])}" + _more(len(names) - SHOWN, "topics")
        )
        return f"no topic {place.topic} is consumed here: {hint}"
    if count and place.partition is not None and place.partition >= count:
        return f"there is no {place}: {place.topic} has {count} partitions, 0 to {count - 1}"
    return None


def halted(halts: Halts) -> Halted:
    """Return what workers are told."""
    return Halted(
        everything=EVERYTHING in halts,
        topics=frozenset(one.topic for one in halts if one.topic is not None and one.partition is None),
        partitions=frozenset(
            (one.topic, one.partition) for one in halts if one.topic is not None and one.partition is not None
        ),
    )


def told(halts: Halts) -> list[tuple[str, float]]:
    """Return a phrase for everything or for each topic, and since when, the longest paused first."""
    groups: dict[str | None, list[Place]] = {}
    for place in sorted(halts, key=lambda one: (halts[one], str(one))):
        groups.setdefault(place.topic, []).append(place)
    return [(_phrase(places), halts[places[0]]) for places in groups.values()]


def sentence(halts: Halts) -> str:
    """Return all of it in one bounded phrase."""
    phrases = [phrase for phrase, _ in told(halts)]
    return ", ".join(phrases[:SHOWN]) + _more(len(phrases) - SHOWN, "topics")


def _phrase(places: list[Place]) -> str:
    numbers = sorted(place.partition for place in places if place.partition is not None)
    if not numbers:
        return str(places[0])
    shown = ",".join(map(str, numbers[:SHOWN]))
    return f"{places[0].topic}[{shown}]" + _more(len(numbers) - SHOWN, "partitions of it")


def _more(count: int, what: str) -> str:
    return f" and {count} more {what}" if count > 0 else ""


def to_document(halts: Halts, app: str) -> dict[str, Any]:
    """Return `halts` for the file in the state folder."""
    rows = [{"topic": one.topic, "partition": one.partition, "since": since} for one, since in halts.items()]
    return {"version": VERSION, "app": app, "paused": rows}


def from_document(document: object, app: str) -> Halts:
    """Return what `to_document` was given.

    Raises:
        DocumentError: it is no such document, or another version's or application's.
    """
    if not isinstance(document, dict) or not isinstance(document.get("paused"), list):
        raise DocumentError("it is no list of pauses")
    if type(document.get("version")) is not int or document["version"] != VERSION:
        raise DocumentError(f"it is of version {document.get('version')!r:.60}, not {VERSION}")
    if document.get("app") != app:
        raise DocumentError(f"it is of application {document.get('app')!r:.120}, not {app!r}")
    rows = dict(map(_row, document["paused"]))
    return {place: since for place, since in rows.items() if not any(one in rows for one in place.wider)}


def _row(row: object) -> tuple[Place, float]:
    if not isinstance(row, dict) or row.keys() != {"topic", "partition", "since"}:
        raise DocumentError(f"{row!r:.60} is no pause")
    topic, partition, since = row["topic"], row["partition"], row["since"]
    if topic is not None and not is_topic(topic):
        raise DocumentError(f"{topic!r:.60} is no topic")
    if partition is not None and not (topic is not None and type(partition) is int and 0 <= partition <= MAX_PARTITION):
        raise DocumentError(f"{partition!r:.60} is no partition")
    if type(since) not in {int, float} or not 0 <= since < math.inf:
        raise DocumentError(f"{since!r:.60} is no time")
    return Place(topic, partition), float(since)
