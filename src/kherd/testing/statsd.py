"""The original statsd server (npm's `statsd`), asked through its own management port. It never flushes: totals stay."""

import json
import re
import socket
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Final, Self

from . import cache
from .parts import MissingPartError, program
from .ports import Port
from .process import Process, tail
from .scratch import Scratch
from .wait import until

PACKAGE: Final = "statsd@0.9.0"
PLENTY: Final = 300.0
"""Seconds for ten small packages through a slow mirror."""
START_PATIENCE: Final = 30.0
NEVER_MS: Final = 2_000_000_000
"""A flush interval that no test lives to see; a timer of Node's has 31 bits."""
NODE: Final = "install Node (Debian: nodejs, npm)"
_KEY: Final = re.compile(r"^\s*(?:'([^']+)'|([\w$]+)):\s*(-?[\d.e+-]+),?$", re.MULTILINE)


class StatsdServer:
    """One server on loopback; a context manager."""

    def __init__(self) -> None:
        self._ports = (Port(), Port())
        self._scratch = Scratch("statsd")
        self.log = self._scratch.path / "statsd.log"
        self._process: Process | None = None

    @property
    def address(self) -> str:
        """HOST:PORT for metrics, over UDP."""
        return f"127.0.0.1:{self._ports[0].number}"

    def open(self) -> Self:
        """Start it.

        Raises:
            MissingPartError: no Node, no npm, or the packages cannot be had.
        """
        node, package = program("node", "Node for statsd", NODE), cache.entry("statsd", PACKAGE.encode(), _fetch)
        config = self._scratch.path / "config.js"
        config.write_text(
            json.dumps(
                {
                    "address": "127.0.0.1",
                    "port": self._ports[0].number,
                    "mgmt_address": "127.0.0.1",
                    "mgmt_port": self._ports[1].number,
                    "flushInterval": NEVER_MS,
                    "backends": [],
                }
            )
        )
        self._process = Process([node, package / "node_modules/statsd/stats.js", config], log=self.log)
        try:
            until(self._answers, START_PATIENCE, "statsd to answer")
        except TimeoutError as error:
            said = tail(self.log)
            self.close()
            raise RuntimeError(f"statsd did not start: {said}") from error
        return self

    def counters(self) -> dict[str, float]:
        """Return every counter's total."""
        return self._ask("counters")

    def gauges(self) -> dict[str, float]:
        """Return every gauge."""
        return self._ask("gauges")

    def kill(self) -> None:
        """End it; its ports stay reserved."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End it and give everything back."""
        self.kill()
        for port in self._ports:
            port.release()
        self._scratch.remove()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answers(self) -> bool:
        try:
            return "statsd.bad_lines_seen" in self.counters()
        except OSError:
            return False

    def _ask(self, what: str) -> dict[str, float]:
        """Read one of the server's tables: it prints them as JavaScript, and ends with END."""
        with closing(socket.create_connection(("127.0.0.1", self._ports[1].number), timeout=10)) as asked:
            asked.sendall(what.encode() + b"\n")
            said = b""
            while not said.rstrip().endswith(b"END") and (more := asked.recv(65536)):
                said += more
        return {quoted or bare: float(value) for quoted, bare, value in _KEY.findall(said.decode())}


def _fetch(folder: Path) -> None:
    npm = program("npm", "npm for statsd", NODE)
    (folder / "package.json").write_text('{"private": true}')
    # Its optional part is a C++ module for syslog; nothing here needs a script run at installation.
    command = [npm, "install", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PLENTY, check=False)
    except subprocess.TimeoutExpired:
        raise MissingPartError("statsd", f"npm did not fetch {PACKAGE} within {PLENTY:g} s") from None
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
        raise MissingPartError("statsd", f"npm could not fetch {PACKAGE} ({said})")
