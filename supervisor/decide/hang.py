"""Whether a worker hangs, by what its board shows: each thing it may be doing has a limit of its own.

Who is inside the handler is judged by that call's time alone, however long nothing else is seen of it. Everybody else
shows a heartbeat ten times a second. Starting and draining have their deadlines in the child's machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

REVOKE_SECONDS: Final = 10.0
"""A commit for a revocation is one call into librdkafka, which may last for a minute when brokers are gone."""
SILENT_SECONDS: Final = 15.0
"""A hundred and fifty heartbeats; Kafka's own session timeout is three times that."""


@dataclass(frozen=True, slots=True)
class Call:
    """A handler call under way: where, as `topic[partition]@offset`, and for how many seconds."""

    where: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Sight:
    """What a board shows: calls, seconds of a commit for a revocation (None: none), seconds without a heartbeat."""

    calls: Sequence[Call]
    revoking: float | None
    silent: float


def name_hang(sight: Sight, handler_timeout: float) -> str | None:
    """Return what has taken too long, None if nothing has."""
    for call in sight.calls:
        if call.seconds > handler_timeout:
            over = f"over handler_timeout {handler_timeout:g} s"
            return f"the handler has been at {call.where} for {call.seconds:.1f} s, {over}"
    if sight.revoking is not None:
        if sight.revoking > REVOKE_SECONDS:
            return f"committing for a revocation has taken {sight.revoking:.1f} s"
        return None
    if not sight.calls and sight.silent > SILENT_SECONDS:
        return f"nothing has been seen of it for {sight.silent:.1f} s, outside the handler"
    return None
