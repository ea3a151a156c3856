"""How far a run is, on standard error: a bar with the time left on a terminal, a line per trial elsewhere."""

import sys
from collections.abc import Sequence
from typing import Final, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from ..supervisor.cli.words import duration
from ..worker import clock

LEARNED: Final = 20.0
"""Seconds of trials from which on the plan's estimate is corrected by how long they really took."""


class Step(Protocol):
    """What is told of: a name for a person, and the seconds it will take, about."""

    @property
    def label(self) -> str:
        """Return the name."""

    @property
    def seconds(self) -> float:
        """Return the seconds."""


class Eta:
    """How long the rest will take: what the plan says, times how much longer than planned it has taken so far."""

    def __init__(self, steps: Sequence[Step], began: float) -> None:
        self._began = began
        self._left = sum(step.seconds for step in steps)
        self._done = 0.0

    def finish(self, step: Step) -> None:
        """Count a step as done."""
        self._done += step.seconds
        self._left -= step.seconds

    def left(self, now: float) -> float:
        """Return seconds."""
        factor = (now - self._began) / self._done if self._done >= LEARNED else 1.0
        return max(0.0, self._left * factor)


class Watch:
    """Tells of each step; a context manager."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps, self._done = len(steps), 0
        self._eta = Eta(steps, clock.monotonic())
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._bar = Progress(*columns, console=self._console, transient=True) if self._console.is_terminal else None
        self._task = TaskID(0)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("starting", total=self._steps, left="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, step: Step) -> None:
        """Say what is measured."""
        if self._bar is not None:
            left = f"{duration(self._eta.left(clock.monotonic()))} left"
            self._bar.update(self._task, description=step.label, left=left)

    def end(self, step: Step, said: str) -> None:
        """Say what came of it."""
        self._done += 1
        self._eta.finish(step)
        left = duration(self._eta.left(clock.monotonic()))
        line = f"{step.label}: {said}"
        if self._bar is None:
            print(f"{self._done:4}/{self._steps} {line}; {left} left", file=sys.stderr, flush=True)
        else:
            self._bar.console.print(f"  {line}")
            self._bar.update(self._task, completed=self._done, left=f"{left} left")
