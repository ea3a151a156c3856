"""What services and herd are told: from the settings in force and the newest generation's spec."""

from typing import Final

from ..worker.spec import WorkerSpec
from .children.broker.spec import BrokerSpec
from .children.exporter.spec import ExporterSpec
from .children.spec import LiaisonSpec
from .config.schema import Settings
from .decide.limits import Policy as LimitsPolicy
from .decide.restart import RestartPolicy
from .herd import Herd

EMBEDDED_PARTITIONS: Final = 8


def liaison(settings: Settings, spec: WorkerSpec, wanted: int) -> LiaisonSpec:
    """Return what the liaison of a herd of `wanted` workers is told."""
    return LiaisonSpec(
        app=spec.app,
        kafka=spec.kafka,
        worker_count=max(wanted, most_workers(settings)),
        dead_letter=spec.dead_letter,
        lag_interval=settings.lag.interval,
        client_id=f"{spec.app}-liaison",
        pythonpath=spec.pythonpath,
        count_members=settings.autoscale.max is not None,
    )


def wants_exporter(settings: Settings) -> bool:
    """Whether there is anything for an exporter to do."""
    return wants_snapshots(settings) or bool(alert_targets(settings))


def wants_snapshots(settings: Settings) -> bool:
    """Whether there is anybody to show metrics to."""
    return settings.metrics.statsd is not None or settings.metrics.http is not None


def alert_targets(settings: Settings) -> tuple[str, ...]:
    """Return whom alerts are delivered to."""
    alerts = settings.alerts
    return tuple(name for name in ("webhook", "command") if getattr(alerts, name) is not None)


def exporter(settings: Settings) -> ExporterSpec:
    """Return what the exporter is told."""
    return ExporterSpec(
        app=settings.app.name,
        statsd=settings.metrics.statsd,
        prefix=settings.metrics.prefix,
        http=settings.metrics.http,
        webhook=settings.alerts.webhook,
        command=settings.alerts.command,
    )


def broker(settings: Settings, spec: WorkerSpec) -> BrokerSpec:
    """Return what the embedded broker is told."""
    return BrokerSpec(topics=embedded_topics(settings, spec))


def embedded_topics(settings: Settings, spec: WorkerSpec) -> dict[str, int]:
    """Return what the embedded broker has to have, with the partitions: nobody else can create topics there."""
    names = [topic for topic in spec.kafka.topics if not topic.startswith("^")]
    names += [spec.dead_letter.topic.replace("{topic}", topic) for topic in names]
    return dict.fromkeys(names, max(EMBEDDED_PARTITIONS, most_workers(settings)))


def most_workers(settings: Settings) -> int:
    """Return how many workers the configuration may lead to by itself."""
    return max(settings.workers.count, settings.autoscale.max or 0)


def restart_policy(settings: Settings) -> RestartPolicy:
    """Return the restart policy that is configured."""
    restart = settings.restart
    return RestartPolicy(restart.backoff_max, restart.intensity, restart.period, restart.give_up)


def limits(settings: Settings) -> LimitsPolicy:
    """Return what a worker may use up."""
    own = settings.limits
    return LimitsPolicy(own.memory_soft, own.memory_hard, own.max_records, own.max_age, own.jitter / 100)


def adopt(herd: Herd, settings: Settings) -> None:
    """Put the values in force that concern the supervisor alone."""
    herd.set_policy(restart_policy(settings))
    herd.recycler.policy = limits(settings)
    herd.stop_seconds, herd.start_seconds = settings.stop.timeout, settings.workers.start_timeout
    herd.settle_seconds = settings.reload.settle
    herd.outages.adopt(settings.errors.backoff_initial, settings.errors.backoff_max, settings.workers.handler_timeout)
    for slot in herd.slots.values():
        slot.handle.timeout = herd.start_seconds
    herd.leave, herd.lasting = settings.stop.leave, settings.workers.count
