"""Whether the herd lives (`/healthz`) and is ready and getting on (`/readyz`), by the snapshots the exporter has heard.

Ready means: enough workers have been ready for a second, brokers answer, the lag has been known or a record been
finished lately, and records in flight are getting finished. Each reason against it is one of REASONS. What a
snapshot cannot tell (whether brokers answer, while the liaison starts) is no reason.
"""

from dataclasses import dataclass
from typing import Final

from .metrics import Status

SNAPSHOT_SECONDS: Final = 5.0
"""A snapshot is sent so often."""
SILENT_SECONDS: Final = 3 * SNAPSHOT_SECONDS
LATELY_SECONDS: Final = 60.0
CALLS: Final = 2
"""Records may wait for so many handler calls at their timeout; for LATELY_SECONDS they always may."""
FINISHED: Final = ("handled", "skipped", "dead_lettered")
REASONS: Final = {
    "silent": "the supervisor has been silent for {seconds:.0f} s",
    "unheard": "the supervisor has not been heard yet",
    "stopping": "the herd is stopping",
    "quiet": "the herd is quiet: nothing new is taken until the next SIGUSR2",
    "workers": "ready workers: {steady}, needed: {needed}",
    "brokers": "no broker answers",
    "lag": "the lag is unknown ({reason}), and no record was finished lately",
    "stuck": "{count} records are in flight, and none was finished for {seconds:.0f} s",
}


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of the snapshots. Times are monotonic seconds; before the first, `heard_at` is the start."""

    heard_at: float
    status: Status | None = None
    moved_at: float | None = None
    """When a record had last been finished."""
    known_at: float | None = None
    """When the lag was last known."""
    waiting_since: float | None = None
    """Since when records wait and none is finished."""


def hear(state: State, status: Status, now: float) -> State:
    """Return the state after a snapshot."""
    moved = state.status is not None and _finished(status) > _finished(state.status)
    waiting = status["totals"].get("buffered", 0) > 0 and not moved
    since = now if state.waiting_since is None else state.waiting_since
    return State(
        heard_at=now,
        status=status,
        moved_at=now if moved else state.moved_at,
        known_at=now if status["lag"]["valid"] else state.known_at,
        waiting_since=since if waiting else None,
    )


def silence(state: State, now: float) -> str | None:
    """Return why the herd is not known to live, None if it is."""
    seconds = now - state.heard_at
    return REASONS["silent"].format(seconds=seconds) if seconds > SILENT_SECONDS else None


def unready(state: State, now: float) -> list[str]:
    """Return why the herd is not ready, none if it is."""
    silent = silence(state, now)
    if silent is not None:
        return [silent]
    if state.status is None:
        return [REASONS["unheard"]]
    if state.status["readiness"]["stopping"]:
        return [REASONS["stopping"]]
    found = [_quiet(state.status), _workers(state.status), _brokers(state.status), _lag(state, state.status, now)]
    return [reason for reason in (*found, _stuck(state, state.status, now)) if reason is not None]


def _quiet(status: Status) -> str | None:
    return REASONS["quiet"] if status["readiness"]["quiet"] else None


def _workers(status: Status) -> str | None:
    steady = status["readiness"]["steady"]
    needed = min(max(1, status["readiness"]["quorum"]), status["workers"]["wanted"])
    return REASONS["workers"].format(steady=steady, needed=needed) if steady < needed else None


def _brokers(status: Status) -> str | None:
    return REASONS["brokers"] if status["brokers_reachable"] is False else None


def _lag(state: State, status: Status, now: float) -> str | None:
    lately = (at for at in (state.known_at, state.moved_at) if at is not None)
    if any(now - at <= LATELY_SECONDS for at in lately):
        return None
    return REASONS["lag"].format(reason=status["lag"]["reason"])


def _stuck(state: State, status: Status, now: float) -> str | None:
    if state.waiting_since is None:
        return None
    patience = max(LATELY_SECONDS, CALLS * status["readiness"]["handler_timeout"])
    seconds = now - state.waiting_since
    count = status["totals"].get("buffered", 0)
    return REASONS["stuck"].format(count=count, seconds=seconds) if seconds > patience else None


def _finished(status: Status) -> int:
    return sum(int(status["totals"].get(name, 0)) for name in FINISHED)
