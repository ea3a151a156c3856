"""A herd as a unit of systemd inside a machine: configured by files, driven by systemctl, watched from outside."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ..supervisor.control.client import Client, ControlError
from . import toml
from .ledger import Handled, read
from .machine import Machine
from .tree import PREFIX
from .wait import until

STATE: Final = "/var/lib/kherd"
PATIENCE: Final = 60.0
FILL: Final = "import sys; from kherd.testing.producing import fill; \
fill({'bootstrap.servers': sys.argv[1]}, 'orders', int(sys.argv[2]), partitions=8)"
Document = dict[str, Any]


class Service:
    """The instance `name` of the unit file `template`@.service.

    Its handler is in a module of its name and may use `kherd.testing.ledger` on `LEDGER_PATH`; it gets the records of
    the embedded broker's topic `orders`, which has 8 partitions.
    """

    def __init__(self, machine: Machine, name: str, template: str = "kherd") -> None:
        self.machine, self.name = machine, name
        self.unit = f"{template}@{name}.service"
        self.file = machine.root / "etc/kherd" / f"{name}.toml"
        self.drop_in(f"StateDirectory=kherd/{name}")
        # What nothing wants is forgotten the moment it stops, its exit code with it.
        self.systemctl("enable")

    def drop_in(self, *lines: str) -> None:
        """Add lines to [Service], as `systemctl edit` does."""
        folder = self.machine.root / "etc/systemd/system" / f"{self.unit}.d"
        folder.mkdir(exist_ok=True)
        (folder / f"{len(list(folder.iterdir()))}.conf").write_text("\n".join(["[Service]", *lines, ""]))
        self.machine.run("systemctl", "daemon-reload")

    def write(self, handler: str = "def handle(message):\n    pass\n", **tables: Mapping[str, Any]) -> None:
        """Write the configuration and the handler's module; `handle` is called if `tables` name no other."""
        made: dict[str, Any] = {
            "app": {"name": self.name, "handler": f"{self.name}:handle"},
            "kafka": {"bootstrap": "embedded", "topics": ["orders"]},
        }
        self.file.write_text(toml.dumps(made | {key: made.get(key, {}) | dict(table) for key, table in tables.items()}))
        ledger = f"LEDGER_PATH = {f'{STATE}/{self.name}/ledger'!r}\n"
        self.file.with_suffix(".py").write_text(ledger + handler)

    def systemctl(self, verb: str, *options: str, check: bool = True) -> int:
        """Have systemctl do `verb`; return its exit code."""
        return self.machine.run("systemctl", verb, *options, self.unit, check=check).returncode

    def show(self, name: str) -> str:
        """Return a property of the unit."""
        return self.machine.out("systemctl", "show", "--value", f"--property={name}", self.unit)

    @property
    def main_pid(self) -> int:
        """The supervisor's pid."""
        return int(self.show("MainPID"))

    def status(self) -> Document:
        """Return the status document."""
        socket = self.machine.inner(f"/run/kherd/{self.name}/control.sock")
        document: Document = Client(socket).request("status", {})
        return document

    def wait(self, condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
        """Wait until `condition()` is true."""
        until(condition, seconds, f"{what} of {self.unit}", glance=0.1)

    def wait_ready(self, count: int) -> Document:
        """Wait for exactly `count` ready workers; return the status document."""
        found: list[Document] = []

        def ready() -> bool:
            with suppress(ControlError):
                found.append(self.status())
            if not found:
                return False
            workers = found[-1]["workers"]
            return bool(workers["ready"] == count == sum(workers["by_state"].values()))

        self.wait(ready, f"{count} ready workers")
        return found[-1]

    def workers(self) -> dict[int, int]:
        """Return slot -> pid."""
        return {slot["slot"]: slot["pid"] for slot in self.status()["slots"]}

    def processes(self) -> set[int]:
        """Return the pids of all processes of the unit; zombies are none."""
        listed = [line.split() for line in self.machine.out("ps", "-e", "-o", "pid=,stat=,unit=").splitlines()]
        return {int(pid) for pid, stat, unit in listed if unit == self.unit and not stat.startswith("Z")}

    def journal(self) -> str:
        """Return what the journal has of the unit: its own lines and systemd's about it."""
        return self.machine.out("journalctl", "--sync", "--quiet", "--no-pager") + self.machine.out(
            "journalctl", "--quiet", "--no-pager", "--output=cat", f"--unit={self.unit}"
        )

    def events(self, name: str) -> list[Document]:
        """Return the events of that name in the journal."""
        lines = (json.loads(line) for line in self.journal().splitlines() if line.startswith("{"))
        return [line for line in lines if line["event"] == name]

    def fill(self, count: int) -> None:
        """Produce `count` records evenly to the topic."""
        bootstrap = self.machine.out("cat", f"/run/kherd/{self.name}/bootstrap")
        self.machine.run(f"{PREFIX}/bin/python", "-c", FILL, bootstrap, str(count))

    def ledger(self) -> Handled:
        """Return what the handlers wrote down."""
        return read(self.state / "ledger")

    @property
    def state(self) -> Path:
        """A folder that outlives the unit, as seen from outside; inside it is {STATE}/NAME."""
        return self.machine.root / STATE.lstrip("/") / self.name

    def clean(self) -> None:
        """Stop it, whatever state it is in, and forget it."""
        self.systemctl("disable", "--now", check=False)
        self.systemctl("reset-failed", check=False)
