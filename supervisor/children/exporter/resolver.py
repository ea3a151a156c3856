"""Host names, looked up in a thread of its own: getaddrinfo may block for longer than a stop may take."""

import queue
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

DEFAULT_PORT: Final = 8125


@dataclass(frozen=True, slots=True)
class Address:
    """A UDP address in numbers."""

    host: str
    port: int
    ipv6: bool


@dataclass(frozen=True, slots=True)
class Unresolved:
    """There is no address, for this reason."""

    reason: str


Found = tuple[Address, ...] | Unresolved


def split(text: str) -> tuple[str, int]:
    """Return host and port of `text`; raises ValueError if there are none."""
    host, colon, port = text.rpartition(":")
    if not colon or port.endswith("]") or ("]" not in text and ":" in host):
        host, port = text, str(DEFAULT_PORT)  # no port, or a bare IPv6 address
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def look_up(host: str, port: int) -> Found:
    """Ask the system's resolver for every address, IPv4 first as most servers listen there; may block for long."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that no host name may have
        return Unresolved(f"{host}: {error}")
    addresses = {Address(str(address[0]), port, family is socket.AF_INET6): None for family, _, _, _, address in found}
    return tuple(sorted(addresses, key=lambda address: address.ipv6))


class Resolver:
    """Looks one host up again and again, on request; `done` is called in its thread after each time."""

    def __init__(self, host: str, port: int, done: Callable[[], object]) -> None:
        self._requests: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Found] = queue.SimpleQueue()
        self._busy = False
        self._place, self._done = (host, port), done
        threading.Thread(target=self._run, name="resolver", daemon=True).start()

    def ask(self) -> None:
        """Look it up once more, unless that is under way."""
        if not self._busy:
            self._busy = True
            self._requests.put(True)

    def take(self) -> Found | None:
        """Return the newest result, None if there is none since the last time."""
        try:
            found = self._results.get_nowait()
        except queue.Empty:
            return None
        self._busy = False
        return found

    def close(self) -> None:
        """End the thread, after a look-up that is under way."""
        self._requests.put(False)

    def _run(self) -> None:
        while self._requests.get():
            self._results.put(look_up(*self._place))
            self._done()
