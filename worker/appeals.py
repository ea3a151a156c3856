"""Failures that nobody has classified are told to the supervisor, who sees all workers, and knows poison from outage.

While it takes a kind of failure for an outage, who failed so waits, without an attempt counted. A record whose attempts
are exhausted is put aside when it says so. As long as it says nothing a record is held, so that nothing is lost.
"""

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from . import clock, events, log
from .channel import Message
from .deadletter import fingerprint_of, line_of
from .keeper import Keeper
from .partition import Partition
from .rulings import Rulings
from .trouble import Trouble

Place = tuple[str, int, int]


class Appeals:
    """The records that failed and are not settled. `wait` is how long one is held, `idle` tells if nothing is begun."""

    def __init__(
        self,
        *,
        wait: float,
        keeper: Keeper,
        rulings: Rulings,
        send: Callable[[Message], None],
        idle: Callable[[], bool],
    ) -> None:
        self._seconds = wait
        self._keeper = keeper
        self._rulings = rulings
        self._send = send
        self._idle = idle
        self.put_aside: Callable[[Partition, Trouble], None] = lambda _, __: None
        """Dead-letters a record."""
        self._cases: dict[Place, tuple[Partition, Trouble]] = {}
        self._open = rulings.open

    def waits(self, partition: Partition, case: Trouble, *, guarded: bool) -> bool:
        """Tell of a failure; return whether it is one of an outage: then `case` waits for the end of that.

        One that is `guarded` came through a circuit breaker, which is to tell whether there is an outage.
        """
        assert case.error is not None
        kind = fingerprint_of(case.error)
        if kind != case.fingerprint or case.probing:
            case.fingerprint, case.probing = kind, False
            self._cases[_place(partition, case)] = (partition, case)
            if not guarded:
                self._say("failing", partition, case)
        if guarded or kind not in self._rulings.open:
            return False
        self._wait(partition, case)
        self._keeper.keep(partition, case)
        return True

    def ask(self, partition: Partition, case: Trouble) -> None:
        """Hold a record whose attempts are exhausted until the supervisor answers."""
        case.due = clock.monotonic() + self._seconds
        self._keeper.keep(partition, case)
        self._say("exhausted", partition, case)

    def settled(self, partition: Partition, case: Trouble) -> None:
        """Tell what has become of a record that had failed."""
        self._end(partition, case, "handled" if case.letter is None else "aside")

    def excuse(self, partition: Partition, case: Trouble) -> None:
        """Tell that `case` failed in a way that needs no verdict."""
        self._end(partition, case, "other")

    def look(self) -> None:
        """Act on what the supervisor has said."""
        for message, place in self._rulings.collect():
            partition, case = self._cases.get(place, (None, None))
            if partition is None or case is None or not partition.owned:
                self._cases.pop(place, None)
                self._answer(place, "gone")
            else:
                self._obey(message, partition, case)
        if self._rulings.open is not self._open:
            self._open = self._rulings.open
            for place, (partition, case) in list(self._cases.items()):
                if not partition.owned:
                    del self._cases[place]
                else:
                    self._follow(partition, case)

    def _obey(self, message: Message, partition: Partition, case: Trouble) -> None:
        match message["type"]:
            case "put_aside" if _at_rest(case):
                case.diverted, case.due = True, None
                self.put_aside(partition, case)
            case "hold" if not case.state.held:
                case.state = replace(case.state, held=True)
                log.emit(
                    events.RECORD_HELD, **_where(partition, case), attempts=case.state.failures,
                    attempt=case.state.failures, error=case.error, reason=message["reason"],
                )  # fmt: skip
            case "probe":
                self._probe(partition, case)

    def _probe(self, partition: Partition, case: Trouble) -> None:
        free = case.waits and not case.probing and self._keeper.leads(partition, case)
        if not free or partition.halted or self._idle():
            self._answer(_place(partition, case), "not_now")
            return
        case.probing, case.due = True, clock.monotonic()

    def _follow(self, partition: Partition, case: Trouble) -> None:
        """Let `case` wait, or have it tried again, as its kind is an outage or not."""
        if case.fingerprint in self._open and _at_rest(case):
            self._wait(partition, case)
        elif case.waits and case.fingerprint not in self._open:
            case.waits = False
            case.due = case.due if case.probing else clock.monotonic()

    def _wait(self, partition: Partition, case: Trouble) -> None:
        assert case.error is not None
        case.due = None
        if not case.waits:
            case.waits = True
            log.emit(events.RECORD_WAITS, **_where(partition, case), reason=line_of(case.error))

    def _end(self, partition: Partition, case: Trouble, how: str) -> None:
        if case.fingerprint is not None:
            self._cases.pop(_place(partition, case), None)
            case.fingerprint, case.probing, case.waits = None, False, False
            self._answer(_place(partition, case), how)

    def _say(self, kind: str, partition: Partition, case: Trouble) -> None:
        assert case.error is not None
        told = {"fingerprint": case.fingerprint, "error": line_of(case.error), "key": _key(case)}
        self._send({"type": kind, **_where(partition, case), **told})

    def _answer(self, place: Place, how: str) -> None:
        topic, partition, offset = place
        self._send({"type": "settled", "topic": topic, "partition": partition, "offset": offset, "how": how})


def _at_rest(case: Trouble) -> bool:
    """Whether `case` only waits for its time: else it has a letter, or what its handler returned is on its way."""
    return case.due is not None and case.letter is None


def _place(partition: Partition, case: Trouble) -> Place:
    return (*partition.key, case.offset)


def _where(partition: Partition, case: Trouble) -> dict[str, Any]:
    return {"topic": partition.topic, "partition": partition.number, "offset": case.offset}


def _key(case: Trouble) -> int | None:
    key = case.message.key()
    return zlib.crc32(key) if isinstance(key, bytes) else None
