"""The rules between keys, and those that a single key's type does not express."""

import re
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from .properties import refusals
from .types import format_duration, format_size, is_topic

if TYPE_CHECKING:  # the schema asks this module, which only reads it
    from .schema import Settings

LEAST_MEMORY: Final = 8 * 2**20
SECURED: Final = ("sasl.", "ssl.", "enable.ssl.", "enable.sasl.", "security.")


class Problems(ValueError):  # noqa: N818 - pydantic passes on a ValueError, and this one holds several
    """Every problem of a configuration whose values by themselves are fine."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def problems_of(settings: "Settings") -> list[str]:
    """Return everything that is wrong, as `path: what is wrong, got value`."""
    return [
        *_account(settings),
        *_times(settings),
        *_memory(settings),
        *_sizes(settings),
        *_counts(settings),
        *_topics(settings),
        *_dead_letters(settings),
        *_embedded(settings),
        *_oauth(settings),
        *refusals(settings),
    ]


def _account(settings: "Settings") -> Iterator[str]:
    if settings.app.group is not None and settings.app.user is None:
        yield f"app.group: only together with app.user, got {settings.app.group!r}"


def _times(settings: "Settings") -> Iterator[str]:
    timeout, errors = settings.workers.handler_timeout, settings.errors
    if timeout >= settings.stop.timeout:
        yield (
            f"workers.handler_timeout: must be below stop.timeout ({format_duration(settings.stop.timeout)}), so that a"
            f" stop can wait for a handler, got {format_duration(timeout)}"
        )
    if errors.backoff_initial > errors.backoff_max:
        yield (
            f"errors.backoff_initial: must not be above errors.backoff_max ({format_duration(errors.backoff_max)}),"
            f" got {format_duration(errors.backoff_initial)}"
        )


def _memory(settings: "Settings") -> Iterator[str]:
    limits = settings.limits
    for name, size in (("memory_soft", limits.memory_soft), ("memory_hard", limits.memory_hard)):
        if size is not None and size < LEAST_MEMORY:
            least = format_size(LEAST_MEMORY)
            yield f"limits.{name}: must be at least {least}: no worker gets by with less, got {format_size(size)}"
    if limits.memory_soft is not None and limits.memory_hard is not None and limits.memory_soft >= limits.memory_hard:
        yield (
            f"limits.memory_soft: must be below limits.memory_hard ({format_size(limits.memory_hard)}), or no worker"
            f" is ever replaced in order, got {format_size(limits.memory_soft)}"
        )


def _sizes(settings: "Settings") -> Iterator[str]:
    workers = settings.workers
    if workers.mode == "batch" and workers.batch_size > workers.max_in_flight:
        yield (
            f"workers.batch_size: must not be above workers.max_in_flight ({workers.max_in_flight}): such a batch never"
            f" fills, got {workers.batch_size}"
        )
    if workers.mode == "record" and workers.batch_wait > 0:
        yield (
            'workers.batch_wait: only with workers.mode = "batch": a record never waits for others,'
            f" got {format_duration(workers.batch_wait)}"
        )
    if workers.mode == "batch" and workers.concurrency > 1:
        yield (
            'workers.concurrency: only with workers.mode = "record": a batch handler has a list to be concurrent with,'
            f" got {workers.concurrency}"
        )


def _counts(settings: "Settings") -> Iterator[str]:
    count, scale, quorum = settings.workers.count, settings.autoscale, settings.systemd.ready_quorum
    if quorum > max(count, 1):  # a herd of none is ready at once
        yield f"systemd.ready_quorum: must not be above workers.count ({count}): so many never start, got {quorum}"
    if scale.max is None:
        for name, field in type(scale).model_fields.items():
            if getattr(scale, name) != field.default:
                yield f"autoscale.{name}: does nothing without autoscale.max"
        return
    fewest, target = settings.fewest, scale.max if scale.target is None else scale.target
    if not fewest <= count <= scale.max:
        yield (
            f"workers.count: must be from autoscale.min ({fewest}) to autoscale.max ({scale.max}): a herd starts with"
            f" it, got {count}"
        )
    elif not fewest <= target <= scale.max:
        yield (f"autoscale.target: must be from autoscale.min ({fewest}) to autoscale.max ({scale.max}), got {target}")


def _topics(settings: "Settings") -> Iterator[str]:
    topics = settings.kafka.topics
    for topic in topics:
        if topic.startswith("^"):
            if not is_regex(topic):
                yield f"kafka.topics: is no regular expression, got {topic!r}"
        elif not is_topic(topic):
            hint = "; a regular expression begins with ^" if set(topic) & set("*+?[](){}|\\$") else ""
            yield f"kafka.topics: must be topic names: letters, digits, dots, underscores, dashes{hint}, got {topic!r}"
    for topic in dict.fromkeys(topic for topic in topics if topics.count(topic) > 1):
        yield f"kafka.topics: names {topic!r} twice"


def is_regex(pattern: str) -> bool:
    """Whether `pattern` is a regular expression: Python's, for kherd itself matches it against the topics there are."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # FutureWarning: "[[" may mean more in a later Python
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _dead_letters(settings: "Settings") -> Iterator[str]:
    target, topics = settings.dead_letter.topic, settings.kafka.topics
    if not is_topic(target.replace("{topic}", "x")):
        yield f"dead_letter.topic: must be a topic's name, with {{topic}} for that of the source, got {target!r}"
        return
    for topic in topics:
        letters = target.replace("{topic}", topic)
        if is_topic(topic) and not is_topic(letters):
            yield f"dead_letter.topic: {letters!r} is longer than the 249 characters that Kafka takes"
        elif letters in topics:
            yield f"kafka.topics: {letters!r} is where the dead letters of {topic!r} go: this herd would eat its own"


def _embedded(settings: "Settings") -> Iterator[str]:
    if not settings.embedded:
        return
    kafka = settings.kafka
    if kafka.group_protocol == "classic":
        yield 'kafka.group_protocol: the embedded broker models KIP-848 groups only: use "consumer", got "classic"'
    if kafka.static_membership is True:
        yield "kafka.static_membership: the embedded broker does not model static members, got true"
    if kafka.oauth is not None:
        yield f"kafka.oauth: the embedded broker has no authentication, got {kafka.oauth!r}"
    for section in ("client", "consumer", "producer"):
        for name in getattr(kafka, section):
            if name.startswith(SECURED):
                yield f"kafka.{section}.{name}: cannot be set: the embedded broker has neither TLS nor SASL"


def _oauth(settings: "Settings") -> Iterator[str]:
    client = settings.kafka.client
    if settings.kafka.oauth is None or settings.embedded:
        return
    mechanism = client.get("sasl.mechanism", client.get("sasl.mechanisms", ""))
    if mechanism.upper() != "OAUTHBEARER" or not client.get("security.protocol", "").upper().startswith("SASL_"):
        yield (
            'kafka.oauth: needs "sasl.mechanism" = "OAUTHBEARER" and "security.protocol" = "SASL_SSL" in'
            f" [kafka.client], got {settings.kafka.oauth!r}"
        )
