"""A herd as a user runs it: `python -m kherd run kherd.toml` in a folder, watched from outside, nothing left behind."""

import os
import signal
import sys
import tomllib
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from ..supervisor.control.client import Client, ControlError
from . import toml
from .events import Event, EventLog
from .process import Process
from .wait import until

T = TypeVar("T")
Document = dict[str, Any]
TAG: Final = "KHERD_TEST_HERD"
"""A variable in the environment of every process of a herd, by which all of them are found, whoever their parent is."""
START: Final = 30.0
STOP: Final = 40.0
GONE: Final = 5.0


class HerdError(AssertionError):
    """A herd did not do what it should; the end of its log is added where the test ends."""


class Herd:
    """One supervisor and all that it starts; a context manager that starts it and, at the end, kills what is left.

    `config` is TOML text, or tables that get a name of their own (also the group's), `handlers:handle` and JSON lines
    where they say nothing else. `handler_source` is written to the handler's module; it may use `kherd.testing.ledger`
    on `LEDGER_PATH`, which is defined for it. The state folder is inside `folder`. `within` is a command that runs the
    command after it: then `pid` is that command's.
    """

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Any] | str,
        handler_source: str = "def handle(message):\n    pass\n",
        *,
        env: Mapping[str, str] | None = None,
        within: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.config = folder / "kherd.toml"
        self.ledger = folder / "ledger"
        self.log = EventLog(folder / "kherd.log")
        self.state = folder / "state"
        self.within = tuple(within)
        self.tag = uuid.uuid4().hex
        self.env = {**os.environ, "RUNTIME_DIRECTORY": str(self.state), **(env or {}), TAG: self.tag}
        self._process: Process | None = None
        self.configure(config)
        self.write_handler(handler_source)

    def configure(self, config: Mapping[str, Any] | str) -> None:
        """Write the configuration; a running herd reads it at the next HUP."""
        text = config if isinstance(config, str) else toml.dumps(self._complete(config))
        self.config.write_text(text)
        self.settings = tomllib.loads(text)

    def write_handler(self, source: str) -> None:
        """Write the handler's module, whole at every moment: a worker may be just importing it."""
        module = self.settings["app"]["handler"].partition(":")[0]
        path = self.folder / f"{module.replace('.', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_suffix(".new")
        written.write_text(f"LEDGER_PATH = {str(self.ledger)!r}\n{source}")
        written.replace(path)

    def start(self) -> Self:
        """Start the supervisor; returns at once."""
        if self._process is not None:
            self._process.kill()
        command = [*self.within, sys.executable, "-m", "kherd", "run", self.config.name]
        self._process = Process(command, log=self.log.path, cwd=self.folder, env=self.env)
        return self

    @property
    def pid(self) -> int:
        """The supervisor's pid."""
        return self._running.pid

    @property
    def alive(self) -> bool:
        """Whether the supervisor runs."""
        return self._process is not None and self._process.alive

    def signal(self, number: signal.Signals) -> None:
        """Signal the supervisor."""
        self._running.send(number)

    def ask(self, command: str, **args: Any) -> Any:
        """Have a command done over the control socket; raises ControlError as the client does."""
        return Client(self.state / "control.sock").request(command, args)

    def status(self) -> Document:
        """Return the status document."""
        answer: Document = self.ask("status")
        return answer

    def worker_pids(self) -> dict[int, int]:
        """Return slot -> pid of the workers that exist now."""
        return {slot["slot"]: slot["pid"] for slot in self.status()["slots"] if slot["pid"] is not None}

    def wait_status(
        self, condition: Callable[[Document], object], seconds: float = START, what: str = "the status"
    ) -> Document:
        """Return the first status document for which `condition(document)` is true.

        Raises:
            HerdError: none was in time, or the supervisor ended.
        """

        def look() -> Document | None:
            with suppress(ControlError):
                document = self.status()
                return document if condition(document) else None
            return None

        return self._until(look, seconds, what)

    def wait_ready(self, count: int, seconds: float = START) -> Document:
        """Wait until exactly `count` workers exist and all are ready; return the status document."""

        def ready(document: Document) -> bool:
            workers = document["workers"]
            return bool(workers["ready"] == count == sum(workers["by_state"].values()))

        return self.wait_status(ready, seconds, f"{count} ready workers")

    def events(self, name: str | None = None, **fields: Any) -> list[Event]:
        """Return the events logged so far of that name and with those fields."""
        return self.log.find(name, **fields)

    def wait_event(self, name: str, seconds: float = START, *, count: int = 1, **fields: Any) -> Event:
        """Return the `count`th such event, waiting for it."""
        what = f"event {name} {fields or ''} number {count}"
        return self._until(lambda: self.events(name, **fields)[count - 1 :], seconds, what)[0]

    def wait_end(self, seconds: float = STOP, *, code: int = 0) -> None:
        """Wait for the supervisor's end, and check its exit code and that it left no process behind."""
        process = self._running
        if not process.ended(seconds):
            raise self._error(f"the supervisor did not end within {seconds:g} s")
        left = self.processes()
        got = process.kill()
        if got != code:
            raise self._error(f"the supervisor ended with {got}, not {code}")
        if left:
            raise self._error(f"the supervisor left processes behind: {left}")

    def stop(self, seconds: float = STOP, *, code: int = 0) -> None:
        """Send TERM, then do as `wait_end`."""
        self.signal(signal.SIGTERM)
        self.wait_end(seconds, code=code)

    def kill(self) -> None:
        """End the supervisor as the OOM killer does, and wait until all its processes are gone."""
        self._running.send(signal.SIGKILL)
        self._running.ended(STOP)
        self._running.kill()
        until(lambda: not self.processes(), GONE, "the processes of a killed supervisor to be gone")

    def processes(self) -> dict[int, str]:
        """Return pid -> command line of every live process of this herd, orphans included."""
        return {pid: _command(pid) for pid in _tagged(f"{TAG}={self.tag}".encode())}

    def cleanup(self) -> None:
        """Kill whatever is left; may be called at any time."""
        if self._process is not None:
            self._process.kill()
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.cleanup()
        if error is not None:
            error.add_note(f"--- the end of {self.log.path}\n{self.log.tail()}")

    @property
    def _running(self) -> Process:
        if self._process is None:
            raise HerdError("the herd was not started")
        return self._process

    def _complete(self, config: Mapping[str, Any]) -> dict[str, Any]:
        tables = {key: dict(value) if isinstance(value, Mapping) else value for key, value in config.items()}
        app = tables.setdefault("app", {})
        app.setdefault("name", f"herd-{self.tag[:8]}")
        app.setdefault("handler", "handlers:handle")
        tables.setdefault("log", {}).setdefault("format", "json")
        return tables

    def _until(self, look: Callable[[], T | None], seconds: float, what: str) -> T:
        def alive_and_look() -> T | None:
            # The log after the process, so that its last words are not missed.
            alive = self.alive
            found = look()
            if not found and not alive:
                raise self._error(f"the supervisor has ended while {what} was waited for")
            return found

        try:
            return until(alive_and_look, seconds, what)
        except TimeoutError as error:
            raise self._error(str(error)) from error

    def _error(self, what: str) -> HerdError:
        return HerdError(f"{what}; see {self.log.path}")


def _tagged(mark: bytes) -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _has(entry, mark)]


def _has(entry: Path, mark: bytes) -> bool:
    # A zombie's environment is empty: it is dead, and its parent's business.
    with suppress(OSError):
        return mark in (entry / "environ").read_bytes().split(b"\0")
    return False


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""
