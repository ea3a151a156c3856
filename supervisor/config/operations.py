"""The sections about operating a herd: lag, scaling, restarts, stops, and who is told what."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from .kinds import (
    Duration,
    DurationOrNone,
    Flag,
    Link,
    Listen,
    Name,
    Percent,
    Place,
    Share,
    SizeOrNone,
    Text,
    Whole,
    WholeOrNone,
    not_by_model,
)  # fmt: skip
from .sections import DAY, Section


class Lag(Section):
    """Measuring how far behind the group is."""

    interval: Duration = Field(5.0, ge=0.1, le=3600, description="How often lag is read.")
    alert_above: Annotated[Whole, Field(ge=1)] = Field(
        1_000_000,
        description="More total lag than this on two readings in a row raises the alert `lag`; it is cleared when it"
        " has been at most half of that for a minute.",
    )


class Autoscale(Section):
    """More workers when the lag asks for it. `kherd scale N` pins a number, `kherd scale auto` lets go of it."""

    max: Annotated[Whole, Field(ge=1, le=10_000)] | None = Field(
        None, description="The most workers; never more than the subscription has partitions. Unset: no autoscaling."
    )
    min: Annotated[Whole, Field(ge=0, le=10_000)] | None = Field(
        None, description="The fewest workers; default: workers.count."
    )
    policy: Annotated[Literal["threshold"], BeforeValidator(not_by_model)] = Field(
        "threshold", description="threshold: by total lag alone."
    )
    lag_above: Annotated[Whole, Field(ge=1)] = Field(
        1_000_000, description="More total lag than this on two readings in a row: `target` workers."
    )
    target: Annotated[Whole, Field(ge=1, le=10_000)] | None = Field(
        None, description="Workers while the lag is high; default: autoscale.max."
    )
    calm: Duration = Field(
        300.0,
        ge=1,
        le=DAY,
        description="After so long with a total lag below a tenth of lag_above: `min` workers again.",
    )
    dry_run: Flag = Field(False, description="Decide and say so, but change nothing.")


class Restart(Section):
    """What happens when a worker dies before it has been ready for a second; after that it is replaced at once."""

    backoff_max: Duration = Field(30.0, ge=0.1, le=3600, description="The longest wait before another start.")
    intensity: Annotated[Whole, Field(ge=1, le=1_000_000)] = Field(
        10, description="So many failed starts within `period` are borne."
    )
    period: Duration = Field(60.0, ge=1, le=DAY, description="The window of `intensity`.")
    give_up: Literal["hold", "exit"] = Field(
        "hold", description="After more: hold: go on, at backoff_max. exit: stop, with exit code 70."
    )


class Limits(Section):
    """What a worker may use up; then it is replaced, one at a time. Memory is PSS, of the worker's process alone."""

    memory_soft: SizeOrNone = Field(
        None,
        description="At least 8MiB. A worker that uses more finishes what it has in flight, commits, and is replaced in"
        " its slot, as soon as all others are ready and no reload is under way; a slot at most once in 5 minutes.",
    )
    memory_hard: SizeOrNone = Field(
        None, description="At least 8MiB. A worker that uses more is killed at once, and its slot started again."
    )
    max_records: WholeOrNone = Field(
        None,
        ge=1,
        description="After so many records a worker is replaced as for memory_soft; a slot at most every 10 s.",
    )
    max_age: DurationOrNone = Field(
        None, ge=10, description="A worker whose process is so old is replaced as for memory_soft."
    )
    jitter: Percent = Field(
        10,
        ge=0,
        le=50,
        description="Each process' limits, but for memory_hard, are drawn once, up to so much above what is set (for"
        " memory_soft at most half-way to memory_hard): workers that were started together are not worn out together.",
    )


class Stop(Section):
    """Stopping."""

    timeout: Duration = Field(
        25.0, ge=1, le=DAY, description="The one deadline for everything; what still runs then is killed."
    )
    leave: Flag = Field(
        False,
        description="Static members leave the group at a stop, instead of keeping their partitions for a restart.",
    )


class Reload(Section):
    """Rolling a new generation of workers out: by a reload that changes more than their number, and by a restart."""

    settle: Duration = Field(
        5.0,
        ge=0,
        le=3600,
        description="The first worker of a new generation has to stay ready for so long before the others follow;"
        " if it does not, the old generation is kept. 0s: ready is enough.",
    )


class Metrics(Section):
    """Where metrics go."""

    statsd: Place | None = Field(None, description='"host:port" of a statsd server; port 8125 without one.')
    prefix: Name = Field("kherd", description="The first part of every metric's name at statsd; dots make levels.")
    http: Listen | None = Field(
        None,
        description='"host:port" to answer on, by HTTP: `/metrics` (Prometheus), `/healthz`, `/readyz`. ":port" is'
        " 127.0.0.1:port. Nobody is asked for a password.",
    )


class Alerts(Section):
    """Who is told of an alert, beside the log, the metrics and `kherd status`."""

    error_rate_above: Annotated[Share, Field(gt=0, le=1)] = Field(
        0.01,
        description="A larger share than this of the handler calls of five minutes, at least 100, that failed raises"
        " the alert `error_rate`; it is cleared when it has been at most half of that for a minute. `Skip` and outages"
        " are no failures.",
    )
    webhook: Link | None = Field(
        None, repr=False, description="An http:// or https:// address; each raised and cleared alert is one JSON POST."
    )
    command: tuple[Text, ...] | None = Field(
        None,
        min_length=1,
        description='A program with its arguments, as a list: ["notify", "--urgent"]; it gets the same JSON on its'
        " standard input.",
    )


class Log(Section):
    """Log lines, on standard error."""

    format: Literal["auto", "text", "json"] = Field("auto", description="auto: text on a terminal, else json.")
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important level that is written."
    )


class Systemd(Section):
    """What systemd is told, where it started kherd (Type=notify or notify-reload)."""

    ready_quorum: Annotated[Whole, Field(ge=0, le=10_000)] = Field(
        1, description="So many workers must have loaded the handler before systemd is told READY=1."
    )


class Control(Section):
    """The control socket."""

    socket: Text | None = Field(
        None, description="Its path, relative to this file; default: control.sock in the state folder."
    )
