"""Promises that are interrupted in the middle of a measurement leave no process, no file and no topic."""

import json
import signal
from pathlib import Path

from kherd.testing.process import tail
from kherd.testing.topics import Cluster
from kherd.testing.wait import until

from ..fakes.room import Room
from .test_promises_are_measured import bench_topics

WORKERS = 8


def test_nothing_is_left(kafka: Cluster, tmp_path: Path) -> None:
    room = Room(tmp_path)
    before = bench_topics(kafka)
    out = tmp_path / "promises.json"
    bench = room.start("bench", "promises", "takeover", "idle", "--bootstrap", kafka.bootstrap, "--out", str(out))
    try:
        # A supervisor, a mold, a liaison and all workers beside the bench itself.
        until(lambda: len(room.processes()) > WORKERS + 3, 30, "a herd that is measured")
        bench.send(signal.SIGINT)
        assert bench.ended(30), tail(room.log)
        until(lambda: not room.processes(), 10, f"no processes to be left: {room.processes()}")
    finally:
        code = bench.kill()
    assert code == 128 + signal.SIGINT, tail(room.log)
    assert "Interrupted by SIGINT." in room.log.read_text()
    assert room.empty(), list(room.path.iterdir())
    assert json.loads(out.read_text())["complete"] is False
    assert bench_topics(kafka) <= before
