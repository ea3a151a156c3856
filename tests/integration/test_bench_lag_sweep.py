"""The lag sweep's bench reads every partition each time and says in one line of JSON how long that took."""

import json
import subprocess
import sys

from kherd.bench.lag_sweep import judged, spread


def test_a_small_run_is_whole() -> None:
    command = [sys.executable, "-m", "kherd.bench.lag_sweep", "--partitions", "250", "--rounds", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["partitions"], result["rounds"]) == (250, 3)
    for kind in ("usual", "log_starts"):
        assert 0 < result[kind]["least"] <= result[kind]["median"] <= result[kind]["most"]
        assert result[kind]["cpu"] > 0
    assert result["promise"] == 0.5
    assert result["verdict"] in {"met", "missed", "inconclusive"}


def test_the_verdict_is_about_every_sweep() -> None:
    assert judged(10_000, [(0.1, 0.1), (0.5, 0.1)])["verdict"] == "met"
    assert judged(10_000, [(0.1, 0.1), (0.2, 0.1), (0.6, 0.1)])["verdict"] == "inconclusive"
    assert judged(10_000, [(0.6, 0.1)])["verdict"] == "missed"
    assert judged(20_000, [(0.6, 0.1)]) == {"promise": 1.0, "verdict": "met"}
    assert spread([(1.0, 0.5), (2.0, 0.5), (9.0, 0.5)]) == {"median": 2.0, "least": 1.0, "most": 9.0, "cpu": 0.5}
