"""The embedded broker as tests use it: its own process, spoken to as its supervisor would; `main` is that process."""

import socket
import sys
from typing import Final, Self

from ..supervisor.children.broker.main import run
from ..supervisor.children.broker.spec import BrokerSpec
from ..worker import log
from ..worker.channel import Channel, Message, pair
from ..worker.spec import LogSpec
from .process import Process, tail
from .scratch import Scratch
from .topics import QUIET, Cluster
from .wait import until

PATIENCE: Final = 10.0


class EmbeddedCluster(Cluster):
    """librdkafka's mock cluster; a context manager. Topics are made through its channel, as admin calls fail on it."""

    def __init__(self) -> None:
        self._scratch = Scratch("embedded")
        self._log = self._scratch.path / "log"
        self._channel, theirs = pair()
        command = [sys.executable, "-m", __name__, str(theirs.fileno())]
        self._process = Process(command, log=self._log, keep=[theirs.fileno()])
        theirs.close()
        super().__init__("")

    def open(self) -> Self:
        """Wait until it serves."""
        try:
            self.bootstrap = str(self._receive("bootstrap")["value"])
        except TimeoutError:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Kill it; may be called twice."""
        self._channel.close()
        self._process.kill()
        self._scratch.remove()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def own_properties(self) -> dict[str, str]:
        """Properties for clients of the tests themselves."""
        return {**self.client_properties(), **QUIET, "fetch.wait.max.ms": "10"}

    def create_topic(self, name: str, partitions: int = 4, rf: int | None = None, **config: str) -> str:
        """Create a topic; it has neither copies nor settings.

        Raises:
            ValueError: some were asked for.
        """
        if rf not in {None, 1} or config:
            raise ValueError("the embedded broker has neither replication nor topic settings")
        self._channel.send({"type": "create_topic", "topic": name, "partitions": partitions})
        self._receive("created")
        return name

    def time_group(self, group: str, *, heartbeat: float, session: float | None = None) -> None:
        """Do nothing: its groups are quick as they are."""

    def _receive(self, kind: str) -> Message:
        def look() -> Message | None:
            received = self._channel.receive()
            if self._channel.closed:
                raise TimeoutError(f"the embedded broker ended:\n{tail(self._log)}")
            return received[0] if received else None

        message = until(look, PATIENCE, f"the embedded broker's {kind!r}", glance=0.002)
        assert message["type"] == kind, message
        return message


def main(arguments: list[str]) -> int:
    """Serve the channel whose descriptor is the only argument."""
    log.configure(LogSpec(), log.Identity("testing", "broker"))
    return run(BrokerSpec(), Channel(socket.socket(fileno=int(arguments[0]))))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
