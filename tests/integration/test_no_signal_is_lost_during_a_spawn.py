"""A signal at a random instant of a spawn, the next sent when the first was seen: each is acted on."""

import signal
import time
from pathlib import Path

from ..fakes.herd import StandIn, dice, standin, trials

PROMPT = 5.0
"""Seconds; a worker that had lost its TERM would only end at stop.timeout, by KILL."""
SPAWN = 0.012
"""Seconds from the signal that asks for a worker until it is ready, about: the instants are drawn from these."""


def _seen(herd: StandIn, number: signal.Signals, before: int) -> None:
    herd.until(lambda: len(herd.events("signal_received", signal=number.name)) == before + 1, PROMPT, number.name)


def _ended(herd: StandIn) -> int:
    return len(herd.events("child_ended", child="worker 1"))


def test_every_signal_is_acted_on(tmp_path: Path) -> None:
    rng, count = dice(), trials(300, 10_000)
    with standin(tmp_path, workers={"count": 1}, stop={"timeout": 30}) as herd:
        herd.ready(1)
        (bystander,) = herd.pids()
        for trial in range(count):
            herd.signal(signal.SIGTTIN)
            _seen(herd, signal.SIGTTIN, trial)
            time.sleep(rng.uniform(0, SPAWN))
            herd.signal(signal.SIGTTOU)
            _seen(herd, signal.SIGTTOU, trial)
            herd.until(lambda trial=trial: _ended(herd) == trial + 1, PROMPT, "its end")
            herd.until(lambda: herd["workers.by_state"] == {"ready": 1}, PROMPT, "an empty slot")
        assert herd.pids() == [bystander]
        assert herd.events("child_killed") == []
        assert herd.events("child_died") == []
        assert herd.events("internal_error") == []
        deaths = herd["deaths"]
        assert set(deaths) <= {"stop", "spawn"}
        assert sum(deaths.values()) == count
        print(f"{count} trials: {deaths}")  # noqa: T201 - at which instants the signals struck
        assert herd.zombies() == []
        assert herd.stop() == 0
