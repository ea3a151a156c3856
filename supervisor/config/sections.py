"""The sections of the configuration: every key, default, unit and meaning once; CONFIGURATION.md comes from here."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from .types import Address, Duration, Name, Property, Reference, Size, Text, Topic

Count = Annotated[int, Field(ge=0, le=10_000, strict=True)]
Positive = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class Section(BaseModel):
    """A table of the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class App(Section):
    """What runs, and under which name."""

    name: Name = Field(
        description="The herd's name: group, client and instance ids, lock and state folder come from it."
    )
    handler: Reference = Field(description='The handler, as "module:attribute".')
    pythonpath: tuple[Text, ...] = Field((".",), description="Folders to import from, relative to this file.")
    preload: bool = Field(
        True, description="Import the handler's module once per generation and fork workers from there."
    )
    instance: Text = Field(
        "auto",
        max_length=100,
        description="This supervisor's stable identity. `auto`: the host name on a machine, none in a container.",
    )


class State(Section):
    """Where the daemon keeps what it needs while it runs."""

    dir: Text | None = Field(None, description="The state folder; default by the rules of the README.")


class Kafka(Section):
    """The brokers, the subscription and the group."""

    bootstrap: Text = Field(description='Brokers as "host:port,…", or "embedded".')
    topics: tuple[Topic, ...] = Field(
        min_length=1, description="Topics; one that begins with ^ is a regular expression."
    )
    group: Text | None = Field(None, max_length=249, description="Consumer group; default: app.name.")
    start: Literal["earliest", "latest", "error"] = Field(
        "earliest", description="Where to begin without a committed offset."
    )
    oauth: Reference | None = Field(
        None, description='"module:callable" that returns (token, expiry) for SASL/OAUTHBEARER.'
    )
    group_protocol: Literal["classic", "consumer"] | None = Field(
        None, description='"consumer" is KIP-848. Default: classic, on the embedded broker consumer.'
    )
    static_membership: bool | Literal["auto"] = Field(
        "auto",
        description="Keep a slot's partitions over restarts. auto: if the instance is known, on a real broker.",
    )
    preset: Literal["classic-30s"] | None = Field(
        None,
        description="classic-30s: session 30 s, heartbeat 10 s, fetch.min 1024 B, fetch.wait 500 ms.",
    )
    producer_preset: Literal["16k"] | None = Field(None, description="16k: batch.size 16384, linger 10 ms, snappy.")
    client: dict[str, Property] = Field(default_factory=dict, description="librdkafka properties of every client.")
    consumer: dict[str, Property] = Field(default_factory=dict, description="librdkafka properties of consumers.")
    producer: dict[str, Property] = Field(default_factory=dict, description="librdkafka properties of producers.")


class Workers(Section):
    """The worker processes and how they call the handler."""

    count: Count = Field(2, description="Worker processes.")
    mode: Literal["record", "batch"] = Field("record", description="Call the handler per record, or with a list.")
    batch_size: Positive = Field(500, description="Records fetched, and handed to a batch handler, at a time at most.")
    batch_wait: Duration = Field(0.0, description="How long to wait for a batch to fill.")
    handler_timeout: Duration = Field(
        20.0, description="How long one call of the handler may take; must be below stop.timeout."
    )
    start_timeout: Duration = Field(60.0, description="How long a worker may take to load the handler.")
    max_in_flight: Positive = Field(
        2000, description="Records received and not finished, per worker; above it partitions are paused."
    )
    max_in_flight_bytes: Size = Field(16 * 2**20, ge=1024, description="The same in bytes.")


class Delivery(Section):
    """What is promised about each record."""

    guarantee: Literal["at_least_once"] = Field("at_least_once", description="At least once.")
    commit_interval: Duration = Field(0.1, description="Commit at least this often; 0: after each record or batch.")


class Errors(Section):
    """What happens when a handler raises."""

    max_attempts: Positive = Field(10, description="Attempts at one record before on_exhausted.")
    backoff_initial: Duration = Field(
        1.0, gt=0, description="Wait before the second attempt; doubled each time, with jitter."
    )
    backoff_max: Duration = Field(60.0, gt=0, description="The longest wait between attempts.")
    on_exhausted: Literal["hold", "dead_letter"] = Field(
        "hold",
        description="hold: alert, keep the partition paused, retry once per backoff_max. dead_letter: put aside.",
    )
    poison: tuple[Reference, ...] = Field(
        (), description='Exception classes ("module:Class") that are dead-lettered at once.'
    )


class DeadLetter(Section):
    """Where records go that cannot be handled."""

    topic: Topic = Field("dlq.{topic}", description="Its name; {topic} is the source topic.")
    create: bool = Field(True, description="Create it at start if it is missing.")
    format: Literal["headers", "json"] = Field(
        "headers", description="headers: the record as it was; json: an envelope."
    )


class Lag(Section):
    """Measuring how far behind the group is."""

    interval: Duration = Field(5.0, ge=0.1, description="How often lag is read.")


class Restart(Section):
    """What happens when a worker dies before it has been ready for a second."""

    backoff_max: Duration = Field(30.0, gt=0, description="The longest wait before another start.")
    intensity: Positive = Field(10, description="Failed starts within `period` that are borne.")
    period: Duration = Field(60.0, gt=0, description="The window of `intensity`.")
    give_up: Literal["hold", "exit"] = Field("hold", description="hold: go on, slowly. exit: stop with code 70.")


class Stop(Section):
    """Stopping."""

    timeout: Duration = Field(25.0, ge=1, description="The one deadline for everything.")
    leave: bool = Field(False, description="Static members leave the group at a stop.")


class Metrics(Section):
    """Where metrics go."""

    statsd: Address | None = Field(None, description='"host:port" of a statsd server.')
    prefix: Name = Field("kherd", description="The first part of every metric's name.")


class Log(Section):
    """Log lines, on standard error."""

    format: Literal["auto", "text", "json"] = Field("auto", description="auto: text on a terminal, else json.")
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important level that is shown."
    )


class Control(Section):
    """The control socket."""

    socket: Text | None = Field(None, description="Its path; default: control.sock in the state folder.")
