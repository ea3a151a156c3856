"""Exit codes are an interface: what a worker tells its supervisor, and the supervisor tells systemd."""

from enum import IntEnum


class WorkerExit(IntEnum):
    """How a worker ended, as its supervisor reads it (s6's convention)."""

    DRAINED = 0
    """All finished work is committed; nothing is wrong."""
    PERMANENT = 100
    """Starting again cannot help (bad handler, refused configuration): hold the slot and alert."""
    TEMPORARY = 111
    """Starting again may help (fenced, fatal client error): restart under the restart policy."""


class Exit(IntEnum):
    """Exit codes of the `kherd` command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    GAVE_UP = 70
    KILLED_AT_DEADLINE = 75
    CONFIG = 78
