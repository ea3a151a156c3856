"""A record that failed and is not settled: kept in memory with what is known of its failure, until it is."""

from dataclasses import dataclass, field
from typing import Any

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
    task: Any = None
    """What stands for it in the queues, where calls run beside each other (`task.Task`)."""
    breakers: frozenset[str] = frozenset()
    """The circuit breakers that kept it from being handled the last time: there is no use in trying before they do."""
    tried: bool = False
    """Whether it went through one of them and failed, the last time: others go first."""
    vain: int = 0
    """How often in a row it met an outage although none of them was to be waited for."""
    fingerprint: str | None = None
    """The kind of its last failure, if nobody has classified that one."""
    waits: bool = False
    """Whether that kind is taken for an outage: no attempt is made but as a probe."""
    probing: bool = False
    """Whether the next attempt, or the one that is not over yet, is a probe."""
    diverted: bool = False
    """Whether its attempts were exhausted and it is put aside."""

    def failed(self, error: BaseException, stage: Stage) -> None:
        """Note another failure, of a kind that is not known yet."""
        self.error, self.stage, self.breakers = error, stage, frozenset()


@dataclass(frozen=True, slots=True)
class Rest:
    """A list that failed as a whole, as a partition knows it: `offset` is that of its first record there.

    `due` (monotonic seconds) is when it is to be tried again; None: it has been, or is now. `first_failure` is in
    seconds since the epoch, `handled` how many records the process had handled by then.
    """

    offset: int = -1
    failures: int = 0
    first_failure: float = 0.0
    handled: int = 0
    due: float | None = None
