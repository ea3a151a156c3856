"""Which deaths blame the handler calls that were in flight, and which of the calls.

| death | blames |
| --- | --- |
| a signal that kherd did not send; an exit code; out of memory; over memory_hard | every call in flight |
| SIGKILL or SIGTERM from outside while stopping | nobody: who stops us may end our workers himself |
| killed for a call over handler_timeout | the calls that were over it, unless it is an outage (`decide.hangs`) |
| killed for another hang (joining, committing, silent), or at a deadline | nobody |
| ended as asked (stop, reload, recycling), or never started | nobody |

Whether a SIGKILL came from outside or from within cannot be told. It does no harm: a record is put aside only after
several deaths in a row, all its own.
"""

from dataclasses import dataclass
from typing import Final, Literal

OUTSIDE: Final = frozenset({"signal:KILL", "signal:TERM"})
OWN: Final = ("signal:", "exit:")
MEMORY: Final = frozenset({"oom", "memory"})
ACCUSATIONS: Final = 10
PERIOD: Final = 60.0
"""Seconds: of so many first accusations in this time the successors start at once, of more with a backoff."""

Scope = Literal["all", "late", "none"]


def blames(kind: str, *, asked: bool) -> Scope:
    """Return whom a death of `kind` (`Cause.kind`) blames: all calls in flight, those that were too late, or none.

    `asked`: its process had been told to end.
    """
    if kind == "hang":
        return "late"
    if kind in MEMORY:
        return "all"
    if not kind.startswith(OWN) or (asked and kind in OUTSIDE):
        return "none"
    return "all"


@dataclass(frozen=True, slots=True)
class Excuses:
    """Times, in monotonic seconds, of the last first accusations."""

    recent: tuple[float, ...] = ()


def excuse(excuses: Excuses, *, known: bool, now: float) -> tuple[Excuses, bool]:
    """Return whether a blamed death is no failed start of its slot, and what to remember of it.

    A record that was `known` as a suspect can kill only so often; but each new one could be the first of many, if it is
    the process that is ill and not the record.
    """
    if known:
        return excuses, True
    recent = tuple(at for at in excuses.recent if now - at < PERIOD)
    if len(recent) >= ACCUSATIONS:
        return Excuses(recent), False
    return Excuses((*recent, now)), True
