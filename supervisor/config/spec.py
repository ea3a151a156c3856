"""From settings to what a worker is told."""

import sys
from collections.abc import Mapping
from typing import Final

from ...worker.spec import BreakerSpec, DeadLetterSpec, ErrorSpec, GroupProtocol, KafkaSpec, LogSpec, WorkerSpec
from .instance import is_static, resolve_instance
from .load import Loaded
from .schema import Settings

CLASSIC_30S: Final = {
    "session.timeout.ms": "30000",
    "heartbeat.interval.ms": "10000",
    "fetch.min.bytes": "1024",
    "fetch.wait.max.ms": "500",
}
PRODUCER_16K: Final = {"batch.size": "16384", "linger.ms": "10", "compression.type": "snappy"}


def worker_spec(loaded: Loaded, *, generation: int, bootstrap: str) -> WorkerSpec:
    """Return what the workers of `generation` are told; `bootstrap` may be the embedded broker's address."""
    settings, workers, errors = loaded.settings, loaded.settings.workers, loaded.settings.errors
    instance = resolve_instance(settings)
    return WorkerSpec(
        app=settings.app.name,
        instance=instance,
        generation=generation,
        handler=settings.app.handler,
        kafka=_kafka(settings, instance, bootstrap),
        pythonpath=tuple(str((loaded.path.parent / folder).resolve()) for folder in settings.app.pythonpath),
        preload=settings.app.preload,
        mode=workers.mode,
        batch_size=workers.batch_size,
        batch_wait=workers.batch_wait,
        max_in_flight=workers.max_in_flight,
        max_in_flight_bytes=workers.max_in_flight_bytes,
        concurrency=workers.concurrency,
        order=workers.order,
        bisect=workers.bisect,
        handler_timeout=workers.handler_timeout,
        stop_timeout=settings.stop.timeout,
        commit_interval=settings.delivery.commit_interval,
        errors=ErrorSpec(
            max_attempts=errors.max_attempts,
            backoff_initial=errors.backoff_initial,
            backoff_max=errors.backoff_max,
            on_exhausted=errors.on_exhausted,
            poison=errors.poison,
            outage=errors.outage,
            max_crashes=errors.max_crashes,
        ),
        dead_letter=DeadLetterSpec(
            settings.dead_letter.topic, settings.dead_letter.create, settings.dead_letter.format
        ),
        breakers={name: BreakerSpec(one.failure_threshold, one.timeout) for name, one in settings.breaker.items()},
        log=log_spec(settings),
    )


def log_spec(settings: Settings) -> LogSpec:
    """Return how log lines look, `auto` resolved."""
    wanted = settings.log.format
    form: str = wanted if wanted != "auto" else "text" if sys.stderr is not None and sys.stderr.isatty() else "json"
    return LogSpec("text" if form == "text" else "json", settings.log.level)


def resolved_instance(settings: Settings) -> str | None:
    """Return the instance that ids, lock and folders are made of."""
    return resolve_instance(settings)


def _kafka(settings: Settings, instance: str | None, bootstrap: str) -> KafkaSpec:
    kafka = settings.kafka
    protocol: GroupProtocol = "consumer" if settings.group_protocol == "consumer" else "classic"
    consumer = _under(kafka.client, CLASSIC_30S if kafka.preset else {}) | kafka.consumer
    producer = _under(kafka.client, PRODUCER_16K if kafka.producer_preset else {}) | kafka.producer
    return KafkaSpec(
        bootstrap=bootstrap,
        group=settings.group,
        topics=kafka.topics,
        start=kafka.start,
        group_protocol=protocol,
        static_membership=is_static(settings, instance),
        embedded=settings.embedded,
        oauth=kafka.oauth,
        client=dict(kafka.client),
        consumer=consumer,
        producer=producer,
    )


def _under(client: Mapping[str, str], preset: Mapping[str, str]) -> dict[str, str]:
    """Return what of a preset is not configured for every client."""
    return {name: value for name, value in preset.items() if name not in client}
