"""Signals: kept in order, none lost in a storm, and the handlers do nothing else."""

import os
import signal
from collections.abc import Iterator

import pytest

from kherd.supervisor.signals import HANDLED, Signals

from ..fakes.processes import child, until

STORM = 10_000


@pytest.fixture
def signals() -> Iterator[Signals]:
    """The supervisor's signals, in this process; whatever was in force before is put back."""
    before = {number: signal.getsignal(number) for number in HANDLED}
    one = Signals()
    yield one
    one.close()
    for number, handler in before.items():
        signal.signal(number, handler)


def test_every_handled_signal_is_taken_once_and_in_order(signals: Signals) -> None:
    assert signals.take() == []
    for number in HANDLED:
        signal.raise_signal(number)
    assert signals.take() == list(HANDLED)
    assert signals.take() == []


def test_a_storm_loses_no_term(signals: Signals) -> None:
    for _ in range(STORM):
        signal.raise_signal(signal.SIGCHLD)
    signal.raise_signal(signal.SIGTERM)
    for _ in range(STORM):
        signal.raise_signal(signal.SIGCHLD)
    taken = signals.take()
    assert taken.count(signal.SIGTERM) == 1
    assert len(taken) == 2 * STORM + 1


def test_a_storm_from_another_process_loses_no_term(signals: Signals) -> None:
    me = os.getpid()

    def storm() -> None:
        for count in range(STORM):
            os.kill(me, signal.SIGCHLD)
            if count == STORM // 2:
                os.kill(me, signal.SIGTERM)

    taken: list[signal.Signals] = []
    with child(storm, stay=False):
        until(lambda: taken.extend(signals.take()) or signal.SIGTERM in taken)
    assert taken.count(signal.SIGTERM) == 1


def test_a_full_pipe_blocks_nobody(signals: Signals) -> None:
    for _ in range(70_000):
        signal.raise_signal(signal.SIGCHLD)
    assert len(signals.take()) == 65_536


def test_after_the_end_every_signal_has_its_default_again() -> None:
    before = {number: signal.getsignal(number) for number in HANDLED}
    Signals().close()
    assert all(signal.getsignal(number) is signal.SIG_DFL for number in HANDLED)
    for number, handler in before.items():
        signal.signal(number, handler)
