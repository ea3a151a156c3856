"""Whenever the demo is interrupted, terminated or killed, neither a process nor a file is left behind."""

import signal
from itertools import product
from pathlib import Path

import pytest

from kherd.testing.process import tail
from kherd.testing.results import FULL
from kherd.testing.wait import until

from ..fakes.room import Room

MOMENTS = ("", "0. Start", "1. Steady flow", "3. kill -9")
"""Sentences after which the signal comes; the first: as soon as the process exists."""
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
EVERY = list(product(NUMBERS, MOMENTS))
EACH = [*zip(NUMBERS, MOMENTS[1:], strict=True), (signal.SIGINT, MOMENTS[0])]
"""Every signal once and every moment once."""


@pytest.mark.parametrize(("number", "moment"), EVERY if FULL else EACH)
def test_nothing_is_left(tmp_path: Path, number: signal.Signals, moment: str) -> None:
    room = Room(tmp_path)
    demo = room.start("demo")
    try:
        room.wait_for(moment, 60)
        demo.send(number)
        assert demo.ended(15), tail(room.log)
        until(room.empty, 10, f"{room.path} to be empty; processes: {room.processes()}")
    finally:
        code = demo.kill()
    # Before Python has its handlers, or under SIGKILL, the signal itself is the end.
    assert code in {128 + number, -number, 1}, tail(room.log)


def test_a_second_interrupt_ends_it_at_once(tmp_path: Path) -> None:
    room = Room(tmp_path)
    demo = room.start("demo")
    try:
        room.wait_for("1. Steady flow", 60)
        demo.send(signal.SIGINT)
        demo.send(signal.SIGTERM)
        assert demo.ended(15), tail(room.log)
        until(room.empty, 10, f"{room.path} to be empty; processes: {room.processes()}")
    finally:
        demo.kill()
