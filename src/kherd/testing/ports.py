"""Loopback ports that stay ours while the server behind them is down.

They are taken below the kernel's ephemeral range: in it, an outgoing connection may sit on the port of a stopped
broker, and a client that retries against it may even connect to itself. An abstract unix socket named after the port
keeps other test runs on this machine from choosing the same one.
"""

import os
import random
import socket
from contextlib import closing
from typing import Final

LOWEST: Final = 20000
HIGHEST: Final = 32000
ATTEMPTS: Final = 1000


class Port:
    """A reserved port number of 127.0.0.1, TCP and UDP, until `release` or the end of this process."""

    def __init__(self) -> None:
        for number in random.sample(range(LOWEST, HIGHEST), ATTEMPTS):
            claim = _claim(number)
            if claim is None:
                continue
            if _free(number):
                self.number = number
                self._claim = claim
                return
            claim.close()
        raise RuntimeError(f"no free port between {LOWEST} and {HIGHEST}")

    def release(self) -> None:
        """Let others have it; may be called twice."""
        self._claim.close()


def _claim(number: int) -> socket.socket | None:
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0kherd-test-port-{os.getuid()}-{number}")
    except OSError:
        claim.close()
        return None
    return claim


def _free(number: int) -> bool:
    return all(_bindable(kind, number) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))


def _bindable(kind: socket.SocketKind, number: int) -> bool:
    with closing(socket.socket(type=kind)) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True
