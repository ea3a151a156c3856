"""Looks at every worker once a second, and has those dealt with that hang."""

from collections import deque
from collections.abc import Mapping
from typing import Final

from ..worker import clock, events, log
from ..worker.properties import max_poll_interval
from ..worker.spec import WorkerSpec
from .decide import child as machine
from .decide.child import State
from .decide.hang import COMMIT_TRIES, JOIN_MARGIN, Limits, Sight, name_hang, overdue
from .decide.suspension import Gap, postpone
from .hangings import Hangings
from .molds import Molds
from .nursery import Nursery
from .passage import Passage
from .slot import Slot

WATCHED: Final = frozenset({State.BARRIER, State.JOINING, State.READY, State.DRAINING})
GAPS: Final = 16
"""Suspensions that are remembered; a call that lasts over more of them is a hang a little earlier."""
SOCKET_TIMEOUT: Final = "socket.timeout.ms"
SOCKET_TIMEOUT_MS: Final = 60_000.0
"""librdkafka's default."""


class Watcher:
    """Finds what hangs; it remembers when the supervisor did not run, and since when brokers answer."""

    def __init__(
        self, nursery: Nursery, slots: Mapping[int, Slot], molds: Molds, hangings: Hangings, passage: Passage
    ) -> None:
        self._nursery, self._slots, self._molds = nursery, slots, molds
        self._hangings, self._passage = hangings, passage
        self._gaps: deque[Gap] = deque(maxlen=GAPS)
        self._answering_since: float | None = None

    def watch(self, now: float, *, reachable: bool | None) -> None:
        """Deal with who hangs; `reachable`: whether brokers answer the liaison, None: not known."""
        if reachable is not True:
            self._answering_since = None
        elif self._answering_since is None:
            self._answering_since = now
        answering = 0.0 if self._answering_since is None else now - self._answering_since
        calling = False
        for slot in self._slots.values():
            if slot.papers is not None and slot.handle.child.state in WATCHED:
                sight = slot.sight(tuple(self._gaps))
                self._judge(slot, sight, limits_of(self._molds.spec(slot.papers.generation)), answering)
                calling = calling or bool(sight.calls)
        if calling:
            self._passage.remember(now)

    def _judge(self, slot: Slot, sight: Sight, limits: Limits, answering: float) -> None:
        reason = name_hang(sight, limits, answering)
        if reason is None:
            return
        late = overdue(sight, limits)
        handled = self._passage.since(clock.monotonic() - max((call.seconds for call in late), default=0.0))
        self._hangings.seen(slot, {call.where for call in late}, handled)
        log.emit(events.CHILD_HANGS, child=slot.handle.name, child_pid=slot.handle.pid, reason=reason)
        self._nursery.feed(slot.handle, machine.Hang(reason))

    def resume(self, now: float, seconds: float, *, stopping: bool) -> None:
        """Give back what was lost: the supervisor has not run for the last `seconds`, nor has any limit."""
        log.emit(events.SUSPENDED, seconds=seconds)
        self._gaps.append(Gap(now, seconds))
        self._answering_since = None
        for handle in self._nursery.handles.values():
            handle.child = postpone(handle.child, seconds, stopping=stopping)


def limits_of(spec: WorkerSpec) -> Limits:
    """Return the limits of a generation."""
    kafka = spec.kafka
    patience = float(kafka.consumer.get(SOCKET_TIMEOUT, kafka.client.get(SOCKET_TIMEOUT, SOCKET_TIMEOUT_MS)))
    return Limits(
        handler=spec.handler_timeout,
        joining=max_poll_interval(spec.handler_timeout) + JOIN_MARGIN,
        commit=COMMIT_TRIES * patience / 1000,
        closing=spec.stop_timeout,
    )
