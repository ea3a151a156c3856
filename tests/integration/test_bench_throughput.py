"""The throughput bench reads one topic with every contender and says in one line of JSON how they compare."""

import json
import subprocess
import sys


def test_a_small_run_on_the_embedded_broker_is_whole() -> None:
    command = [sys.executable, "-m", "kherd.bench.throughput", "--rounds", "2", "--records", "20000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["bootstrap"], result["records"], result["rounds"]) == ("embedded", 20000, 2)
    for name in ("raw", "record", "batch"):
        assert 0 < result[name]["least"] <= result[name]["median"] <= result[name]["most"]
        assert result[name]["cpu_us"] > 0
    for name in ("record", "batch"):
        low, high = result[name]["interval"]
        assert 0 < low <= result[name]["ratio"] <= high
        assert result[name]["verdict"] in {"met", "missed", "inconclusive"}
