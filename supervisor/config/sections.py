"""The sections of the configuration: every key, default, unit and meaning once; CONFIGURATION.md comes from here."""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from .kinds import (
    AccountName,
    Bootstrap,
    ClassName,
    Duration,
    Flag,
    Mask,
    Membership,
    Name,
    Properties,
    Reference,
    Size,
    Text,
    Topic,
    Whole,
    not_automatic,
    not_exactly_once,
)  # fmt: skip

DAY: Final = 86_400.0


class Section(BaseModel):
    """A table of the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class App(Section):
    """What runs, and under which name."""

    name: Name = Field(
        description="The herd's name: group, client and instance ids, the lock and the state folder come from it."
    )
    handler: Reference = Field(description='The handler, as "module:attribute".')
    pythonpath: tuple[Text, ...] = Field(
        (".",), description="Folders to import from, before all others; relative to this file."
    )
    preload: Flag = Field(
        True, description="Import the handler's module once per generation, and fork the workers from there."
    )
    instance: Name = Field(
        "auto",
        description="This supervisor's stable identity within the group. `auto`: the host name on a machine, none in a"
        " container (its name is random). On a StatefulSet set `${HOSTNAME}`.",
    )
    user: AccountName | None = Field(
        None,
        description="Whom a supervisor started by root becomes, with all its processes: a name or a number. Before that"
        " it reads this file and makes the state folder; a reload reads this file as that user.",
    )
    group: AccountName | None = Field(
        None, description="The group of that user's processes, by name or number; default: the user's own."
    )
    umask: Mask | None = Field(
        None,
        description='The mask of files that handlers make, octal, like "0027"; default: as kherd was started. The state'
        " folder is for its owner alone in any case.",
    )
    pidfile: Text | None = Field(
        None,
        description="A file for the supervisor's pid, relative to this file; written as app.user, removed at the end."
        " It only informs: what it held before never keeps a herd from starting.",
    )


class State(Section):
    """Where the daemon keeps what it needs while it runs."""

    dir: Text | None = Field(
        None,
        description="The state folder, relative to this file; only its owner may write there. Default: the first of"
        " `$RUNTIME_DIRECTORY`, `/run/kherd/NAME` (root), `$XDG_RUNTIME_DIR/kherd/NAME`, `/tmp/kherd-UID/NAME`; NAME is"
        " app.name, with `@INSTANCE` if app.instance is set.",
    )


class Kafka(Section):
    """The brokers, the subscription and the group."""

    bootstrap: Bootstrap = Field(
        description='Brokers as "host:port,host:port", or "embedded": a broker of its own, for trials.'
    )
    topics: tuple[Topic, ...] = Field(
        min_length=1,
        description="Topics. One that begins with ^ is a regular expression (Python's); as in Kafka it must match the"
        " beginning of a name under the classic protocol, and the whole name under KIP-848. This herd's own dead-letter"
        " topics never match.",
    )
    group: Annotated[Text, Field(max_length=249)] | None = Field(None, description="Consumer group; default: app.name.")
    start: Literal["earliest", "latest", "error"] = Field(
        "earliest",
        description="Where to begin without a committed offset, or when it is out of range; error: the worker refuses."
        " latest: the end when a partition is first assigned, which is committed then.",
    )
    oauth: Reference | None = Field(
        None,
        description='"module:callable", given sasl.oauthbearer.config; returns (token, expiry). For every client.',
    )
    group_protocol: Annotated[Literal["classic", "consumer"], BeforeValidator(not_automatic)] | None = Field(
        None,
        description='"consumer" is KIP-848, for brokers from 4.0. Default: classic; consumer on the embedded broker.',
    )
    static_membership: Membership = Field(
        "auto",
        description="Whether a restarted worker gets its partitions back without a rebalance. auto: if the instance is"
        " known, and not on the embedded broker.",
    )
    preset: Literal["classic-30s"] | None = Field(
        None,
        description="classic-30s: session.timeout.ms 30000, heartbeat.interval.ms 10000, fetch.min.bytes 1024,"
        " fetch.wait.max.ms 500; max.poll.interval.ms (300000) and 500 records at a time are the defaults anyway.",
    )
    producer_preset: Literal["16k"] | None = Field(
        None, description="16k: batch.size 16384, linger.ms 10, compression.type snappy."
    )
    # Passwords are among them: not in a traceback, not in a log.
    client: Properties = Field(
        default_factory=dict, repr=False, description="librdkafka properties of every client, the liaison's too."
    )
    consumer: Properties = Field(
        default_factory=dict, repr=False, description="librdkafka properties of the workers' consumers."
    )
    producer: Properties = Field(
        default_factory=dict,
        repr=False,
        description="librdkafka properties of the producers of outputs and dead letters.",
    )


class Workers(Section):
    """The worker processes and how they call the handler."""

    count: Annotated[Whole, Field(ge=0, le=10_000)] = Field(2, description="Worker processes.")
    mode: Literal["record", "batch"] = Field("record", description="Call the handler per record, or with a list.")
    batch_size: Annotated[Whole, Field(ge=1, le=1_000_000)] = Field(
        500, description="Records fetched at a time, and handed to a batch handler, at most."
    )
    batch_wait: Duration = Field(0.0, le=60, description="How long a batch waits to fill; mode = batch only.")
    handler_timeout: Duration = Field(
        20.0,
        gt=0,
        le=DAY / 2,
        description="How long one call of the handler may take (in batch mode: with the whole list) before the worker"
        " is killed; must be below stop.timeout. max.poll.interval.ms is twice that, at least 5m.",
    )
    start_timeout: Duration = Field(60.0, ge=1, le=3600, description="How long a worker may take to load the handler.")
    max_in_flight: Annotated[Whole, Field(ge=1, le=1_000_000)] = Field(
        2000, description="Records received and not finished, per worker; above it partitions are paused."
    )
    max_in_flight_bytes: Size = Field(16 * 2**20, ge=1024, description="The same in bytes of keys and values.")
    concurrency: Annotated[Whole, Field(ge=1, le=256)] = Field(
        1,
        description="Handler calls at a time, per worker: in threads, or on one event loop if the handler is a"
        " coroutine function; mode = record only.",
    )
    order: Literal["partition", "key", "none"] = Field(
        "partition",
        description="What is handled in the order of its offsets, one at a time, if concurrency is above 1: the records"
        " of a partition, those of a partition with the same key (records without a key are free), or nothing.",
    )
    bisect: Flag = Field(
        True,
        description="A list that a batch handler failed with twice is halved until the records that fail alone are"
        " found; the handler must be atomic: what raised had no effect. false: such a list is run again one record at a"
        " time.",
    )


class Delivery(Section):
    """What is promised about each record."""

    guarantee: Annotated[Literal["at_least_once"], BeforeValidator(not_exactly_once)] = Field(
        "at_least_once", description="Every record is handled at least once."
    )
    commit_interval: Duration = Field(
        0.1, le=60, description="Commit at least this often, if brokers answer; 0: after each record or batch."
    )


class Errors(Section):
    """What happens when a handler raises."""

    max_attempts: Annotated[Whole, Field(ge=1, le=1_000_000)] = Field(
        10, description="Attempts at one record before on_exhausted."
    )
    backoff_initial: Duration = Field(
        1.0, gt=0, le=DAY, description="The wait before the second attempt; doubled each time, with jitter."
    )
    backoff_max: Duration = Field(60.0, gt=0, le=DAY, description="The longest wait between attempts.")
    on_exhausted: Literal["hold", "dead_letter"] = Field(
        "dead_letter",
        description="dead_letter: put it aside, if that is not rather an outage. "
        "hold: keep the partition paused and retry once per backoff_max, for ever.",
    )
    poison: tuple[ClassName, ...] = Field(
        (), description='Exception classes ("module:Class", or a builtin one\'s name) that are dead-lettered at once.'
    )
    outage: tuple[ClassName, ...] = Field(
        (),
        description="Exception classes that are not the record's fault, wherever in an exception's chain: no attempt is"
        " counted, nothing is dead-lettered, the partition waits.",
    )
    max_crashes: Annotated[Whole, Field(ge=1, le=1000)] = Field(
        3,
        description="So many deaths of a worker in the call for one record, alone, and the record is dead-lettered.",
    )


class DeadLetter(Section):
    """Where records go that cannot be handled."""

    topic: Topic = Field("dlq.{topic}", description="The dead-letter topic; {topic} stands for the source topic.")
    create: Flag = Field(
        True, description="Create it at start if it is missing, with the source's partitions and replication factor."
    )
    format: Literal["headers", "json"] = Field(
        "headers", description="headers: the record as it was, what happened in headers. json: an envelope."
    )
    alert_above: Annotated[Whole, Field(ge=1)] = Field(
        100,
        description="More dead letters waiting than this on two readings in a row raises the alert `dead_letters`; it"
        " is cleared when there have been at most half as many for a minute.",
    )
