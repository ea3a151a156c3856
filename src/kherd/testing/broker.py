"""One Kafka broker (KRaft, broker and controller in one): its folder, its properties, its process."""

import signal
import socket
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from . import jars
from .ports import Port
from .process import Process, tail

BASE: Final = Path(__file__).with_name("broker.properties")
LOG4J: Final = Path(__file__).with_name("log4j2.properties")
STOP_PATIENCE: Final = 30.0
QUICK: Final = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:-UsePerfData")
"""For a short life on few cores: no second compiler, no parallel collector, no mapped statistics file."""


@dataclass(frozen=True, slots=True)
class Ports:
    """A broker's reserved ports: for clients, brokers, controllers; `entrance` is a proxy's, `direct` leads past it."""

    client: Port = field(default_factory=Port)
    broker: Port = field(default_factory=Port)
    controller: Port = field(default_factory=Port)
    entrance: Port = field(default_factory=Port)
    direct: Port = field(default_factory=Port)

    def release(self) -> None:
        """Give them back."""
        for port in (self.client, self.broker, self.controller, self.entrance, self.direct):
            port.release()


@dataclass(frozen=True, slots=True)
class Java:
    """How a JVM is started: heap as in -Xmx, further flags."""

    heap: str = "384m"
    flags: tuple[str, ...] = QUICK

    def command(self, main: str, *arguments: str | Path) -> list[str]:
        """Return the command line that runs Kafka's class `main`."""
        return [
            jars.java(),
            f"-Xmx{self.heap}",
            *self.flags,
            f"-Dlog4j2.configurationFile={LOG4J}",
            "-cp",
            jars.classpath(),
            main,
            *map(str, arguments),
        ]


class Broker:
    """A broker by its number (from 1), its process and its files."""

    def __init__(self, number: int, folder: Path, java: Java) -> None:
        self.number = number
        self.ports = Ports()
        self.log = folder / f"broker-{number}.log"
        self.properties = folder / f"broker-{number}.properties"
        self.data = folder / f"broker-{number}"
        self._java = java
        self._process: Process | None = None
        self.wanted = False
        """Started, and not ended by a test: its death would be a failure."""
        self.paused = False

    def configure(self, settings: Mapping[str, str]) -> None:
        """Write the properties file: the base, this broker's own, then `settings`."""
        own = {"node.id": str(self.number), "log.dirs": str(self.data)}
        lines = [f"{key}={value}" for key, value in {**own, **settings}.items()]
        self.properties.write_text(BASE.read_text() + "\n" + "\n".join(lines) + "\n")

    def format(self, cluster_id: str, arguments: Sequence[str] = ()) -> Process:
        """Begin to write the storage's first files; the process ends with 0 when that is done."""
        tool: tuple[str | Path, ...] = ("format", "-t", cluster_id, "-c", self.properties, *arguments)
        return Process(self._java.command("kafka.tools.StorageTool", *tool), log=self.log)

    def start(self) -> None:
        """Start the process; it answers some seconds later."""
        if not self.alive:
            self.kill()
            self.paused = False
            self._process = Process(self._java.command("kafka.Kafka", self.properties), log=self.log)
        self.wanted = True

    @property
    def alive(self) -> bool:
        """Whether its process exists, paused or not."""
        return self._process is not None and self._process.alive

    @property
    def listening(self) -> bool:
        """Whether it takes connections of clients."""
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.ports.client.number)) == 0

    @property
    def pid(self) -> int | None:
        """Its process' id, once it was started."""
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """Shut down in order: leaders move away first."""
        self.wanted = False
        if self._process:
            self.resume()
            self._process.stop(STOP_PATIENCE)

    def kill(self) -> None:
        """End it as a power cut does."""
        self.wanted = False
        if self._process:
            self._process.kill()

    def pause(self) -> None:
        """Freeze it: connections stay, nothing answers."""
        self._signal(signal.SIGSTOP)
        self.paused = True

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)
        self.paused = False

    def logs(self, lines: int = 60) -> str:
        """Return the last lines of its log."""
        return tail(self.log, lines)

    def _signal(self, number: signal.Signals) -> None:
        if self._process:
            self._process.send(number)
