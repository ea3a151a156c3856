"""Whenever a bench is interrupted or killed, no process is left; what was measured is kept, marked incomplete."""

import signal
from pathlib import Path

import pytest

from kherd.bench.result import read
from kherd.testing.process import tail
from kherd.testing.wait import until

from ..fakes.room import Room


@pytest.mark.parametrize(
    ("number", "moment"), [(signal.SIGINT, "1/"), (signal.SIGTERM, "fill"), (signal.SIGINT, ""), (signal.SIGKILL, "1/")]
)
def test_nothing_is_left(tmp_path: Path, number: signal.Signals, moment: str) -> None:
    room = Room(tmp_path)
    out = tmp_path / "out"
    only = ("--only", "consume") if moment == "fill" else ()
    bench = room.start("bench", "run", "--quick", "--out", str(out), *only)
    try:
        room.wait_for(moment, 60)
        bench.send(number)
        assert bench.ended(30), tail(room.log)
        until(lambda: not room.processes(), 10, f"no processes to be left: {room.processes()}")
    finally:
        code = bench.kill()
    # Before Python has its handlers, or under SIGKILL, the signal itself is the end.
    assert code in {128 + number, -number, 1}, tail(room.log)
    if moment and number != signal.SIGKILL:
        assert code == 128 + number, tail(room.log)
        assert room.empty(), list(room.path.iterdir())
        (path,) = out.glob("*.json")
        assert read(path).complete is False
        assert "INCOMPLETE" in room.log.read_text()
