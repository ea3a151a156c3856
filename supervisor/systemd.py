"""The wire to systemd (sd_notify(3)): one datagram per message; nothing here raises or waits."""

import socket
from collections import deque
from collections.abc import Mapping
from typing import Final, NamedTuple, Self

from ..worker import events, log

VARIABLES: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""What systemd puts into the environment, for the main process alone."""
LONGEST_ADDRESS: Final = 107
WAITING: Final = 64
MICROSECONDS: Final = 1_000_000


class Doubt(NamedTuple):
    """A variable that cannot be used."""

    variable: str
    value: str
    reason: str


class Systemd:
    """Whoever started us and wants to hear of it; without an `address` every call does nothing.

    `watchdog` is the time in seconds within which WATCHDOG=1 has to come, None for no watchdog.
    """

    def __init__(
        self, address: str | None = None, watchdog: float | None = None, doubts: tuple[Doubt, ...] = ()
    ) -> None:
        self.watchdog = watchdog if address is not None else None
        self.doubts = doubts
        self._address = address or ""
        self._waiting: deque[bytes] = deque(maxlen=WAITING)
        self._warned = False
        self._socket: socket.socket | None = None
        if address is not None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    @classmethod
    def of(cls, variables: Mapping[str, str], pid: int) -> Self:
        """Return what `variables` (those of VARIABLES that were set) say to the process `pid`."""
        doubts: list[Doubt] = []
        address = _address(variables.get("NOTIFY_SOCKET", ""), doubts)
        watchdog = _watchdog(variables, pid, doubts) if address is not None else None
        return cls(address, watchdog, tuple(doubts))

    @property
    def listens(self) -> bool:
        """Whether there is anybody to tell."""
        return self._socket is not None

    def tell(self, *fields: str, keep: bool = True) -> bool:
        """Send `fields` as one datagram; return whether it is on its way.

        One that cannot be sent is tried again by `flush`, in order, if it is to be kept.
        """
        if self._socket is None:
            return False
        datagram = "\n".join(fields).encode(errors="replace")
        self.flush()
        if not self._waiting and self._send(datagram):
            return True
        if keep:
            self._waiting.append(datagram)
        return keep

    def flush(self) -> None:
        """Send what could not be sent before."""
        while self._waiting and self._send(self._waiting[0]):
            self._waiting.popleft()

    def report(self) -> None:
        """Log what was wrong with the variables; the log must be configured."""
        for doubt in self.doubts:
            log.emit(events.NOTIFY_IGNORED, variable=doubt.variable, value=doubt.value, reason=doubt.reason)

    def close(self) -> None:
        """Say no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, datagram: bytes) -> bool:
        assert self._socket is not None
        try:
            self._socket.sendto(datagram, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL, _bound(self._address))
        except OSError as error:
            if not self._warned:
                log.emit(events.NOTIFY_FAILED, address=self._address, reason=error.strerror or str(error))
            self._warned = True
            return False
        self._warned = False
        return True


def _bound(address: str) -> str:
    """Return what the kernel knows `address` by: an abstract name begins with a zero."""
    return "\0" + address[1:] if address.startswith("@") else address


def _address(value: str, doubts: list[Doubt]) -> str | None:
    if not value:
        return None
    if value.startswith("vsock"):
        reason = "vsock sockets are not supported, only unix ones"
    elif not value.startswith(("/", "@")) or len(value) == 1:
        reason = "neither an absolute path nor an abstract name after @"
    elif len(value.encode(errors="surrogateescape")) > LONGEST_ADDRESS:
        reason = f"longer than {LONGEST_ADDRESS} bytes"
    else:
        return value
    doubts.append(Doubt("NOTIFY_SOCKET", value, reason))
    return None


def _watchdog(variables: Mapping[str, str], pid: int, doubts: list[Doubt]) -> float | None:
    """Return the timeout in seconds; sd_watchdog_enabled(3): one that is meant for another process is not ours."""
    microseconds = _number("WATCHDOG_USEC", variables, doubts)
    meant = _number("WATCHDOG_PID", variables, doubts)
    if microseconds is None or ("WATCHDOG_PID" in variables and meant != pid):
        return None
    return microseconds / MICROSECONDS


def _number(name: str, variables: Mapping[str, str], doubts: list[Doubt]) -> int | None:
    value = variables.get(name)
    if value is None:
        return None
    # 2**64 - 1 is systemd's "infinity", 2**63 more than any clock holds.
    if value.isascii() and value.isdigit() and len(value) < 20 and 0 < int(value) < 2**63:  # noqa: PLR2004
        return int(value)
    doubts.append(Doubt(name, value, "not a positive number"))
    return None
