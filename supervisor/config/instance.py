"""`app.instance = "auto"`: this supervisor's stable identity, if the machine has one."""

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from .schema import Settings
from .types import is_name

AUTO: Final = "auto"
MARKERS: Final = (
    ".dockerenv",
    "run/.containerenv",
    "run/host/container-manager",
    "run/systemd/container",
)
"""Files that Docker, Podman and whoever follows systemd's container interface put into a container."""
ROOT: Final = Path("/")


def resolve_instance(
    settings: Settings,
    *,
    environment: Mapping[str, str] = os.environ,
    host: Callable[[], str] = socket.gethostname,
    root: Path = ROOT,
) -> str | None:
    """Return the instance: as configured, else the host's name; None in a container or on a host without a name.

    A container's host name is random: it would be a new member each time, and the old one would hold its partitions
    until the session timeout.
    """
    if settings.app.instance != AUTO:
        return settings.app.instance
    if in_container(environment, root):
        return None
    name = host()
    return name if is_name(name) and name.partition(".")[0].lower() != "localhost" else None


def in_container(environment: Mapping[str, str], root: Path = ROOT) -> bool:
    """Whether this is a container: the signs of systemd-detect-virt(1) --container, Docker, Podman and Kubernetes."""
    if environment.get("KUBERNETES_SERVICE_HOST") or environment.get("container"):
        return True
    if any((root / marker).exists() for marker in MARKERS):
        return True
    if b"\0container=" in b"\0" + _read(root / "proc/1/environ"):
        return True
    release = _read(root / "proc/sys/kernel/osrelease")
    openvz = (root / "proc/vz").exists() and not (root / "proc/bc").exists()
    return openvz or b"Microsoft" in release or b"WSL" in release


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # of pid 1 only root may know
        return b""


def is_static(settings: Settings, instance: str | None) -> bool:
    """Whether workers are static members of their group."""
    wanted = settings.kafka.static_membership
    if instance is None:
        return False
    return not settings.embedded if wanted == AUTO else bool(wanted)
