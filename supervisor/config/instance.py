"""`app.instance = "auto"`: this supervisor's stable identity, if the machine has one."""

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from .schema import Settings

MARKERS: Final = (Path("/.dockerenv"), Path("/run/.containerenv"))
CONTAINER_FILE: Final = Path("/run/systemd/container")


def resolve_instance(
    settings: Settings,
    *,
    environment: Mapping[str, str] = os.environ,
    host: Callable[[], str] = socket.gethostname,
    markers: tuple[Path, ...] = MARKERS,
    container_file: Path = CONTAINER_FILE,
) -> str | None:
    """Return the instance: as configured, else the host name; None in a container or on a host without a name.

    A container's host name is random, so that it would be a new member each time and the old one would hold its
    partitions until the session timeout. The signs are
    systemd's (systemd-detect-virt(1)), Docker's, Podman's and Kubernetes'.
    """
    if settings.app.instance != "auto":
        return settings.app.instance
    if "KUBERNETES_SERVICE_HOST" in environment or "container" in environment:
        return None
    if container_file.exists() or any(marker.exists() for marker in markers):
        return None
    name = host().split(".", 1)[0]
    return None if name in {"", "localhost"} else name


def is_static(settings: Settings, instance: str | None) -> bool:
    """Whether workers are static members of their group."""
    wanted = settings.kafka.static_membership
    return instance is not None and not settings.embedded if wanted == "auto" else wanted and instance is not None
