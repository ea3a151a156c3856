"""Becomes another program that dies with the process that started it: `leash.py PARENT_PID PROGRAM ARGUMENT…`.

Run as a script: no Python code may run between the fork of a process with threads and its exec. Needs the standard
library only.
"""

import ctypes
import os
import signal
import sys
from typing import NoReturn

PR_SET_PDEATHSIG = 1
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""What a shell exits with."""


def main(parent: str, *command: str) -> NoReturn:
    """Ask for the parent's death, check that it has not happened yet, and become the program."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        os._exit(1)
    # What is ignored stays so after exec: by the exporter, by Python, by whatever started kherd.
    for number in signal.valid_signals():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the command is the operator's
    except OSError as error:
        sys.stdout.write(f"{command[0]}: {error.strerror}\n")
        sys.exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)


if __name__ == "__main__":
    main(*sys.argv[1:])
