"""Two hundred restarts, by kill and by rescaling: descriptors, threads, children and boards are as many as before."""

import os
import signal
from pathlib import Path

from kherd.testing.results import report

from ..fakes.herd import StandIn, standin, trials
from ..fakes.processes import children_of

RESTARTS = 200


def _count(herd: StandIn) -> dict[str, int]:
    pid = herd.process.pid
    mold = herd["services.mold.pid"]
    return {
        "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "threads": len(list(Path(f"/proc/{pid}/task").iterdir())),
        "children": len(children_of(pid)),
        "zombies": len(herd.zombies()),
        "boards": len(list((herd.folder / "state" / "board").iterdir())),
        "descriptors of the mold": len(list(Path(f"/proc/{mold}/fd").iterdir())),
        "children of the mold": len(children_of(mold)),
    }


def test_counts_are_flat(tmp_path: Path) -> None:
    restart = {"backoff_max": 0.1, "intensity": 100_000}
    with standin(tmp_path, workers={"count": 4}, restart=restart) as herd:
        herd.ready(4)
        before = _count(herd)
        assert (before["threads"], before["zombies"]) == (1, 0)
        for _ in range(trials(RESTARTS, 5 * RESTARTS) // 8):
            old = herd.pids()
            for pid in old:
                os.kill(pid, signal.SIGKILL)
            herd.until(lambda old=old: not set(herd.pids()) & set(old), what="four restarts")
            herd.ready(4)
            herd.ask("scale", to=0, by=None, auto=False)
            herd.ready(0)
            herd.ask("scale", to=4, by=None, auto=False)
            herd.ready(4)
        herd.until(lambda: _count(herd) == before, what=f"{before} again, not {_count(herd)}")
        assert herd.stop() == 0
    report("restarts", {"restarts": trials(RESTARTS, 5 * RESTARTS), "before_and_after": before})
