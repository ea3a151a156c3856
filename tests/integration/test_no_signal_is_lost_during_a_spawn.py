"""A signal at a random instant of a spawn, the next sent when the first was seen: each is acted on."""

import signal
import time
from collections import Counter
from pathlib import Path

from kherd.testing.results import report

from ..fakes.herd import StandIn, dice, standin, trials

PROMPT = 5.0
"""Seconds; a worker that had lost its TERM would only end at stop.timeout, by KILL."""
SPAWN = 0.012
"""Seconds from the signal that asks for a worker until it is ready, about: the instants are drawn from these."""


BAD = ("child_killed", "child_died", "internal_error")


def test_every_signal_is_acted_on(tmp_path: Path) -> None:
    rng, count, ends = dice(), trials(300, 10_000), Counter[str]()
    with standin(tmp_path, workers={"count": 1}, stop={"timeout": 30}) as herd:
        herd.ready(1)
        (bystander,) = herd.pids()
        for _ in range(count):
            herd.forget()
            _send(herd, signal.SIGTTIN)
            time.sleep(rng.uniform(0, SPAWN))
            _send(herd, signal.SIGTTOU)
            herd.until(lambda: herd.events("child_ended", child="worker 1"), PROMPT, "its end")
            herd.until(lambda: herd["workers.by_state"] == {"ready": 1}, PROMPT, "an empty slot")
            assert [line for line in herd.log() if line["event"] in BAD] == []
            assert len(herd.events("signal_received")) == 2
            ends[herd.events("child_ended")[0]["cause"]] += 1
        assert herd.pids() == [bystander]
        deaths = herd["deaths"]
        assert deaths == {}
        assert herd.zombies() == []
        assert herd.stop() == 0
    report("signals_during_a_spawn", {"trials": count, "acted_on": ends.total(), "ends": ends, "deaths": deaths})


def _send(herd: StandIn, number: signal.Signals) -> None:
    """Send the supervisor a signal and wait until it is seen."""
    herd.signal(number)
    herd.until(lambda: herd.events("signal_received", signal=number.name), PROMPT, number.name)
