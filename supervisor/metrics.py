"""Every metric kherd has: a closed table. Nothing else is exported; METRICS.md is generated from here.

`name` with its labels is the identity; `path` is how statsd, which has no labels, spells it below `PREFIX.APP.`:
what stands in braces is a label's value, made safe by `safe`. Prometheus gets it as `Metric.exported`, with a label `app` first.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["gauge", "counter", "histogram"]
UNSENT: Final = "-"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. A gauge is a state now; a counter is a total, which statsd gets as what was added since the last time.

    A histogram, of durations, is for Prometheus. A `path` of UNSENT says that statsd does not get it.
    """

    name: str
    kind: Kind
    unit: str
    doc: str
    labels: tuple[str, ...] = ()
    path: str = ""

    @property
    def exported(self) -> str:
        """Its name at Prometheus."""
        return f"kherd_{self.name}_total" if self.kind == "counter" else f"kherd_{self.name}"

    def spell(self, *values: str) -> str:
        """Return the statsd path for these label values."""
        return (self.path or self.name).format(**dict(zip(self.labels, map(safe, values), strict=True)))


def safe(text: str) -> str:
    """Return `text` as one segment of a statsd path: what could end the segment or the name becomes `_`."""
    return _UNSAFE.sub("_", text) or "_"


# fmt: off
CONSUMER_LAG = Metric("consumer_lag", "gauge", "records", "Records not committed yet, over all partitions. Not sent while unknown: see lag_known.")
TOPIC_CONSUMER_LAG = Metric("topic_consumer_lag", "gauge", "records", "The same for one topic.", ("topic",), "topics.{topic}.consumer_lag")
LAG_KNOWN = Metric("lag_known", "gauge", "0 or 1", "Whether the lag could be read. At 0 a lag that is still shown is an old one.")
DLQ_COUNT = Metric("dlq_count", "gauge", "records", "Dead letters waiting to be looked at. Not sent while unknown.")
PROCESSING_RATE = Metric("processing_rate", "gauge", "records/s", "Records handled per second, over the last seconds.")
ERROR_RATE = Metric("error_rate", "gauge", "0 to 1", "Handler calls that raised, of all handler calls, over the last seconds.")
REBALANCE_COUNT = Metric("rebalance_count", "counter", "changes", "Assignments and revocations that changed something, over all workers.")
WORKERS = Metric("workers", "gauge", "workers", "Workers in a state.", ("state",), "workers.{state}")
WORKERS_WANTED = Metric("workers_wanted", "gauge", "workers", "Workers there should be.")
RESTARTS = Metric("restarts", "counter", "restarts", "Child processes started again after an end nobody asked for.")
ROLLBACKS = Metric("rollbacks", "counter", "generations", "Generations that were taken back because their mold or their canary failed.")
DEATHS = Metric("deaths", "counter", "deaths", "Ends of child processes by cause.", ("cause",), "deaths.{cause}")
RECYCLED = Metric("recycled", "counter", "workers", "Workers replaced because they were over one of `[limits]`.", ("limit",), "recycled.{limit}")
MEMORY = Metric("memory_bytes", "gauge", "bytes", "Resident memory of a slot's worker, with what it shares with others.", ("slot",), "memory_bytes.{slot}")
RECORDS_FETCHED = Metric("records_fetched", "counter", "records", "Records received.")
BYTES_FETCHED = Metric("bytes_fetched", "counter", "bytes", "Their keys and values.")
RECORDS_HANDLED = Metric("records_handled", "counter", "records", "Records whose handler returned.")
RECORDS_SKIPPED = Metric("records_skipped", "counter", "records", "Records put aside by Skip.")
RECORDS_DEAD_LETTERED = Metric("records_dead_lettered", "counter", "records", "Dead letters acknowledged by the broker.")
RECORDS_QUARANTINED = Metric("records_quarantined", "counter", "records", "Of them, records that had killed their worker.")
RECORDS_DIVERTED = Metric("records_diverted", "counter", "records", "Of the dead letters, those of records whose attempts were exhausted.")
RECORDS_PRODUCED = Metric("records_produced", "counter", "records", "Records that handlers returned, acknowledged by the broker.")
CALLS = Metric("calls", "counter", "calls", "Handler calls.")
CALLS_ACTIVE = Metric("calls_active", "gauge", "calls", "Handler calls under way now, where they run beside each other (`workers.concurrency` above 1).")
CALLS_FAILED = Metric("records_failed", "counter", "calls", "Handler calls that raised, and records that Results called failed; Skip and outages excluded.")
CALLS_IN_OUTAGES = Metric("outages", "counter", "calls", "Handler calls that an outage has kept from their end: an open circuit breaker, or a class of errors.outage; no failures.")
CALLS_RETRIED = Metric("records_retried", "counter", "calls", "Handler calls that were a second or later attempt.")
BUSY_MS = Metric("busy_ms", "counter", "ms", "Time inside handlers, over all calls: 1000 per second is one call always under way, one worker that never waits if calls do not run beside each other.")
HANDLER_SECONDS = Metric("handler_seconds", "histogram", "s", "How long handler calls took, retries included; of a batch the whole call.", (), UNSENT)
RECORDS_HANDED_OVER = Metric("records_handed_over", "counter", "records", "Finished, uncommitted records that a crash did not have delivered again, thanks to the dead worker's board.")
COMMITS = Metric("commits", "counter", "commits", "Offset commits acknowledged.")
COMMIT_FAILURES = Metric("commit_failures", "counter", "commits", "Offset commits refused or lost.")
IN_FLIGHT = Metric("in_flight", "gauge", "records", "Records received and not finished.")
IN_FLIGHT_AGE = Metric("in_flight_age_seconds", "gauge", "s", "Age of the oldest handler call under way; 0 if there is none.")
PARTITIONS_ASSIGNED = Metric("partitions_assigned", "gauge", "partitions", "Partitions that workers of this supervisor have.")
PARTITIONS_PAUSED = Metric("partitions_paused", "gauge", "partitions", "Of them, paused now: by an operator, for a retry, a hold or a full buffer.")
PARTITIONS_HELD = Metric("partitions_held", "gauge", "partitions", "Of them, held because a record's attempts are exhausted.")
BREAKER_STATE = Metric("breaker_state", "gauge", "0, 1 or 2", "A circuit breaker's state: 0 closed, 1 half open, 2 open.", ("breaker",), "breakers.{breaker}.state")
BREAKER_TRIPS = Metric("breaker_trips", "counter", "trips", "How often a circuit breaker has opened, a failed probe not counted.", ("breaker",), "breakers.{breaker}.trips")
BREAKER_OPEN_MS = Metric("breaker_open_ms", "counter", "ms", "Time for which a circuit breaker was not closed.", ("breaker",), "breakers.{breaker}.open_ms")
OUTAGES_ASSUMED = Metric("outages_assumed", "gauge", "kinds", "Kinds of failures that are taken for an outage now.")
RECORDS_WAITING = Metric("records_waiting", "gauge", "records", "Records that wait for the end of one.")
RECORDS_HELD = Metric("records_held", "gauge", "records", "Records whose attempts are exhausted, and that are not put aside because too few are handled.")
ALERT_ACTIVE = Metric("alert_active", "gauge", "0 or 1", "Whether an alert lasts; sent for every alert there is.", ("alert",), "alerts.{alert}.active")
BROKERS_REACHABLE = Metric("brokers_reachable", "gauge", "0 or 1", "Whether a broker answers. Not sent while unknown.")
PROBLEMS = Metric("problems", "gauge", "problems", "What `kherd status` lists under problems.")
GENERATION = Metric("generation", "gauge", "number", "The generation that workers run or are rolled to: a reload of more than a count, and a restart, are a new one.")
UPTIME = Metric("uptime", "gauge", "s", "Time since the supervisor started.")
BUILD_INFO = Metric("build_info", "gauge", "1", "Which kherd, on which Python: always 1.", ("version", "python"), UNSENT)
# fmt: on

METRICS: Final[tuple[Metric, ...]] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
TOTALS: Final[dict[str, Metric]] = {
    "fetched": RECORDS_FETCHED,
    "fetched_bytes": BYTES_FETCHED,
    "handled": RECORDS_HANDLED,
    "skipped": RECORDS_SKIPPED,
    "dead_lettered": RECORDS_DEAD_LETTERED,
    "quarantined": RECORDS_QUARANTINED,
    "diverted": RECORDS_DIVERTED,
    "produced": RECORDS_PRODUCED,
    "calls": CALLS,
    "failed": CALLS_FAILED,
    "outages": CALLS_IN_OUTAGES,
    "retried": CALLS_RETRIED,
    "handed_over": RECORDS_HANDED_OVER,
    "commits": COMMITS,
    "commit_failures": COMMIT_FAILURES,
    "rebalances": REBALANCE_COUNT,
}
"""Which of the status document's totals is which counter."""
GAUGE_TOTALS: Final[dict[str, Metric]] = {
    "buffered": IN_FLIGHT,
    "assigned": PARTITIONS_ASSIGNED,
    "paused": PARTITIONS_PAUSED,
    "held": PARTITIONS_HELD,
    "active": CALLS_ACTIVE,
}
"""Which of the totals is which gauge."""
FAILING: Final[dict[str, Metric]] = {
    "outages": OUTAGES_ASSUMED,
    "waiting": RECORDS_WAITING,
    "held": RECORDS_HELD,
}
"""Which of the status document's numbers under `failing` is which gauge."""
