"""A booted Debian in a container: its own pids, mounts and network, systemd as its pid 1. Commands run inside it."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from . import tree
from .parts import MissingPartError
from .process import Process, tail
from .scratch import Scratch
from .wait import until

BOOT: Final = 60.0
DOWN: Final = 60.0
ENVIRONMENT: Final = {"PATH": "/usr/local/bin:/usr/bin:/usr/sbin", "LANG": "C.UTF-8", "SYSTEMD_COLORS": "0"}


class CommandError(AssertionError):
    """A command did not do it."""


class Machine:
    """Boots the tree at `root`, whose files can be written from outside: all but /run and /tmp, see `inner`."""

    def __init__(self, root: Path, log: Path) -> None:
        self.root = root
        self._log = log
        self._process: Process | None = None
        self._leader = 0

    def boot(self) -> Self:
        """Start it; return when systemd has done all jobs of the boot.

        Raises:
            MissingPartError: it did not come up.
        """
        self._process = Process([*tree.NSPAWN, f"--directory={self.root}", "--boot"], log=self._log)
        try:
            self._leader = until(self._find_leader, BOOT, "pid 1 of the container")
            # systemd has no socket yet: asked again until it answers.
            until(lambda: self._state() in {"running", "degraded"}, BOOT, "the boot to be done")
        except TimeoutError as error:
            self.kill()
            raise MissingPartError(tree.PART, f"systemd-nspawn: {error}\n{tail(self._log)}") from error
        return self

    def run(self, *command: str | Path, check: bool = True, seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as root.

        Raises:
            CommandError: `check`, and its exit code is not 0.
        """
        nsenter = ["nsenter", f"--target={self._leader}", "--all", "--root", "--wd", "--"]
        done = subprocess.run(
            [*nsenter, *map(str, command)], env=ENVIRONMENT, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise CommandError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def out(self, *command: str | Path) -> str:
        """Return what a command inside prints."""
        return self.run(*command).stdout.strip()

    def inner(self, path: str) -> Path:
        """Return the path from outside of what is `path` inside, mounts included."""
        return Path(f"/proc/{self._leader}/root") / path.lstrip("/")

    def pids(self) -> set[int]:
        """Return the pids of all processes inside, as they are known there; zombies are none."""
        listed = self.out("ps", "-e", "-o", "pid=,stat=").splitlines()
        return {int(pid) for pid, stat in map(str.split, listed) if not stat.startswith("Z")}

    def power_off(self) -> None:
        """Shut it down in order, or kill it."""
        if self._process is not None and self._process.alive:
            with suppress(CommandError, subprocess.TimeoutExpired):
                self.run("systemctl", "poweroff", check=False)
            self._process.ended(DOWN)
        self.kill()

    def kill(self) -> None:
        """End it at once; may be called twice."""
        if self._process is not None:
            self._process.kill()

    def _state(self) -> str:
        return self.run("systemctl", "is-system-running", check=False).stdout.strip()

    def _find_leader(self) -> int:
        """Return the pid outside of what is pid 1 inside, 0 if there is none yet."""
        assert self._process is not None
        if not self._process.alive:
            raise TimeoutError("it has ended")
        for pid in _descendants([self._process.pid]):
            with suppress(OSError):
                status = Path(f"/proc/{pid}/status").read_text()
                names = next(line for line in status.splitlines() if line.startswith("NSpid:")).split()
                # The command of the process that becomes systemd is still nspawn's until its exec.
                if len(names) > 2 and names[-1] == "1" and "systemd-nspawn" not in _command(pid):  # noqa: PLR2004
                    return pid
        return 0


@contextmanager
def debian() -> Iterator[Machine]:
    """A freshly booted Debian that has kherd as a user would have installed it, for the block.

    Raises:
        MissingPartError: it cannot be had here.
    """
    source = tree.tree()
    scratch = Scratch("machine")
    try:
        root = scratch.path / "root"
        subprocess.run(["cp", "-a", "--reflink=auto", source, root], check=True)
        wheels = scratch.path / "wheels"
        wheels.mkdir()
        _install(root, wheels)
        machine = Machine(root, scratch.path / "console.log").boot()
        try:
            yield machine
        finally:
            machine.power_off()
    finally:
        scratch.remove()


def _install(root: Path, folder: Path) -> None:
    """Build a wheel of this source in `folder` and install it in the tree at `root`, whose command `kherd` then is."""
    _do(sys.executable, "-m", "build", "--wheel", "--outdir", folder, tree.ROOT)
    (wheel,) = folder.glob("*.whl")
    shutil.copy(wheel, root / "opt")
    pip = (f"{tree.PREFIX}/bin/python", f"{tree.PIP}/pip", "install", "--quiet", "--no-index", "--no-deps")
    _do(*tree.NSPAWN, "--pipe", f"--directory={root}", *pip, f"/opt/{wheel.name}")
    (root / "usr/local/bin/kherd").symlink_to(f"{tree.PREFIX}/bin/kherd")


def _do(*command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise CommandError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def _descendants(pids: Iterable[int]) -> Iterator[int]:
    for pid in pids:
        children: list[int] = []
        with suppress(OSError):
            children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        yield from children
        yield from _descendants(children)


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
