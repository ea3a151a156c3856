"""A temporary folder that goes with the process that asked for it, even if that is killed with SIGKILL."""

import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

KEEPER: Final = Path(__file__).with_name("keeper.py")
PATIENCE: Final = 10.0


class Folder:
    """Kept by a process of its own, which removes it at the end of file of a pipe that we hold.

    `hold` is the descriptor of that pipe: a child that inherits it keeps the folder until it has ended too.
    """

    def __init__(self) -> None:
        self._keeper = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", str(KEEPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C is for us alone
        )
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        self.hold: int = self._keeper.stdin.fileno()
        self.keeper = self._keeper.pid
        with self._keeper.stdout as answer:
            self.path = Path(answer.readline().decode().rstrip("\n"))

    def remove(self) -> None:
        """Have the folder removed; it is when this returns. Whoever else holds `hold` must have ended."""
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._keeper.wait(PATIENCE)
        self._keeper.kill()
        self._keeper.wait()
        shutil.rmtree(self.path, ignore_errors=True)
