"""Records that a process has died with: which of those at hand have to run alone, and what is known of each.

A suspect is a range of offsets of one partition. While nothing is proven it is `pending`: its records run alone, one
call in the whole worker, and who ends a call without killing is none any more. One that has killed often enough is
`condemned`, which means a dead letter and no further call, or `held` until there may be another dead letter.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal

from .handover import Identity
from .pressure import Key

_WORDS: Final = 3
_NUMBERS: Final = ("partition", "first", "last", "crashes")


class Verdict(Enum):
    """What is to be done with a suspect."""

    PENDING = "pending"
    CONDEMNED = "condemned"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Report:
    """The last of a record's deaths. Times are seconds since the epoch, `peak_rss` bytes; None: there was none.

    `cause` is a sentence; one of `signal` ("SIGSEGV") and `exit_code` is set; `stack` is faulthandler's, or empty.
    """

    cause: str
    stage: Literal["CRASH", "TIMEOUT"]
    worker: str
    first: float
    last: float
    signal: str | None = None
    exit_code: int | None = None
    peak_rss: int | None = None
    stack: str = ""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Records `first` to `last`, inclusive, of a partition; `crashes` deaths are this record's alone.

    A `loose` one is a single record, the first there is at or after `first`: offsets may be missing in the log.
    """

    topic: str
    partition: int
    first: int
    last: int
    crashes: int = 0
    loose: bool = False
    verdict: Verdict = Verdict.PENDING
    identity: Identity | None = None
    report: Report | None = None

    @property
    def key(self) -> Key:
        """The partition."""
        return self.topic, self.partition

    @property
    def alone(self) -> bool:
        """Whether it is one record: its own call ends the suspicion, or proves it."""
        return self.first == self.last

    def is_of(self, identity: Identity | None) -> bool:
        """Whether it may be of the topic that its name means now: of a re-created one the offsets say nothing."""
        return None in {self.identity, identity} or self.identity == identity


def find(suspects: Iterable[Suspect], offset: int, position: int | None) -> Suspect | None:
    """Return which of `suspects`, all of one partition, the record at `offset` is; of several the worst.

    `position`: everything below it is finished, and there is no record between it and this one. None: not known.
    """
    found = [one for one in suspects if _is(one, offset, position)]
    return max(found, key=lambda one: one.crashes, default=None)


def _is(one: Suspect, offset: int, position: int | None) -> bool:
    if one.first <= offset <= one.last:
        return True
    return one.loose and position is not None and position <= one.first < offset


def first_of(suspects: Sequence[Suspect], offsets: Sequence[int], position: int | None) -> int | None:
    """Return the index of the first record, of those at `offsets` in their order, that is a suspect; None: none is."""
    for index, offset in enumerate(offsets):
        if find(suspects, offset, position) is not None:
            return index
        position = offset + 1
    return None


def encode(suspect: Suspect, *, report: bool = True) -> dict[str, Any]:
    """Return `suspect` as JSON values; without `report`, which only a dead letter needs, the shorter."""
    told = suspect.report if report else None
    identity = suspect.identity
    return {
        "topic": suspect.topic,
        "partition": suspect.partition,
        "first": suspect.first,
        "last": suspect.last,
        "crashes": suspect.crashes,
        "loose": suspect.loose,
        "verdict": suspect.verdict.value,
        "identity": None if identity is None else [identity.cluster, identity.high, identity.low],
        "report": None if told is None else {name: getattr(told, name) for name in Report.__slots__},
    }


def decode(row: object) -> Suspect:
    """Return what `encode` was given.

    Raises:
        ValueError: it is nothing that `encode` has made; says why.
    """
    if not isinstance(row, dict):
        raise ValueError(f"{row!r:.60} is no suspect")  # noqa: TRY004 - whatever is wrong with a row is one error
    try:
        numbers = [_whole(row[name]) for name in _NUMBERS]
        partition, first, last, crashes = numbers
        suspect = Suspect(
            topic=_text(row["topic"]),
            partition=partition,
            first=first,
            last=last,
            crashes=crashes,
            loose=_flag(row["loose"]),
            verdict=_verdict(row["verdict"]),
            identity=_identity(row["identity"]),
            report=_report(row["report"]),
        )
    except KeyError as error:
        raise ValueError(f"a suspect has no {error.args[0]}") from None
    if last < first or (suspect.loose and not suspect.alone) or not suspect.topic:
        raise ValueError(f"a suspect of {suspect.topic!r:.60} has no records: {first} to {last}")
    return suspect


def _verdict(value: object) -> Verdict:
    found = [one for one in Verdict if one.value == value]
    if not found:
        raise ValueError(f"{value!r:.60} is no verdict")
    return found[0]


def _identity(words: object) -> Identity | None:
    if words is None:
        return None
    if not isinstance(words, list) or len(words) != _WORDS or any(type(word) is not int for word in words):
        raise ValueError(f"{words!r:.60} is no topic's identity")
    return Identity(*words)


def _report(fields: object) -> Report | None:
    if fields is None:
        return None
    if not isinstance(fields, dict) or fields.keys() != set(Report.__slots__):
        raise ValueError(f"{fields!r:.60} is no report")
    stage = fields["stage"]
    if stage not in {"CRASH", "TIMEOUT"}:
        raise ValueError(f"{stage!r:.60} is no stage")
    return Report(
        cause=_text(fields["cause"]),
        stage=stage,
        worker=_text(fields["worker"]),
        first=_seconds(fields["first"]),
        last=_seconds(fields["last"]),
        signal=None if fields["signal"] is None else _text(fields["signal"]),
        exit_code=None if fields["exit_code"] is None else _whole(fields["exit_code"]),
        peak_rss=None if fields["peak_rss"] is None else _whole(fields["peak_rss"]),
        stack=_text(fields["stack"]),
    )


def _whole(value: object) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError(f"{value!r:.60} is no whole number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.60} is no text")  # noqa: TRY004 - as above
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r:.60} is no yes or no")  # noqa: TRY004 - as above
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise ValueError(f"{value!r:.60} is no time")
    return float(value)
