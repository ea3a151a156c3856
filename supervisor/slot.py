"""One worker's slot: what outlives its processes, and the board and stacks file of the one that is there now."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..worker import boardview, clock
from ..worker.board import Board, Header, Phase, StateWord
from ..worker.boardview import InFlight
from ..worker.counters import GAUGES, Counter
from ..worker.spec import SlotIdentity
from .decide.child import State
from .decide.hang import Call, Sight
from .decide.limits import Worn
from .decide.suspension import Gap, lived
from .process.handle import Handle

STACKS_BYTES = 64 * 1024
_BUSY_NS = int(Counter.BUSY_NS)
LOAD_WEIGHT = 0.1
"""Of the newest second in the load: what was ten seconds ago counts a third."""


@dataclass(slots=True)
class Papers:
    """What belongs to one process of a slot: who it is, its board, and the file it writes its stacks to."""

    identity: SlotIdentity
    generation: int
    board: Board
    board_path: Path
    stacks: int
    stacks_seen: int = 0
    stacks_shown: str = ""
    """The last that were logged."""

    @property
    def began(self) -> float:
        """When its process was asked for, in monotonic seconds."""
        return self.board.words[Header.CREATED] / clock.NANOSECONDS

    def stacks_text(self, *, finished: bool) -> str:
        """Return the stacks it wrote, once it writes no more: `finished`, or as long as at the last look."""
        size = os.fstat(self.stacks).st_size
        seen, self.stacks_seen = self.stacks_seen, size
        # An empty file says nothing of whether the worker has begun to write: it may between this line and the next.
        if size == 0 or not (finished or size == seen):
            return ""
        text = os.pread(self.stacks, STACKS_BYTES, 0).decode(errors="replace")
        # The file position is shared with the worker: both start at the beginning again.
        os.ftruncate(self.stacks, 0)
        os.lseek(self.stacks, 0, os.SEEK_SET)
        self.stacks_seen = 0
        return without_inherited(text)

    def discard(self, *, keep_file: bool = False) -> None:
        """Give everything back; with `keep_file` all but the board's file."""
        os.close(self.stacks)
        self.board.close()
        if not keep_file:
            self.board_path.unlink(missing_ok=True)


@dataclass(slots=True)
class Slot:
    """`generation` is what its next process will run; `fresh` slots join the group together with others."""

    index: int
    handle: Handle
    generation: int
    fresh: bool = True
    booted_at: float | None = None
    gate_opened: bool = False
    drained: bool = False
    """Whether its worker has nothing left to do, and stays in the group only for the others."""
    papers: Papers | None = None
    worn: Worn | None = None
    """Why its process is to be replaced, if it is."""
    carried: dict[str, int] = field(default_factory=dict)
    """Counters of its earlier processes, summed."""
    load: float = 0.0
    """Seconds its worker spends in the handler, of each second lately."""
    _busy: tuple[float, float] | None = None
    _idle_since: int | None = None
    """The heartbeat at the last look for a hang, if no call was under way."""

    @property
    def running(self) -> int:
        """The generation of its process, or of the next one if none exists."""
        return self.papers.generation if self.papers else self.generation

    def in_flight(self) -> list[InFlight]:
        """Return the handler calls under way."""
        return boardview.in_flight_of(self.papers.board) if self.papers else []

    def sight(self, gaps: Sequence[Gap] = ()) -> Sight:
        """Return what its board shows to whoever looks for a hang, once a second; `gaps` are not counted."""
        assert self.papers is not None
        words, child, now = self.papers.board.words, self.handle.child, clock.monotonic()
        calls = [
            Call(f"{call.topic}[{call.partition}]@{call.first}", lived(call.since / clock.NANOSECONDS, now, gaps))
            for call in self.in_flight()
        ]
        # The worker writes the time first: read after the phase, it is never that of the phase before.
        phase = boardview.phase_of(self.papers.board)
        since = lived(words[StateWord.PHASE_SINCE] / clock.NANOSECONDS, now, gaps)
        beat = words[StateWord.HEARTBEAT]
        # Just after a long call there was no heartbeat for as long: whoever is silent is so at two looks in a row.
        quiet = beat == self._idle_since and not calls
        self._idle_since = None if calls else beat
        return Sight(
            calls=calls,
            silent=lived(beat / clock.NANOSECONDS, now, gaps) if quiet else 0.0,
            revoking=since if phase is Phase.REVOKING else None,
            closing=since if phase is Phase.CLOSING else None,
            joining=lived(child.since, now, gaps) if child.state is State.JOINING else None,
            commit=words[StateWord.COMMIT_WAITED] / clock.NANOSECONDS,
        )

    def note_load(self, now: float) -> None:
        """Look at how busy its worker was since the last call; `now` in monotonic seconds, about a second later."""
        present = self.papers.board.words[_BUSY_NS] if self.papers else 0
        busy = (present + self.carried.get("busy_ns", 0)) / clock.NANOSECONDS
        if self._busy is not None and now > self._busy[0]:
            share = (busy - self._busy[1]) / (now - self._busy[0])
            self.load += LOAD_WEIGHT * (share - self.load)
        self._busy = (now, busy)

    def counters(self) -> dict[str, int]:
        """Return the slot's counters over all its processes; gauges are those of the present one."""
        present = boardview.counters_of(self.papers.board) if self.papers else {}
        return {name: present.get(name, 0) + self.carried.get(name, 0) for name in present.keys() | self.carried.keys()}

    def fold(self) -> None:
        """Add the present process' counters to those of the earlier ones: it is gone."""
        assert self.papers is not None
        gauges = {gauge.name.lower() for gauge in GAUGES}
        for name, value in boardview.counters_of(self.papers.board).items():
            if name not in gauges:
                self.carried[name] = self.carried.get(name, 0) + value


def without_inherited(stacks: str) -> str:
    """Return faulthandler's `stacks` without the frames below the worker's own: mold, supervisor, command."""
    lines: list[str] = []
    inherited = False
    for line in stacks.splitlines():
        inherited = inherited and line.startswith("  File")
        if not inherited:
            lines.append(line)
        inherited = inherited or line.rstrip().endswith(" in run_worker")
    return "\n".join(lines)


def stacks_file(index: int) -> int:
    """Return a new file in memory for faulthandler to write to."""
    return os.memfd_create(f"kherd-stacks-{index}", os.MFD_CLOEXEC)
