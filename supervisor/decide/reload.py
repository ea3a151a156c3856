"""What a changed configuration asks for: only the difference is applied."""

from dataclasses import dataclass
from typing import Any, Final

from ..config.schema import Settings

REFUSED: Final = frozenset(
    {"app.name", "app.instance", "kafka.bootstrap", "kafka.group", "kafka.group_protocol", "kafka.static_membership",
     "delivery.guarantee", "state.dir", "control.socket"}
)  # fmt: skip
"""Changing these needs a restart."""
LIVE: Final = frozenset(
    {"workers.start_timeout", "stop.leave", "restart.backoff_max", "restart.intensity", "restart.period",
     "restart.give_up"}
)  # fmt: skip
"""These concern the supervisor alone."""
SERVICES: Final = {
    "lag.interval": ("liaison",),
    "dead_letter.create": ("liaison",),
    "metrics.statsd": ("exporter",),
    "metrics.prefix": ("exporter",),
}
"""These concern services alone."""
BOTH: Final = frozenset(
    {
        "kafka.topics",
        "kafka.client",
        "kafka.oauth",
        "kafka.consumer",
        "kafka.start",
        "dead_letter.topic",
        "app.pythonpath",
    }
)
"""These concern workers, and the liaison too."""
COUNT: Final = "workers.count"


@dataclass(frozen=True, slots=True)
class ReloadPlan:
    """What to do: paths that cannot change, (old, new) count if changed, whether to roll, services to restart."""

    refused: tuple[str, ...] = ()
    count: tuple[int, int] | None = None
    roll: bool = False
    services: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()


def diff(old: Settings, new: Settings) -> ReloadPlan:
    """Return what has to be done to get from `old` to `new`."""
    changed = [path for path, value in _flat(new).items() if value != _flat(old)[path]]
    services = {name for path in changed for name in SERVICES.get(path, ("liaison",) if path in BOTH else ())}
    rolling = [path for path in changed if path not in REFUSED | LIVE | SERVICES.keys() | {COUNT}]
    count = (old.workers.count, new.workers.count) if COUNT in changed else None
    return ReloadPlan(
        refused=tuple(path for path in changed if path in REFUSED),
        count=count,
        roll=bool(rolling),
        services=tuple(sorted(services)),
        summary=tuple(_sentence(path, old, new, rolling) for path in changed),
    )


def _sentence(path: str, old: Settings, new: Settings, rolling: list[str]) -> str:
    if path == COUNT:
        return f"{path}: {old.workers.count} -> {new.workers.count}"
    return f"{path} changed" + (": workers are rolled" if path in rolling else "")


def _flat(settings: Settings) -> dict[str, Any]:
    return {
        f"{section}.{key}": value for section, table in settings.model_dump().items() for key, value in table.items()
    }
