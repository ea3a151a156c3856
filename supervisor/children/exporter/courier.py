"""Alerts on their way to one target, one after the other: tried, tried again, and given up in bounded time."""

import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from typing import Any, Final
from urllib.parse import urlsplit

from ....worker import clock, events, log
from ...decide.delivery import GiveUp, Policy, plan
from .attempt import LEASH, SCRIPT, Attempt, End
from .post import PERMANENT
from .spec import MOST_WAITING, ExporterSpec

ATTEMPT_SECONDS: Final = 10.0
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """Where alerts go: `command` gets `head` and then the document on its standard input.

    `explains`: its last line says why it failed, so that its exit code needs no word; `refusal` is the exit code that
    says that another attempt cannot help.
    """

    name: str
    where: str
    command: tuple[str, ...]
    head: bytes = field(default=b"", repr=False)
    explains: bool = False
    refusal: int | None = None


def targets(spec: ExporterSpec) -> list[Target]:
    """Return those that `spec` asks for; of an address only the host is ever shown."""
    found = []
    if spec.webhook is not None:
        post = (*SCRIPT, str(Path(LEASH).with_name("post.py")))
        host = urlsplit(spec.webhook).hostname or ""
        head = spec.webhook.encode() + b"\n"
        found.append(Target("webhook", f"webhook {host}", post, head, explains=True, refusal=PERMANENT))
    if spec.command is not None:
        found.append(Target("command", f"command {Path(spec.command[0]).name}", spec.command))
    return found


@dataclass(slots=True)
class Parcel:
    """One alert; `began` is when it was first tried, `again` when it is next (monotonic seconds)."""

    number: int
    document: Document
    began: float | None = None
    again: float = 0.0
    failures: int = 0


class Courier:
    """Delivers to one target. `done` is called with the number of each alert that it is through with."""

    def __init__(
        self,
        target: Target,
        done: Callable[[int], None],
        now: Callable[[], float] = clock.monotonic,
        *,
        policy: Policy | None = None,
        attempt: Callable[..., Attempt] = Attempt,
    ) -> None:
        self.target, self._done, self._now = target, done, now
        self._policy = policy or Policy()
        self._make = attempt
        self._rng = random.Random()
        self._waiting: deque[Parcel] = deque(maxlen=MOST_WAITING)
        self._parcel: Parcel | None = None
        self._attempt: Attempt | None = None

    def take(self, number: int, document: Document) -> None:
        """Deliver `document` after those taken before."""
        self._waiting.append(Parcel(number, document))

    @property
    def busy(self) -> bool:
        """Whether an attempt is under way."""
        return self._attempt is not None

    def files(self) -> list[int]:
        """Return the descriptors that are readable when `turn` has something to do."""
        return self._attempt.files() if self._attempt is not None else []

    def due(self) -> float | None:
        """Return when `turn` has something to do in any case, in monotonic seconds."""
        if self._attempt is not None:
            return self._attempt.due()
        return self._parcel.again if self._parcel is not None else None

    def turn(self) -> None:
        """Do what can be done without waiting."""
        now = self._now()
        if self._attempt is not None and (end := self._attempt.look(now)) is not None:
            self._attempt = None
            self._conclude(end, now)
        while self._attempt is None:
            if self._parcel is None and self._waiting:
                self._parcel = self._waiting.popleft()
            if self._parcel is None or now < self._parcel.again:
                return
            self._try(self._parcel, now)

    def close(self) -> None:
        """End an attempt that is under way."""
        if self._attempt is not None:
            self._attempt.end()
            self._attempt = None

    def _try(self, parcel: Parcel, now: float) -> None:
        parcel.began = now if parcel.began is None else parcel.began
        given = self.target.head + json.dumps(parcel.document).encode() + b"\n"
        try:
            self._attempt = self._make(self.target.command, given, now + ATTEMPT_SECONDS)
        except OSError as error:
            self._fail(parcel, f"no process for it: {error.strerror}", now, final=False)

    def _conclude(self, end: End, now: float) -> None:
        parcel = self._parcel
        assert parcel is not None
        if end.code == 0:
            alert, state = parcel.document["alert"], parcel.document["state"]
            log.emit(events.ALERT_DELIVERED, alert=alert, state=state, target=self.target.where)
            self._finish(parcel)
        else:
            final = end.code is not None and end.code == self.target.refusal
            self._fail(parcel, self._reason(end), now, final=final)

    def _fail(self, parcel: Parcel, reason: str, now: float, *, final: bool) -> None:
        parcel.failures += 1
        began = now if parcel.began is None else parcel.began
        answer = plan(self._policy, parcel.failures, final=final, began=began, now=now, rng=self._rng)
        given_up = isinstance(answer, GiveUp)
        log.emit(
            events.ALERT_FAILED,
            alert=parcel.document["alert"],
            state=parcel.document["state"],
            target=self.target.where,
            reason=reason,
            next=f"given up: {answer.reason}"
            if isinstance(answer, GiveUp)
            else f"tried again in {answer.at - now:.1f} s",
        )
        if given_up:
            self._finish(parcel)
        elif not isinstance(answer, GiveUp):
            parcel.again = answer.at

    def _finish(self, parcel: Parcel) -> None:
        self._parcel = None
        self._done(parcel.number)

    def _reason(self, end: End) -> str:
        if end.code is None:
            late = f"not finished within {ATTEMPT_SECONDS:g} s"
            return f"{late}, killed: {end.said}" if end.said else f"{late}, killed"
        if end.said and self.target.explains:
            return end.said
        how = f"exit code {end.code}" if end.code >= 0 else f"killed by {_signal(-end.code)}"
        return f"{how}: {end.said}" if end.said else how


def _signal(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:  # a real-time signal that Python does not name
        return f"signal {number}"
