"""While a generation is tried the herd can grow, shrink, and lose the canary itself; new slots are of the old one."""

import signal
from pathlib import Path

from ..fakes.herd import StandIn, standin

HANDLE = "def handle(message): ...\n"
TRIAL = {"settle": 60}


def test_the_trial_goes_on_in_another_slot(tmp_path: Path) -> None:
    with standin(tmp_path, HANDLE, workers={"count": 2}, reload=TRIAL) as herd:
        herd.ready(2)
        herd.ask("restart")
        herd.until(lambda: standing(herd) == ("settling", 0), what="a trial")

        # When the herd grows, by a signal and by the file, then by slots of the old generation
        herd.signal(signal.SIGTTIN)
        herd.ready(3)
        herd.write(workers={"count": 4}, reload=TRIAL)
        assert herd.ask("reload")["rolling"]
        herd.ready(4)
        assert [slot["generation"] for slot in herd["slots"]] == [2, 1, 1, 1]

        # When it shrinks to nothing, then there is nobody to try it, and it is accepted
        herd.ask("scale", to=0)
        herd.until(lambda: herd["slots"] == [] and standing(herd)[0] == "done", what="the end")

        # When there are workers again, then they are of the new generation
        herd.ask("scale", to=2)
        herd.ready(2)
        assert {slot["generation"] for slot in herd["slots"]} == {2}
        assert (herd["rollbacks"], herd["deaths"], herd["problems"]) == (0, {}, [])
        assert herd.events("internal_error") == []
        assert herd.stop() == 0


def standing(herd: StandIn) -> tuple[str, int | None]:
    """Return how far the newest roll is, and its canary."""
    rolls = herd["rolls"]
    return (rolls[-1]["state"], rolls[-1]["canary"]) if rolls else ("none", None)
