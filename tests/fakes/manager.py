"""A service manager as seen from a service: a notify socket that keeps every datagram in order of arrival."""

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from kherd.testing.wait import until

Datagram = dict[str, str]
STATES = frozenset({"READY", "RELOADING", "STOPPING"})


class Manager:
    """Bound to `address` (a path, or @name for an abstract one); a context manager."""

    def __init__(self, address: str | Path) -> None:
        self.address = str(address)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind("\0" + self.address[1:] if self.address.startswith("@") else self.address)
        self._heard: list[Datagram] = []

    def heard(self) -> list[Datagram]:
        """Return all datagrams there have been, name -> value."""
        with suppress(BlockingIOError):
            while True:
                lines = self._socket.recv(65_536).decode().split("\n")
                self._heard.append(dict(line.split("=", 1) for line in lines))
        return self._heard

    def states(self) -> list[Datagram]:
        """Return those that tell of a change of state."""
        return [one for one in self.heard() if STATES & one.keys()]

    def words(self) -> list[str]:
        """Return the names of the states told, in order."""
        return [next(iter(one)) for one in self.states()]

    def values(self, name: str) -> list[str]:
        """Return every value of one field."""
        return [one[name] for one in self.heard() if name in one]

    def wait(self, condition: Callable[[Self], object], what: str, seconds: float = 30.0) -> None:
        """Wait until `condition(self)`."""
        until(lambda: condition(self), seconds, f"{what}; heard {self.heard()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._socket.close()
