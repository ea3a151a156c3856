"""Namespaces of a herd's own: what is mounted in one is nobody else's, and is gone with the herd."""

import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .parts import MissingPartError, program

ROOT: Final = Path(__file__).resolve().parents[3]
STAGE: Final = "/mnt"


def available() -> str:
    """Return the path of unshare(1).

    Raises:
        MissingPartError: namespaces cannot be made here.
    """
    unshare = program("unshare", "namespaces", "install util-linux")
    tried = subprocess.run([unshare, "--mount", "--pid", "--fork", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise MissingPartError("namespaces", f"unshare says {tried.stderr.strip()!r}; run the tests as root")
    return unshare


def first_process() -> tuple[str, ...]:
    """Return what runs a command as pid 1; the pid that its caller sees is unshare's, whose end is the command's."""
    return "unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--"


def mounted(script: str) -> tuple[str, ...]:
    """Return what runs a command with mounts of its own, made by the shell's `script`; the pid stays the same."""
    return "unshare", "--mount", "--", "sh", "-ec", f'{script}\nexec "$@"', "sh"


def opened(*folders: Path) -> str:
    """Return a script that lets every user into `folders`, Python's and kherd's, whatever is above them.

    Above, where a folder is closed, is an empty one in its place, in which only they are.
    """
    wanted = [*folders, Path(sys.base_prefix), Path(sys.prefix), ROOT]
    kept: dict[Path, list[Path]] = {}
    for folder in wanted:
        if (closed := _closed_above(folder)) is not None:
            kept.setdefault(closed, []).append(folder)
    lines = [f"mount -t tmpfs none {STAGE}"]
    for number, (closed, inside) in enumerate(kept.items()):
        stages = [f"{STAGE}/{number}-{index}" for index in range(len(inside))]
        lines += [f"mkdir {at}; mount --bind '{folder}' {at}" for at, folder in zip(stages, inside, strict=True)]
        lines.append(f"mount -t tmpfs -o mode=755 none '{closed}'")
        lines += [
            f"mkdir -p '{folder}'; mount --bind {at} '{folder}'" for at, folder in zip(stages, inside, strict=True)
        ]
    return "\n".join(lines)


def children(pid: int) -> Sequence[int]:
    """Return the children of a process."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _closed_above(folder: Path) -> Path | None:
    """Return the topmost folder above that not everybody may pass."""
    above = [one for one in reversed(folder.parents) if not one.stat().st_mode & stat.S_IXOTH]
    return above[0] if above and os.geteuid() == 0 else None
