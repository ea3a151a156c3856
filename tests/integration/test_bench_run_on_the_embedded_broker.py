"""`kherd bench run` with a small matrix measures every cell and contender, adds up, and writes a result and a page."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from kherd.bench.result import PacedTrial, RateTrial, read

MATRIX = """
[load]
warmup = 0.1
seconds = 0.3
rounds = 1
[[cells]]
acks = [0, "idempotent"]
linger_ms = [0]
batch_size = ["16KiB"]
compression = ["lz4"]
[consume]
records = 20000
rounds = 1
"""


def test_a_small_run_is_whole(tmp_path: Path) -> None:
    (tmp_path / "matrix.toml").write_text(MATRIX)
    command = [sys.executable, "-m", "kherd", "bench", "run", "matrix.toml", "--bootstrap", "embedded", "--seed", "3"]
    done = subprocess.run(
        [*command, "--out", "out"], capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "embedded broker (librdkafka mock: no disk, no replication), RF 1" in done.stdout
    assert "same as acks=1 with RF 1" in done.stdout
    assert re.search(r"13/13 .* left", done.stderr)

    written, drawn = sorted(path.suffix for path in (tmp_path / "out").iterdir()), tmp_path / "out"
    assert written == [".html", ".json"]
    (path,) = drawn.glob("*.json")
    result = read(path)
    assert (result.complete, result.problems, result.seed) == (True, [], 3)
    assert result.command == "kherd bench run matrix.toml --bootstrap embedded --seed 3 --out out"

    trials: list[RateTrial | PacedTrial] = [*result.rate, *result.paced]
    assert Counter((one.cell, one.control) for one in result.rate) == Counter(
        (one.cell, one.control) for one in result.paced
    )
    assert len(trials) == 2 * (2 + 2)
    for trial in trials:
        counts = trial.account
        assert counts.produced == counts.delivered == counts.written > 0
        assert counts.failed == 0
    for slow in result.paced:
        assert slow.latency is not None
        assert 0 < slow.latency.p50 <= slow.latency.p99 <= slow.latency.max
        assert abs(slow.latency.count - slow.rate * 0.3) <= 2
    for fast in result.rate:
        assert fast.records > 0
        assert fast.wire_ratio is None or fast.wire_ratio < 1, "half random values compress"
    assert {one.contender for one in result.consume} == {"poll", "consume", "record", "batch"}
    assert all(one.records == 20_000 and one.cpu_seconds > 0 for one in result.consume)

    text = path.with_suffix(".html").read_text()
    assert text.count("<svg") == 3
    assert "<script" not in text
    assert str(tmp_path) not in json.dumps(result.model_dump()) + text
