"""The line that `systemctl status` shows: how it is going in one sentence, then what an operator should know."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .readiness import State

LONGEST: Final = 400
"""Characters; systemd keeps it for every unit, and it is read in one line."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the herd stands. `lag` None is unknown; `moved` of `slots` workers run the newest generation.

    `trial` says how far a generation is that is not accepted yet; empty: there is none.
    """

    state: State
    wanted: int
    booted: int
    ready: int
    alive: int
    slots: int
    moved: int
    quorum: int
    generation: int
    lag: int | None = None
    quiet: bool = False
    trial: str = ""
    reason: str = ""
    problems: Sequence[str] = ()


def status_line(standing: Standing) -> str:
    """Return the text of STATUS=, one clean line of at most LONGEST characters."""
    return clean("; ".join([_sentence(standing), *standing.problems]))


def clean(text: str) -> str:
    """Return `text` on one line without control characters, cut to LONGEST characters."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _sentence(standing: Standing) -> str:
    match standing.state:
        case State.STARTING:
            quorum = min(standing.quorum, standing.wanted)
            return f"starting: {standing.booted}/{standing.wanted} workers booted, {quorum} needed"
        case State.STOPPING:
            return f"stopping ({standing.reason}): {standing.alive} workers left"
    lag = "unknown" if standing.lag is None else f"{standing.lag:,}".replace(",", " ")
    quiet = "quiet, " if standing.quiet else ""
    roll = f", {standing.moved}/{standing.slots} workers rolled to it" if standing.moved < standing.slots else ""
    roll += f" ({standing.trial})" if standing.trial else ""
    return f"{quiet}{standing.ready}/{standing.wanted} ready, lag {lag}, gen {standing.generation}{roll}"
