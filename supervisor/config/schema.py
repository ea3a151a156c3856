"""The whole configuration; the rules between its keys are in `rules`."""

from typing import Final, Self

from pydantic import ConfigDict, Field, model_validator

from .breaker import Breaker
from .kinds import BreakerName
from .operations import Alerts, Autoscale, Control, Lag, Limits, Log, Metrics, Reload, Restart, Stop, Systemd
from .rules import Problems, problems_of
from .sections import App, DeadLetter, Delivery, Errors, Kafka, Section, State, Workers

EMBEDDED: Final = "embedded"


class Settings(Section):
    """A configuration file, checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="kherd")

    app: App
    kafka: Kafka
    state: State = Field(default_factory=State)
    workers: Workers = Field(default_factory=Workers)
    delivery: Delivery = Field(default_factory=Delivery)
    errors: Errors = Field(default_factory=Errors)
    dead_letter: DeadLetter = Field(default_factory=DeadLetter)
    breaker: dict[BreakerName, Breaker] = Field(default_factory=dict, max_length=64)
    lag: Lag = Field(default_factory=Lag)
    autoscale: Autoscale = Field(default_factory=Autoscale)
    restart: Restart = Field(default_factory=Restart)
    limits: Limits = Field(default_factory=Limits)
    stop: Stop = Field(default_factory=Stop)
    reload: Reload = Field(default_factory=Reload)
    metrics: Metrics = Field(default_factory=Metrics)
    alerts: Alerts = Field(default_factory=Alerts)
    log: Log = Field(default_factory=Log)
    systemd: Systemd = Field(default_factory=Systemd)
    control: Control = Field(default_factory=Control)

    @property
    def embedded(self) -> bool:
        """Whether the herd brings its own broker."""
        return self.kafka.bootstrap == EMBEDDED

    @property
    def group(self) -> str:
        """The consumer group."""
        return self.kafka.group or self.app.name

    @property
    def group_protocol(self) -> str:
        """The group protocol: the embedded broker models KIP-848, not classic groups."""
        return self.kafka.group_protocol or ("consumer" if self.embedded else "classic")

    @property
    def fewest(self) -> int:
        """The fewest workers that autoscaling leaves."""
        return self.workers.count if self.autoscale.min is None else self.autoscale.min

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = problems_of(self)
        if problems:
            raise Problems(problems)
        return self
