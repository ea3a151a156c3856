"""The lag sweep's bench reads every partition each time and says in one line of JSON how long that took."""

import json
import subprocess
import sys

from kherd.bench.lag_sweep import spread


def test_a_small_run_is_whole() -> None:
    command = [sys.executable, "-m", "kherd.bench.lag_sweep", "--partitions", "250", "--rounds", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["partitions"], result["rounds"]) == (250, 3)
    for kind in ("usual", "log_starts"):
        assert 0 < result[kind]["least"] <= result[kind]["median"] <= result[kind]["most"]
        assert result[kind]["cpu"] > 0
        assert len(result[kind]["seconds"]) == 3


def test_a_spread_keeps_every_sweep() -> None:
    found = spread([(1.0, 0.5), (2.0, 0.5), (9.0, 0.5)])
    assert found == {"median": 2.0, "least": 1.0, "most": 9.0, "cpu": 0.5, "seconds": [1.0, 2.0, 9.0]}
