"""What a changed configuration asks for: only the difference is applied."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from ..config.schema import Settings
from ..config.types import format_duration


class Effect(Enum):
    """What follows from the change of a key."""

    RESTART = "needs a restart"
    """Ids, locks and folders are made of it, or the group would be another one: the reload is refused."""
    COUNT = "workers come or go"
    ROLL = "workers are rolled"
    LIVE = "in force at once"
    """It concerns the supervisor alone."""
    LIAISON = "liaison starts anew"
    EXPORTER = "exporter starts anew"


_RESTART: Final = (Effect.RESTART,)
_ROLL: Final = (Effect.ROLL,)
_LIVE: Final = (Effect.LIVE,)
_LIAISON: Final = (Effect.LIAISON,)
_EXPORTER: Final = (Effect.EXPORTER,)
_BOTH: Final = (Effect.ROLL, Effect.LIAISON)
EFFECTS: Final[Mapping[str, tuple[Effect, ...]]] = {
    "app.name": _RESTART,
    "app.handler": _ROLL,
    "app.pythonpath": _BOTH,  # the liaison imports kafka.oauth from there
    "app.preload": _ROLL,
    "app.instance": _RESTART,
    "app.user": _RESTART,
    "app.group": _RESTART,
    "app.umask": _RESTART,
    "app.pidfile": _RESTART,
    "state.dir": _RESTART,
    "kafka.bootstrap": _RESTART,
    "kafka.topics": _BOTH,
    "kafka.group": _RESTART,
    "kafka.start": _BOTH,  # the lag of a partition without a commit depends on it
    "kafka.oauth": _BOTH,
    "kafka.group_protocol": _RESTART,
    "kafka.static_membership": _RESTART,
    "kafka.preset": _ROLL,
    "kafka.producer_preset": _ROLL,
    "kafka.client": _BOTH,
    "kafka.consumer": _BOTH,  # the liaison reads end offsets with the workers' isolation level
    "kafka.producer": _ROLL,
    "workers.count": (Effect.COUNT,),
    "workers.mode": _ROLL,
    "workers.batch_size": _ROLL,
    "workers.batch_wait": _ROLL,
    "workers.handler_timeout": _ROLL,
    "workers.start_timeout": _LIVE,
    "workers.max_in_flight": _ROLL,
    "workers.max_in_flight_bytes": _ROLL,
    "workers.concurrency": _ROLL,
    "workers.order": _ROLL,
    "workers.bisect": _ROLL,
    "delivery.guarantee": _RESTART,
    "delivery.commit_interval": _ROLL,
    "errors.max_attempts": _ROLL,
    "errors.backoff_initial": _ROLL,
    "errors.backoff_max": _ROLL,
    "errors.on_exhausted": _ROLL,
    "errors.poison": _ROLL,
    "errors.outage": _ROLL,
    "errors.max_crashes": _LIVE,
    "dead_letter.topic": _BOTH,
    "dead_letter.create": _LIAISON,
    "dead_letter.format": _ROLL,
    "dead_letter.alert_above": _LIVE,
    "breaker": _ROLL,
    "lag.interval": _LIAISON,
    "lag.alert_above": _LIVE,
    "autoscale.max": (Effect.LIVE, Effect.LIAISON),  # with autoscaling the group's members are counted
    "autoscale.min": _LIVE,
    "autoscale.policy": _LIVE,
    "autoscale.lag_above": _LIVE,
    "autoscale.target": _LIVE,
    "autoscale.calm": _LIVE,
    "autoscale.dry_run": _LIVE,
    "restart.backoff_max": _LIVE,
    "restart.intensity": _LIVE,
    "restart.period": _LIVE,
    "restart.give_up": _LIVE,
    "limits.memory_soft": _LIVE,
    "limits.memory_hard": _LIVE,
    "limits.max_records": _LIVE,
    "limits.max_age": _LIVE,
    "limits.jitter": _LIVE,
    "stop.timeout": (Effect.LIVE, Effect.ROLL),  # a worker's last commits keep to it too
    "stop.leave": _LIVE,
    "reload.settle": _LIVE,
    "metrics.statsd": _EXPORTER,
    "metrics.prefix": _EXPORTER,
    "metrics.http": _EXPORTER,
    "log.format": (Effect.LIVE, Effect.ROLL, Effect.LIAISON, Effect.EXPORTER),
    "log.level": (Effect.LIVE, Effect.ROLL, Effect.LIAISON, Effect.EXPORTER),
    "alerts.error_rate_above": _LIVE,
    "alerts.webhook": _EXPORTER,
    "alerts.command": _EXPORTER,
    "systemd.ready_quorum": _LIVE,
    "control.socket": _RESTART,
}
_SERVICES: Final = {Effect.LIAISON: "liaison", Effect.EXPORTER: "exporter"}
_DURATIONS: Final = (
    "timeout",
    "interval",
    "wait",
    "backoff_initial",
    "backoff_max",
    "period",
    "calm",
    "max_age",
    "settle",
)


@dataclass(frozen=True, slots=True)
class ReloadPlan:
    """What to do. `count` is (old, new) if it changed; `refused`, `roll` and `live` hold the paths that ask for it.

    With anything `refused` nothing may be applied. `summary` says every change in a sentence, no secret among them.
    """

    refused: tuple[str, ...] = ()
    count: tuple[int, int] | None = None
    roll: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()


def diff(old: Settings, new: Settings) -> ReloadPlan:
    """Return what has to be done to get from `old` to `new`."""
    before, after = _flat(old), _flat(new)
    changed = [path for path, value in after.items() if value != before[path]]

    def asking_for(effect: Effect) -> tuple[str, ...]:
        return tuple(path for path in changed if effect in EFFECTS[path])

    return ReloadPlan(
        refused=asking_for(Effect.RESTART),
        count=(old.workers.count, new.workers.count) if asking_for(Effect.COUNT) else None,
        roll=asking_for(Effect.ROLL),
        services=tuple(name for effect, name in _SERVICES.items() if asking_for(effect)),
        live=asking_for(Effect.LIVE),
        summary=tuple(_sentence(path, before[path], after[path]) for path in changed),
    )


def _flat(settings: Settings) -> dict[str, Any]:
    """Return every key's value; a key left out is what it stands for."""
    tables = settings.model_dump()
    found: dict[str, Any] = {"breaker": tables.pop("breaker")}
    found |= {f"{section}.{key}": value for section, table in tables.items() for key, value in table.items()}
    return found | {"kafka.group": settings.group, "kafka.group_protocol": settings.group_protocol}


def _sentence(path: str, old: Any, new: Any) -> str:
    effects = ", ".join(effect.value for effect in EFFECTS[path])
    return f"{path}: {_change(path, old, new)} ({effects})"


def _change(path: str, old: Any, new: Any) -> str:
    if isinstance(old, dict) and isinstance(new, dict):
        return ", ".join(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))
    # Text may have come from a file or the environment, and may be a secret.
    if isinstance(old, int | float) and isinstance(new, int | float):
        return f"{_written(path, old)} -> {_written(path, new)}"
    return "changed"


def _written(path: str, value: float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return format_duration(value) if path.endswith(_DURATIONS) else str(value)
