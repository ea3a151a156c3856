"""What ps and top show of a process: its app, role and generation; and the role alone where 15 bytes must do (comm).

setproctitle writes over the command line that the process was started with, which is as long as it is; SPT_NOENV keeps
it from going on into the environment behind it, which /proc/PID/environ shows.
"""

import os
from pathlib import Path
from typing import Final

import setproctitle

LONGEST_COMM: Final = 15
_room = 0


def claim() -> None:
    """Find the command line; called once, before anything is taken out of the environment, which is looked for too."""
    global _room  # noqa: PLW0603 - a process has one command line, and its forks have the same
    os.environ["SPT_NOENV"] = "1"
    try:
        _room = len(Path("/proc/self/cmdline").read_bytes()) - 1
        setproctitle.getproctitle()
    except OSError:  # no /proc: then nobody can read a title either
        _room = 0
    finally:
        del os.environ["SPT_NOENV"]


def show(app: str, role: str, generation: int | None = None) -> None:
    """Show this process as `kherd: APP ROLE gen GENERATION`; does nothing before `claim`."""
    if _room <= 0:
        return
    setproctitle.setproctitle(fitting(app, role if generation is None else f"{role} gen {generation}", _room))
    setproctitle.setthreadtitle("kherd" if role == "supervisor" else f"kherd {role}"[:LONGEST_COMM])


def fitting(app: str, role: str, room: int) -> str:
    """Return the title within `room` bytes: a long name of an app is cut, for the role tells processes apart."""
    left = room - len("kherd:  ") - len(role)
    name = app if len(app) <= left else app[: max(0, left - 1)] + "~"
    return f"kherd: {name} {role}"
