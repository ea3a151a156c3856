"""The demo's five acts. Every number in a sentence is measured."""

import os
import signal
from typing import Any, Final

from ...worker import clock
from .accounting import Account, Kill, account, gap
from .folder import Folder
from .herd import DEAD_LETTER_TOPIC, TOPIC, Herd
from .show import Show
from .stage import DemoError, Interrupts, Stage
from .stream import RATE, DeadLetters, Source, partitions_of

BEFORE: Final = 2
AFTER: Final = 4
START_SECONDS: Final = 30.0
PATIENCE: Final = 20.0
FLOW_SECONDS: Final = 4.0
PAUSE_SECONDS: Final = 3.0
LETTERS: Final = 40
"""Dead letters waited for in the second act."""


class Story:
    """One showing, from the first process to the account."""

    def __init__(self, folder: Folder, interrupts: Interrupts, show: Show) -> None:
        self.show = show
        self.herd = Herd(folder, BEFORE)
        self._stage = Stage(self.herd, interrupts, show)
        self._kills: list[Kill] = []
        self._crashes = 0

    def play(self) -> Account:
        """Show everything, have everything ended, and return the account.

        Raises:
            DemoError: something did not happen.
            InterruptedDemoError: a signal came.
        """
        self._start()
        self._steady_flow()
        self._poison()
        self._kill()
        self._rescale()
        self._stop()
        ledger, dead, source = self._stage.ledger, self._stage.dead, self._stage.source
        assert dead is not None
        assert source is not None
        ledger.read()
        return account(source.stream(), ledger.entries, dead.keys, self._kills, self._crashes)

    def close(self) -> None:
        """Give the clients back."""
        if self._stage.dead is not None:
            self._stage.dead.close()

    def _start(self) -> None:
        stage, began = self._stage, clock.monotonic()
        self.show.act(0, "Start")
        stage.until(lambda: self._ready(BEFORE), START_SECONDS, f"{BEFORE} workers are ready")
        broker = stage.status["services"]["broker"]
        bootstrap = broker["bootstrap"]
        partitions = partitions_of(bootstrap, (TOPIC, DEAD_LETTER_TOPIC), PATIENCE)
        stage.source = Source(bootstrap, TOPIC, partitions[TOPIC])
        stage.dead = DeadLetters(bootstrap, DEAD_LETTER_TOPIC, partitions[DEAD_LETTER_TOPIC])
        self.show.say(
            f"`kherd run` is up in {clock.monotonic() - began:.1f} s: supervisor {self.herd.pid}, embedded broker "
            f"{broker['pid']} at {bootstrap}, workers {_listed(self._pids())}, {partitions[TOPIC]} partitions."
        )

    def _steady_flow(self) -> None:
        stage = self._stage
        self.show.act(1, "Steady flow")
        stage.flow(FLOW_SECONDS)
        handled = len(stage.ledger.entries)
        stage.until(lambda: len(stage.ledger.entries) > handled, PATIENCE, "records are handled")
        pids = {entry.pid for entry in stage.ledger.entries}
        self.show.say(
            f"{RATE} records per second flow in; {len(stage.ledger.entries):,} are handled so far, "
            f"by {len(pids)} workers."
        )
        stage.flow(PAUSE_SECONDS)

    def _poison(self) -> None:
        stage, dead = self._stage, self._stage.dead
        assert dead is not None
        assert stage.source is not None
        self.show.act(2, "Poison")
        stage.source.with_poison = True
        handled = len(stage.ledger.entries)
        stage.until(
            lambda: len(dead.letters) >= LETTERS, PATIENCE, f"{LETTERS} dead letters are in {DEAD_LETTER_TOPIC}"
        )
        letter = dead.letters[0]
        self.show.say(
            f"{len(dead.letters)} records could not be read and are in {DEAD_LETTER_TOPIC} ({letter.key} from "
            f"{letter.origin}: {letter.error}); meanwhile {len(stage.ledger.entries) - handled:,} others were handled."
        )
        stage.flow(PAUSE_SECONDS)

    def _kill(self) -> None:
        stage = self._stage
        self.show.act(3, "kill -9")
        victim = next(slot for slot in stage.status["slots"] if slot["partitions"] and slot["pid"] is not None)
        pid, partitions = victim["pid"], frozenset(one["partition"] for one in victim["partitions"])
        before = stage.status["restarts"]
        at = clock.monotonic_ns()
        os.kill(pid, signal.SIGKILL)
        mark = len(stage.ledger.entries)
        stage.until(
            lambda: (
                stage.status["restarts"] > before
                and self._ready(BEFORE)
                and {one.partition for one in stage.ledger.entries[mark:] if one.pid != pid} >= partitions
            ),
            PATIENCE,
            f"the partitions of worker {pid} are handled by others",
        )
        successor = next(slot for slot in stage.status["slots"] if slot["slot"] == victim["slot"])
        silence = gap(stage.ledger.entries, Kill(at, partitions, clock.monotonic_ns())) / clock.NANOSECONDS
        self.show.say(
            f"Worker {pid} was killed; worker {successor['pid']} took its slot, and its {len(partitions)} partitions "
            f"were silent for {silence:.2f} s (this broker waits for its session timeout; a real Kafka is told)."
        )
        stage.flow(PAUSE_SECONDS)
        self._kills.append(Kill(at, partitions, clock.monotonic_ns()))

    def _rescale(self) -> None:
        stage = self._stage
        self.show.act(4, "SIGHUP")
        old, began, mark = self._pids(), clock.monotonic(), len(stage.ledger.entries)
        self.herd.configure(AFTER)
        self.herd.signal(signal.SIGHUP)
        stage.until(lambda: self._ready(AFTER), PATIENCE, f"{AFTER} workers are ready")
        took = clock.monotonic() - began
        stage.until(
            lambda: {one.pid for one in stage.ledger.entries[mark:]} >= self._pids(),
            PATIENCE,
            "every worker handles records",
        )
        kept = old & self._pids()
        if kept != old:
            raise DemoError(
                f"the workers {_listed(old)} should have been left alone; now there are {_listed(self._pids())}"
            )
        self.show.say(
            f"The file says {AFTER} workers now: after SIGHUP there are {AFTER} in {took:.1f} s, and the {len(kept)} "
            "that were there were not touched."
        )
        stage.flow(PAUSE_SECONDS)

    def _stop(self) -> None:
        """Let the stream end, read back what was put aside while the broker lives, then stop the daemon."""
        stage = self._stage
        assert stage.source is not None
        assert stage.dead is not None
        source, dead = stage.source, stage.dead
        self.show.act(5, "Graceful stop")
        source.finish()
        sent = source.stream()
        # What is missing even then is lost: the account will say so.
        stage.within(lambda: stage.ledger.keys | set(dead.keys) >= sent.good | sent.poison, PATIENCE)
        self._crashes = _crashes(self.herd.status() or stage.status)
        began = clock.monotonic()
        self.herd.signal(signal.SIGTERM)
        code = stage.ended(PATIENCE)
        took = clock.monotonic() - began
        uncommitted = [line["uncommitted"] for line in self.herd.told("drained")]
        if code != 0 or self.herd.left() or uncommitted != [0] * AFTER:
            raise DemoError(
                f"not a graceful stop: exit code {code}, {len(self.herd.left())} processes left, records finished but "
                f"not committed by each worker: {uncommitted}"
            )
        self.show.say(
            f"SIGTERM: {AFTER} workers finished what they held and left in {took:.1f} s with nothing uncommitted; "
            "exit code 0, no process left."
        )

    def _ready(self, count: int) -> bool:
        workers: dict[str, Any] = self._stage.status.get("workers", {})
        return bool(workers) and workers["ready"] == workers["wanted"] == count

    def _pids(self) -> set[int]:
        return {slot["pid"] for slot in self._stage.status["slots"] if slot["pid"] is not None}


def _crashes(status: dict[str, Any]) -> int:
    """Return the deaths that nobody asked the supervisor for: by signal, exit code, memory or hang."""
    deaths: dict[str, int] = status["deaths"]
    return sum(count for cause, count in deaths.items() if cause != "stop")


def _listed(pids: set[int]) -> str:
    return " and ".join(map(str, sorted(pids)))
