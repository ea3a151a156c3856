"""A record that failed and is not settled: kept in memory with what is known of its failure, until it is."""

from dataclasses import dataclass, field

from confluent_kafka import Message

from .deadletter import Letter, Stage
from .decide.retry import State


@dataclass(slots=True, eq=False)
class Trouble:
    """One record of one partition. `due` (monotonic seconds) is when to try again; None while an answer is awaited.

    With a `letter` it is the dead letter that is tried again, else the handler.
    """

    message: Message
    offset: int
    error: BaseException | None = None
    state: State = field(default_factory=State)
    stage: Stage = "HANDLE"
    due: float | None = None
    letter: Letter | None = None
    refusals: int = 0
    """How often its dead letter could not be published."""
    outages: int = 0
    """How often in a row it met an outage."""
    fingerprint: str | None = None
    """The kind of its last failure, if nobody has classified that one."""
    waits: bool = False
    """Whether that kind is taken for an outage: no attempt is made but as a probe."""
    probing: bool = False
    """Whether the next attempt, or the one that is not over yet, is a probe."""
    diverted: bool = False
    """Whether its attempts were exhausted and it is put aside."""
