"""A stand-in herd as its tests see it: start it, read its log, ask its socket, count what it has and what it left."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kherd.supervisor.control.client import Client

from .processes import alive, state, until

ROOT = Path(__file__).resolve().parents[2]
BOUND = 10.0


class StandIn:
    """One daemon of `standin.py`, in a session of its own: whatever is left of it can be found."""

    def __init__(
        self, folder: Path, environment: dict[str, str], within: Sequence[str] = (), **tables: dict[str, Any]
    ) -> None:
        self.folder = folder
        self.config = folder / "kherd.toml"
        self.write(**tables)
        self._log = folder / "log"
        self._read = 0
        self.lines: list[dict[str, Any]] = []
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [*within, sys.executable, "-m", "tests.fakes.standin", str(self.config)],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **environment},
            )  # fmt: skip
        self.client = Client(folder / "state" / "control.sock")

    def write(self, **tables: dict[str, Any]) -> None:
        """Write the configuration."""
        document: dict[str, dict[str, Any]] = {
            "app": {"name": f"standin-{os.getpid()}-{self.folder.name}", "handler": "orders:handle"},
            "kafka": {"bootstrap": "127.0.0.1:1", "topics": ["orders"], "static_membership": False},
            "state": {"dir": str(self.folder / "state")},
            "log": {"format": "json", "level": "debug"},
        }
        for name, fields in tables.items():
            document.setdefault(name, {}).update(fields)
        text = "".join(
            f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in fields.items())
            for name, fields in document.items()
        )
        self.config.write_text(text)

    def __getitem__(self, path: str) -> Any:
        """Return a part of the status document: `herd["workers.ready"]`."""
        value = self.status()
        for part in path.split("."):
            value = value[part]
        return value

    def status(self) -> Any:
        """Return the status document."""
        return self.client.request("status")

    def ask(self, command: str, **args: Any) -> Any:
        """Ask the control socket for something else."""
        return self.client.request(command, args)

    def pids(self) -> list[int]:
        """Return the pids of the workers that have one."""
        return [slot["pid"] for slot in self["slots"] if slot["pid"] is not None]

    def signal(self, number: signal.Signals) -> None:
        """Send the supervisor a signal."""
        self.process.send_signal(number)

    def log(self) -> list[dict[str, Any]]:
        """Return every log line so far."""
        with self._log.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data.rfind(b"\n") + 1
        self._read += whole
        self.lines += [_line(text) for text in data[:whole].splitlines()]
        return self.lines

    def forget(self) -> None:
        """Forget the log so far: thousands of trials would search all of it again and again."""
        self.log()
        self.lines.clear()

    def events(self, name: str, **fields: Any) -> list[dict[str, Any]]:
        """Return the log lines of one event with these fields."""
        wanted = {"event": name, **fields}
        return [line for line in self.log() if wanted.items() <= line.items()]

    def ready(self, count: int, seconds: float = BOUND) -> None:
        """Wait until exactly `count` workers are wanted, there and ready."""
        self.until(lambda: self._is_ready(count), seconds, f"{count} ready workers")

    def _is_ready(self, count: int) -> bool:
        workers = self["workers"]
        return bool(
            workers["wanted"] == workers["ready"] == count
            and workers["by_state"] == ({"ready": count} if count else {})
        )

    def until(self, condition: Any, seconds: float = BOUND, what: str = "") -> None:
        """Wait for `condition`; a failure shows the last log lines."""
        try:
            until(lambda: self.process.poll() is None and condition(), seconds, what)
        except AssertionError as error:
            tail = "\n".join(str(line) for line in self.log()[-25:])
            raise AssertionError(f"{error}; exit {self.process.poll()}; the log ends:\n{tail}") from None

    def end(self, seconds: float = BOUND) -> int:
        """Wait for the supervisor's end and return its exit code; nothing of it may be left."""
        code = self.process.wait(seconds)
        until(lambda: not self.left(), 1.0, f"left behind: {self.left()}")
        return code

    def stop(self, seconds: float = BOUND) -> int:
        """TERM, and `end`."""
        self.signal(signal.SIGTERM)
        return self.end(seconds)

    def left(self) -> list[int]:
        """Return the pids of all processes of its session but the supervisor; zombies too, if theirs is the reaping."""
        found = members(self.process.pid)
        return [pid for pid, parent in found.items() if pid != self.process.pid and (alive(pid) or parent in found)]

    def zombies(self) -> list[int]:
        """Return the pids of the session's zombies."""
        return [pid for pid in self.left() if state(pid) == "Z"]


def members(session: int) -> dict[int, int]:
    """Return the processes of a session, by pid, each with its parent's pid."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session:
                    found[int(entry.name)] = int(fields[1])
    return found


def _line(text: bytes) -> dict[str, Any]:
    try:
        line: dict[str, Any] = json.loads(text)
    except ValueError:
        return {"event": "not json", "message": text.decode(errors="replace")}
    return line


@contextmanager
def standin(
    folder: Path,
    handler: str = "def handle(message): ...\n",
    environment: dict[str, str] | None = None,
    within: Sequence[str] = (),
    **tables: Any,
) -> Iterator[StandIn]:
    """Run a herd whose handler's module holds `handler`; at the end of the block nothing of it is left.

    `within` is a command that becomes the one after it.
    """
    (folder / "orders.py").write_text(handler)
    herd = StandIn(folder, environment or {}, within, **tables)
    try:
        until(lambda: herd.client.alive() or herd.process.poll() is not None, 20.0)
        assert herd.process.poll() is None, herd.log()
        yield herd
    finally:
        for pid in [herd.process.pid, *herd.left()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        herd.process.wait()


def trials(few: int, many: int) -> int:
    """Return how many trials to run: `many` if KHERD_FULL is set."""
    return many if os.environ.get("KHERD_FULL") else few


def dice() -> random.Random:
    """Return a source of chance whose seed is printed: KHERD_SEED repeats a run."""
    seed = int(os.environ.get("KHERD_SEED", time.time_ns() % 2**32))
    print(f"KHERD_SEED={seed}")  # noqa: T201 - pytest shows it when the test fails
    return random.Random(seed)
