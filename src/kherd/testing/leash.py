"""Becomes another program that the kernel kills when the test run dies: `leash.py PARENT_PID PROGRAM ARGUMENT…`.

Run as a script by `process.Process`, so that the test run itself never forks with threads running; needs the standard
library only.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask for the parent's death, check that it has not happened yet, and become the program."""
    parent, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        os._exit(1)
    # Python ignores SIGPIPE, and exec would hand that on.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 - the command is the test harness' own


if __name__ == "__main__":
    main()
