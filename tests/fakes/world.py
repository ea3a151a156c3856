"""A herd, its handler and what that depends on, in simulated time: only who judges failures is the real thing.

Workers do as `worker.appeals` and the record loop do: one record at a time, a failed one keeps its partition waiting.
"""

import random
from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kherd.supervisor.outages import Outages
from kherd.worker.decide.retry import Again, GiveUp, Policy, State, failed

HEARS_EVERY = 0.1
IDLE = 0.5
Verdict = str | None
"""The fingerprint of what a handler raises, None if it returns."""
Handler = Callable[[int, int, float], Verdict]
"""Of partition, offset and time in seconds."""


@dataclass
class Line:
    """One partition at its worker; `failing` is the record it waits for."""

    length: int
    at: int = 0
    state: State = field(default_factory=State)
    kind: Verdict = None
    due: float | None = None
    waits: bool = False
    probing: bool = False


class World:
    """`workers` workers with `partitions` partitions of `length` records each; a call takes `seconds`."""

    def __init__(
        self,
        handler: Handler,
        *,
        workers: int,
        partitions: int,
        length: int,
        seed: int = 0,
        seconds: float = 0.002,
        policy: Policy | None = None,
    ) -> None:
        self.handler, self.workers, self.seconds = handler, workers, seconds
        self.policy = policy or Policy(10, 1.0, 60.0, "dead_letter")
        self.rng = random.Random(seed)
        self.lines = [Line(length) for _ in range(partitions)]
        self.now = 0.0
        self.handled: set[tuple[int, int]] = set()
        self.dead: dict[tuple[int, int], float] = {}
        self.calls_while_open = 0
        self.open: set[str] = set()
        self.opened: list[float] = []
        self._mail: list[tuple[float, int | None, dict[str, Any]]] = []
        self._turn = Tally[int]()
        self.outages = Outages(self, self._say, self._say_all, lambda: self.now)  # type: ignore[arg-type] # as Passage
        self.outages.adopt(self.policy.backoff_initial, self.policy.backoff_max, 20.0)

    def totals(self) -> dict[str, int]:
        return {"t": len(self.handled)}

    def has(self, index: int) -> set[tuple[str, int]]:
        return {("t", number) for number in range(len(self.lines)) if number % self.workers == index}

    def _say(self, slot: int, message: dict[str, Any]) -> None:
        self._mail.append((self.now + self.rng.random() * HEARS_EVERY, slot, message))

    def _say_all(self, message: dict[str, Any]) -> None:
        if len(message["open"]) > len(self.open):
            self.opened.append(self.now)
        self.open = set(message["open"])
        for slot in range(self.workers):
            self._say(slot, message)

    def run(self, until: float) -> "World":
        """Let time pass; a worker that has nothing to do looks again soon."""
        free = [self.now + self.rng.random() * self.seconds for _ in range(self.workers)]
        known: list[set[str]] = [set() for _ in range(self.workers)]
        tick = self.now + 1.0
        while self.now < until and not self.done:
            slot = min(range(self.workers), key=free.__getitem__)
            self.now = max(self.now, min(free[slot], tick))
            if self.now >= tick:
                self.outages.tick(self.now, len(self.handled), idle=False)
                tick += 1.0
                continue
            self._hear(slot, known[slot])
            number = self._next(slot)
            if number is None:
                free[slot] = self._idle_until(slot)
            else:
                free[slot] = self.now + self.seconds * self.rng.uniform(0.5, 1.5)
                self.now = free[slot]
                self._call(slot, number, known[slot])
        return self

    @property
    def done(self) -> bool:
        return all(line.at >= line.length for line in self.lines)

    def _mine(self, slot: int) -> range:
        return range(slot, len(self.lines), self.workers)

    def _next(self, slot: int) -> int | None:
        """Return the partition whose record is tried next: a retry that is due, else the next in turn."""
        mine = [number for number in self._mine(slot) if self.lines[number].at < self.lines[number].length]
        ripe = [one for one in mine if (due := self.lines[one].due) is not None and due <= self.now]
        fresh = [one for one in mine if self.lines[one].kind is None]
        if ripe:
            return min(ripe, key=lambda one: self.lines[one].due or 0.0)
        if not fresh:
            return None
        self._turn[slot] += 1
        return fresh[self._turn[slot] // 50 % len(fresh)]

    def _idle_until(self, slot: int) -> float:
        """Return when a worker that has nothing to do looks again: when it hears something, or a retry is due."""
        dues = [line.due for line in (self.lines[number] for number in self._mine(slot)) if line.due is not None]
        heard = [at for at, to, _ in self._mail if to == slot]
        return max(self.now, min([*dues, *heard, self.now + IDLE]))

    def _call(self, slot: int, number: int, known: set[str]) -> None:
        line = self.lines[number]
        verdict = self.handler(number, line.at, self.now)
        if verdict is None:
            self.handled.add((number, line.at))
            self._pass(slot, number, "handled")
            return
        if verdict != line.kind or line.probing:
            line.kind, line.probing = verdict, False
            self._tell("failing", slot, number)
        if verdict in known:
            line.waits, line.due = True, None
            return
        line.state, answer = failed(self.policy, line.state, now=self.now, after=None, rng=self.rng)
        if isinstance(answer, GiveUp):
            line.due = self.now + self.policy.backoff_max
            self._tell("exhausted", slot, number)
        else:
            assert isinstance(answer, Again)
            line.due = self.now + answer.seconds

    def _pass(self, slot: int, number: int, how: str) -> None:
        line = self.lines[number]
        if line.kind is not None:
            self._tell("settled", slot, number, how=how)
        self.lines[number] = Line(line.length, line.at + 1)

    def _tell(self, what: str, slot: int, number: int, **more: Any) -> None:
        line = self.lines[number]
        told = {"fingerprint": line.kind, "error": line.kind, "key": None}
        self.outages.hear(slot, {"type": what, "topic": "t", "partition": number, "offset": line.at, **told, **more})

    def _hear(self, slot: int, known: set[str]) -> None:
        mine = [one for one in self._mail if one[1] == slot and one[0] <= self.now]
        self._mail = [one for one in self._mail if one not in mine]
        for _, _, message in mine:
            if message["type"] == "outages":
                known.clear()
                known.update(message["open"])
                for number in self._mine(slot):
                    self._follow(self.lines[number], known)
            else:
                self._obey(slot, message)

    def _follow(self, line: Line, known: set[str]) -> None:
        if line.kind in known:
            line.waits, line.due = True, None
        elif line.waits:
            line.waits, line.due = False, self.now

    def _obey(self, slot: int, message: dict[str, Any]) -> None:
        number = message["partition"]
        line = self.lines[number]
        if line.at != message["offset"] or line.kind is None:
            return
        if message["type"] == "put_aside" and line.due is not None:
            self.dead[(number, line.at)] = self.now
            self._pass(slot, number, "aside")
        elif message["type"] == "probe":
            line.probing, line.due = True, self.now
