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
    breakers: frozenset[str] = frozenset()
    """The circuit breakers that kept it from being handled the last time: there is no use in trying before they do."""
    tried: bool = False
    """Whether it went through one of them and failed, the last time: others go first."""
    vain: int = 0
    """How often in a row it met an outage although none of them was to be waited for."""

    def failed(self, error: BaseException, stage: Stage) -> None:
        """Note another failure, of a kind that is not known yet."""
        self.error, self.stage, self.breakers = error, stage, frozenset()
