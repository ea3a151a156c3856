"""The records that workers have died with: blamed at each death, kept in the state folder, told to the workers.

The file is written before the workers are told, and they before the successor may start: so a suspect runs only after
its deaths are counted, whoever dies next. Which deaths blame whom is `decide.blame`, what follows `decide.suspects`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ..worker import clock, events, log
from ..worker import suspects as telling
from ..worker.boardentries import identities_of
from ..worker.boardview import InFlight, partitions_of
from ..worker.channel import Message
from ..worker.decide import diversion
from ..worker.decide.handover import Identity
from ..worker.decide.pressure import Key
from ..worker.decide.suspects import Suspect, Verdict
from . import coroner
from .decide import suspects as decide
from .decide.blame import Excuses, blames, excuse
from .decide.cause import Cause
from .decide.halts import DocumentError
from .hangings import Hangings
from .process.handle import Process
from .slot import Slot
from .statefile import StateFile

FILE: Final = "suspects.json"
SHOWN: Final = 100
"""Suspects in the status document, those with the most deaths."""
PRICE: Final = diversion.Policy()


class Suspects:
    """All suspects. `tell` gets a message for every worker that may have joined."""

    def __init__(self, tell: Callable[[Message], None]) -> None:
        self._tell = tell
        self._file: StateFile | None = None
        self._app = ""
        self._suspects: decide.Suspects = ()
        self._excuses = Excuses()
        self._earned = diversion.fresh(PRICE)
        self._handled = 0
        self.hangings = Hangings()
        self.most: Callable[[], int] = lambda: 3
        """After how many deaths a record is condemned: `errors.max_crashes` in force."""

    def keep(self, folder: Path, app: str) -> None:
        """Keep them in `folder` from here on, and go on with those that are kept there."""
        self._file, self._app = StateFile(folder / FILE), app
        try:
            self._suspects = self._file.read(lambda document: decide.from_document(document, app)) or ()
        except DocumentError as error:
            log.emit(events.SUSPECTS_IGNORED, path=str(self._file.path), reason=str(error))

    def greet(self) -> Iterator[Message]:
        """Yield what a worker has to know before it joins."""
        if self._suspects:
            yield from telling.messages(self._suspects)

    def died(self, slot: Slot, process: Process, cause: Cause, stacks: str, timeout: float) -> bool:
        """Blame whom the death of a slot's worker is to be blamed on; return whether it is no failed start of the slot.

        `stacks` is what it wrote at last, `timeout` its handler_timeout in seconds.
        """
        assert slot.papers is not None
        board = slot.papers.board
        accused = _suspects(self._guilty(slot, process, cause, stacks, timeout), identities_of(board))
        if not accused:
            return False
        done = {(one.topic, one.partition): one.done for one in partitions_of(board) if one.done is not None}
        before = decide.pass_by(self._suspects, done)
        report = coroner.report(slot.handle.name, process, cause, stacks)
        after, told = decide.accuse(before, accused, report)
        for one in told:
            log.emit(events.SUSPECTED, child=slot.handle.name, **_where(one), crashes=one.crashes, most=self.most())
        self._change(after)
        if cause.kind == "hang":
            self.hangings.blame(process.pid, told)
        known = decide.is_known(before, accused)
        self._excuses, excused = excuse(self._excuses, known=known, now=clock.monotonic())
        return excused

    def _guilty(self, slot: Slot, process: Process, cause: Cause, stacks: str, timeout: float) -> Collection[InFlight]:
        """Return the calls that the death is blamed on."""
        scope = blames(cause.kind, asked=process.asked)
        if scope != "late":
            return slot.in_flight() if scope == "all" else ()
        late = self.hangings.late(process.pid, slot.in_flight(), stacks)
        echo = self.hangings.echo(process.pid, timeout, self.most()) if late else None
        if echo is None:
            return late
        log.emit(events.HANG_IS_OUTAGE, child=slot.handle.name, reason=echo.reason)
        if echo.blamed:
            self._change(decide.forgive(self._suspects, echo.blamed))
        return ()

    def left(self, slot: int, calls: Iterable[InFlight], identities: Mapping[str, Identity]) -> None:
        """Have those run alone with which a worker of an earlier supervisor ended: whether by them is not known."""
        before = self._suspects
        after = decide.suspect(before, _suspects(calls, identities))
        for one in after[len(before) :]:
            log.emit(events.SUSPECTED, child=f"worker {slot}", **_where(one), crashes=0, most=self.most())
        self._change(after)

    def acquitted(self, message: Message) -> None:
        """Take a worker's word that the call for a suspect has ended, or that its partition has gone on."""
        suspect = telling.heard(message)
        if suspect is not None:
            self._change(decide.acquit(self._suspects, suspect))

    def committed(self, offsets: Mapping[Key, int | None]) -> None:
        """Let go of what the group has committed, as the lag's reading says."""
        self._change(decide.commit_by(self._suspects, offsets))

    def tick(self, handled: int) -> None:
        """Once a second: `handled` records in all earn further quarantines."""
        if handled > self._handled:
            self._earned = diversion.earn(PRICE, self._earned, handled - self._handled)
            self._handled = handled
        if any(one.verdict is not Verdict.CONDEMNED and one.crashes for one in self._suspects):
            self._change(self._suspects)

    def document(self) -> list[dict[str, Any]]:
        """Return the `suspects` part of the status document, the worst first."""
        worst = sorted(self._suspects, key=lambda one: one.crashes, reverse=True)
        return [coroner.row(one) for one in worst[:SHOWN]]

    def problems(self) -> list[str]:
        """Return a sentence for each record that waits to be put aside."""
        return [
            f"{one.topic}[{one.partition}]@{one.first} has killed {one.crashes} processes and its partition waits:"
            f" {self._why()}"
            for one in self._suspects
            if one.verdict is Verdict.HELD
        ][:SHOWN]

    def _why(self) -> str:
        needed = PRICE.cost - self._earned.tokens
        return f"too many records have been put aside, the next one may be after {needed} more are handled"

    def _change(self, wanted: decide.Suspects) -> None:
        """Judge, keep and tell `wanted`, if anything has changed."""
        before = self._suspects
        wanted = decide.judge(wanted, self.most(), self._earned.tokens // PRICE.cost)
        if wanted == before:
            return
        self._suspects = wanted
        for one in decide.newly(before, wanted, Verdict.CONDEMNED):
            self._earned = diversion.spend(PRICE, self._earned) or self._earned
            cause = one.report.cause if one.report else ""
            log.emit(events.QUARANTINED, **_where(one), crashes=one.crashes, reason=cause)
        for one in decide.newly(before, wanted, Verdict.HELD):
            log.emit(events.QUARANTINE_HELD, **_where(one), crashes=one.crashes, reason=self._why())
        for one in decide.gone(before, wanted):
            log.emit(events.ACQUITTED, **_where(one), crashes=one.crashes)
        self._write()
        for message in telling.messages(wanted):
            self._tell(message)

    def _write(self) -> None:
        if self._file is None:
            return
        try:
            if self._suspects:
                self._file.write(decide.to_document(self._suspects, self._app))
            else:
                self._file.delete()
        except OSError as error:
            log.emit(events.SUSPECTS_UNWRITTEN, path=str(self._file.path), reason=error.strerror)


def _suspects(calls: Iterable[InFlight], identities: Mapping[str, Identity]) -> list[Suspect]:
    """Return where `calls` are; a board that a handler has spoilt, or a disk, may show what can be no call."""
    return [
        Suspect(one.topic, one.partition, one.first, one.last, loose=one.loose, identity=identities.get(one.topic))
        for one in calls
        if one.topic and one.partition >= 0 and 0 <= one.first <= one.last
    ]


def _where(one: Suspect) -> dict[str, Any]:
    return {"topic": one.topic, "partition": one.partition, "first": one.first, "last": one.last}
