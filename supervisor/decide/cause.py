"""Naming the cause of a death: what happened, whose doing it was, and the class it is counted under."""

from dataclasses import dataclass

from ...worker.exits import WorkerExit


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an end: one of `exit_code` and `signal` ("SIGKILL") is set, or none if there was no process.

    `killed_for` is our own reason if the KILL was ours; `asked` if we had sent TERM; `hang` says what had taken too
    long; `memory` if it was over its own limit of memory; `oom` if the kernel's OOM killer struck in our cgroup since
    the last death.
    """

    exit_code: int | None = None
    signal: str | None = None
    killed_for: str | None = None
    hang: str | None = None
    memory: bool = False
    asked: bool = False
    oom: bool = False
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """`text` for people, `kind` for counting; `clean` if the process finished by itself with nothing wrong."""

    text: str
    kind: str
    clean: bool = False
    permanent: bool = False


def name_cause(facts: Facts) -> Cause:
    """Return the cause of an end."""
    if facts.signal is not None:
        return _by_signal(facts, facts.signal)
    if facts.exit_code is not None:
        return _by_exit(facts, facts.exit_code)
    return Cause(facts.said or "it was never announced", "spawn")


def _by_signal(facts: Facts, name: str) -> Cause:
    if facts.killed_for is not None and name == "SIGKILL":
        return Cause(f"killed by kherd: {facts.killed_for}", _killed(facts))
    if facts.oom and name == "SIGKILL":
        return Cause("killed by the kernel: out of memory", "oom")
    if facts.asked and name == "SIGTERM" and facts.hang is not None:
        return Cause(f"ended by TERM: {facts.hang}", "hang")
    if facts.asked and name == "SIGTERM":
        return Cause("stopped by kherd", "stop", clean=True)
    return Cause(f"{name}, not sent by kherd", f"signal:{name.removeprefix('SIG')}")


def _killed(facts: Facts) -> str:
    if facts.hang is not None:
        return "hang"
    return "memory" if facts.memory else "killed"


def _by_exit(facts: Facts, code: int) -> Cause:
    if code == WorkerExit.DRAINED and facts.hang is not None and facts.asked:
        return Cause(f"drained after TERM: {facts.hang}", "hang", clean=True)
    if code == WorkerExit.DRAINED:
        return Cause(
            "drained" if facts.asked else "exit 0 without being asked", "stop" if facts.asked else "exit:0", clean=True
        )
    said = f": {facts.said}" if facts.said else ""
    if code == WorkerExit.PERMANENT:
        return Cause(facts.said or f"exit {code}, permanent", f"exit:{code}", permanent=True)
    return Cause(f"exit {code}{said}", f"exit:{code}")
