"""The environment block of a result: what somebody needs to know before comparing it with theirs."""

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import confluent_kafka

from .._version import VERSION

PATIENCE: Final = 5.0


def environment() -> dict[str, Any]:
    """Return machine, kernel, versions and load; what cannot be known is None."""
    return {
        "cpu": cpu_model(Path("/proc/cpuinfo")),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "governor": _text(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "confluent_kafka": confluent_kafka.version(),
        "librdkafka": confluent_kafka.libversion()[0],
        "kherd": VERSION,
        "git": git_sha(Path(__file__).resolve().parent),
        "load_before": load(),
        "load_most": load(),
        "load_after": None,
    }


def load() -> float:
    """Return the load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def cpu_model(path: Path) -> str | None:
    """Return the processor's name from /proc/cpuinfo."""
    for line in (_text(path) or "").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model", "cpu model"}:
            return value.strip()
    return platform.machine() or None


def git_sha(folder: Path) -> str | None:
    """Return the commit that `folder` is of, `-dirty` if it was changed; None outside a repository or without git."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "-C", str(folder), "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
