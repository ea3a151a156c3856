"""Whether a worker hangs, by what its board shows: each thing it may be doing has a limit of its own.

| what | limit |
| --- | --- |
| booting | `workers.start_timeout`, a deadline in the child's machine |
| joining the group | max.poll.interval + JOIN_MARGIN, of time in which brokers answer |
| a call of the handler | `workers.handler_timeout` |
| a commit that waits for its answer | three times librdkafka's own limit, of time in which brokers answer |
| a commit for a revocation | REVOKE_SECONDS |
| the handler's `close` | `stop.timeout` |
| draining | the deadline of its stop, in the child's machine |
| anything else, and joining and draining too | SILENT_SECONDS without a heartbeat |

Who is inside the handler shows no heartbeat, and is judged by that call's time; everybody else shows one ten times a
second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

REVOKE_SECONDS: Final = 10.0
"""A commit for a revocation is one call into librdkafka, which may last for a minute when brokers are gone."""
SILENT_SECONDS: Final = 15.0
"""A hundred and fifty heartbeats; Kafka's own session timeout is three times that."""
JOIN_MARGIN: Final = 60.0
"""A classic group answers a join when every member has joined again, and waits for each for its max.poll.interval; a
KIP-848 group answers at once, and has the same time to make members give partitions back. librdkafka itself gives a
JoinGroup up after max.poll.interval + 3 s, then starts over."""
COMMIT_TRIES: Final = 3
"""librdkafka fails a request without an answer after socket.timeout.ms: a commit that waits for three of these has been
forgotten."""


@dataclass(frozen=True, slots=True)
class Limits:
    """One generation's limits, in seconds: for a call, for joining, for a commit's answer, for the handler's close."""

    handler: float
    joining: float
    commit: float
    closing: float


@dataclass(frozen=True, slots=True)
class Call:
    """A handler call under way: where, as `topic[partition]@offset`, and for how many seconds."""

    where: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Sight:
    """What a board shows; all in seconds. None: it does not do that now.

    `silent`: without a heartbeat; `revoking`: in a commit for a revocation; `closing`: in the handler's `close`;
    `joining`: since it was let through the barrier; `commit`: how long the worker has waited for a commit's answer,
    calls of the handler not counted.
    """

    calls: Sequence[Call]
    silent: float
    revoking: float | None = None
    closing: float | None = None
    joining: float | None = None
    commit: float = 0.0


def name_hang(sight: Sight, limits: Limits, answering: float) -> str | None:
    """Return what has taken too long, None if nothing has; brokers have answered for the last `answering` seconds."""
    return _name_call(sight, limits) or _name_silence(sight, limits) or _name_wait(sight, limits, answering)


def overdue(sight: Sight, limits: Limits) -> list[Call]:
    """Return the calls that have taken too long."""
    return [call for call in sight.calls if call.seconds > limits.handler]


def _name_call(sight: Sight, limits: Limits) -> str | None:
    for call in sight.calls:
        if call.seconds > limits.handler:
            over = f"over handler_timeout {limits.handler:g} s"
            return f"the handler has been at {call.where} for {call.seconds:.1f} s, {over}"
    return None


def _name_silence(sight: Sight, limits: Limits) -> str | None:
    """Return where it is outside the handler and shows no heartbeat; two such places have their own limits."""
    if sight.revoking is not None:
        late, what = sight.revoking > REVOKE_SECONDS, f"committing for a revocation has taken {sight.revoking:.1f} s"
    elif sight.closing is not None:
        over = f"over stop.timeout {limits.closing:g} s"
        late, what = sight.closing > limits.closing, f"the handler's close has taken {sight.closing:.1f} s, {over}"
    else:
        late = sight.silent > SILENT_SECONDS and not sight.calls
        what = f"nothing has been seen of it for {sight.silent:.1f} s, outside the handler"
    return what if late else None


def _name_wait(sight: Sight, limits: Limits, answering: float) -> str | None:
    """Return what it has waited for too long of the brokers, who have answered others all the time."""
    if sight.joining is not None and min(sight.joining, answering) > limits.joining:
        return f"the group has not taken it in for {sight.joining:.0f} s, while brokers answered"
    if min(sight.commit, answering) > limits.commit:
        return f"a commit has been without an answer for {sight.commit:.0f} s, while brokers answered others"
    return None
