"""Samples to a statsd server: packets that no network splits, and an error that can be told instead of swallowed."""

from collections.abc import Iterable
from typing import Final

from statsd import StatsClient

from ...decide.metrics import Sample
from ...metrics import safe
from .resolver import Address

PACKET: Final = 512
"""Bytes of a packet at most: within every path's MTU, and the least that every server takes."""


class Statsd(StatsClient):  # type: ignore[misc]  # the package has no types
    """The PyPI client on a connected socket: the kernel then reports that nobody listens (udp(7))."""

    def __init__(self, address: Address, prefix: str) -> None:
        """Connect; raises OSError if there is no way to the address."""
        super().__init__(address.host, address.port, prefix=prefix, maxudpsize=PACKET, ipv6=address.ipv6)
        self.error: str | None = None
        """Why the last packets were not sent, None if they were."""
        self._sock.setblocking(False)
        self._sock.connect(self._addr)

    def send(self, samples: Iterable[Sample]) -> None:
        """Send all of `samples`, packed; sets `error`."""
        self.error = None
        with self.pipeline() as pipe:
            for sample in samples:
                value = written(sample.value)
                if len(self._prefix) + len(sample.path) + len(value) + len(":|c") >= PACKET:
                    self.error = f"the name of {sample.path[:40]}… is too long"
                elif sample.metric.kind == "counter":
                    pipe.incr(sample.path, value)
                else:
                    pipe.gauge(sample.path, float(value) if "." in value else int(value))

    def _send(self, data: str) -> None:
        try:
            self._sock.send(data.encode("ascii"))
        except OSError as error:
            self.error = error.strerror or str(error)


def prefix_of(prefix: str, app: str) -> str:
    """Return the path that all metrics of `app` stand below."""
    return ".".join(safe(part) for part in (*prefix.split("."), app) if part)


def written(value: float) -> str:
    """Return `value` as every server reads it: no exponent, no more digits than matter."""
    return str(value) if isinstance(value, int) else f"{value:.6f}".rstrip("0").rstrip(".")
