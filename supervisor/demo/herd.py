"""The demo's daemon: `kherd run` as a process of its own, with a generated configuration, as a user would run it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil

from ...worker import clock, kernel
from ..control.client import Client, ControlError
from .folder import Folder

TOPIC: Final = "orders"
DEAD_LETTER_TOPIC: Final = f"dlq.{TOPIC}"
STOP_SECONDS: Final = 5.0
TAIL_LINES: Final = 25
STATUS_SECONDS: Final = 2.0
GLANCE: Final = 0.02

CONFIGURATION: Final = """\
[app]
name = "{name}"
handler = "orders:Ledger"
[kafka]
bootstrap = "embedded"
topics = ["{topic}"]
[workers]
count = {count}
handler_timeout = "2s"
[stop]
timeout = "{stop}s"
[state]
dir = "{state}"
[log]
format = "json"
"""


class Herd:
    """A running daemon with `count` workers in `folder`."""

    def __init__(self, folder: Folder, count: int) -> None:
        self._place = folder.path
        self._keeper = folder.keeper
        self.ledger = self._place / "ledger"
        self._log = self._place / "daemon.log"
        state = self._place / "state"
        self._client = Client(state / "control.sock")
        self._name = self._place.name  # a name of its own: two demos may run at a time
        shutil.copyfile(Path(__file__).with_name("orders.py"), self._place / "orders.py")
        self.configure(count)
        # Who is orphaned by the daemon's death becomes our child, so that none can be missed at the end.
        kernel.become_subreaper()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-m", "kherd", "run", str(self._place / "kherd.toml")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "KHERD_DEMO_LEDGER": str(self.ledger)},
                pass_fds=(folder.hold,),
                start_new_session=True,  # a Ctrl-C is for us alone
                preexec_fn=partial(_tie_to, os.getpid()),  # noqa: PLW1509 - this process has no thread yet
            )

    @property
    def pid(self) -> int:
        """The daemon's."""
        return self._process.pid

    def configure(self, count: int) -> None:
        """Write the configuration, as an editor would: a new file in the place of the old one."""
        text = CONFIGURATION.format(
            name=self._name, topic=TOPIC, count=count, stop=int(STOP_SECONDS), state=self._place / "state"
        )
        new = self._place / "kherd.toml.new"
        new.write_text(text)
        new.replace(self._place / "kherd.toml")

    def status(self) -> dict[str, Any] | None:
        """Return the status document; None while nobody answers."""
        try:
            found: dict[str, Any] = self._client.request("status", timeout=STATUS_SECONDS)
        except ControlError:
            return None
        return found

    def signal(self, number: signal.Signals) -> None:
        """Signal the daemon, if it runs."""
        self._process.send_signal(number)

    def exit_code(self) -> int | None:
        """Return how the daemon ended, None while it runs."""
        return self._process.poll()

    def end(self, hurry: Callable[[], bool]) -> None:
        """End all that is left of it, gracefully until `hurry` says otherwise; nothing runs when this returns."""
        if self.exit_code() is None:
            self.signal(signal.SIGTERM)
        deadline = clock.monotonic() + STOP_SECONDS + 1
        while self.exit_code() is None and clock.monotonic() < deadline and not hurry():
            clock.sleep(GLANCE)
        self._process.kill()
        self._process.wait()
        left = self.left()
        for one in left:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(left, timeout=STOP_SECONDS)

    def left(self) -> list[psutil.Process]:
        """Return the processes below us, the folder's keeper aside."""
        return [one for one in psutil.Process().children(recursive=True) if one.pid != self._keeper]

    def told(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of one kind of event, of the daemon and all its children."""
        lines = (_parsed(line) for line in self._log.read_text(errors="replace").splitlines())
        return [line for line in lines if line.get("event") == event]

    def last_words(self) -> str:
        """Return the end of the daemon's log."""
        try:
            lines = self._log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-TAIL_LINES:])


def _parsed(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:  # what others print
        return {}
    return found if isinstance(found, dict) else {}


def _tie_to(parent: int) -> None:
    if not kernel.die_with_parent(parent):
        os._exit(1)
