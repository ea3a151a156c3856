"""The poller: callbacks for what is ready, and nothing for a descriptor that an earlier callback has replaced."""

import os
import socket
from collections.abc import Iterator

import pytest

from kherd.supervisor.poller import Poller, Ready


@pytest.fixture
def poller() -> Iterator[Poller]:
    """A poller, closed at the end."""
    one = Poller()
    yield one
    one.close()


@pytest.fixture
def pipes() -> Iterator[list[tuple[int, int]]]:
    """Two pipes: (reading end, writing end)."""
    both = [os.pipe(), os.pipe()]
    yield both
    for reads, writes in both:
        os.close(reads)
        os.close(writes)


def test_who_is_ready_is_called_and_who_is_forgotten_is_not(poller: Poller, pipes: list[tuple[int, int]]) -> None:
    reads, writes = pipes[0]
    seen: list[Ready] = []
    poller.watch(reads, seen.append)
    poller.wait(0)
    assert seen == []
    os.write(writes, b"x")
    poller.wait(None)
    assert seen == [Ready(readable=True, writable=False)]
    poller.forget(reads)
    poller.forget(reads)
    poller.wait(-1)
    assert len(seen) == 1


def test_watching_again_changes_what_is_waited_for(poller: Poller) -> None:
    left, right = socket.socketpair()
    seen: list[Ready] = []
    poller.watch(left.fileno(), seen.append)
    poller.watch(left.fileno(), seen.append, write=True)
    poller.wait(0)
    assert seen == [Ready(readable=False, writable=True)]
    poller.watch(left.fileno(), seen.append)
    poller.wait(0)
    assert len(seen) == 1
    right.close()
    poller.wait(0)
    assert seen[1].readable
    poller.forget(left.fileno())
    left.close()


def test_a_descriptor_that_took_a_closed_ones_number_is_not_blamed_for_it(
    poller: Poller, pipes: list[tuple[int, int]]
) -> None:
    called: list[str] = []
    (a, _), (b, _) = pipes

    def replace(other: int) -> None:
        called.append("first")
        poller.forget(other)
        os.dup2(quiet, other)  # the old one is closed, a new one has its number
        poller.watch(other, lambda _: called.append("innocent"))

    quiet, partner = (end.detach() for end in socket.socketpair())
    for mine, other in ((a, b), (b, a)):
        poller.watch(mine, lambda _, other=other: replace(other))  # type: ignore[misc] # mypy on default arguments
    for _, writes in pipes:
        os.write(writes, b"x")
    poller.wait(0)
    assert called == ["first"]
    os.close(quiet)
    os.close(partner)
