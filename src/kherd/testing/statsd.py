"""The original statsd server, from npm, flushing every second into a file of JSON lines."""

import json
import os
import socket
import subprocess
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Self

from . import cache
from .parts import MissingPartError, program
from .ports import Port
from .process import Process, tail
from .scratch import Scratch
from .wait import until

VERSION: Final = "0.9.0"
BACKEND: Final = Path(__file__).with_name("statsd_lines.js")
PLENTY: Final = 300.0
START: Final = 20.0
NODE: Final = "install Node.js with npm (Debian: nodejs npm)"

Flush = dict[str, Any]
"""`counters` (what came in this second), `gauges`, `timers`, `sets`, each name -> value; `timestamp`."""


class StatsdServer:
    """A statsd on loopback; a context manager. `address` is host:port, for UDP."""

    def __init__(self) -> None:
        self._scratch = Scratch("statsd")
        self._port, self._management = Port(), Port()
        self.host, self.port = "127.0.0.1", self._port.number
        self.address = f"{self.host}:{self.port}"
        self._flushes = self._scratch.path / "flushes"
        self._log = self._scratch.path / "statsd.log"
        self._process: Process | None = None

    def open(self) -> Self:
        """Start it and wait until it listens.

        Raises:
            MissingPartError: there is no Node, or the package cannot be had.
            TimeoutError: it did not start; carries its output.
        """
        try:
            module = installed()
            config = self._scratch.path / "config.js"
            config.write_text(json.dumps(self._config()))
            node = program("node", "Node for a real statsd", NODE)
            env = {**os.environ, "KHERD_FLUSHES": str(self._flushes)}
            self._process = Process([node, module / "stats.js", config], log=self._log, env=env)
            until(self._listening, START, "statsd to listen")
        except TimeoutError as error:
            error.add_note(tail(self._log))
            self.close()
            raise
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Kill it and remove its files; may be called twice."""
        if self._process:
            self._process.kill()
        self._port.release()
        self._management.release()
        self._scratch.remove()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def flushes(self) -> list[Flush]:
        """Return every flush so far."""
        if not self._flushes.exists():
            return []
        lines = self._flushes.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def metrics(self) -> Flush:
        """Return the latest flush; empty if there was none yet."""
        found = self.flushes()
        return found[-1] if found else {"counters": {}, "gauges": {}, "timers": {}, "sets": {}}

    def gauges(self) -> dict[str, float]:
        """Return every gauge as it is now."""
        gauges: dict[str, float] = self.metrics()["gauges"]
        return gauges

    def counters(self) -> dict[str, float]:
        """Return what every counter has come to over all flushes."""
        totals: Counter[str] = Counter()
        for flush in self.flushes():
            totals.update(flush["counters"])
        return dict(totals)

    def total(self, counter: str) -> float:
        """Return what one counter has come to over all flushes."""
        return self.counters().get(counter, 0.0)

    def _config(self) -> dict[str, Any]:
        return {
            "address": self.host,
            "port": self.port,
            "mgmt_address": self.host,
            "mgmt_port": self._management.number,
            "flushInterval": 1000,
            "backends": [str(BACKEND)],
        }

    def _listening(self) -> bool:
        if self._process and not self._process.alive:
            raise TimeoutError("statsd ended at once")
        with closing(socket.socket()) as probe:
            return probe.connect_ex((self.host, self._management.number)) == 0


def installed() -> Path:
    """Return the folder of the npm package, installing it if this is the first time.

    Raises:
        MissingPartError: no npm, or it could not fetch the package.
    """
    recipe = f"statsd@{VERSION}"
    return cache.entry("statsd", recipe.encode(), lambda folder: _install(folder, recipe)) / "node_modules" / "statsd"


def _install(folder: Path, package: str) -> None:
    npm = program("npm", "npm for a real statsd", NODE)
    quiet = ("--no-audit", "--no-fund", "--omit=optional", "--ignore-scripts")
    command = [npm, "install", "--prefix", str(folder), *quiet, package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PLENTY, check=False)
    except subprocess.TimeoutExpired:
        raise MissingPartError("statsd from npm", f"npm did not end within {PLENTY:g} s; is there a network?") from None
    if done.returncode != 0:
        said = "\n".join(done.stderr.splitlines()[-5:])
        raise MissingPartError("statsd from npm", f"npm could not fetch it, with a network or a mirror it can ({said})")
