"""The whole configuration, and the rules between its keys."""

import re
from collections.abc import Iterator
from typing import Final, Self

from pydantic import ConfigDict, Field, model_validator

from .properties import refusals
from .sections import (
    App,
    Control,
    DeadLetter,
    Delivery,
    Errors,
    Kafka,
    Lag,
    Log,
    Metrics,
    Restart,
    Section,
    State,
    Stop,
    Workers,
)  # fmt: skip

EMBEDDED: Final = "embedded"
_TOPIC: Final = re.compile(r"[A-Za-z0-9._-]{1,249}")


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
    lag: Lag = Field(default_factory=Lag)
    restart: Restart = Field(default_factory=Restart)
    stop: Stop = Field(default_factory=Stop)
    metrics: Metrics = Field(default_factory=Metrics)
    log: Log = Field(default_factory=Log)
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

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [*self._between_keys(), *self._topics(), *self._embedded(), *refusals(self)]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _between_keys(self) -> Iterator[str]:
        workers, stop, errors = self.workers, self.stop, self.errors
        if workers.handler_timeout <= 0:
            yield f"workers.handler_timeout: must be above 0, got {workers.handler_timeout:g}"
        if workers.handler_timeout >= stop.timeout:
            yield (
                f"workers.handler_timeout: must be below stop.timeout ({stop.timeout:g} s), so that a stop can wait for"
                f" a handler, got {workers.handler_timeout:g} s"
            )
        if workers.start_timeout < 1:
            yield f"workers.start_timeout: must be at least 1 s, got {workers.start_timeout:g} s"
        if errors.backoff_initial > errors.backoff_max:
            yield f"errors.backoff_initial: must not be above errors.backoff_max, got {errors.backoff_initial:g} s"

    def _topics(self) -> Iterator[str]:
        for topic in self.kafka.topics:
            if topic.startswith("^"):
                try:
                    re.compile(topic)
                except re.error as error:
                    yield f"kafka.topics: not a regular expression ({error}), got {topic!r}"
            elif _TOPIC.fullmatch(topic) is None or topic in {".", ".."}:
                yield f"kafka.topics: not a topic name (letters, digits, dot, underscore, dash), got {topic!r}"
            elif self.dead_letter.topic.replace("{topic}", topic) == topic:
                yield f"dead_letter.topic: would be the source topic {topic!r} itself"
        sample = self.dead_letter.topic.replace("{topic}", "x")
        if _TOPIC.fullmatch(sample) is None:
            yield f"dead_letter.topic: not a topic name (the placeholder is {{topic}}), got {self.dead_letter.topic!r}"

    def _embedded(self) -> Iterator[str]:
        if not self.embedded:
            return
        if self.kafka.group_protocol == "classic":
            yield 'kafka.group_protocol: the embedded broker models KIP-848 groups only: use "consumer", got "classic"'
        if self.kafka.static_membership is True:
            yield "kafka.static_membership: the embedded broker does not model static members, got true"
        if self.kafka.oauth is not None:
            yield "kafka.oauth: the embedded broker has no authentication"
        for section, properties in (
            ("client", self.kafka.client),
            ("consumer", self.kafka.consumer),
            ("producer", self.kafka.producer),
        ):
            for name in properties:
                if name.startswith(("sasl.", "ssl.")) or name == "security.protocol":
                    yield f"kafka.{section}.{name}: the embedded broker has neither TLS nor SASL"
