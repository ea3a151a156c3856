"""What is known of failures that are not settled: records by kind, and how that reads."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from ..worker import events, log
from .decide.outage import Deserted, Doubted, Event, Outage, State
from .decide.spread import Evidence

KINDS: Final = 64
"""Kinds of failures that are told apart at a time; a kind without a record that fails makes room for another one."""
OTHERS: Final = ""
"""The fingerprint of all that find no room: they are never taken for an outage."""
SHOWN: Final = 100
"""Records that the status document names."""

Place = tuple[str, int, int]
"""Topic, partition, offset."""


@dataclass(slots=True, eq=False)
class Record:
    """A record that failed, since when in monotonic seconds."""

    place: Place
    slot: int
    error: str
    since: float
    asking: bool = False
    """Whether its attempts are exhausted."""
    held: str = ""
    """Why it is not put aside all the same."""
    tried: float = 0.0
    """When it was last a probe."""


@dataclass(slots=True, eq=False)
class Kind:
    """Failures of one fingerprint; `error` is the newest of them in words."""

    fingerprint: str
    error: str
    outage: Outage = field(default_factory=Outage)
    evidence: Evidence = field(default_factory=Evidence)
    marks: dict[str, int] = field(default_factory=dict)
    """Records finished at the last look, by topic."""
    records: dict[Place, Record] = field(default_factory=dict)
    probing: Place | None = None
    probe_until: float = 0.0
    diverted_at: float = float("-inf")
    deserted_at: float = 0.0

    def topics(self) -> set[str]:
        """Return the topics in which it fails."""
        return {topic for topic, _, _ in self.records}

    def next_to_try(self, now: float) -> Record:
        """Return who is to be the next probe: of each partition the first, who has waited for longest."""
        heads: dict[tuple[str, int], Record] = {}
        for record in sorted(self.records.values(), key=lambda one: one.place):
            heads.setdefault(record.place[:2], record)
        chosen = min(heads.values(), key=lambda one: (one.tried, one.since))
        chosen.tried = now
        return chosen

    def partitions(self) -> int:
        """Return of how many partitions records fail so."""
        return len({place[:2] for place in self.records})

    def begin_anew(self) -> None:
        """Forget who asks to be put aside: whether it is an outage has just turned out, either way."""
        self.probing = None
        for record in self.records.values():
            record.asking, record.held = False, ""

    def tell_assumed(self) -> None:
        """Say that it is an outage, and why."""
        log.emit(
            events.OUTAGE_ASSUMED, fingerprint=self.fingerprint, error=self.error, records=self.evidence.records,
            partitions=self.partitions(), handled=self.evidence.handled,
        )  # fmt: skip

    def tell_released(self, event: Event, seconds: float) -> None:
        """Say that it is none any more, and why."""
        told = {"fingerprint": self.fingerprint, "error": self.error, "seconds": seconds}
        match event:
            case Doubted():
                reason = "too many records of these topics are handled for that"
                log.emit(events.OUTAGE_DOUBTED, reason=reason, **told)
            case Deserted():
                log.emit(events.OUTAGE_OVER, reason="no record waits for it any more", **told)
            case _:
                log.emit(events.OUTAGE_OVER, reason="a record that had failed so was handled", **told)


class Failures:
    """All kinds, and which of them a record is of: one at a time."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}
        self._places: dict[Place, Kind] = {}

    def kinds(self) -> list[Kind]:
        """Return all kinds."""
        return list(self._kinds.values())

    def kind(self, fingerprint: str, error: str) -> Kind:
        """Return the kind of that fingerprint, its newest error in words noted; that of OTHERS if there is no room."""
        known = self._kinds.pop(fingerprint, None)
        if known is None and len(self._kinds) >= KINDS:
            free = [one for one in self._kinds.values() if not one.records and one.outage.state is State.WATCHED]
            if not free:
                return self._kinds.setdefault(OTHERS, Kind(OTHERS, error))
            del self._kinds[free[0].fingerprint]
        kind = known or Kind(fingerprint, error)
        kind.error = error
        self._kinds[fingerprint] = kind
        return kind

    def asking(self) -> list[tuple[Kind, Record]]:
        """Return the records whose attempts are exhausted, who has failed for longest first."""
        found = [(kind, one) for kind in self._kinds.values() for one in kind.records.values() if one.asking]
        return sorted(found, key=lambda pair: (pair[1].since, pair[1].place))

    def of_place(self, place: Place) -> Kind | None:
        """Return how the record at `place` fails, None if it does not."""
        return self._places.get(place)

    def slots(self) -> set[int]:
        """Return the slots in which records fail."""
        return {record.slot for kind in self._kinds.values() for record in kind.records.values()}

    def of_slot(self, slot: int) -> list[Record]:
        """Return the records that fail in `slot`."""
        return [one for kind in self._kinds.values() for one in kind.records.values() if one.slot == slot]

    def add(self, kind: Kind, record: Record) -> None:
        """Add `record`, or note that it fails again, and where."""
        known = kind.records.get(record.place)
        if known is None:
            kind.records[record.place] = record
        else:
            known.slot, known.error = record.slot, record.error
        self._places[record.place] = kind

    def remove(self, place: Place) -> Kind | None:
        """Remove the record at `place`; return how it failed."""
        kind = self._places.pop(place, None)
        if kind is not None:
            del kind.records[place]
        return kind

    def document(self, now: float) -> dict[str, Any]:
        """Return it as JSON values, times as seconds ago or to come."""
        return {
            "outages": [_outage(kind, now) for kind in self._assumed()],
            "held": [_held(record, now) for record in self._held()[:SHOWN]],
        }

    def counts(self) -> dict[str, int]:
        """Return how many kinds are taken for outages, and how many records wait and are held."""
        assumed = self._assumed()
        waiting = sum(len(kind.records) for kind in assumed)
        return {"outages": len(assumed), "waiting": waiting, "held": len(self._held())}

    def problems(self, now: float) -> list[str]:
        """Return what an operator should know, a sentence each."""
        found = [
            f"taken for an outage since {now - kind.outage.since:.0f} s: {kind.error}; {len(kind.records)} records of"
            f" {kind.partitions()} partitions wait for it, {self._next(kind, now)}"
            for kind in self._assumed()
        ]
        return found + [f"held: {_spell(record.place)}: {record.error}; {record.held}" for record in self._held()[:10]]

    def _next(self, kind: Kind, now: float) -> str:
        return (
            "one of them is being tried" if kind.probing else f"one is tried in {max(0.0, kind.outage.due - now):.0f} s"
        )

    def _assumed(self) -> list[Kind]:
        return [kind for kind in self._kinds.values() if kind.outage.state is not State.WATCHED]

    def _held(self) -> list[Record]:
        return [one for one in _records(self._kinds.values()) if one.held]


def _records(kinds: Iterable[Kind]) -> list[Record]:
    found = [record for kind in kinds if kind.outage.state is State.WATCHED for record in kind.records.values()]
    return sorted(found, key=lambda one: one.since)


def _outage(kind: Kind, now: float) -> dict[str, Any]:
    return {
        "fingerprint": kind.fingerprint,
        "error": kind.error,
        "seconds": round(now - kind.outage.since, 3),
        "records": len(kind.records),
        "partitions": kind.partitions(),
        "topics": sorted(kind.topics()),
        "probes": kind.outage.probes,
        "probing": kind.probing is not None,
        "next_probe": None if kind.probing else round(max(0.0, kind.outage.due - now), 3),
    }


def _held(record: Record, now: float) -> dict[str, Any]:
    topic, partition, offset = record.place
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "slot": record.slot,
        "error": record.error,
        "reason": record.held,
        "seconds": round(now - record.since, 3),
    }


def _spell(place: Place) -> str:
    return f"{place[0]}[{place[1]}]@{place[2]}"
