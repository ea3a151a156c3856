"""What a trial's process is told, as JSON: one class per kind of trial, read and written by both sides."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from .matrix import Contender

Properties = dict[str, str]


@dataclass(frozen=True, slots=True)
class ProduceJob:
    """Records of `size` bytes to `topic`: as fast as it goes, or `rate` records per second; durations are seconds.

    With `begun` the rate trial is one of a fault: that file is made at the first record, and the topic is read back.
    """

    topic: str
    properties: Properties
    partitions: int
    size: int
    entropy: float
    seed: int
    sticky: bool
    warmup: float
    seconds: float
    rate: int | None = None
    begun: str | None = None


@dataclass(frozen=True, slots=True)
class FillJob:
    """Bring `topic` to `records` records of `size` bytes."""

    topic: str
    properties: Properties
    records: int
    size: int
    entropy: float


@dataclass(frozen=True, slots=True)
class ConsumeJob:
    """Have one contender read `topic` from its beginning; its files go to `folder`."""

    contender: Contender
    bootstrap: str
    topic: str
    records: int
    embedded: bool
    protocol: str
    properties: Properties
    folder: str


@dataclass(frozen=True, slots=True)
class PickupJob:
    """Send `rate` records per second for `seconds` to an empty `topic`; one contender notes how late each is."""

    contender: Literal["poll", "record"]
    bootstrap: str
    topic: str
    partitions: int
    rate: int
    seconds: float
    size: int
    embedded: bool
    protocol: str
    properties: Properties
    folder: str


@dataclass(frozen=True, slots=True)
class SuddenJob:
    """Have one contender read `topic` from its beginning, and be killed after `until` records."""

    contender: Literal["batch", "async"]
    bootstrap: str
    topic: str
    until: int
    embedded: bool
    protocol: str
    properties: Properties
    folder: str


@dataclass(frozen=True, slots=True)
class WaitsJob:
    """Have one contender of `waits` handle the first `records` records of `topic`."""

    contender: str
    bootstrap: str
    topic: str
    records: int
    embedded: bool
    properties: Properties
    folder: str


Job = ProduceJob | FillJob | ConsumeJob | PickupJob | SuddenJob | WaitsJob
KINDS: Final[dict[str, type[Job]]] = {
    kind.__name__: kind for kind in (ProduceJob, FillJob, ConsumeJob, PickupJob, SuddenJob, WaitsJob)
}


class TrialError(Exception):
    """A trial did not come to its end; the text says why."""


def encode(job: Job) -> str:
    """Return `job` as JSON."""
    return json.dumps({"kind": type(job).__name__, **asdict(job)})


def decode(text: str) -> Job:
    """Return the job that `encode` wrote."""
    fields: dict[str, Any] = json.loads(text)
    return KINDS[fields.pop("kind")](**fields)


def said(error: Exception) -> str:
    """Return the text of an error, librdkafka's own if it holds one."""
    text: Any = error.args[0] if error.args else error
    return str(text.str() if hasattr(text, "str") else text)
