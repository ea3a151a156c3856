"""The channel: whole messages, descriptors beside them, no blocking, last words heard, end of file once."""

import os
import socket
from collections.abc import Iterator

import pytest

from kherd.worker.channel import MAX_FDS, MAX_MESSAGE, Channel, MessageTooLargeError, pair


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    """Both ends of a channel."""
    both = pair()
    yield both
    for end in both:
        end.close()


@pytest.fixture
def mad() -> Iterator[tuple[Channel, socket.socket]]:
    """One end of a channel, and a peer that may send anything."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channel = Channel(left)
    yield channel, right
    channel.close()
    right.close()


def _all(channel: Channel) -> list[int]:
    found = []
    while (received := channel.receive()) is not None:
        found.append(received[0]["n"])
    return found


def test_every_message_arrives_whole_and_in_order(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    messages = [{"type": "a", "text": "x" * size} for size in (0, 1, 1000, MAX_MESSAGE - 30)]
    for message in messages:
        ours.send(message)
        assert theirs.receive() == (message, [])
    assert theirs.receive() is None
    assert not theirs.closed


def test_many_small_messages_keep_their_boundaries(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    for n in range(50):
        ours.send({"type": "a", "n": n})
    assert _all(theirs) == list(range(50))


def test_a_message_that_is_too_large_is_refused_and_harms_nothing(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    with pytest.raises(MessageTooLargeError, match="'a' has"):
        ours.send({"type": "a", "text": "x" * MAX_MESSAGE})
    assert not ours.outbox
    ours.send({"type": "b"})
    assert theirs.receive() == ({"type": "b"}, [])


def test_descriptors_travel_beside_their_message_and_are_not_inherited(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    reads, writes = os.pipe()
    ours.send({"type": "spawn"}, [writes] * MAX_FDS)
    os.close(writes)
    received = theirs.receive()
    assert received is not None
    assert len(received[1]) == MAX_FDS
    assert not any(os.get_inheritable(fd) for fd in received[1])
    os.write(received[1][0], b"through")
    for fd in received[1]:
        os.close(fd)
    assert os.read(reads, 100) == b"through"
    assert os.read(reads, 100) == b""
    os.close(reads)


def test_a_full_socket_delays_messages_and_loses_none(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    sent = 0
    while not ours.outbox:
        ours.send({"type": "a", "n": sent, "pad": "x" * 1000})
        sent += 1
    for _ in range(100):
        ours.send({"type": "a", "n": sent})
        sent += 1
    heard = _all(theirs)
    assert len(heard) < sent
    while ours.outbox:
        ours.flush()
        heard += _all(theirs)
    heard += _all(theirs)
    assert heard == list(range(sent))


def test_what_a_dead_peer_had_said_is_heard_before_the_end_of_file(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    theirs.send({"type": "failed", "n": 1})
    theirs.send({"type": "failed", "n": 2})
    theirs.close()
    assert _all(ours) == [1, 2]
    assert ours.closed


def test_last_words_survive_that_the_dead_peer_left_something_unread(ends: tuple[Channel, Channel]) -> None:
    # The kernel answers the first read with ECONNRESET then, though the peer's own messages still wait.
    ours, theirs = ends
    ours.send({"type": "quiet", "n": 0})
    theirs.send({"type": "failed", "n": 1})
    theirs.close()
    assert _all(ours) == [1]
    assert ours.closed


def test_sending_to_a_dead_peer_is_no_error_and_keeps_nothing(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    theirs.close()
    for _ in range(3):
        ours.send({"type": "quiet"})
    assert not ours.outbox
    assert not ours.closed
    assert ours.receive() is None
    assert ours.closed


def test_hanging_up_ends_one_direction_only(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    ours.hang_up()
    ours.hang_up()
    assert theirs.receive() is None
    assert theirs.closed
    theirs.send({"type": "late", "n": 7})
    assert _all(ours) == [7]


def test_a_closed_channel_takes_everything_and_does_nothing(ends: tuple[Channel, Channel]) -> None:
    ours, theirs = ends
    ours.close()
    ours.send({"type": "a"})
    ours.hang_up()
    assert ours.receive() is None
    assert not ours.outbox
    assert theirs.receive() is None


@pytest.mark.parametrize(
    "garbage",
    [b"\xff\xfe", b"not json", b"[1]", b'"go"', b"{}", b'{"type": 3}', b"[" * 100_000, b'{"type": "go"} more'],
    ids=lambda garbage: repr(garbage[:12]),
)
def test_garbage_is_an_end_of_file_and_no_error(mad: tuple[Channel, socket.socket], garbage: bytes) -> None:
    ours, raw = mad
    raw.send(garbage)
    assert ours.receive() is None
    assert ours.closed


def test_descriptors_beside_garbage_are_not_leaked(mad: tuple[Channel, socket.socket]) -> None:
    ours, raw = mad
    reads, writes = os.pipe()
    socket.send_fds(raw, [b"garbage"], [writes])
    os.close(writes)
    assert ours.receive() is None
    assert os.read(reads, 1) == b""  # nobody holds the writing end any more
    os.close(reads)
