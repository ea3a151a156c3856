"""`kherd demo` accounts for every record, exits with 0, and leaves neither a process nor a file behind."""

import json
from pathlib import Path

from kherd.testing.process import tail

from ..fakes.room import Room

ACTS = ("Start", "Steady flow", "Poison", "kill -9", "SIGHUP", "Graceful stop")


def test_the_demo_adds_up(tmp_path: Path) -> None:
    room = Room(tmp_path)
    demo = room.start("demo")
    try:
        assert demo.ended(120), tail(room.log)
    finally:
        code = demo.kill()
    lines = room.log.read_text().splitlines()
    assert code == 0, tail(room.log)
    result = json.loads(lines[-1])
    assert list(result) == ["produced", "handled", "dead_lettered", "lost", "redelivered", "crashes", "max_gap_ms"]
    assert result["produced"] == result["handled"] + result["dead_lettered"] > 1000
    assert result["dead_lettered"] >= 40
    assert (result["lost"], result["crashes"]) == (0, 1)
    assert 0 < result["max_gap_ms"] < 20_000
    assert all(any(line.endswith(act) for line in lines) for act in ACTS)
    assert room.empty(), room.processes()
