"""Which topics a subscription means, which dead-letter topics belong to them, and which are missing."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

INTERNAL_PREFIX: Final = "__"
"""Kafka's own topics; no regex of ours ever matches one."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as the cluster has it."""

    name: str
    partitions: int
    replication: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """`topics` are names, and regexes that begin with `^`; `whole`: a regex must match the whole name (KIP-848)."""

    topics: tuple[str, ...]
    dead_letter: str
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """`topics` are subscribed to, `missing` named but not there; `dead_letters`: topic -> whose letters it takes."""

    topics: tuple[Topic, ...]
    missing: tuple[str, ...]
    dead_letters: Mapping[str, tuple[Topic, ...]]


def dead_letter_name(template: str, topic: str) -> str:
    """Return where the dead letters of `topic` go."""
    return template.replace("{topic}", topic)


def resolve(subscription: Subscription, existing: Sequence[Topic]) -> Resolved:
    """Return what `subscription` means on a cluster that has the topics `existing`."""
    names = [name for name in subscription.topics if not _is_regex(name)]
    have = {topic.name: topic for topic in existing}
    topics = tuple(topic for topic in existing if topic.name in names or matches(subscription, topic.name))
    sources: dict[str, tuple[Topic, ...]] = {}
    for topic in topics:
        target = dead_letter_name(subscription.dead_letter, topic.name)
        sources[target] = (*sources.get(target, ()), topic)
    return Resolved(topics, tuple(name for name in names if name not in have), sources)


def matches(subscription: Subscription, name: str) -> bool:
    """Return whether a regex of `subscription` means `name`. Kafka's own and our own dead-letter topics never match."""
    if name.startswith(INTERNAL_PREFIX) or not _any(subscription, name):
        return False
    return not _is_dead_letter(subscription, name)


def wanted_partitions(sources: Iterable[Topic]) -> tuple[int, int]:
    """Return partitions and replication factor of a dead-letter topic that serves all of `sources`."""
    rows = list(sources)
    return max(topic.partitions for topic in rows), max(topic.replication for topic in rows)


def _is_dead_letter(subscription: Subscription, name: str) -> bool:
    head, found, tail = subscription.dead_letter.partition("{topic}")
    if not found:
        return name == head
    if len(name) <= len(head) + len(tail) or not (name.startswith(head) and name.endswith(tail)):
        return False
    # Whether that source still exists does not matter: the letters of a deleted topic are not ours to consume either.
    source = name[len(head) : len(name) - len(tail)]
    return source in subscription.topics or _any(subscription, source)


def unusable(subscription: Subscription) -> Mapping[str, str]:
    """Return what is wrong with each regex that is none."""
    return {
        pattern: str(problem)
        for pattern in subscription.topics
        if _is_regex(pattern) and isinstance(problem := _compile(pattern), re.error)
    }


def _any(subscription: Subscription, name: str) -> bool:
    for pattern in filter(_is_regex, subscription.topics):
        regex = _compile(pattern)
        if isinstance(regex, re.Pattern) and (regex.fullmatch(name) if subscription.whole else regex.match(name)):
            return True
    return False


@lru_cache(maxsize=64)
def _compile(pattern: str) -> re.Pattern[str] | re.error:
    try:
        return re.compile(pattern)
    except re.error as error:
        return error


def _is_regex(name: str) -> bool:
    return name.startswith("^")
